"""The browser's session, from its cookie and back into it; or the one that a ticket brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge.logins.session_state import BrowserSession, SessionState
from tgbridge.web import keys
from tgbridge.web.tickets import present

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tgbridge.web.endpoint import TicketKind
    from tgbridge.web.exchange import Exchange
    from tgbridge.web.middleware.checks import Check, Finish
    from tgbridge.web.session_cookie import SessionStorage

# Telegram's own name for the same.
_OUTLIVED: Final = "SESSION_EXPIRED"


def noting_session(app: web.Application) -> Check:
    """Return the step that finds the session. One that has ended is none, for all endpoints alike."""
    storage = app[keys.STORAGE]

    def note_session(request: web.Request, exchange: Exchange) -> Awaitable[None] | None:
        endpoint = exchange.endpoint
        if endpoint is not None and endpoint.ticket is not None:
            _note_grant(request, endpoint.ticket)
            return None
        known = storage.remembered(request)
        if known is None:
            return read_session(request)
        note(request, known)
        return None

    async def read_session(request: web.Request) -> None:
        note(request, await storage.read(request))

    def note(request: web.Request, state: SessionState) -> None:
        request[keys.SESSION] = state
        if state.telegram is None:
            return
        if storage.has_outlived(state.value):
            app[keys.OUTLIVED].end(state.telegram)
            state.signed_out(_OUTLIVED)
        _take_leave(app, state)

    return note_session


def _note_grant(request: web.Request, kind: TicketKind) -> None:
    grant = request[keys.GRANT] = present(request, request.app[keys.TICKETS], kind)
    state = SessionState(BrowserSession(telegram=grant.session, user_id=grant.user_id))
    request[keys.SESSION] = state
    _take_leave(request.app, state)


def saving_session(app: web.Application) -> Finish:
    """Return the step that saves the session with whatever is answered: a stream, and an error as well."""
    storage = app[keys.STORAGE]

    def save_session(
        request: web.Request, exchange: Exchange, response: web.StreamResponse
    ) -> Awaitable[None] | None:
        state, endpoint = request.get(keys.SESSION), exchange.endpoint
        if state is None or (endpoint is not None and endpoint.ticket is not None):
            return None  # no cookie comes of a ticket
        # It may have ended meanwhile, and its cookie been deleted by another answer.
        _take_leave(app, state)
        return _write_session(storage, request, response, state) if storage.has_news(state) else None

    return save_session


async def _write_session(
    storage: SessionStorage, request: web.Request, response: web.StreamResponse, state: SessionState
) -> None:
    # aiohttp has made the response's cookies into header fields by now: a later one has to be one itself.
    stand_in = web.Response()
    await storage.write(request, stand_in, state)
    for cookie in stand_in.cookies.values():
        response.headers.add(hdrs.SET_COOKIE, cookie.OutputString())


def _take_leave(app: web.Application, state: SessionState) -> None:
    """Take leave of a session of which is known that it has ended."""
    if (telegram := state.telegram) is None:
        return
    reason = app[keys.POOL].ended.reason(telegram)
    if reason is not None:
        state.signed_out(reason)
