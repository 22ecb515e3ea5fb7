"""Whatever goes wrong has the contract's JSON body, and no half answer is taken for a whole one."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import ClientPayloadError, ClientSession, web
from structlog.testing import capture_logs

from tgbridge import errors
from tgbridge.models import Health
from tgbridge.web.answers import json_answer
from tgbridge.web.body import read_fields
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import Exchange, MakeSettings, NewBrowser, Serve
    from tgbridge.app import Service
    from tgbridge.settings import Settings

SECRET: Final = "+15551234567"


def raising(error: Exception) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handler(_request: web.Request) -> web.StreamResponse:
        raise error

    return handler


async def break_off(request: web.Request) -> web.StreamResponse:
    """Announces more than it sends, and fails."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"x" * 10)
    raise errors.FloodWait(5)


async def break_off_chunked(request: web.Request) -> web.StreamResponse:
    """Announces no length, and fails."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"[1")
    raise ValueError(SECRET)


async def read_body(request: web.Request) -> web.StreamResponse:
    await read_fields(request)
    return json_answer(Health(status="ok"))


def endpoint(path: str, handler: Any, **options: Any) -> Endpoint:
    method = options.pop("method", "GET")
    return Endpoint(method, path, handler, summary=path, answers=(Success("", None),), **options)


RAISED: dict[str, tuple[Exception, int, dict[str, object]]] = {
    "refused": (
        errors.TelegramRefused("X_INVALID"),
        500,
        {"error": "Failed.", "code": "X_INVALID", "details": "X_INVALID"},
    ),
    "with a number": (
        errors.TelegramRefused("X_MIGRATE", 3),
        500,
        {"error": "Failed.", "code": "X_MIGRATE", "details": "X_MIGRATE"},
    ),
    "flood": (
        errors.FloodWait(7, "FLOOD_PREMIUM_WAIT"),
        429,
        {
            "error": "Too many requests. Please try again later.",
            "code": "FLOOD_PREMIUM_WAIT",
            "retry_after": 7,
        },
    ),
    "session ended": (
        errors.SessionEnded("SESSION_REVOKED"),
        401,
        {"error": "User not authenticated.", "code": "SESSION_REVOKED"},
    ),
    "unavailable": (
        errors.TelegramUnavailable("silent", 9),
        503,
        {"error": "Failed.", "code": "TELEGRAM_UNAVAILABLE", "details": "silent", "retry_after": 9},
    ),
    "pool": (errors.PoolExhausted(4), 503, {"error": "Failed.", "code": "POOL_EXHAUSTED", "retry_after": 4}),
    "not found": (errors.MediaNotFound(), 404, {"error": "Not here.", "code": "NOT_HERE"}),
    "invalid file": (
        errors.TelegramRefused("IMAGE_PROCESS_FAILED"),
        400,
        {"error": "Invalid file type or format.", "code": "IMAGE_PROCESS_FAILED"},
    ),
    "other parts than sent": (
        errors.TelegramRefused("FILE_PARTS_INVALID"),
        500,
        {
            "error": "Telegram has counted other parts of the file than were sent. Please upload it again.",
            "code": "FILE_PARTS_INVALID",
        },
    ),
    "decided": (
        errors.HTTPFailure(409, "No.", code="NO", extra={"hint": None}),
        409,
        {"error": "No.", "code": "NO", "hint": None},
    ),
    "unexpected": (
        RuntimeError(SECRET),
        500,
        {"error": "Failed.", "code": "INTERNAL_ERROR", "details": "RuntimeError"},
    ),
    "time-out": (
        TimeoutError(),
        500,
        {"error": "Failed.", "code": "INTERNAL_ERROR", "details": "TimeoutError"},
    ),
    "aiohttp's": (web.HTTPConflict(), 409, {"error": "Conflict.", "code": "CONFLICT"}),
}
ENDPOINTS: Final = (
    *(
        endpoint(
            f"/{name.replace(' ', '-')}",
            raising(error),
            failed="Failed.",
            not_found=errors.NotFound("Not here.", "NOT_HERE"),
        )
        for name, (error, _, _) in RAISED.items()
    ),
    endpoint("/break-off", break_off),
    endpoint("/break-off-chunked", break_off_chunked),
    endpoint("/read", read_body, method="POST"),
    endpoint("/items/{id}", raising(errors.MediaNotFound()), method="DELETE"),
    endpoint("/items/{id}", read_body),
)


@pytest.fixture
async def service(serve: Serve, settings: Settings) -> Service:
    return await serve(settings, ENDPOINTS)


@pytest.mark.parametrize("name", RAISED)
async def test_raised(browser: ClientSession, name: str) -> None:
    """Each branch of the error tree, and everything outside of it, has its status and body."""
    _, status, body = RAISED[name]
    async with browser.get(f"/{name.replace(' ', '-')}") as response:
        assert (response.status, await response.json()) == (status, body)
        assert response.headers.get("Retry-After") == (
            str(body["retry_after"]) if "retry_after" in body else None
        )
        assert response.headers["Cache-Control"] == "no-store"


async def test_unexpected_is_logged_without_its_words(browser: ClientSession) -> None:
    """An unexpected error is logged with where it came from, not with what it says: that may be secret."""
    with capture_logs() as logs:
        async with browser.get("/unexpected"):
            pass
    (logged,) = (entry for entry in logs if entry["event"] == "unexpected error")
    assert any("test_errors:" in frame and "handler" in frame for frame in logged["frames"])
    assert SECRET not in json.dumps(logs)


@pytest.mark.parametrize("path", ["/break-off", "/break-off-chunked"])
async def test_broken_off(browser: ClientSession, service: Service, exchange: Exchange, path: str) -> None:
    """What fails after the answer has begun breaks it off: no second answer, no whole-looking body."""
    with capture_logs() as logs:
        async with browser.get(path) as response:
            assert response.status == 200
            with pytest.raises(ClientPayloadError):
                await response.read()
        answer = await exchange(service, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.count(b"HTTP/1.1") == 1
    assert b"error" not in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert SECRET not in json.dumps(logs)
    assert [entry["event"] for entry in logs].count("answer broken off") == 2


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "allow"),
    [
        ("GET", "/nothing", 404, {"error": "Not Found.", "code": "NOT_FOUND"}, None),
        ("POST", "/", 404, {"error": "Not Found.", "code": "NOT_FOUND"}, None),
        ("GET", "/items/", 404, {"error": "Not Found.", "code": "NOT_FOUND"}, None),
        ("GET", "/items/1/2", 404, {"error": "Not Found.", "code": "NOT_FOUND"}, None),
        ("GET", "/%ff%00", 404, {"error": "Not Found.", "code": "NOT_FOUND"}, None),
        ("GET", "/read", 405, {"error": "Method Not Allowed.", "code": "METHOD_NOT_ALLOWED"}, "POST"),
        ("OPTIONS", "/read", 405, {"error": "Method Not Allowed.", "code": "METHOD_NOT_ALLOWED"}, "POST"),
        (
            "PUT",
            "/items/1",
            405,
            {"error": "Method Not Allowed.", "code": "METHOD_NOT_ALLOWED"},
            "DELETE,GET,HEAD",
        ),
    ],
)
async def test_no_such_endpoint(
    browser: ClientSession, method: str, path: str, status: int, body: dict[str, str], allow: str | None
) -> None:
    """Unknown paths and methods have the error body too; a 405 names the methods that there are."""
    async with browser.request(method, path) as response:
        assert (response.status, await response.json()) == (status, body)
        assert response.headers.get("Allow") == allow


async def test_head_of_an_error(service: Service, exchange: Exchange) -> None:
    """The answer to HEAD has no body, also when it is an error."""
    sent = b"HEAD /refused HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await exchange(service, sent)
    # What looks like its body is the beginning of the next answer.
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert answer.partition(b"\r\n\r\n")[2].startswith(b"HTTP/1.1 404 ")


CHUNKED = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
MALFORMED = {
    "broken chunk": CHUNKED + b"zz\r\n",
    "no gzip": b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "no deflate": b"Content-Encoding: deflate\r\nContent-Length: 4\r\n\r\nabcd",
    "unknown charset": b"Content-Type: application/json; charset=klingon\r\nContent-Length: 1\r\n\r\n{",
    "no media type": b"Content-Type: ///;;=\r\nContent-Length: 1\r\n\r\n{",
}


@pytest.mark.parametrize("rest", MALFORMED.values(), ids=MALFORMED.keys())
async def test_malformed_body(service: Service, exchange: Exchange, rest: bytes) -> None:
    """A body that breaks off, or is not encoded as it says, is never a 500."""
    answer = await exchange(service, b"POST /read HTTP/1.1\r\nHost: x\r\n" + rest)
    assert answer.split(b" ")[1] in {b"400", b"200"}


async def test_expect(service: Service, exchange: Exchange) -> None:
    """A client that waits to send its body is asked for it, once the body is wanted."""
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
    answer = await exchange(service, head + b"Expect: 100-Continue\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("path", "expectation", "status"),
    [("/read", b"42-towels", 417), ("/nothing", b"100-continue", 404), ("/nothing", b"42-towels", 404)],
)
async def test_expect_in_vain(
    service: Service, exchange: Exchange, path: str, expectation: bytes, status: int
) -> None:
    """A body that is not wanted is not asked for; the connection ends, since it may come nevertheless."""
    answer = await exchange(
        service,
        b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: %b\r\n\r\n"
        % (path.encode(), expectation),
    )
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close\r\n" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]


async def test_slow_body(make_settings: MakeSettings, serve: Serve, exchange: Exchange) -> None:
    """A body that does not come in time is a 408, and the end of the connection."""
    service = await serve(make_settings(server={"body_timeout_seconds": 0.1}), ENDPOINTS)
    answer = await exchange(service, b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close\r\n" in answer


async def test_client_gone(serve: Serve, settings: Settings, new_browser: NewBrowser) -> None:
    """When the client goes away, the handler is cancelled, and cleans up; nobody is answered."""
    begun, cleaned_up = asyncio.Event(), asyncio.Event()

    async def wait(_request: web.Request) -> web.StreamResponse:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()
        raise AssertionError

    service = await serve(settings, (endpoint("/wait", wait),))
    asking = asyncio.create_task(new_browser(service).get("/wait"))
    await begun.wait()
    with capture_logs() as logs:
        asking.cancel()
        await asyncio.wait({asking})
        await cleaned_up.wait()
    assert "request failed" not in [entry["event"] for entry in logs]
