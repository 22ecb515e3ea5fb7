"""Tickets for one item's files, and the files that they are for."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from tgbridge.errors import INVALID_BODY, HTTPFailure, MediaNotFound
from tgbridge.models import Ticket, TicketInput
from tgbridge.telegram.finding import looked_up
from tgbridge.telegram.saved.saved_media import SavedMedia
from tgbridge.timestamps import timestamp
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.body import read_fields
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.message_id import message_id_of
from tgbridge.web.routes import stream, stream_api
from tgbridge.web.routes.wanted import Wanted
from tgbridge.web.tickets import EXPIRED, EXPIRED_CODE, INVALID, INVALID_CODE, MOST_PARTS, Grant

if TYPE_CHECKING:
    from aiohttp import web

_LEAST_SECONDS: Final = 60
_MOST_SECONDS: Final = 604_800  # a week
_USUAL_SECONDS: Final = 3600
MALFORMED: Final = "The request's body is malformed."
INVALID_EXPIRES_IN: Final = (
    f"expires_in has to be a whole number of seconds from {_LEAST_SECONDS} to {_MOST_SECONDS}."
)
INVALID_PART: Final = "part has to be a positive whole number."
INVALID_DOWNLOAD: Final = "download has to be true or false."


async def make_ticket(request: web.Request) -> web.Response:
    """Answer with addresses of one item's file and thumbnail that work without the cookie."""
    state, loan, app = request[keys.SESSION], request[keys.LOAN], request.app
    message_id = message_id_of(request)
    seconds, part, download = await _asked_for(request)
    session = state.telegram or ""  # the endpoint is for those who are signed in
    await app[keys.LIMITER].spend("tickets_per_session", session)
    media = await looked_up(loan, app[keys.LIBRARY].account(loan.account), message_id)
    media.file(part)
    # Not beyond the session: what is told is to be true.
    expires = min(int(time.time()) + seconds, app[keys.STORAGE].ends(state.value))
    grant = Grant(session, state.user_id or 0, message_id, expires, part, download)
    issue = app[keys.TICKETS].issue
    return json_answer(
        Ticket(
            url=f"ticket_media/{issue(grant, 'media')}",
            thumbnail_url=f"ticket_thumbnail/{issue(grant, 'thumbnail')}"
            if _has_thumbnail(media, part)
            else None,
            expires_at=timestamp(datetime.fromtimestamp(expires, UTC)),
        )
    )


def _has_thumbnail(media: SavedMedia, part: int) -> bool:
    try:
        media.thumbnail(part=part)
    except MediaNotFound:
        return False
    return True


async def _asked_for(request: web.Request) -> tuple[int, int, bool]:
    """Return for how many seconds a ticket is wanted, at most the setting, for which file, and to save it.

    Raises MediaNotFound for a file that no message has; HTTPFailure 400, also for a body that can't be read:
    who asks for a minute is not to get an hour.
    """
    fields = await read_fields(request)
    if not fields.is_object and await request.read():
        raise HTTPFailure(400, MALFORMED, code=INVALID_BODY)
    seconds, part, download = (fields.optional(name) for name in ("expires_in", "part", "download"))
    seconds, part = _USUAL_SECONDS if seconds is None else seconds, 1 if part is None else part
    if type(seconds) is not int or not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:  # true is an int, too
        raise HTTPFailure(400, INVALID_EXPIRES_IN, code=INVALID_BODY)
    if type(part) is not int or part < 1:
        raise HTTPFailure(400, INVALID_PART, code=INVALID_BODY)
    if part > MOST_PARTS:
        raise MediaNotFound
    if not isinstance(download, bool | None):
        raise HTTPFailure(400, INVALID_DOWNLOAD, code=INVALID_BODY)
    return min(seconds, request.app[keys.SETTINGS].session.ticket_seconds), part, bool(download)


async def ticket_media(request: web.Request) -> web.StreamResponse:
    """Send the file that the ticket is for, whole or in part."""
    grant = request[keys.GRANT]
    pick = partial(SavedMedia.file, part=grant.part)
    return await stream.send(request, Wanted(grant.message_id, pick, download=grant.download))


async def ticket_thumbnail(request: web.Request) -> web.StreamResponse:
    """Send the thumbnail that the ticket is for, whole."""
    grant = request[keys.GRANT]
    pick = partial(SavedMedia.thumbnail, part=grant.part)
    # It is there to be shown, also beside a link that saves the file.
    return await stream.send(request, Wanted(grant.message_id, pick, is_thumbnail=True))


_TICKET: Final = Parameter("ticket", "path", str, "Of /media/{message_id}/ticket, letter by letter.")


def _without_a_query(endpoint: Endpoint) -> tuple[Success | Refusal, ...]:
    """Return what an endpoint answers to those who come with a ticket, which leaves nothing to be asked."""
    answers = (answer for answer in endpoint.answers if answer.status != HTTPStatus.BAD_REQUEST)
    return (*answers, Refusal(403, INVALID, INVALID_CODE), Refusal(410, EXPIRED, EXPIRED_CODE))


ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/media/{message_id}/ticket",
        make_ticket,
        summary="Addresses of an item's files that work without a cookie, for a while",
        failed="Failed to make a ticket.",
        not_found=stream_api.NO_MEDIA,
        signed_in=True,
        borrows=False,
        parameters=(stream_api.MESSAGE_ID,),
        body=TicketInput,
        answers=(
            Success(
                "The addresses. They end with the session, too, and work on pages of any origin.", Ticket
            ),
            Refusal(400, INVALID_EXPIRES_IN, INVALID_BODY),
            Refusal(400, INVALID_PART, INVALID_BODY),
            Refusal(400, INVALID_DOWNLOAD, INVALID_BODY),
        ),
    ),
    replace(
        stream_api.MEDIA,
        path="/ticket_media/{ticket}",
        handler=ticket_media,
        summary="The bytes of a file, for whoever has the ticket",
        signed_in=False,
        ticket="media",
        parameters=(_TICKET, *stream_api.RANGES, *stream_api.CONDITIONS),
        answers=_without_a_query(stream_api.MEDIA),
    ),
    replace(
        stream_api.THUMBNAIL,
        path="/ticket_thumbnail/{ticket}",
        handler=ticket_thumbnail,
        summary="The bytes of a file's thumbnail, for whoever has the ticket",
        signed_in=False,
        ticket="thumbnail",
        parameters=(_TICKET, *stream_api.CONDITIONS),
        answers=_without_a_query(stream_api.THUMBNAIL),
    ),
)
