"""How often a caller may ask, as far as that can be told before the request is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

    from tgbridge.web.endpoint import Endpoint
    from tgbridge.web.exchange import Exchange
    from tgbridge.web.limits import Limiter
    from tgbridge.web.middleware.checks import Check


def checking_limits(limiter: Limiter) -> Check:
    """Return the step that counts: by address where the endpoint says so, and all that a session asks.

    What comes with a ticket counts for that ticket: the session has its share for itself.
    """

    def check_limits(request: web.Request, exchange: Exchange) -> Awaitable[None] | None:
        if not limiter.enabled:
            return None
        telegram, endpoint = request[keys.SESSION].telegram, exchange.endpoint
        if telegram is None and (endpoint is None or (endpoint.limit is None and endpoint.ticket is None)):
            return None
        return _spend(limiter, request, endpoint, telegram)

    return check_limits


async def _spend(
    limiter: Limiter, request: web.Request, endpoint: Endpoint | None, telegram: str | None
) -> None:
    if endpoint is not None and endpoint.limit is not None:
        await limiter.spend_from(endpoint.limit, request[keys.CALLER].address)
    if endpoint is not None and endpoint.ticket is not None:
        await limiter.spend("requests_per_ticket", request.match_info["ticket"])
    elif telegram is not None:
        await limiter.spend("requests_per_session", telegram)
