"""Too much, and too slow: a quick answer to whoever is one too many, and nothing for the others to notice."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web
from yarl import URL

from tests.conftest import PHONE
from tgbridge.errors import HTTPFailure
from tgbridge.settings.live import LiveSettings
from tgbridge.web import connections, keys, protocol
from tgbridge.web.endpoint import Endpoint, Success
from tgbridge.web.shares import Shares
from tgbridge.web.tally import RequestTally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import Exchange, MakeSettings, Serve, SignIn
    from tgbridge.app import Service

HEAD: Final = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
BUSY: Final = {
    "error": "The service is too busy. Please try again later.",
    "code": "OVERLOADED",
    "retry_after": 5,
}
LARGE: Final = bytes(32 * 1024 * 1024)


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection that reads little ahead."""
    url = URL(service.url)
    reader, writer = await asyncio.open_connection(url.host, url.port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one answer's head; its status, and all of it."""
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split(b" ")[1]), head


def bounds(service: Service) -> dict[str, int]:
    """Tell which bounds have been reached, and how often."""
    return {name: count for name, count in service.app[keys.TALLY].bounds.items() if count}


async def counted(service: Service, count: int) -> None:
    """Wait until so many connections are open."""
    while len(service.app[keys.CONNECTIONS]) != count:
        await asyncio.sleep(0)


async def large(_request: web.Request) -> web.Response:
    return web.Response(body=LARGE)


