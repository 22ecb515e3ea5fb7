"""Uploaded scripts and style sheets, asked for by the frontend's own page: `make browser-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, web

from tests.web.routes.forms import send_file
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.browser.conftest import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SCRIPT = (
    b"self.onconnect = (event) => event.ports[0].postMessage(1); if (!self.document) self.postMessage?.(1);"
)
STYLE = b"body { color: rgb(1, 2, 3) }"
ATTEMPTS = {
    "script": "element('script', {src: url})",
    "module": "element('script', {src: url, type: 'module'})",
    "import": "import(url)",
    "worker": "worker(new Worker(url))",
    "module worker": "worker(new Worker(url, {type: 'module'}))",
    "worker's import": "worker(new Worker(blob(`importScripts('${new URL(url, location)}')`)))",
    "shared worker": "shared(new SharedWorker(url))",
    "service worker": "navigator.serviceWorker.register(url)",
    "worklet": "new OfflineAudioContext(1, 1, 44100).audioWorklet.addModule(url)",
    "style": "element('link', {rel: 'stylesheet', href: url})",
    "style's import": "imported(url)",
}
# An attempt fulfils its promise if the file has run.
PAGE = """<!doctype html><title>frontend</title><body><script>
const event = (target, good) => new Promise((resolve, reject) => {
    target[good] = resolve;
    target.onerror = () => reject(new Error('refused'));
});
function element(name, fields) {
    const made = document.createElement(name);
    const loaded = event(made, 'onload');
    document.head.append(Object.assign(made, fields));
    return loaded;
}
const worker = (made) => event(made, 'onmessage');
const answer = (made) => new Promise((resolve) => { made.port.onmessage = resolve; });
async function others() {
    for (const n of [1, 2, 3]) await answer(new SharedWorker(`/own.javascript?${n}-${Math.random()}`));
    throw new Error('refused');
}
// Chromium loses the error of a refused one now and then: it had its time when three others have run in turn.
const shared = (made) => Promise.race([answer(globalThis.kept = made), others()]);
const blob = (text) => URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
async function imported(url) {
    await element('style', {textContent: `@import "${url}";`}).catch(() => {});
    if (getComputedStyle(document.body).color !== 'rgb(1, 2, 3)') throw new Error('refused');
}
</script>"""
SHOWN = """
(async () => {
    const shown = (name, loaded, fields) => new Promise((resolve, reject) => {
        const made = document.createElement(name);
        made[loaded] = () => resolve('shown');
        made.onerror = () => reject(new Error('refused'));
        document.body.append(Object.assign(made, fields));
    });
    return [
        await shown('video', 'onloadedmetadata', {muted: true, src: '/stream_media/%(video)d/film.mp4'}),
        await shown('audio', 'onloadedmetadata', {muted: true, src: '/stream_media/%(audio)d'}),
        await shown('img', 'onload', {src: '/stream_media/%(photo)d'}),
        await shown('img', 'onload', {src: '/stream_thumbnail/%(video)d'}),
        (await fetch('/stream_media/%(html)d')).status,
    ];
})()
"""


@pytest.fixture(params=[True, False], ids=["Fetch Metadata", "none"])
async def frontend(request: pytest.FixtureRequest, signed_in: ClientSession) -> AsyncIterator[str]:
    """A frontend that rewrites to the service, as Next.js does, for a user who is signed in.

    Without the fields of Fetch Metadata: what browsers send that do not know them, or over plain http.
    """

    async def index(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def own(request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        return web.Response(body=STYLE if kind == "css" else SCRIPT, content_type=f"text/{kind}")

    async def rewrite(asked: web.Request) -> web.StreamResponse:
        ours = ("sec-fetch", "service-worker")
        headers = {
            name: value
            for name, value in asked.headers.items()
            if name.lower() not in {"host", "connection"}
            if request.param or not name.lower().startswith(ours)
        }
        async with signed_in.get(asked.path_qs, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers=answer.headers)
            await response.prepare(asked)
            async for piece in answer.content.iter_any():
                await response.write(piece)
        return response

    app = web.Application()
    app.router.add_get("/", index)
    app.router.add_get("/own.{kind}", own)
    app.router.add_get("/stream_{rest:.*}", rewrite)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def runs(page: Page, attempt: str, url: str) -> bool:
    """Whether the page could run the file at a URL."""
    return await page.evaluate(
        f"((url) => {ATTEMPTS[attempt]})({url!r}).then(() => true, () => false)"
    ) is True  # fmt: skip


async def test_nothing_runs(page: Page, signed_in: ClientSession) -> None:
    """Scripts run as scripts, modules, workers and worklets, styles as styles: no uploaded one does."""
    script = await send_file(signed_in, SCRIPT, "a.js", "text/javascript")
    style = await send_file(signed_in, STYLE, "a.css", "text/css")
    for number, attempt in enumerate(ATTEMPTS):
        is_style = attempt.startswith("style")
        uploaded = f"/stream_media/{style if is_style else script}?{number}"
        assert not await runs(page, attempt, uploaded), attempt
        assert not await runs(page, attempt, uploaded.replace("?", "/a.js?")), attempt
    assert await page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    for number, attempt in enumerate(ATTEMPTS):  # which shows that these attempts are some
        kind = "css" if attempt.startswith("style") else "javascript"
        assert await runs(page, attempt, f"/own.{kind}?{number}"), attempt


async def test_everything_is_shown(page: Page) -> None:
    """The same page plays films and songs, shows pictures, and fetches whatever it likes."""
    shown: list[Any] = await page.evaluate(SHOWN % IDS)
    assert shown == ["shown", "shown", "shown", "shown", 200]
