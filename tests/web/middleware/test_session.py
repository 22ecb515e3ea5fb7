"""The cookie is read before the endpoint, and saved with whatever is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web

from tgbridge.errors import HTTPFailure
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, Serve
    from tgbridge.app import Service
    from tgbridge.settings import Settings


async def answer(request: web.Request) -> web.StreamResponse:
    request[keys.SESSION].signed_in("telegram", 1)
    return web.Response()


async def stream(request: web.Request) -> web.StreamResponse:
    request[keys.SESSION].signed_in("telegram", 2)
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write_eof(b"x")
    return response


async def refuse(request: web.Request) -> web.StreamResponse:
    request[keys.SESSION].signed_in("telegram", 3)
    raise HTTPFailure(418, "no", code="TEAPOT")


async def fail(request: web.Request) -> web.StreamResponse:
    request[keys.SESSION].signed_in("telegram", 4)
    raise web.HTTPConflict


async def who(request: web.Request) -> web.StreamResponse:
    return web.json_response(request[keys.SESSION].user_id)


ENDPOINTS: Final = tuple(
    Endpoint("GET", f"/{handler.__name__}", handler, summary="", answers=(Success("", None),))
    for handler in (answer, stream, refuse, fail, who)
)


@pytest.fixture
async def service(serve: Serve, settings: Settings) -> Service:
    return await serve(settings, ENDPOINTS)


@pytest.mark.parametrize(("path", "user_id"), [("/answer", 1), ("/stream", 2), ("/refuse", 3), ("/fail", 4)])
async def test_saved(browser: ClientSession, path: str, user_id: int) -> None:
    """A change is saved with an answer, a stream, and any error."""
    async with browser.get(path) as response:
        assert len(response.headers.getall("Set-Cookie")) == 1
    async with browser.get("/who") as response:
        assert await response.json() == user_id
        assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "cookie",
    [
        b"tgbridge=\xff\xfe",
        b"tgbridge=" + b"A" * 5000,
        b'tgbridge="gAAAAA=="',
        b"tgbridge=gAAAAA; tgbridge=",
        b"tgbridge",
        b";;=;,\x01",
    ],
)
async def test_garbage(service: Service, exchange: Exchange, cookie: bytes) -> None:
    """Bytes that are no cookie of ours make nobody, and no error."""
    sent = b"GET /who HTTP/1.1\r\nHost: x\r\nCookie: %b\r\n\r\n" % cookie.replace(b"\x01", b"\t")
    received = await exchange(service, sent)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"null")
