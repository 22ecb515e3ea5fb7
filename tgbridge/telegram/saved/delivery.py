"""From files whose parts are at Telegram to messages in Saved Messages, once, however often one asks for it.

First Telegram makes a photo or document of each file (messages.uploadMedia), which can be repeated and leaves
no trace; what it refuses, it refuses here. Then one request makes the message, or the album, of what has an
id by now: if its answer is lost, and the repetition is told RANDOM_ID_DUPLICATE, the message is found by that
id, beside any number of others that look the same.

Sources: https://core.telegram.org/api/files#uploading-files, https://core.telegram.org/method/messages.sendMedia,
https://core.telegram.org/method/messages.sendMultiMedia
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog
from telethon.tl import functions, types

from tgbridge.errors import (
    FileTooLarge,
    FloodWait,
    PartsLost,
    SessionEnded,
    TelegramFailure,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.rpc.persist import persist
from tgbridge.telegram.saved.changes import Deleted
from tgbridge.telegram.saved.sending import MAX_PARTS
from tgbridge.telegram.transfer.parts import MIB

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Iterable, Sequence

    from telethon.tl import TLRequest

    from tgbridge.settings import TelegramSettings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.library import Library
    from tgbridge.telegram.saved.outgoing import OutgoingFile

T = TypeVar("T")
_log = structlog.get_logger(__name__)

OnWait = Callable[[float], None]
"""Told of each wait that Telegram imposes and that is sat out, in seconds, before it."""

Borrow = Callable[[], AbstractAsyncContextManager["BridgeClient"]]
"""Lends the account's client, connected: anew for each attempt, since the last may have lost its link."""

MAX_ALBUM: Final = 10
"""Files in one message group."""

LEAST_SECONDS: Final = 120.0
"""How long an answer to messages.uploadMedia and its like is awaited at least."""

BYTES_PER_SECOND: Final = 4 * MIB
"""How much longer for a larger file: 8 minutes for 2 GB, for which half a minute was seen."""

_LOOK_BACK: Final = 100  # messages: more than arrive while an answer is awaited
_PEER: Final = types.InputPeerSelf()
_STALE: Final = frozenset({"FILE_REFERENCE_EXPIRED", "FILE_REFERENCE_INVALID"})
_LOST: Final = frozenset({"FILE_PART_MISSING", "MD5_CHECKSUM_INVALID"})


@dataclass(frozen=True, slots=True)
class Medium:
    """What Telegram has made of a file, and the number that makes its message unique."""

    media: types.InputMediaPhoto | types.InputMediaDocument
    random_id: int = field(default_factory=lambda: secrets.randbits(63))
    earlier: frozenset[int] = frozenset()
    """The ids of what was made of the file before, one of which a message may hold."""

    @property
    def id(self) -> int:
        """The photo's or document's own."""
        return int(self.media.id.id)

    def anew(self, made: Medium) -> Medium:
        """Return what is made of the same file once more, for the same message."""
        return Medium(made.media, self.random_id, self.earlier | {self.id})


