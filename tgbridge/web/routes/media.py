"""Saved Messages as lists of media: all of it, pages, counts and days."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from pydantic import TypeAdapter
from pydantic_core import to_json

from tgbridge.errors import HTTPFailure
from tgbridge.http.etags import EntityTag
from tgbridge.http.preconditions import Outcome, Validators, evaluate
from tgbridge.models import MediaCounts, MediaDay, MediaItem, MediaPage
from tgbridge.telegram.saved import counting
from tgbridge.telegram.saved.lists import MediaList, Page
from tgbridge.web import keys
from tgbridge.web.ahead import Ahead
from tgbridge.web.answers import CHANGED, bytes_answer, fields_of, json_answer
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.routes import media_query
from tgbridge.web.routes.media_query import read_listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.web.routes.media_query import Listing

_ITEMS: Final = TypeAdapter(list[MediaItem])

KEEP_ALIVE_SECONDS: Final = 15.0
"""After so long without an item a space is sent: proxies give up on who says nothing for a minute."""


async def get_saved_messages_media(request: web.Request) -> web.StreamResponse:
    """Send all media of Saved Messages, newest first, page by page as Telegram sends them; or one page.

    The first page comes before the status line, so that errors have their status. What fails later breaks the
    connection: the array is not closed, and no client takes half a list for the whole.
    """
    listing = read_listing(request.query, most=media_query.MOST_OF_WHOLE, usual=None)
    if listing.limit is not None:
        page = await _page(request, listing, listing.limit)
        answer = bytes_answer(_ITEMS.dump_json(list(page.items)))
        if page.next is not None:
            # Of the path of the request, whatever prefix it has.
            answer.headers[hdrs.LINK] = f'<{listing.following(page.next)}>; rel="next"'
        return answer
    if listing.is_empty:
        return bytes_answer(b"[]")
    response = web.StreamResponse(
        headers={"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    )
    if request.method == hdrs.METH_HEAD:
        await _page(request, listing, 1)  # it fails as GET would
        await response.prepare(request)
        return response
    async with Ahead(_list(request, listing).pages()) as pages:
        first = await pages.take()
        await response.prepare(request)
        await response.write(b"[")
        await _send(response, pages, first or ())
    await response.write_eof(b"]")
    return response


async def _send(
    response: web.StreamResponse, pages: Ahead[Sequence[MediaItem]], first: Sequence[MediaItem]
) -> None:
    """Send the elements of the array, and white space, which JSON allows, while there are none."""
    now = asyncio.get_running_loop().time
    separator, page = b"", first
    spoke_at = now()
    while True:
        if page:
            await response.write(separator + _ITEMS.dump_json(list(page))[1:-1])
            separator, spoke_at = b",", now()
        while not await pages.is_there(until=spoke_at + KEEP_ALIVE_SECONDS):
            await response.write(b" ")
            spoke_at = now()
        following = await pages.take()
        if following is None:
            return
        page = following


async def list_media(request: web.Request) -> web.Response:
    """Answer with a page of media."""
    listing = read_listing(request.query, most=media_query.MOST, usual=None)
    # First: it may not be newer than what is read.
    last_event_id = await _last_event_id(request)
    page = await _page(request, listing, listing.limit or media_query.USUAL)
    following = None if page.next is None else f"media{listing.following(page.next)}"
    items = list(page.items)
    # The place in the events is none of what the page shows: an older one is as good.
    tag = EntityTag(sha256(_ITEMS.dump_json(items) + (following or "").encode()).hexdigest()[:32], weak=True)
    headers = {hdrs.ETAG: str(tag), hdrs.CACHE_CONTROL: "private, no-cache"}
    match evaluate(request.method, fields_of(request), Validators(tag), now=datetime.now(UTC)):
        case Outcome.NOT_MODIFIED:
            return web.Response(status=304, headers=headers)
        case Outcome.PRECONDITION_FAILED:
            raise HTTPFailure(412, CHANGED, code="PRECONDITION_FAILED", headers={hdrs.ETAG: str(tag)})
        case Outcome.PROCEED:
            answer = MediaPage(items=items, next=following, last_event_id=last_event_id)
            headers[hdrs.CONTENT_TYPE] = "application/json"
            return web.Response(body=to_json(answer), headers=headers)


async def _page(request: web.Request, listing: Listing, limit: int) -> Page:
    return Page((), None) if listing.is_empty else await _list(request, listing).page(limit)


def _list(request: web.Request, listing: Listing) -> MediaList:
    client = request[keys.CLIENT]
    return MediaList(client, request.app[keys.LIBRARY].of(client), listing.query)


async def _last_event_id(request: web.Request) -> str:
    """Name the place in the account's events from which on they tell what a list that is read now lacks."""
    client, account = request[keys.CLIENT], request[keys.SESSION].user_id
    position = await request.app[keys.LIBRARY].of(client).live.state(client)
    return request.app[keys.CURSORS].write(account or 0, position)


