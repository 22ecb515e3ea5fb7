"""Server-sent events as answers: kept alive, ended by the browser, by the service, and by errors."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientPayloadError, hdrs, web

from tests.web.routes.events import events
from tgbridge.errors import FloodWait
from tgbridge.http.sse import KEEP_ALIVE, Event
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Success
from tgbridge.web.event_stream import event_stream, no_events

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, Serve
    from tgbridge.app import Service
    from tgbridge.settings import Settings


RETRY = re.compile(rb"retry: [1-5][0-9]{3}\n\n")


async def two(request: web.Request) -> web.StreamResponse:
    if request.method == hdrs.METH_HEAD:
        return await no_events(request)
    async with event_stream(request) as stream:
        await stream.send(Event("1", "number"))
        await stream.send(Event('"two\\n"'))
    return stream.response


async def flood(request: web.Request) -> web.StreamResponse:
    async with event_stream(request) as stream:
        for _ in range(10_000):
            await stream.send(Event("x" * 65536))
    return stream.response


async def until_paused(service: Service) -> None:
    """Turn until a browser's socket has taken all that it takes."""
    server = service._runner.server
    assert server is not None
    while not any(connection._paused for connection in server.connections):
        await asyncio.sleep(0)


async def fail(request: web.Request) -> web.StreamResponse:
    async with event_stream(request) as stream:
        await stream.send(Event("1"))
        raise FloodWait(5)


@pytest.fixture
def ended() -> asyncio.Event:
    """Set when the handler of the endless stream has ended."""
    return asyncio.Event()


@pytest.fixture
async def service(serve: Serve, settings: Settings, ended: asyncio.Event) -> Service:
    async def forever(request: web.Request) -> web.StreamResponse:
        try:
            async with event_stream(request, keep_alive_seconds=0) as stream:
                await stream.send(Event("1"))
                await asyncio.Event().wait()
            return stream.response
        finally:
            ended.set()

    return await serve(
        settings,
        tuple(
            Endpoint("GET", f"/{handler.__name__}", handler, summary="", answers=(Success("", None),))
            for handler in (two, forever, flood, fail)
        ),
    )


async def test_whole(browser: ClientSession) -> None:
    """The events come in their order, and then the answer is over."""
    async with events(browser, "/two") as stream:
        assert await stream.rest() == [("number", 1), ("message", "two\n")]


async def test_headers(browser: ClientSession) -> None:
    """Nothing stores the stream, compresses it or holds it back; HEAD is answered by them alone."""
    for method in ("GET", "HEAD"):
        async with browser.request(method, "/two", headers={"Accept-Encoding": "gzip, br"}) as response:
            assert "Content-Encoding" not in response.headers
            assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
            assert response.headers["Cache-Control"] == "no-store, no-transform"
            assert response.headers["X-Accel-Buffering"] == "no"
            assert "X-Request-Id" in response.headers
            assert bool(await response.read()) is (method == "GET")


async def test_kept_alive(browser: ClientSession) -> None:
    """While there is nothing to tell, comments go over the connection."""
    async with browser.get("/forever") as response:
        assert await response.content.readuntil(b"\n\n") == b"data: 1\n\n"
        for _ in range(3):
            assert await response.content.readuntil(b"\n\n") == KEEP_ALIVE
        response.close()


async def test_browser_gone(service: Service, browser: ClientSession, ended: asyncio.Event) -> None:
    """Whoever sends events is cancelled when nobody is there to get them; no task is left."""
    async with events(browser, "/forever") as stream:
        assert await stream.next() == ("message", 1)
    await ended.wait()
    while service.app[keys.IN_FLIGHT]:
        await asyncio.sleep(0)


async def test_stopped(service: Service, browser: ClientSession) -> None:
    """A service that stops ends a stream that never ends, and says when to come back."""
    async with browser.get("/forever") as response:
        await response.content.readuntil(b"\n\n")
        stopping = asyncio.create_task(service.app[keys.IN_FLIGHT].drain(seconds=3600))
        rest = await response.read()
        while rest.startswith(KEEP_ALIVE):
            rest = rest.removeprefix(KEEP_ALIVE)
        assert RETRY.fullmatch(rest)
        assert await stopping == 0


@pytest.mark.swift_time
async def test_stopped_while_nobody_reads(service: Service, browser: ClientSession) -> None:
    """A browser that takes nothing more does not hold the stop up for as long as a transfer may."""
    in_flight = service.app[keys.IN_FLIGHT]
    response = await browser.get("/flood")
    await until_paused(service)
    began = asyncio.get_running_loop().time()
    assert await in_flight.drain(seconds=3600) == 0
    assert asyncio.get_running_loop().time() - began < 60
    response.close()


async def test_begun_while_stopping(service: Service, new_browser: NewBrowser) -> None:
    """One that begins in the meantime ends as well."""
    service.app[keys.IN_FLIGHT].draining = True
    async with new_browser().get("/forever") as response:
        assert RETRY.search(await response.read())


async def test_failure(browser: ClientSession) -> None:
    """An error in the middle breaks the connection off: the browser does not take it for the end."""
    async with events(browser, "/fail") as stream:
        assert await stream.next() == ("message", 1)
        with pytest.raises(ClientPayloadError):
            await stream.rest()
