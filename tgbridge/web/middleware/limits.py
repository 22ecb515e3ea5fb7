"""How often a caller may ask, as far as that can be told before the request is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aiohttp import web

    from tgbridge.web.endpoint import Endpoint
    from tgbridge.web.limits import AddressRule


def check_limits(request: web.Request, endpoint: Endpoint | None) -> Awaitable[None] | None:
    """Count by address where the endpoint says so, and by session whatever a signed-in browser asks."""
    limit = None if endpoint is None else endpoint.limit
    telegram = request[keys.SESSION].telegram
    if limit is None and telegram is None:
        return None
    return _spend(request, limit, telegram)


async def _spend(request: web.Request, limit: AddressRule | None, telegram: str | None) -> None:
    limiter = request.app[keys.LIMITER]
    if limit is not None:
        await limiter.spend_from(limit, request[keys.CALLER].address)
    if telegram is not None:
        await limiter.spend("requests_per_session", telegram)
