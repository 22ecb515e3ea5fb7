"""A page of Next.js in a real Chromium, made of what docs/ shows: `make next-test`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.devices import device, scan
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from tests.browser.conftest import Page
    from tests.conftest import MakeSettings, Serve
    from tests.nextjs.conftest import App
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.next, pytest.mark.timeout(300)]

PHONE: Final = "+9996610001"
SIZE: Final = 20 * 1024 * 1024
UNTIL: Final = """
new Promise((resolve, reject) => {
    const ends = Date.now() + 60000;
    (function look() {
        let found;
        try { found = %s; } catch { found = false; }
        if (found) resolve(found);
        else if (Date.now() > ends) reject(new Error(document.body.innerText));
        else setTimeout(look, 20);
    })();
})
"""
FILL: Final = """
document.querySelector('[name=phone]').value = '%s';
document.querySelector('[name=code]').value = '11111';
document.querySelector('#sign-in').click();
"""
CHOOSE: Final = """
(() => {
    const bytes = new Uint8Array(%d).map((_, at) => at * 31);
    const chosen = new DataTransfer();
    chosen.items.add(new File([bytes], 'chosen.bin', {lastModified: 1}));
    const input = document.querySelector('[type=file]');
    input.files = chosen.files;
    input.dispatchEvent(new Event('change', {bubbles: true}));
})()
"""
PLAY: Final = """
(async () => {
    const video = document.querySelector('video');
    await video.play();
    video.currentTime = 2;
    await new Promise((resolve) => {
        video.addEventListener('timeupdate', () => { if (video.currentTime > 2) resolve(); });
    });
    return video.videoWidth;
})()
"""
WATCH: Final = """
window.waits = false;
const add = addEventListener;
window.addEventListener = (name, ...rest) => { window.waits ||= name === 'online'; add(name, ...rest); };
"""
TEXT: Final = "document.querySelector('#%s').innerText"


@pytest.fixture
async def service(app: App, serve: Serve, make_settings: MakeSettings) -> Service:
    return await serve(make_settings(server={"port": app.service_port, "trusted_proxies": ["127.0.0.1"]}))


async def until(page: Page, expression: str) -> Any:
    return await page.evaluate(UNTIL % expression)


async def go(page: Page, url: str) -> None:
    await page.call("Page.navigate", url=url)
    await until(page, f"document.readyState === 'complete' && location.href === {url!r}")


async def sign_in(page: Page, app: App) -> None:
    await go(page, f"{app.url}/")
    await until(page, f"{TEXT % 'said'} === 'NOT_AUTHENTICATED'")
    await page.evaluate(FILL % PHONE)
    await until(page, f"{TEXT % 'said'} === 'signed in'")


async def test_sign_in_list_and_play(service: Service, app: App, page: Page) -> None:
    """It signs in by a code, shows thumbnails by next/image, and plays; server components see the session."""
    await sign_in(page, app)
    drawn = "[...document.images].filter((image) => image.naturalWidth > 0).length"
    assert await until(page, f"document.images.length > 1 && {drawn} === document.images.length")
    sources = await page.evaluate("[...document.images].map((image) => image.currentSrc)")
    assert all(source.startswith(f"{app.url}/tg/stream_thumbnail/") and "?w=" in source for source in sources)
    await go(page, f"{app.url}/server")
    told = json.loads(await until(page, TEXT % "state"))
    assert told["state"] == "signed_in"
    await go(page, f"{app.url}/play/{IDS['video_moov_last']}")
    assert await page.evaluate(PLAY) > 0


async def test_sign_in_by_a_code_to_scan(sandbox: Sandbox, service: Service, app: App, page: Page) -> None:
    """The code comes through the rewrite while the stream is open; a telephone scans it."""
    await go(page, f"{app.url}/")
    await until(page, f"{TEXT % 'said'} === 'NOT_AUTHENTICATED'")
    listening = """
        const Source = EventSource;
        window.EventSource = class extends Source {
            constructor(...given) {
                super(...given);
                this.addEventListener('qr', ({data}) => { window.shown = JSON.parse(data).url; });
            }
        };
        document.querySelector('#scan').click();
    """
    await page.evaluate(listening)
    link = await until(page, "window.shown")
    assert await until(page, "document.querySelector('#qr svg') !== null")
    async with device(sandbox, PHONE) as telephone:
        await scan(telephone, link)
    await until(page, f"{TEXT % 'said'} === 'signed in'")


async def test_upload_in_chunks(sandbox: Sandbox, service: Service, app: App, page: Page) -> None:
    """A page below a path sends 20 MB through the rewrite, shows how far it is, and sends it again."""
    await sign_in(page, app)
    await go(page, f"{app.url}/play/1")
    account = sandbox.state.account_of(PHONE)
    for count in (1, 2):
        await page.evaluate(CHOOSE % SIZE)
        shown = json.loads(
            await until(page, f"JSON.parse({TEXT % 'shown'}).length === {count} && {TEXT % 'shown'}")
        )
        assert len(set(shown)) == count
        message = account.history.get(shown[-1])
        assert message is not None
        assert message.message == "through a rewrite"
        assert message.media.document.size == SIZE
    drawn = json.loads(await page.evaluate(TEXT % "drawn"))
    assert drawn[-1] == 1
    assert any(0 < part < 1 for part in drawn)
    assert await page.evaluate(TEXT % "failed") == ""


async def test_upload_while_offline(service: Service, app: App, page: Page) -> None:
    """One that is begun offline goes on by itself once the browser is online."""
    await sign_in(page, app)
    await go(page, f"{app.url}/play/1")
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await page.call("Network.emulateNetworkConditions", offline=True, **conditions)
    await until(page, "!navigator.onLine")
    await page.evaluate(WATCH)
    await page.evaluate(CHOOSE % 1000)
    await until(page, "window.waits")
    await page.call("Network.emulateNetworkConditions", offline=False, **conditions)
    assert await until(page, f"JSON.parse({TEXT % 'shown'})[0]")
