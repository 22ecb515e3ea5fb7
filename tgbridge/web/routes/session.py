"""What the cookie tells, for middleware and server components that decide what to show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from tgbridge.models import CookieSession
from tgbridge.timestamps import timestamp
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.logins.session_state import SessionState


async def cookie_session(request: web.Request) -> web.Response:
    """Answer without asking Telegram: a session that was ended elsewhere is found out by a later request."""
    state = request[keys.SESSION]
    expires = request.app[keys.STORAGE].expires(state.value)
    return json_answer(
        CookieSession(
            state=_state(state),
            user_id=state.user_id,
            expires_at=None if expires is None else timestamp(datetime.fromtimestamp(expires, UTC)),
        )
    )


def _state(state: SessionState) -> Literal["signed_in", "code_sent", "password_needed", "signed_out"]:
    if state.telegram is not None:
        return "signed_in"
    if state.pending_login is None:
        return "signed_out"
    return "password_needed" if state.pending_login.awaits_password else "code_sent"


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/session",
        cookie_session,
        summary="What the cookie alone tells, without asking Telegram",
        answers=(Success("Whose session it is, or how far a login is.", CookieSession),),
    ),
)
