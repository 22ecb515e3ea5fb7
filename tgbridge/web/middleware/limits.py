"""How often a caller may ask, as far as that can be told before the request is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

    from tgbridge.web.endpoint import Endpoint


def check_limits(request: web.Request, endpoint: Endpoint | None) -> Awaitable[None] | None:
    """Count by address where the endpoint says so, and by session whatever a signed-in browser asks.

    What comes with a ticket counts for that ticket: the session has its share for itself.
    """
    telegram = request[keys.SESSION].telegram
    if telegram is None and (endpoint is None or (endpoint.limit is None and endpoint.ticket is None)):
        return None
    return _spend(request, endpoint, telegram)


async def _spend(request: web.Request, endpoint: Endpoint | None, telegram: str | None) -> None:
    limiter = request.app[keys.LIMITER]
    if endpoint is not None and endpoint.limit is not None:
        await limiter.spend_from(endpoint.limit, request[keys.CALLER].address)
    if endpoint is not None and endpoint.ticket is not None:
        await limiter.spend("requests_per_ticket", request.match_info["ticket"])
    elif telegram is not None:
        await limiter.spend("requests_per_session", telegram)
