"""How often a caller may ask, as far as that can be told before the request is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

    from tgbridge.web.exchange import Exchange
    from tgbridge.web.limits import Limiter
    from tgbridge.web.middleware.checks import Check


def checking_limits(limiter: Limiter) -> Check:
    """Return the step that counts: by address where the endpoint says so, and all that a session asks.

    What comes with a ticket counts for that ticket: the session has its share for itself.
    """

    def check_limits(request: web.Request, exchange: Exchange) -> Awaitable[None] | None:
        telegram, endpoint = request[keys.SESSION].telegram, exchange.endpoint
        by_session_alone = endpoint is None or (endpoint.limit is None and endpoint.ticket is None)
        if by_session_alone and (telegram is None or limiter.has_room("requests_per_session", telegram)):
            return None
        return _spend(limiter, request, exchange, telegram)

    return check_limits


async def _spend(limiter: Limiter, request: web.Request, exchange: Exchange, telegram: str | None) -> None:
    endpoint = exchange.endpoint
    if endpoint is not None and endpoint.limit is not None:
        await limiter.spend_from(endpoint.limit, exchange.caller.address)
    if endpoint is not None and endpoint.ticket is not None:
        await limiter.spend("requests_per_ticket", request.match_info["ticket"])
    elif telegram is not None:
        await limiter.spend("requests_per_session", telegram)