async def count_media(request: web.Request) -> web.Response:
    """Answer with how many there are of each type."""
    return json_answer(MediaCounts.model_validate(await counting.counts(request[keys.CLIENT])))


async def media_timeline(request: web.Request) -> web.Response:
    """Answer with the days on which any were sent, newest first."""
    kinds = media_query.searched_kinds_of(media_query.once(request.query))
    days = await counting.days(request[keys.CLIENT], kinds)
    return json_answer(
        [
            MediaDay(date=date.isoformat(), count=days[date].count, before=days[date].newest + 1)
            for date in sorted(days, reverse=True)
        ]
    )


_FAILED: Final = "Failed to fetch media from Saved Messages."
_NEWEST_FIRST: Final = "All media of Saved Messages, newest first"

ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/get-saved-messages-media",
        get_saved_messages_media,
        summary=_NEWEST_FIRST,
        failed=_FAILED,
        signed_in=True,
        strict=True,
        parameters=(
            media_query.limit_parameter(
                media_query.MOST_OF_WHOLE, "Asks for one page of so many; without it, all are sent."
            ),
            *media_query.FILTERS,
        ),
        answers=(
            Success(
                "The whole list, sent as it arrives from Telegram; or the page.",
                list[MediaItem],
                headers=(("Link", "Of a page: where the next one is, by rel=next (RFC 8288)."),),
            ),
            media_query.REFUSAL,
        ),
    ),
    Endpoint(
        "GET",
        "/media",
        list_media,
        summary="A page of the media of Saved Messages, newest first",
        failed=_FAILED,
        signed_in=True,
        strict=True,
        parameters=(
            media_query.limit_parameter(media_query.MOST, "How many at most; 50 by default."),
            *media_query.FILTERS,
            Parameter("If-None-Match", "header", str, "RFC 9110 section 13.1.2."),
        ),
        answers=(
            Success("The page.", MediaPage, headers=(("ETag", "A weak tag, of its items."),)),
            Success("The page that the client has is still right.", None, status=304),
            media_query.REFUSAL,
            Refusal(412, CHANGED, "PRECONDITION_FAILED"),
        ),
    ),
    Endpoint(
        "GET",
        "/media/counts",
        count_media,
        summary="How many media there are of each type",
        failed=_FAILED,
        signed_in=True,
        strict=True,
        answers=(Success("By Telegram's own counters.", MediaCounts),),
    ),
    Endpoint(
        "GET",
        "/media/timeline",
        media_timeline,
        summary="On which days how many media were sent",
        failed=_FAILED,
        signed_in=True,
        strict=True,
        parameters=(media_query.TYPES_OF_TIMELINE,),
        answers=(
            Success("By Telegram's own calendar: the days that have any, newest first.", list[MediaDay]),
            media_query.REFUSAL,
        ),
    ),
)
