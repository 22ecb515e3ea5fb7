"""Steps before and after a request is answered: in turn, and only as far as they let it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tgbridge.web import keys
from tgbridge.web.exchange import Exchange
from tgbridge.web.middleware.checks import checks, finishing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from aiohttp.typedefs import Handler

Client = TestClient[web.Request, web.Application]


@pytest.fixture
def taken() -> list[str]:
    """What has been done, in order."""
    return []


@pytest.fixture
async def client(taken: list[str]) -> AsyncIterator[Client]:
    """A client of an application with two steps before and two after its only handler."""

    @web.middleware
    async def begin(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[keys.EXCHANGE] = Exchange("0123456789abcdef")
        return await handler(request)

    def first(request: web.Request, _exchange: Exchange) -> None:
        taken.append("first")
        if request.query_string == "refused":
            raise web.HTTPForbidden

    async def answer() -> web.StreamResponse:
        return web.Response(text="answered")

    async def wait() -> None:
        taken.append("waited")

    def second(request: web.Request, _exchange: Exchange) -> Awaitable[web.StreamResponse | None]:
        taken.append("second")
        return answer() if request.query_string == "answered" else wait()

    def third(_request: web.Request, _exchange: Exchange, _response: web.StreamResponse) -> Awaitable[None]:
        taken.append("third")
        return wait()

    def fourth(_request: web.Request, _exchange: Exchange, response: web.StreamResponse) -> None:
        taken.append("fourth")
        response.headers["X-Fourth"] = "yes"

    async def handle(_request: web.Request) -> web.StreamResponse:
        taken.append("handled")
        return web.Response(text="handled")

    app = web.Application(middlewares=[begin, checks({}, first, second)])
    app.router.add_get("/", handle)
    app.on_response_prepare.append(finishing(third, fourth))
    async with TestClient(TestServer(app)) as made:
        yield made


async def test_in_turn(client: Client, taken: list[str]) -> None:
    """All are taken in their order, and what they wait for is waited for."""
    async with client.get("/") as response:
        assert (await response.text(), response.headers["X-Fourth"]) == ("handled", "yes")
    assert taken == ["first", "second", "waited", "handled", "third", "waited", "fourth"]


async def test_a_step_that_answers(client: Client, taken: list[str]) -> None:
    """A response of a step is the answer: nothing that follows is asked."""
    async with client.get("/?answered") as response:
        assert await response.text() == "answered"
    assert taken == ["first", "second", "third", "waited", "fourth"]


async def test_a_step_that_refuses(client: Client, taken: list[str]) -> None:
    """What a step raises ends the way as well."""
    async with client.get("/?refused") as response:
        assert response.status == web.HTTPForbidden.status_code
    assert taken == ["first", "third", "waited", "fourth"]
