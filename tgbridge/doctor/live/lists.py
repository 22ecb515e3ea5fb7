"""Lists: how history and searches go, what filters find, and what is counted."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any, Final

from telethon.tl import functions, types

from tgbridge.doctor.live.account import ME, Live, input_document
from tgbridge.doctor.live.beliefs import Seen, belief, differs, expect, holds

_FOUND_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.5
_CLOSE: Final = 100  # ids of one album
_DAY: Final = 86400


def search_for(kind: Any, word: str = "", limit: int = 100, **dates: Any) -> functions.messages.SearchRequest:
    """Return a search of Saved Messages; ``dates`` are ``min_date`` and ``max_date``."""
    span = {"min_date": None, "max_date": None} | dates
    return functions.messages.SearchRequest(
        ME,
        word,
        kind,
        offset_id=0,
        add_offset=0,
        limit=limit,
        max_id=0,
        min_id=0,
        hash=0,
        **span,
    )


@belief("list-history")
async def history(live: Live) -> Seen:
    """See whether what was sent is at the head of the list, and what is older than it behind it."""
    message_id = await live.send(input_document(live.notes["document"]), "the latest")
    ids = [one.id for one in await live.latest()]
    older = await live.ask(
        functions.messages.GetHistoryRequest(ME, message_id, None, 0, 5, max_id=0, min_id=0, hash=0)
    )
    return expect(
        ids[:1] == [message_id]
        and ids == sorted(ids, reverse=True)
        and [one.id for one in older.messages] == ids[1:6],
        "A message is first in the list as soon as its sending is answered; what is older follows.",
        "A message that was just sent is not the first of the list.",
    )


@belief("list-at-once")
async def at_once(live: Live) -> Seen:
    """See whether a page that leaves one message out is the one before it without its first."""
    ids = [one.id for one in await live.latest()]
    later = await live.ask(
        functions.messages.GetHistoryRequest(ME, ids[0], None, 1, 5, max_id=0, min_id=0, hash=0)
    )
    return expect(
        [one.id for one in later.messages] == ids[2:7],
        "`add_offset` leaves out so many messages after `offset_id`.",
        "With `add_offset` another page came than the one that lies so far behind.",
    )


@belief("list-dates")
async def dates(live: Live) -> Seen:
    """Search for the photo within a span around its second, and within one that begins with it."""
    message = await live.message(live.notes["photo_message"])
    second, kind = timedelta(seconds=1), types.InputMessagesFilterPhotos()
    around = {"min_date": message.date - second, "max_date": message.date + second}
    spans = (around, {"min_date": message.date}, {"max_date": message.date})
    found = []
    for span in spans:
        answer = await live.ask(search_for(kind, **span))
        found.append(message.id in [one.id for one in answer.messages])
    return expect(
        found == [True, False, False],
        "A span has neither of its two dates.",
        f"Found around its second: {found[0]}; from it on: {found[1]}; up to it: {found[2]}.",
    )


@belief("list-filters")
async def filters(live: Live) -> Seen:
    """See which of some filters find the photo, and which the document."""
    wanted = {
        "photo": (live.notes["photo_message"], {"Photos", "PhotoVideo"}),
        "document": (live.notes["message"], {"Document"}),
    }
    names = ("Photos", "Video", "PhotoVideo", "Document", "Music", "Voice", "Gif", "RoundVideo")
    finds: dict[str, set[str]] = {what: set() for what in wanted}
    for name in names:
        answer = await live.ask(search_for(getattr(types, f"InputMessagesFilter{name}")()))
        ids = {one.id for one in answer.messages}
        for what, (message_id, _) in wanted.items():
            if message_id in ids:
                finds[what].add(name)
    told = "; ".join(f"{what}: {', '.join(sorted(found)) or 'none'}" for what, found in finds.items())
    right = all(finds[what] == names for what, (_, names) in wanted.items())
    return expect(right, f"{told}.", f"Other filters find them: {told}.")


@belief("list-search")
async def search(live: Live) -> Seen:
    """Look for a word that is in no other caption, until it is found."""
    word = f"doctor{secrets.token_hex(6)}"
    message_id = await live.send(input_document(live.notes["document"]), word)
    kind = types.InputMessagesFilterDocument()
    for attempt in range(int(_FOUND_SECONDS / _STEP_SECONDS)):
        found = await live.ask(search_for(kind, word))
        if [one.id for one in found.messages] == [message_id]:
            seconds = attempt * _STEP_SECONDS
            return holds(f"Found by its word after {seconds:.1f} s.", seconds=seconds)
        await asyncio.sleep(_STEP_SECONDS)
    return differs(f"Not found by its word within {_FOUND_SECONDS:.0f} s.")


@belief("list-counters")
async def counters(live: Live) -> Seen:
    """Count photos by the counter and by the search."""
    kind = types.InputMessagesFilterPhotos()
    (counter,) = await live.ask(functions.messages.GetSearchCountersRequest(ME, [kind]))
    found = await live.ask(search_for(kind, limit=1))
    count = getattr(found, "count", len(found.messages))
    return expect(
        counter.inexact or (counter.count == count and count > 0),
        "Counters and searches agree.",
        f"The counter says {counter.count}, the search {count}.",
        inexact=bool(counter.inexact),
    )


async def _calendar(live: Live) -> Any:
    kind = types.InputMessagesFilterPhotoVideo()
    return await live.ask(functions.messages.GetSearchResultsCalendarRequest(ME, kind, 0, None))


@belief("list-calendar")
async def calendar(live: Live) -> Seen:
    """Find the photo that was sent on its day."""
    message_id: int = live.notes["photo_message"]
    told = await _calendar(live)
    days = [day for day in told.periods if day.min_msg_id <= message_id <= day.max_msg_id]
    newest_first = [day.date for day in told.periods]
    return expect(
        len(days) == 1 and days[0].count >= 1 and newest_first == sorted(newest_first, reverse=True),
        "The day of the photo is there, with its first and last message, the newest day first.",
        f"The photo is on {len(days)} day(s).",
        days=len(told.periods),
        inexact=bool(told.inexact),
    )


@belief("list-days")
async def days(live: Live) -> Seen:
    """See where days begin, by the calendar."""
    told = await _calendar(live)
    offsets = sorted({int(day.date.timestamp()) % _DAY for day in told.periods})
    return expect(
        offsets == [0], "Days begin at midnight, UTC.", f"Days begin {offsets} s after midnight, UTC."
    )


@belief("list-albums")
async def albums(live: Live) -> Seen:
    """Send two documents as an album."""
    other = await live.make_document(await live.store(b"album", "album.txt"), "text/plain", "album.txt")
    media = [input_document(document) for document in (live.notes["document"], other)]
    request = functions.messages.SendMultiMediaRequest(
        ME,
        [types.InputSingleMedia(one, live.text("an album"), random_id=secrets.randbits(63)) for one in media],
    )
    updates = await live.ask(request)
    ids = sorted(one.id for one in updates.updates if isinstance(one, types.UpdateMessageID))
    live.made.update(ids)
    groups = {(await live.message(message_id)).grouped_id for message_id in ids}
    apart = ids[-1] - ids[0]
    return expect(
        len(ids) == len(media) and len(groups) == 1 and apart <= _CLOSE,
        f"Its messages have one grouped_id, and ids {apart} apart.",
        f"{len(ids)} messages of {len(groups)} albums, {apart} apart.",
        apart=apart,
    )
