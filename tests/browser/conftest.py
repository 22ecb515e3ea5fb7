"""A real Chromium, driven over its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession, WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp import ClientWebSocketResponse

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
)


_LOADED = """
new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))
"""


class Page:
    """One tab: evaluates JavaScript, and keeps what the network did."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.responses: list[dict[str, Any]] = []
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    async def call(self, method: str, **parameters: Any) -> Any:
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await self._answers[number]

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression, awaited if it is a promise."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def close(self) -> None:
        await self._socket.close()
        await self._reading

    async def _read(self) -> None:
        async for message in self._socket:
            assert message.type is WSMsgType.TEXT
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result", told))
            elif told["method"] == "Network.responseReceived":
                self.responses.append(told["params"]["response"])


def binary() -> str:
    """Where Chromium is."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.fail("no Chromium here. On Debian: apt install chromium; elsewhere set CHROMIUM to its path")
    return found


@asynccontextmanager
async def _chromium(profile: Path) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        binary(), *_FLAGS, f"--user-data-dir={profile}", "about:blank", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async for line in process.stderr:
            if line.startswith(b"DevTools listening on "):
                break
        # Its further messages must not fill the pipe.
        draining = asyncio.create_task(process.stderr.read())
        yield line.split()[-1].decode().removeprefix("ws://").partition("/")[0]
    finally:
        process.terminate()
        await process.wait()
    await draining


@pytest.fixture
async def page(tmp_path: Path, frontend: str) -> AsyncIterator[Page]:
    """A tab that shows the frontend's page."""
    async with _chromium(tmp_path / "profile") as address, ClientSession() as http:
        async with http.put(f"http://{address}/json/new?about:blank") as response:
            socket_url = (await response.json())["webSocketDebuggerUrl"]
        async with http.ws_connect(socket_url, max_msg_size=0) as socket:
            tab = Page(socket)
            await tab.call("Network.enable")
            await tab.call("Page.enable")
            await tab.call("Page.navigate", url=frontend)  # until the page has begun
            await tab.evaluate(_LOADED)
            yield tab
            await tab.close()


@pytest.fixture
async def frontend() -> AsyncIterator[str]:
    """A frontend's own server, on another port of the same host."""

    async def index(_request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>frontend</title><body>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", index)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://localhost:{runner.addresses[0][1]}/"
    await runner.cleanup()
