"""The browser's session, from its cookie and back into it; or the one that a ticket brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge.logins.session_state import BrowserSession, SessionState
from tgbridge.web import keys
from tgbridge.web.routing import ticket_kind_of
from tgbridge.web.tickets import present

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tgbridge.web.endpoint import Endpoint, TicketKind

# Telegram's own name for the same.
_OUTLIVED: Final = "SESSION_EXPIRED"


def note_session(request: web.Request, endpoint: Endpoint | None) -> Awaitable[None] | None:
    """Find the session; ``save_session`` writes it. One that has ended is none, for all endpoints alike."""
    if endpoint is not None and endpoint.ticket is not None:
        _note_grant(request, endpoint.ticket)
        return None
    known = request.app[keys.STORAGE].remembered(request)
    if known is None:
        return _read_session(request)
    _note(request, known)
    return None


async def _read_session(request: web.Request) -> None:
    _note(request, await request.app[keys.STORAGE].read(request))


def _note_grant(request: web.Request, kind: TicketKind) -> None:
    grant = request[keys.GRANT] = present(request, request.app[keys.TICKETS], kind)
    state = SessionState(BrowserSession(telegram=grant.session, user_id=grant.user_id))
    request[keys.SESSION] = state
    _take_leave(request, state)


def _note(request: web.Request, state: SessionState) -> None:
    request[keys.SESSION] = state
    if state.telegram is None:
        return
    app = request.app
    if app[keys.STORAGE].has_outlived(state.value):
        app[keys.OUTLIVED].end(state.telegram)
        state.signed_out(_OUTLIVED)
    _take_leave(request, state)


def save_session(request: web.Request, response: web.StreamResponse) -> Awaitable[None] | None:
    """Save the session with whatever is answered: also a stream, and also what an error has become."""
    state = request.get(keys.SESSION)
    if state is None or ticket_kind_of(request) is not None:
        return None  # no cookie comes of a ticket
    _take_leave(request, state)  # it may have ended meanwhile, and its cookie been deleted by another answer
    if not request.app[keys.STORAGE].has_news(state):
        return None
    return _write_session(request, response, state)


async def _write_session(request: web.Request, response: web.StreamResponse, state: SessionState) -> None:
    # aiohttp has made the response's cookies into header fields by now: a later one has to be one itself.
    stand_in = web.Response()
    await request.app[keys.STORAGE].write(request, stand_in, state)
    for cookie in stand_in.cookies.values():
        response.headers.add(hdrs.SET_COOKIE, cookie.OutputString())


def _take_leave(request: web.Request, state: SessionState) -> None:
    """Take leave of a session of which is known that it has ended."""
    if state.telegram is None:
        return
    reason = request.app[keys.POOL].ended.reason(state.telegram)
    if reason is not None:
        state.signed_out(reason)
