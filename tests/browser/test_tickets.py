"""Tickets on a page of another site, in a real Chromium: `make browser-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession, web

from tests.web.routes.rows import post
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.browser.conftest import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

EMBEDS = """
(async (film, picture) => {
    const shown = (name, loaded, fields) => new Promise((resolve, reject) => {
        const made = document.createElement(name);
        made[loaded] = () => resolve(made);
        made.onerror = () => reject(new Error(`${name} refused`));
        document.body.append(Object.assign(made, fields));
    });
    const readable = (image) => {
        const context = document.createElement('canvas').getContext('2d');
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, 1, 1).data.length;
    };
    const anonymous = {crossOrigin: 'anonymous'};
    await shown('img', 'onload', {src: picture});
    await shown('video', 'onloadeddata', {muted: true, src: film});
    const part = await fetch(film, {headers: {Range: 'bytes=0-9', 'If-None-Match': '"x"'}});
    return {
        isolated: self.crossOriginIsolated,
        picture: readable(await shown('img', 'onload', {...anonymous, src: picture + '?again'})),
        film: readable(await shown('video', 'onloadeddata', {...anonymous, muted: true, src: film})),
        part: [part.status, part.headers.get('content-range'), (await part.arrayBuffer()).byteLength],
        changed: (await (await fetch(film + 'x')).json()).code,
    };
})(%r, %r)
"""


@pytest.fixture
async def frontend() -> AsyncIterator[str]:
    """A page of another site, which lets nothing in that does not say that it may be embedded anywhere."""

    async def index(_request: web.Request) -> web.Response:
        isolation = {
            "Cross-Origin-Embedder-Policy": "require-corp",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        return web.Response(text="<!doctype html>", content_type="text/html", headers=isolation)

    app = web.Application()
    app.router.add_get("/", index)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def test_another_site(page: Page, signed_in: ClientSession) -> None:
    """It may show the files and read them, `crossorigin` or not, ranges included, and read why it can't."""
    _, film = await post(signed_in, f"/media/{IDS['video_moov_last']}/ticket")
    _, picture = await post(signed_in, f"/media/{IDS['photo']}/ticket")
    base = str(signed_in._base_url).rstrip("/") + "/"
    assert await page.evaluate(EMBEDS % (base + film["url"], base + picture["thumbnail_url"])) == {
        "isolated": True,
        "picture": 4,
        "film": 4,
        "part": [206, "bytes 0-9/24000000", 10],
        "changed": "TICKET_INVALID",
    }
