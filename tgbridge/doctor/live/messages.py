"""Messages: captions, random ids, lists and changes. All are of a document that was made before."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final

from telethon.tl import functions, types

from tgbridge.doctor.live.account import ME, Live, input_document, text_of
from tgbridge.doctor.live.beliefs import Seen, belief, differs, expect, holds, unseen
from tgbridge.errors import TelegramRefused

_LIMIT, _LIMIT_PREMIUM = 1024, 4096
_TOO_LONG: Final = "MEDIA_CAPTION_TOO_LONG"
_FOUND_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.5
_FACE: Final = "\N{GRINNING FACE}"  # two code units of UTF-16


async def _sent(live: Live, caption: str, *, random_id: int | None = None) -> str:
    """Send the document under a caption; return the name of the error, "" if it was sent."""
    document: types.Document = live.notes["document"]
    try:
        await live.send(input_document(document), caption, random_id=random_id)
    except TelegramRefused as error:
        return error.name
    return ""


def _room(live: Live) -> int:
    """Return how many code units of UTF-16 a caption may still have behind the marker and its space."""
    limit: int = live.notes["caption_limit"]
    return limit - len(live.marker) - 1


@belief("caption-limit")
async def caption_limit(live: Live) -> Seen:
    """Look the limit up; send captions of that length and of one more."""
    name = f"caption_length_limit_{'premium' if live.premium else 'default'}"
    config = await live.ask(functions.help.GetAppConfigRequest(hash=0))
    values = {value.key: value.value for value in getattr(config.config, "value", ())}
    limit = int(values[name].value) if name in values else _LIMIT_PREMIUM if live.premium else _LIMIT
    live.notes["caption_limit"] = limit
    fits, longer = await _sent(live, "x" * _room(live)), await _sent(live, "x" * (_room(live) + 1))
    where = "named" if name in values else "not named, and as ever"
    return expect(
        (fits, longer) == ("", _TOO_LONG),
        f"{limit} characters are taken, and one more is not; {name} is {where}.",
        f"{limit} characters: {fits or 'taken'}; one more: {longer or 'taken'}.",
        limit=limit,
        named=name in values,
    )


@belief("caption-utf16")
async def caption_utf16(live: Live) -> Seen:
    """Send as many emoji as fit by UTF-16, one more, and as many letters before white space."""
    room = _room(live)
    faces, letter = divmod(room, 2)
    fits = await _sent(live, _FACE * faces + "x" * letter)
    longer = await _sent(live, _FACE * (faces + 1) + "x" * letter)
    spaced = await _sent(live, "x" * room + " " * 9 + "\n")
    return expect(
        (fits, longer, spaced) == ("", _TOO_LONG, ""),
        "An emoji counts as two, white space at the end as nothing.",
        f"What fits: {fits or 'taken'}; one more: {longer or 'taken'}; spaces: {spaced or 'taken'}.",
    )


@belief("caption-crlf")
async def caption_crlf(live: Live) -> Seen:
    """Send a caption that is too long by the one character that CRLF has more than LF."""
    told = await _sent(live, "x" * (_room(live) - 2) + "\r\n" + "x")
    return expect(told == _TOO_LONG, "CRLF counts as two.", f"CRLF counts as one: {told or 'taken'}.")


@belief("caption-refused")
async def caption_refused(live: Live) -> Seen:
    """Send again what was refused for its caption, under the same random id."""
    random_id = secrets.randbits(63)
    before = await _newest(live)
    first = await _sent(live, "x" * (_room(live) + 9), random_id=random_id)
    between = await _newest(live)
    again = await _sent(live, "sent after all", random_id=random_id)
    return expect(
        first == _TOO_LONG and before == between and not again,
        "A refusal leaves no message, and its random id unused.",
        f"First {first or 'taken'}, then {again or 'taken'}.",
    )


async def _newest(live: Live) -> int:
    return max((one.id for one in await live.latest()), default=0)


@belief("send-random-id")
async def random_id(live: Live) -> Seen:
    """Send twice under one random id."""
    number = secrets.randbits(63)
    first = await _sent(live, "twice", random_id=number)
    second = await _sent(live, "twice", random_id=number)
    found = [one for one in await live.latest() if text_of(one) == live.text("twice")]
    return expect(
        (first, second, len(found)) == ("", "RANDOM_ID_DUPLICATE", 1),
        "The second time is RANDOM_ID_DUPLICATE, and there is one message.",
        f"First {first or 'taken'}, then {second or 'taken'}: {len(found)} message(s).",
    )


@belief("list-history")
async def history(live: Live) -> Seen:
    """See whether what was sent is at the head of the list."""
    message_id = await live.send(input_document(live.notes["document"]), "the latest")
    ids = [one.id for one in await live.latest()]
    return expect(
        ids[:1] == [message_id] and ids == sorted(ids, reverse=True),
        "A message is in the list, first, as soon as its sending is answered.",
        "A message that was just sent is not the first of the list.",
    )


@belief("list-search")
async def search(live: Live) -> Seen:
    """Look for a word that is in no other caption, until it is found."""
    word = f"doctor{secrets.token_hex(6)}"
    message_id = await live.send(input_document(live.notes["document"]), word)
    for attempt in range(int(_FOUND_SECONDS / _STEP_SECONDS)):
        found = await live.ask(_search(types.InputMessagesFilterEmpty(), word))
        if [one.id for one in found.messages] == [message_id]:
            return holds(
                f"Found by its word after {attempt * _STEP_SECONDS:.1f} s.", seconds=attempt * _STEP_SECONDS
            )
        await asyncio.sleep(_STEP_SECONDS)
    return differs(f"Not found by its word within {_FOUND_SECONDS:.0f} s.")


def _search(kind: Any, word: str = "", limit: int = 100) -> functions.messages.SearchRequest:
    return functions.messages.SearchRequest(ME, word, kind, None, None, 0, 0, limit, 0, 0, 0)


@belief("list-counters")
async def counters(live: Live) -> Seen:
    """Count photos by the counter and by the search."""
    kind = types.InputMessagesFilterPhotos()
    (counter,) = await live.ask(functions.messages.GetSearchCountersRequest(ME, [kind]))
    found = await live.ask(_search(kind, limit=1))
    count = getattr(found, "count", len(found.messages))
    return expect(
        counter.count == count and count > 0,
        "Counters and searches agree.",
        f"The counter says {counter.count}, the search {count}.",
        inexact=bool(counter.inexact),
    )


@belief("list-calendar")
async def calendar(live: Live) -> Seen:
    """Find the photo that was sent on its day."""
    message_id: int = live.notes["photo_message"]
    kind = types.InputMessagesFilterPhotoVideo()
    told = await live.ask(functions.messages.GetSearchResultsCalendarRequest(ME, kind, 0, None))
    days = [day for day in told.periods if day.min_msg_id <= message_id <= day.max_msg_id]
    return expect(
        len(days) == 1 and days[0].count >= 1 and days[0].date is not None,
        "The day of the photo is there, with its first and last message.",
        f"The photo is on {len(days)} day(s).",
        days=len(told.periods),
        inexact=bool(told.inexact),
    )


@belief("change-edit")
async def edit(live: Live) -> Seen:
    """Change a caption."""
    message_id: int = live.notes["message"]
    before = await live.message(message_id)
    live.notes["state"] = await live.ask(functions.updates.GetStateRequest())
    await live.ask(functions.messages.EditMessageRequest(ME, message_id, message=live.text("another one")))
    after = await live.message(message_id)
    right = after.message == live.text("another one") and after.media.document.id == before.media.document.id
    return expect(
        right and after.edit_date is not None,
        "The caption is another, the file the same, and edit_date is set.",
        "The message is not as it was edited.",
    )


@belief("change-deleted")
async def deleted(live: Live) -> Seen:
    """Delete a message of ours, and ask for it."""
    message_id: int = live.notes["message"]
    await live.ask(functions.messages.DeleteMessagesRequest([message_id], revoke=True))
    live.made.discard(message_id)
    gone = isinstance(await live.message(message_id), types.MessageEmpty)
    later = await live.send(input_document(live.notes["document"]), "after it")
    return expect(
        gone and later > message_id, "It is a messageEmpty, and its id is past.", "It is still there."
    )


@belief("change-events")
async def events(live: Live) -> Seen:
    """Ask what has happened since before the edit."""
    state: types.updates.State | None = live.notes.get("state")
    if state is None:
        return unseen("Nothing was edited.")
    message_id: int = live.notes["message"]
    told = await live.ask(
        functions.updates.GetDifferenceRequest(pts=state.pts, date=state.date, qts=state.qts)
    )
    updates = getattr(told, "other_updates", [])
    deletions = [one.messages for one in updates if isinstance(one, types.UpdateDeleteMessages)]
    added = [one.id for one in getattr(told, "new_messages", ())]
    has_deletion = any(message_id in ids for ids in deletions)
    return expect(
        has_deletion and live.made & set(added),
        "What this session has added and deleted is told, from a pts on.",
        f"{type(told).__name__}: the deletion {'is' if has_deletion else 'is not'} told.",
        kind=type(told).__name__,
    )
