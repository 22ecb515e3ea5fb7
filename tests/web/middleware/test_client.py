"""Who is asking is decided first; the client is lent for the request, and comes back however that ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web
from yarl import URL

from tgbridge.app import ENDPOINTS as OWN
from tgbridge.errors import FloodWait, MediaNotFound, TelegramUnavailable
from tgbridge.web import keys
from tgbridge.web.body import read_fields
from tgbridge.web.endpoint import Endpoint, Parameter, Success

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.settings import Settings

PHONE: Final = "+9996610001"


async def read(request: web.Request) -> web.StreamResponse:
    await read_fields(request)
    assert request.app[keys.POOL].stats.lent == 1
    return web.json_response(request[keys.CLIENT].is_usable)


async def fail(request: web.Request) -> web.StreamResponse:
    match request.query["by"]:
        case "flood":
            raise FloodWait(5)
        case "absence":
            raise MediaNotFound
        case "outage":
            raise TelegramUnavailable("silent")
        case "surprise":
            raise RuntimeError
        case "time-out":
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        case _:  # in the middle of the answer
            response = web.StreamResponse(headers={"Content-Length": "10"})
            await response.prepare(request)
            raise FloodWait(5)
    raise AssertionError


def endpoint(method: Any, path: str, handler: Any) -> Endpoint:
    return Endpoint(
        method, path, handler, summary="", answers=(Success("", None),), signed_in=True, failed="Failed."
    )


ENDPOINTS: Final = (*OWN, endpoint("POST", "/read", read), endpoint("GET", "/fail", fail))


@pytest.fixture
async def service(serve: Serve, settings: Settings) -> Service:
    return await serve(settings, ENDPOINTS)


async def test_lent(signed_in: ClientSession, service: Service) -> None:
    """An endpoint that needs it has the browser's client, while it runs."""
    async with signed_in.post("/read", json={}) as response:
        assert (response.status, await response.json()) == (200, True)
    assert service.app[keys.POOL].stats.lent == 0


@pytest.mark.parametrize("how", ["flood", "absence", "outage", "surprise", "time-out", "breaking off"])
async def test_given_back_after_an_error(signed_in: ClientSession, service: Service, how: str) -> None:
    """However the endpoint fails, the client is given back, and is good for the next request."""
    async with signed_in.get("/fail", params={"by": how}) as response:
        assert response.status in {200, 429, 500, 503}
    async with signed_in.post("/read", json={}) as response:
        assert response.status == 200
    assert service.app[keys.POOL].stats.lent == 0


async def test_given_back_when_the_browser_has_gone(
    serve: Serve, settings: Settings, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """A browser that goes away in the middle leaves nothing lent."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(_request: web.Request) -> web.StreamResponse:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    service = await serve(settings, (*OWN, endpoint("GET", "/wait", wait)))
    browser = new_browser(service)
    await sign_in(browser, PHONE)
    asking = asyncio.create_task(browser.get("/wait"))
    await begun.wait()
    assert service.app[keys.POOL].stats.lent == 1
    asking.cancel()
    await asyncio.wait({asking})
    await ended.wait()
    while service.app[keys.IN_FLIGHT]:
        await asyncio.sleep(0)
    assert service.app[keys.POOL].stats.lent == 0


LISTED: Final = Endpoint(
    "GET",
    "/list",
    read,
    summary="",
    answers=(Success("", None),),
    parameters=(Parameter("limit", "query", int, ""),),
    signed_in=True,
    strict=True,
    failed="Failed.",
)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("befor=1", "'befor'"),
        ("limit=1&Limit=2", "'Limit'"),
        ("=1", "''"),
        ("%0a", "'\\n'"),
        ("x" * 100, f"'{'x' * 40}'"),
    ],
)
async def test_unknown_parameter(
    serve: Serve, settings: Settings, new_browser: NewBrowser, sign_in: SignIn, query: str, name: str
) -> None:
    """A strict endpoint names the parameter that it does not know; to a stranger that is no matter."""
    service = await serve(settings, (*OWN, LISTED))
    browser = new_browser(service)
    url = URL(f"{service.url}/list?{query}", encoded=True)
    async with browser.get(url) as response:
        assert response.status == 401
    await sign_in(browser, PHONE)
    async with browser.get(url) as response:
        told = {"error": f"There is no parameter {name}.", "code": "INVALID_PARAMETER"}
        assert (response.status, await response.json()) == (400, told)
    async with browser.get("/list?limit=1") as response:
        assert response.status == 200
    assert service.app[keys.POOL].stats.lent == 0


async def test_401_comes_before_the_body(service: Service, exchange: Exchange) -> None:
    """Who is not signed in is told so before the body is asked for, or even looked at."""
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    asked = await exchange(service, head + b"Expect: 100-continue\r\nContent-Length: 1000000000\r\n\r\n")
    malformed = await exchange(service, head + b"Content-Length: 1\r\n\r\n{")
    for answer in (asked, malformed):
        assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: close\r\n" in asked
