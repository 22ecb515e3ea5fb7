"""Whether a session still lives, where nothing else would ask Telegram."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.telegram.account import login
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import web


async def check_alive(request: web.Request) -> None:
    """Ask Telegram whether the request's session lives, before it gets at what another one has begun.

    One that was ended from another device is known nowhere here until something is asked with it.
    Raises SessionEnded and other TelegramFailure kinds, and PoolExhausted.
    """
    async with request.app[keys.POOL].borrow(request[keys.SESSION].telegram or "") as client:
        await login.get_me(client)
