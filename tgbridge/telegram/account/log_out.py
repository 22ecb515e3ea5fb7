"""Ending a session for good: at Telegram, and in the pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from tgbridge.errors import BridgeError
from tgbridge.telegram.account import login

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from tgbridge.telegram.account.qr import QrLogin
    from tgbridge.telegram.pool import ClientPool

_log = structlog.get_logger(__name__)

# What Telegram says of a key that was signed out, so that it is the same by whom it is told.
_SIGNED_OUT: Final = "AUTH_KEY_UNREGISTERED"


async def end_session(pool: ClientPool, session: str) -> None:
    """End ``session`` at Telegram, and close its client: streams and uploads of it end, too.

    Raises TelegramFailure kinds and PoolExhausted.
    """
    async with pool.borrow(session) as client:
        await login.log_out(client)
    pool.ended.add(session, _SIGNED_OUT)
    await pool.drop(session, at_once=True)


async def abandon_session(pool: ClientPool, session: str) -> None:
    """End ``session`` as far as that is possible: nobody has it any more, so that nobody could try again."""
    try:
        await end_session(pool, session)
    except BridgeError as error:
        _log.warning("a session that nobody has any more was not ended", error=type(error).__name__)
        await pool.drop(session)


async def abandon_login(pool: ClientPool, attempt: QrLogin, loan: AsyncExitStack) -> None:
    """Give up a login by QR code, also one that is being accepted at this moment, and close its client.

    ``loan`` is what lends the client, and ends.
    """
    try:
        async with loan:
            await attempt.abandon()
    except BridgeError as error:
        _log.warning("a login that nobody waits for was not ended", error=type(error).__name__)
    finally:
        await pool.drop(attempt.session)
