"""Messages: captions, random ids, lists and changes. All are of a document that was made before."""

from __future__ import annotations

import secrets
from typing import Final

from telethon.tl import functions, types

from tgbridge.doctor.live.account import ME, Live, input_document, text_of
from tgbridge.doctor.live.beliefs import Seen, belief, expect
from tgbridge.errors import TelegramRefused
from tgbridge.telegram.account import login

_LIMIT, _LIMIT_PREMIUM = 1024, 4096
_AT_ONCE: Final = 100
_LAST_ID: Final = 2**31 - 1
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


@belief("message-ids")
async def hundred_ids(live: Live) -> Seen:
    """Ask for a message of ours, and for as many that are not there as make a hundred."""
    own: int = live.notes["message"]
    ids = [own, *range(_LAST_ID - _AT_ONCE + 2, _LAST_ID + 1)]
    request = functions.messages.GetMessagesRequest([types.InputMessageID(one) for one in ids])
    found = (await live.ask(request)).messages
    empty = sum(isinstance(one, types.MessageEmpty) for one in found)
    there = [one.id for one in found if isinstance(one, types.Message)]
    return expect(
        there == [own] and empty == _AT_ONCE - 1,
        "A hundred ids are answered at a time, messageEmpty for those that are not there.",
        f"{len(found)} of {_AT_ONCE} ids were answered, {empty} by messageEmpty.",
    )


@belief("message-sent")
async def as_sent(live: Live) -> Seen:
    """Compare the message in the answer to its sending with what messages.getMessages says of it."""
    document: types.Document = live.notes["document"]
    request = functions.messages.SendMediaRequest(
        ME, input_document(document), message=live.text("as sent"), random_id=secrets.randbits(63)
    )
    updates = (await live.ask(request)).updates
    (told,) = [one.message for one in updates if isinstance(one, types.UpdateNewMessage)]
    live.made.add(told.id)
    asked = await live.message(told.id)
    parts = [(one.message, one.date, one.peer_id, one.media.document.id) for one in (told, asked)]
    return expect(
        parts[0] == parts[1], "The answer has the message as it is.", "The answer has another message."
    )


@belief("login-help")
async def without_login(live: Live) -> Seen:
    """Ask with a key that nobody is signed in with."""
    async with live.pool.anonymous() as nobody:
        await nobody.patiently(functions.help.GetConfigRequest())
        someone = await login.signed_in(nobody)
        await login.log_out(nobody)
    return expect(
        someone is None,
        "help.getConfig is answered to everybody, users.getUsers is not.",
        "So is users.getUsers.",
    )
