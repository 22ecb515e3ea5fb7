"""What all ways of signing in have in common.

Attempts run in tasks of their own, so that a browser that goes away in the middle does not leave a login at
Telegram of which nobody knows how far it came. So each borrows its client for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import SessionEnded
from tgbridge.models import SignedIn
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.endpoint import Success

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiohttp import web

    from tgbridge.logins.attempts import LoggedIn

FAILED: Final = "Failed to sign in. Please try again."
SIGNED_IN: Final = Success(
    "Signed in; the answer's cookie is the session.",
    SignedIn,
    headers=(("Set-Cookie", "The session, encrypted."),),
)


async def complete(request: web.Request, attempt: Coroutine[Any, Any, LoggedIn]) -> web.Response:
    """Await an attempt at the login that has begun, and make its session the browser's."""
    try:
        done = await request.app[keys.COMPLETION].run(attempt)
    except SessionEnded:
        # That of the login, not of whoever is signed in beside it.
        await forget_pending(request)
        raise
    return signed_in(request, done)


def signed_in(request: web.Request, done: LoggedIn) -> web.Response:
    """Make a Telegram session the browser's. If it was somebody else's before, his uploads are gone."""
    state = request[keys.SESSION]
    if state.telegram is not None and state.user_id != done.user.id:
        request.app[keys.COMPLETION].detach(request.app[keys.UPLOADS].leave(state.telegram))
    # A key that was signed out can be signed in again.
    request.app[keys.POOL].ended.discard(done.telegram)
    if state.telegram != done.telegram:
        state.signed_in(done.telegram, done.user.id)
    return json_answer(SignedIn(message="Signed in successfully.", user=done.user))


async def forget_pending(request: web.Request) -> None:
    """Forget the login that has begun, if there is one, and close its client."""
    state = request[keys.SESSION]
    pending = state.pending_login
    if pending is not None:
        state.forget_login()
        await request.app[keys.POOL].drop(pending.telegram)