class Delivery:
    """Files on their way to being messages. After a failure it can be tried again, and goes on from there.

    Neighbours that may share an album do (photos with videos, music, documents); animations and voice
    messages stand alone: as in Telegram's apps. Either all are sent, or none.
    """

    def __init__(
        self, files: Sequence[OutgoingFile], caption: str, telegram: TelegramSettings, library: Library
    ) -> None:
        """`library` is told of the messages."""
        self.files = files
        self.caption = caption
        """It goes with the first file. May be changed between two tries."""
        self._telegram = telegram
        self._library = library
        self._media: list[Medium] = []
        self._doubtful: set[int] = set()  # random ids under which a message may be there, or not

    @property
    def in_doubt(self) -> bool:
        """Whether a message may be there of which no answer has told: only trying again can tell."""
        return bool(self._doubtful)

    async def send(self, borrow: Borrow, on_wait: OnWait | None = None) -> list[int]:
        """Make messages of the files; their ids, in the files' order.

        `on_wait` is told of each wait that is sat out. Raises TelegramFailure, PartsLost among it.
        """
        if not self._media:
            self._media = await _together([self._make(borrow, file, on_wait) for file in self.files])
        sent: list[int] = []
        try:
            for _, group in groupby(range(len(self.files)), key=_groups(self.files).__getitem__):
                sent += await self._send(borrow, list(group), on_wait)
        except TelegramFailure:
            if await self._taken_back(borrow, sent):
                # Their random ids are used up.
                self._media[: len(sent)] = [Medium(medium.media) for medium in self._media[: len(sent)]]
            raise
        return sent

    async def _send(
        self, borrow: Borrow, group: Sequence[int], on_wait: OnWait | None, *, is_anew: bool = False
    ) -> list[int]:
        """Send the files of these numbers as one message, or one album."""
        album = [self._media[index] for index in group]
        request = _request(album, "" if group[0] else self.caption)
        random_ids = {medium.random_id for medium in album}
        patience = self._patience([self.files[index] for index in group], on_wait)
        once = patience._replace(repeatable=False)  # so that each answer that is lost is noted

        async def ask(client: BridgeClient) -> Any:
            try:
                updates = await client.call(request, once)
            except (TelegramUnavailable, asyncio.CancelledError):
                self._doubtful |= random_ids
                raise
            self._library.of(client).sent(updates)
            return updates

        try:
            updates = await _persistently(borrow, ask, patience)
        except TelegramRefused as error:
            if isinstance(error, FloodWait | SessionEnded):
                raise  # which says nothing of an earlier try
            if (
                error.name in _STALE and not is_anew
            ):  # nor does this: Telegram takes its time, or a retry does
                await self._make_anew(borrow, group, on_wait)
                return await self._send(borrow, group, on_wait, is_anew=True)
            self._doubtful -= random_ids
            if error.name != "RANDOM_ID_DUPLICATE":
                raise
            # An earlier try of ours arrived, though its answer did not.
            return await self._find(borrow, album)
        self._doubtful -= random_ids
        ids = _message_ids(updates)
        if ids.keys() >= random_ids:
            return [ids[medium.random_id] for medium in album]
        if isinstance(updates, types.UpdateShortSentMessage):
            return [updates.id]
        return await self._find(borrow, album)

    async def _make_anew(self, borrow: Borrow, group: Sequence[int], on_wait: OnWait | None) -> None:
        """Have media made once more of their parts: no message holds them that would tell a new reference."""
        made = await _together([self._make(borrow, self.files[index], on_wait) for index in group])
        for index, medium in zip(group, made, strict=True):
            self._media[index] = self._media[index].anew(medium)

    async def _make(self, borrow: Borrow, file: OutgoingFile, on_wait: OnWait | None) -> Medium:
        request = functions.messages.UploadMediaRequest(_PEER, file.media())
        try:
            made = await self._ask(borrow, request, self._patience([file], on_wait))
        except TelegramRefused as error:
            if error.name in _LOST:
                raise PartsLost(error.name) from error
            if error.name == "FILE_PARTS_INVALID":
                if file.stored.parts > MAX_PARTS:  # more than Telegram takes without Premium
                    raise FileTooLarge(MAX_PARTS * file.stored.size // file.stored.parts) from error
                # They are not too many, so that they are too few.
                raise PartsLost("FILE_PART_MISSING") from error
            raise
        match made:
            case types.MessageMediaPhoto(photo=types.Photo() as photo):
                known = types.InputPhoto(photo.id, photo.access_hash, photo.file_reference)
                return Medium(types.InputMediaPhoto(known))
            case types.MessageMediaDocument(document=types.Document() as document):
                known = types.InputDocument(document.id, document.access_hash, document.file_reference)
                return Medium(types.InputMediaDocument(known))
        raise TelegramRefused("MEDIA_INVALID")

    async def _find(self, borrow: Borrow, album: Sequence[Medium]) -> list[int]:
        """Look for the messages that hold these media among the latest."""
        request = functions.messages.GetHistoryRequest(
            peer=_PEER,
            offset_id=0,
            offset_date=None,
            add_offset=0,
            limit=_LOOK_BACK,
            max_id=0,
            min_id=0,
            hash=0,
        )
        history = await self._ask(borrow, request, self._patience())
        found = {_media_id(message): int(message.id) for message in reversed(history.messages)}
        ids = [[found[name] for name in (medium.id, *medium.earlier) if name in found] for medium in album]
        if not all(ids):
            raise TelegramUnavailable("the message was sent, and is gone again", retry_after=1)
        return [of_medium[0] for of_medium in ids]

    async def _taken_back(self, borrow: Borrow, sent: list[int]) -> bool:
        """Delete what was sent of a whole that can't be sent; tell whether it is gone."""
        if not sent:
            return True
        request, patience = functions.messages.DeleteMessagesRequest(sent, revoke=True), self._patience()

        async def delete(client: BridgeClient) -> None:
            affected = await client.call(request, patience)
            self._library.of(client).changed(Deleted(tuple(sent), affected.pts))

        try:
            await _persistently(borrow, delete, patience)
        except TelegramFailure as error:
            _log.warning("a part of an upload stays in Saved Messages", error=type(error).__name__)
            return False
        return True

    async def _ask(self, borrow: Borrow, request: TLRequest, patience: Patience) -> Any:
        return await _persistently(borrow, lambda client: client.call(request, patience), patience)

    def _patience(self, files: Sequence[OutgoingFile] = (), on_wait: OnWait | None = None) -> Patience:
        """Return that of a transfer: the files are up. Putting `files` together may take its time."""
        seconds = _seconds(files) if files else None
        return Patience.of_transfer(self._telegram, answer_seconds=seconds, on_wait=on_wait)


def _groups(files: Sequence[OutgoingFile]) -> list[int]:
    """Return for each file the number of its album."""
    numbers: list[int] = []
    for index, file in enumerate(files):
        before = files[index - 1].company if index else None
        alone = file.company is None or file.company != before
        numbers.append((numbers[-1] if numbers else 0) + alone)
    return numbers


def _request(album: Sequence[Medium], caption: str) -> Any:
    if len(album) == 1:
        (medium,) = album
        return functions.messages.SendMediaRequest(
            _PEER, medium.media, message=caption, random_id=medium.random_id
        )
    captions = [caption] + [""] * (len(album) - 1)
    return functions.messages.SendMultiMediaRequest(
        _PEER,
        [
            types.InputSingleMedia(medium.media, text, random_id=medium.random_id)
            for medium, text in zip(album, captions, strict=True)
        ],
    )


def _seconds(files: Iterable[OutgoingFile]) -> float:
    """Return how long Telegram may take: it puts a file together before it answers."""
    return max(LEAST_SECONDS, sum(file.stored.size for file in files) / BYTES_PER_SECOND)


def _message_ids(updates: Any) -> dict[int, int]:
    """Return the new messages' ids by their random ones."""
    return {
        update.random_id: update.id
        for update in getattr(updates, "updates", ())
        if isinstance(update, types.UpdateMessageID)
    }


def _media_id(message: Any) -> int | None:
    media = getattr(message, "media", None)
    medium = getattr(media, "photo", None) or getattr(media, "document", None)
    return getattr(medium, "id", None)


async def _persistently(borrow: Borrow, ask: Callable[[BridgeClient], Awaitable[T]], patience: Patience) -> T:
    """Ask until patience ends, by as many clients as it takes."""

    async def ask_once() -> T:
        async with borrow() as client:
            return await ask(client)

    return await persist(ask_once, patience)


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all at the same time; if one fails, give up the others, and raise that failure as it is."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
