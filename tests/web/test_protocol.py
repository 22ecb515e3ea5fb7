"""What is answered without any middleware: in our words too, and without repeating what was sent."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tgbridge.app import Service

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from tests.conftest import Exchange
    from tgbridge.settings import Settings

SECRET: Final = "tgbridge=the-cookie"
HEAD: Final = f"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: {SECRET}\r\n".encode()

NO_HTTP: Final = {
    "NUL in a field": HEAD + f"X: {SECRET}\x00\r\n\r\n".encode(),
    "no field": HEAD + f"{SECRET}\r\n\r\n".encode(),
    "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "too long a field": HEAD + b"X: " + SECRET.encode() * 3000 + b"\r\n\r\n",
    "no method": f"{SECRET} / HTTP/1.1\r\n\r\n".encode(),
    "no target": b"GET HTTP/1.1\r\n\r\n",
    "nothing of the kind": b"\x16\x03\x01" + SECRET.encode() + b"\r\n\r\n",
}


@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP.keys())
async def test_no_http(service: Service, exchange: Exchange, sent: bytes) -> None:
    """What is no HTTP has the JSON body, an id and all that is to be safe; nothing of it comes back."""
    with capture_logs() as logs:
        answer = await exchange(service, sent)
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert status in {400, 431}
    assert json.loads(body).keys() == {"error", "code", "details"}
    for field in (b"X-Request-Id", b"X-Content-Type-Options: nosniff", b"Server: tgbridge", b"Cache-Control"):
        assert b"\r\n" + field in head
    assert head.count(b"\r\nServer:") == 1
    assert SECRET.encode() not in answer
    assert SECRET not in str(logs)
    (request_id,) = re.findall(rb"\r\nX-Request-Id: (\w+)\r\n", head)
    assert {entry["request_id"] for entry in logs} == {request_id.decode()}
    assert "error" not in {entry["log_level"] for entry in logs}


TOO_MUCH: Final = {
    "many fields": (431, HEAD + b"".join(b"Cookie: %b\r\n" % (b"a=b;" * 1000) for _ in range(9)) + b"\r\n"),
    "one name": (431, HEAD + b"".join(b"%b: x\r\n" % (b"x" * 8000) for _ in range(5)) + b"\r\n"),
    "many segments": (404, b"GET " + b"/" * 8000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
}


@pytest.mark.parametrize(("status", "sent"), TOO_MUCH.values(), ids=TOO_MUCH.keys())
async def test_too_much(
    service: Service, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, status: int, sent: bytes
) -> None:
    """Nobody looks at a head that would only cost time: neither the router nor any middleware."""

    async def resolve(_request: web.Request) -> None:
        pytest.fail("the router was asked")

    monkeypatch.setattr(service.app.router, "resolve", resolve)
    head, _, body = (await exchange(service, sent)).partition(b"\r\n\r\n")
    assert int(head.split(b" ")[1]) == status
    assert json.loads(body).keys() == {"error", "code"}
    assert b"\r\nConnection: close" in head


@web.middleware
async def fail(request: web.Request, handler: Handler) -> web.StreamResponse:
    raise ValueError(SECRET)


async def test_answering_that_fails(settings: Settings, exchange: Exchange) -> None:
    """An error beyond all middleware is a plain 500: no traceback, though asyncio is in debug mode."""
    service = Service(settings)
    service.app.middlewares.insert(0, fail)
    async with service:
        with capture_logs() as logs:
            received = await exchange(
                service, b"GET /healthz HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n"
            )
    head, _, body = received.partition(b"\r\n\r\n")
    assert b" 500 Internal Server Error" in head
    assert json.loads(body) == {
        "error": "Internal Server Error.",
        "code": "INTERNAL_SERVER_ERROR",
        "details": "ValueError",
    }
    assert SECRET not in str(logs)
    assert "error beyond all middleware" in {entry["event"] for entry in logs}
    (request_id,) = re.findall(rb"\r\nX-Request-Id: (\w+)\r\n", head)
    assert {entry["request_id"] for entry in logs if "request_id" in entry} == {request_id.decode()}
