"""Every request has an id, which its answer and the log share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import ClientError, web
from structlog.testing import capture_logs

from tgbridge.errors import PoolExhausted
from tgbridge.web import keys, logs
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve
    from tgbridge.app import Service
    from tgbridge.settings import Settings

WELL_FORMED: Final = ["0123456789abcdef", "a-b_c.d-1", "x" * 64]
MALFORMED: Final = ["short", "x" * 65, "with space", "ключключ", "<script>alert", "a" * 8 + ";"]


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write_eof(b"x")
    return response


async def hello(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="é" * 10)


async def chunks(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for _ in range(3):
        await response.write(memoryview(bytes(1000)))
    return response


async def too_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(bytes(60))
    raise PoolExhausted


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(bytes(60))
    await asyncio.Event().wait()
    raise AssertionError


async def large(_request: web.Request) -> web.StreamResponse:
    return web.Response(body=bytes(20_000_000))


async def gone() -> None:
    raise PoolExhausted


async def detach(request: web.Request) -> web.StreamResponse:
    request.app[keys.COMPLETION].detach(gone())
    return web.Response()


async def fail(_request: web.Request) -> web.StreamResponse:
    raise PoolExhausted


ENDPOINTS: Final = (
    Endpoint("GET", "/stream", stream, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/hello", hello, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/chunks", chunks, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/too-short", too_short, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/endless", endless, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/large", large, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/detach", detach, summary="", answers=(Success("", None),)),
    Endpoint("GET", "/fail", fail, summary="", answers=(Success("", None),)),
)


@pytest.fixture
async def service(serve: Serve, settings: Settings) -> Service:
    return await serve(settings, ENDPOINTS)


@pytest.mark.parametrize("path", ["/stream", "/fail", "/nothing"])
async def test_each_answer_has_one(browser: ClientSession, path: str) -> None:
    """Streams, failures and unknown paths carry an id, another each time, and do not say what serves them."""
    ids = set()
    for _ in range(2):
        async with browser.get(path) as response:
            ids.add(response.headers["X-Request-Id"])
            assert response.headers["Server"] == "tgbridge"
    assert len(ids) == 2


@pytest.mark.parametrize("given", WELL_FORMED)
async def test_taken_over(browser: ClientSession, given: str) -> None:
    """A proxy's id is taken over."""
    async with browser.get("/stream", headers={"X-Request-Id": given}) as response:
        assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", MALFORMED)
async def test_not_taken_over(browser: ClientSession, given: str) -> None:
    """An id that is not well-formed gives way to one of ours."""
    async with browser.get("/stream", headers={"X-Request-Id": given}) as response:
        assert response.headers["X-Request-Id"] != given


async def test_in_the_log(browser: ClientSession) -> None:
    """The access log has one line for an answer, with who asked for what, and without the query."""
    with capture_logs() as logs:
        async with browser.get("/stream?ticket=secret", headers={"X-Request-Id": "0123456789"}) as response:
            await response.read()
        # The line is written once the answer is out, which its reader may notice first.
        await browser.get("/nothing")
    line = next(entry for entry in logs if entry["event"] == "answered")
    assert line.pop("seconds") >= 0
    assert line == {
        "event": "answered",
        "log_level": "info",
        "request_id": "0123456789",
        "address": "127.0.0.1",
        "method": "GET",
        "path": "/stream",
        "status": 200,
        "bytes": len("x"),
    }


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/hello"), ("HEAD", "/hello"), ("GET", "/chunks"), ("GET", "/fail")]
)
async def test_bytes_of_the_body(browser: ClientSession, method: str, path: str) -> None:
    """What counts is what the client gets to read: no head, no framing of chunks."""
    with capture_logs() as logs:
        async with browser.request(method, path) as response:
            body = await response.read()
        await browser.get("/nothing")  # by which time the line is written
    line = next(entry for entry in logs if entry["event"] == "answered")
    assert (line["method"], line["path"], line["bytes"]) == (method, path, len(body))
    assert (len(body) == 0) is (method == "HEAD")


@pytest.mark.parametrize("path", ["/too-short", "/endless"])
async def test_bytes_of_part_of_a_body(browser: ClientSession, service: Service, path: str) -> None:
    """An answer that fails on its way, or whose reader goes away, is logged with what had gone out."""
    with capture_logs() as logs:
        async with browser.get(path) as response:
            await response.content.readexactly(60)
            response.close()
        while service.app[keys.IN_FLIGHT]:
            await asyncio.sleep(0)
        await browser.get("/nothing")
    line = next(entry for entry in logs if entry["event"] == "broken off")
    assert (line["path"], line["status"], line["bytes"]) == (path, 200, 60)


async def test_whole_answer_that_is_not_read(browser: ClientSession) -> None:
    """What was given to the socket at once, and never read to its end, was not answered either."""
    with capture_logs() as logs:
        async with browser.get("/large") as response:
            await response.content.readexactly(60)
            response.close()
        async with asyncio.timeout(5):
            while not any(entry.get("path") == "/large" for entry in logs):
                await asyncio.sleep(0)
    (line,) = (entry for entry in logs if entry.get("path") == "/large")
    assert (line["event"], line["status"]) == ("broken off", 200)


async def test_draining(serve: Serve, settings: Settings, new_browser: NewBrowser) -> None:
    """A stop waits for the request that runs, whose answer ends the connection, and takes no other."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_request: web.Request) -> web.StreamResponse:
        begun.set()
        await go_on.wait()
        return web.Response()

    service = await serve(settings, (Endpoint("GET", "/wait", wait, summary="", answers=()),))
    browser = new_browser(service)
    asking = asyncio.create_task(browser.get("/wait"))
    await begun.wait()
    stopping = asyncio.create_task(service.stop())
    while not service.app[keys.IN_FLIGHT].draining:
        await asyncio.sleep(0)
    with pytest.raises(OSError, match="Cannot connect"):
        await new_browser(service).get("/wait")
    assert not stopping.done()
    go_on.set()
    async with await asking as response:
        assert (response.status, response.headers["Connection"]) == (200, "close")
    await stopping


async def test_drained(serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser) -> None:
    """A request beyond `server.drain_seconds` is cancelled, and has cleaned up before Telegram is left."""
    begun = asyncio.Event()
    seen: list[bool] = []

    async def wait(request: web.Request) -> web.StreamResponse:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            async with request.app[keys.POOL].anonymous() as client:
                seen.append(client.is_usable)
        raise AssertionError

    service = await serve(
        make_settings(server={"drain_seconds": 0}), (Endpoint("GET", "/wait", wait, summary="", answers=()),)
    )
    asking = asyncio.create_task(new_browser(service).get("/wait"))
    await begun.wait()
    await service.stop()
    with pytest.raises(ClientError):
        await asking
    assert seen == [True]


async def test_work_that_a_request_began(browser: ClientSession, service: Service) -> None:
    """What goes on once a request is answered still has the request's id in the log."""
    with capture_logs(processors=[logs._add_request_id]) as told:
        for request_id in ("the-first-one", "the-second-one"):
            async with browser.get("/detach", headers={"X-Request-Id": request_id}) as response:
                assert response.status == 200
        await service.app[keys.COMPLETION].drain()
    lines = [entry for entry in told if entry["event"] == "work whose caller had gone failed"]
    assert [entry["request_id"] for entry in lines] == ["the-first-one", "the-second-one"]
