"""What a rewrite of Next.js does to requests and answers (needs node and npm; make next-test)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import ClientSession, ClientTimeout, CookieJar, FormData

from tests.devices import device, scan
from tests.web.routes.events import events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import MakeSettings, Serve
    from tests.nextjs.conftest import App
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.next, pytest.mark.timeout(300)]

PHONE: Final = "+9996610001"
ROOT: Final = Path(__file__).parent.parent.parent
GZIP: Final = {"Accept-Encoding": "gzip"}


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[ClientSession]:
    """A browser that takes compressed answers, and shows them as they came; with the page's origin."""
    async with ClientSession(
        url,
        cookie_jar=CookieJar(unsafe=True),
        headers=GZIP | {"Origin": url.removesuffix("/tg/")},
        auto_decompress=False,
        timeout=ClientTimeout(total=60),
    ) as browser:
        yield browser


async def log_in(browser: ClientSession) -> None:
    for path, form in (("send-code", {}), ("sign-in", {"code": "11111"})):
        async with browser.post(path, json={"phone": PHONE, **form}) as response:
            assert response.status == 200, await response.text()


@pytest.fixture
async def browser(app: App, serve: Serve, make_settings: MakeSettings) -> AsyncIterator[ClientSession]:
    """A browser of the app, before a service that trusts it."""
    server = {"port": app.service_port, "trusted_proxies": ["127.0.0.1"]}
    await serve(make_settings(server=server))
    async with browsing(f"{app.url}/tg/") as browser:
        yield browser


async def test_events_arrive_one_by_one(sandbox: Sandbox, browser: ClientSession) -> None:
    """The code comes while the stream waits for somebody to scan it, and so does what follows."""
    async with device(sandbox, PHONE) as telephone, events(browser, "qr-login") as stream:
        assert "Content-Encoding" not in stream.response.headers
        shown = await stream.next()
        assert shown is not None
        assert shown[0] == "qr"
        await scan(telephone, shown[1]["url"])
        (end,) = await stream.rest()
        assert end[0] == "authenticated"
        async with browser.post("qr-login/claim", json=end[1]) as response:
            assert response.status == 200


async def test_bytes_are_as_they_were_sent(app: App, browser: ClientSession) -> None:
    """A text under a strong tag comes whole, uncompressed, by its length, and in ranges."""
    await log_in(browser)
    content = b"the same line again\n" * 5000
    form = FormData()
    form.add_field("file", content, filename="lines.txt", content_type="text/plain")
    async with browser.post("upload_file", data=form) as response:
        message_id = (await response.json())["message_id"]
    async with browser.get(f"stream_media/{message_id}") as response:
        assert "Content-Encoding" not in response.headers
        assert response.headers["Content-Length"] == str(len(content))
        assert response.headers["ETag"].startswith('"')
        assert await response.read() == content
    async with browser.get(f"stream_media/{message_id}", headers={"Range": "bytes=20-39"}) as response:
        assert (response.status, await response.read()) == (206, content[20:40])


async def test_who_is_not_told_refuses(app: App, serve: Serve, make_settings: MakeSettings) -> None:
    """A service that trusts nobody refuses what a page sends, and names the setting; reading works."""
    await serve(make_settings(server={"port": app.service_port}))
    async with browsing(f"{app.url}/tg/") as browser:
        async with browser.post("send-code", json={"phone": PHONE}) as response:
            body = await response.json()
            assert (response.status, body["code"]) == (403, "ORIGIN_NOT_ALLOWED")
            assert "server.trusted_proxies" in body["details"]
        async with browser.get("session") as response:
            assert (await response.json())["state"] == "signed_out"


async def test_an_allowed_origin(app: App, serve: Serve, make_settings: MakeSettings) -> None:
    """Or it is told where the pages are."""
    await serve(make_settings(server={"port": app.service_port}, cors={"allowed_origins": [app.url]}))
    async with browsing(f"{app.url}/tg/") as browser:
        await log_in(browser)


async def test_the_sandbox_needs_no_setting(app: App, tmp_path: Path) -> None:
    """What `make run` starts serves the rewrite as it is."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TGBRIDGE_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tgbridge", "serve", "--sandbox", "--port", str(app.service_port)),
        env=environ | {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path)},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert b"listening" in await process.stdout.readline()
        draining = asyncio.create_task(process.stdout.read())
        async with browsing(f"{app.url}/tg/") as browser:
            await log_in(browser)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    await draining
