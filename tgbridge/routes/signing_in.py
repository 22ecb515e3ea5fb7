"""What all ways of signing in have in common.

Attempts run in tasks of their own, so that a browser that goes away in the middle does not leave a login at
Telegram of which nobody knows how far it came. So each borrows its client for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge import keys
from tgbridge.answers import json_answer
from tgbridge.errors import SessionEnded
from tgbridge.models import SignedIn
from tgbridge.routes.endpoint import Success
from tgbridge.telegram import login
from tgbridge.telegram.leaving import leave_session

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiohttp import web

    from tgbridge.models import User
    from tgbridge.telegram.pool import ClientPool

FAILED: Final = "Failed to sign in. Please try again."
SIGNED_IN: Final = Success("Signed in; the answer's cookie is the session.", SignedIn)


async def complete(request: web.Request, attempt: Coroutine[Any, Any, tuple[User, str]]) -> web.Response:
    """Await an attempt at the login that has begun, and make its session the browser's."""
    try:
        user, telegram = await request.app[keys.COMPLETION].run(attempt)
    except SessionEnded:
        # That of the login, not of whoever is signed in beside it.
        await forget_pending(request)
        raise
    return signed_in(request, user, telegram)


def signed_in(request: web.Request, user: User, telegram: str) -> web.Response:
    """Make a Telegram session the browser's. If it was somebody else's before, his uploads are gone."""
    state = request[keys.SESSION]
    if state.telegram is not None and state.user_id != user.id:
        request.app[keys.COMPLETION].detach(request.app[keys.UPLOADS].leave(state.telegram))
    request.app[keys.POOL].ended.discard(telegram)  # a key that was signed out can be signed in again
    state.signed_in(telegram, user.id)
    return json_answer(SignedIn(message="Signed in successfully.", user=user))


async def check_password(
    pool: ClientPool, telegram: str, password: str, leaving: str | None
) -> tuple[User, str]:
    """Complete a login by its two-step password, and sign out whoever was signed in before."""
    async with pool.borrow(telegram, anonymous=True) as client:
        user = await login.check_password(client, password)
        telegram = client.session_string()
    await leave(pool, leaving)
    return user, telegram


async def leave(pool: ClientPool, telegram: str | None) -> None:
    """Sign out whoever was signed in before. The new login has succeeded, and stays so if this fails."""
    if telegram is not None:
        await leave_session(pool, telegram)


async def forget_pending(request: web.Request) -> None:
    """Forget the login that has begun, if there is one, and close its client."""
    state = request[keys.SESSION]
    pending = state.pending_login
    if pending is not None:
        state.forget_login()
        await request.app[keys.POOL].drop(pending.telegram)
