"""What is found out about a request before anybody answers it, and what is done to each answer at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from tgbridge.web import keys
from tgbridge.web.beginning import exchange_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp.typedefs import Handler, Middleware

    from tgbridge.web.endpoint import Endpoint
    from tgbridge.web.exchange import Exchange

Check: TypeAlias = "Callable[[web.Request, Exchange], Awaitable[web.StreamResponse | None] | None]"
"""Looks at a request, and notes on it what others go by. It refuses by raising, and answers by returning.

It is a plain function, which returns something to be awaited only where there is something to wait for.
"""

Finish: TypeAlias = "Callable[[web.Request, Exchange, web.StreamResponse], Awaitable[None] | None]"
"""Adds to a response whose status line is about to be sent; a plain function, as a check is."""


def checks(endpoints: Mapping[Handler, Endpoint], *steps: Check) -> Middleware:
    """Return the middleware that notes which endpoint is asked, takes these steps in turn, and then goes on.

    None of them has anything to do afterwards, so none has to wait for the answer: a middleware each would
    cost more than what it does.
    """

    @web.middleware
    async def checks_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange = request[keys.EXCHANGE]
        exchange.endpoint = endpoints.get(request.match_info.handler)
        for step in steps:
            more = step(request, exchange)
            if more is not None and (response := await more) is not None:
                return response
        return await handler(request)

    return checks_middleware


def finishing(*steps: Finish) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return what takes these steps in turn as a response is prepared, for aiohttp's signal."""

    async def finish(request: web.Request, response: web.StreamResponse) -> None:
        exchange = exchange_of(request)
        for step in steps:
            more = step(request, exchange, response)
            if more is not None:
                await more

    return finish
