"""How often a caller may ask, as far as that can be told before the request is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from tgbridge.web import keys
from tgbridge.web.routing import endpoint_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


@web.middleware
async def limits_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count by address where the endpoint says so, and by session whatever a signed-in browser asks.

    What comes with a ticket counts for that ticket: the session has its share for itself.
    """
    limiter, endpoint = request.app[keys.LIMITER], endpoint_of(request)
    if endpoint is not None and endpoint.limit is not None:
        await limiter.spend_from(endpoint.limit, request[keys.CALLER].address)
    if endpoint is not None and endpoint.ticket is not None:
        await limiter.spend("requests_per_ticket", request.match_info["ticket"])
    elif (telegram := request[keys.SESSION].telegram) is not None:
        await limiter.spend("requests_per_session", telegram)
    return await handler(request)
