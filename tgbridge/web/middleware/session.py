"""The browser's session, from its cookie and back into it; or the one that a ticket brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge.logins.session_state import BrowserSession, SessionState
from tgbridge.web import keys
from tgbridge.web.routing import ticket_kind_of
from tgbridge.web.tickets import present

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

# Telegram's own name for the same.
_OUTLIVED: Final = "SESSION_EXPIRED"


@web.middleware
async def session_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the session; ``save_session`` writes it. One that has ended is none, for all endpoints alike."""
    app = request.app
    if (kind := ticket_kind_of(request)) is not None:
        grant = request[keys.GRANT] = present(request, app[keys.TICKETS], kind)
        request[keys.SESSION] = SessionState(BrowserSession(telegram=grant.session, user_id=grant.user_id))
        _take_leave(request)
        return await handler(request)
    state = request[keys.SESSION] = await app[keys.STORAGE].read(request)
    if state.telegram is not None and app[keys.STORAGE].has_outlived(state.value):
        app[keys.OUTLIVED].end(state.telegram)
        state.signed_out(_OUTLIVED)
    _take_leave(request)
    return await handler(request)


async def save_session(request: web.Request, response: web.StreamResponse) -> None:
    """Save the session with whatever is answered: also a stream, and also what an error has become."""
    state = request.get(keys.SESSION)
    if state is None or keys.GRANT in request:
        return  # no cookie comes of a ticket
    _take_leave(request)  # it may have ended meanwhile, and its cookie been deleted by another answer
    if not request.app[keys.STORAGE].has_news(state):
        return
    # aiohttp has made the response's cookies into header fields by now: a later one has to be one itself.
    stand_in = web.Response()
    await request.app[keys.STORAGE].write(request, stand_in, state)
    for cookie in stand_in.cookies.values():
        response.headers.add(hdrs.SET_COOKIE, cookie.OutputString())


def _take_leave(request: web.Request) -> None:
    """Take leave of a session of which is known that it has ended."""
    state = request[keys.SESSION]
    if state.telegram is None:
        return
    reason = request.app[keys.POOL].ended.reason(state.telegram)
    if reason is not None:
        state.signed_out(reason)