async def endless(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


def endpoint(path: str, handler: Any) -> Endpoint:
    return Endpoint("GET", path, handler, summary=path, answers=(Success("", None),))


OTHERS: Final = (endpoint("/large", large), endpoint("/endless", endless))


@pytest.mark.swift_time
async def test_a_slow_head(service: Service) -> None:
    """A head that comes a byte at a time is waited for so long: 408, and the connection ends."""
    async with connected(service) as (reader, writer):
        for byte in HEAD:
            writer.write(bytes([byte]))
            await asyncio.sleep(1)
            if reader._buffer:  # type: ignore[attr-defined]
                break
        assert (await answered(reader))[0] == 408
        assert json.loads(await reader.read())["code"] == "REQUEST_TIMEOUT"
    assert bounds(service) == {"head_seconds": 1}


@pytest.mark.swift_time
async def test_a_head_that_begins_with_its_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for no longer, though its first bytes are there before anybody waits, as uvloop has it."""
    made = protocol._Protocol.connection_made

    def connection_made(self: Any, transport: asyncio.BaseTransport) -> None:
        made(self, transport)
        self.data_received(HEAD)

    monkeypatch.setattr(protocol._Protocol, "connection_made", connection_made)
    async with connected(service) as (reader, _):
        assert (await answered(reader))[0] == 408
    assert bounds(service) == {"head_seconds": 1}


@pytest.mark.swift_time
async def test_a_head_in_pieces(service: Service) -> None:
    """One that comes in time is served, and the next one has as much time again."""
    async with connected(service) as (reader, writer):
        for _ in range(3):
            writer.write(HEAD)
            await asyncio.sleep(29)
            writer.write(b"\r\n")
            assert (await answered(reader))[0] == 200
            await reader.readexactly(15)
    assert bounds(service) == {}


@pytest.mark.swift_time
async def test_an_idle_connection(make_settings: MakeSettings, serve: Serve) -> None:
    """It is kept for as long as the settings say, from its last answer on."""
    service = await serve(make_settings(server={"port": 0, "keep_alive_seconds": 100}))
    async with connected(service) as (reader, writer):
        for _ in range(3):
            await asyncio.sleep(99)
            writer.write(HEAD + b"\r\n")
            assert (await answered(reader))[0] == 200
            await reader.readexactly(15)
        await asyncio.sleep(101)
        assert await reader.read() == b""


@pytest.mark.swift_time
async def test_a_reader_who_takes_nothing(make_settings: MakeSettings, serve: Serve) -> None:
    """Who takes nothing of an answer is cut off, and what was to be sent is given up."""
    service = await serve(make_settings(), OTHERS)
    async with connected(service) as (_, writer):
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await counted(service, 1)
        await asyncio.sleep(250)
        await counted(service, 0)
    assert bounds(service) == {"send_seconds": 1}


@pytest.mark.swift_time
async def test_a_reader_who_is_slow(make_settings: MakeSettings, serve: Serve) -> None:
    """Who takes something now and then gets all of it, however long that takes."""
    service = await serve(make_settings(), OTHERS)
    async with connected(service) as (reader, writer):
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await answered(reader)
        for _ in range(8):
            await reader.readexactly(len(LARGE) // 8)
            await asyncio.sleep(30)
    assert bounds(service) == {}


async def test_the_longest_idle_give_way(make_settings: MakeSettings, serve: Serve) -> None:
    """Idle connections keep nobody out: those go that have waited longest, and never one in work."""
    service = await serve(make_settings(server={"port": 0, "max_connections": 4}), OTHERS)
    async with AsyncExitStack() as stack:
        idle = []
        for number in range(4):
            reader, writer = await stack.enter_async_context(connected(service))
            if not number:
                writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            idle.append(reader)
            await counted(service, number + 1)
        while not len(service.app[keys.IN_FLIGHT]):
            await asyncio.sleep(0)
        for number in (1, 2):
            _, writer = await stack.enter_async_context(connected(service))
            assert await idle[number].read() == b""
        assert not idle[0].at_eof()
        assert not idle[3].at_eof()
    assert bounds(service) == {"idle_connections": 2}


async def test_one_connection_too_many(make_settings: MakeSettings, serve: Serve) -> None:
    """Where all are at work, a few more are told so at once, and the rest are dropped; then there is room."""
    service = await serve(make_settings(server={"port": 0, "max_connections": 1}), OTHERS)
    async with connected(service) as (_, writer):
        writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        while not len(service.app[keys.IN_FLIGHT]):
            await asyncio.sleep(0)
        async with AsyncExitStack() as stack:
            surplus = [
                await stack.enter_async_context(connected(service)) for _ in range(connections.SURPLUS)
            ]
            await counted(service, 1 + connections.SURPLUS)
            dropped, _ = await stack.enter_async_context(connected(service))
            with suppress(ConnectionError):
                assert await dropped.read() == b""
            for reader, writing in surplus:
                writing.write(b"POST /anything HTTP/1.1\r\nHost: x\r\n\r\n")
                status, head = await answered(reader)
                assert (status, b"\r\nRetry-After: 5\r\n" in head) == (503, True)
                assert json.loads(await reader.read()) == BUSY
    await counted(service, 0)
    async with connected(service) as (reader, writer):
        writer.write(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await answered(reader))[0] == 404
    assert bounds(service) == {"connections": 1 + connections.SURPLUS}


async def test_one_request_too_many(make_settings: MakeSettings, serve: Serve, exchange: Exchange) -> None:
    """Past the bound a request is refused at once; probes are answered."""
    service = await serve(make_settings(server={"port": 0, "max_requests": 1}))
    with service.app[keys.IN_FLIGHT].endless():
        task = service.app[keys.IN_FLIGHT].begin()
        head, _, body = (await exchange(service, b"GET /session HTTP/1.1\r\nHost: x\r\n\r\n")).partition(
            b"\r\n\r\n"
        )
        assert (int(head.split(b" ")[1]), json.loads(body)) == (503, BUSY)
        assert b" 200 OK" in await exchange(service, HEAD + b"\r\n")
        service.app[keys.IN_FLIGHT].end(task)
    assert b" 200 OK" in await exchange(service, b"GET /session HTTP/1.1\r\nHost: x\r\n\r\n")
    assert bounds(service) == {"requests": 1}


async def test_one_request_too_many_of_an_account(
    make_settings: MakeSettings, serve: Serve, new_browser: Any, sign_in: SignIn
) -> None:
    """What one account has in work does not count for others, who are answered."""
    limits = {"enabled": True, "requests_at_once_per_account": 2}
    service = await serve(make_settings(limits=limits))
    browser, other = new_browser(service), new_browser(service)
    user = await sign_in(browser, PHONE)
    await sign_in(other, "+9996620002")
    shares = service.app[keys.SHARES]
    for _ in range(2):
        shares.take(user["id"], by_ticket=False)
    await _refused(browser)
    async with other.get("/me") as response:
        assert response.status == 200
    for _ in range(2):
        shares.give_back(user["id"], by_ticket=False)
    async with browser.get("/me") as response:
        assert response.status == 200
    assert (len(shares), bounds(service)) == (0, {"requests_of_account": 1})


async def _refused(browser: ClientSession) -> None:
    async with browser.get("/me") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert (await response.json())["code"] == "TOO_MANY_AT_ONCE"


def test_tickets_get_half(make_settings: MakeSettings) -> None:
    """Whoever has an account's tickets can take half of its share, and never all of it."""
    settings = make_settings(limits={"enabled": True, "requests_at_once_per_account": 4})
    shares = Shares(LiveSettings(settings), RequestTally(()))
    for _ in range(2):
        shares.take(1, by_ticket=True)
    with pytest.raises(HTTPFailure) as refused:
        shares.take(1, by_ticket=True)
    assert refused.value.status == 429
    for _ in range(2):
        shares.take(1, by_ticket=False)
    for by_ticket in (True, True, False, False):
        shares.give_back(1, by_ticket=by_ticket)
    assert len(shares) == 0
