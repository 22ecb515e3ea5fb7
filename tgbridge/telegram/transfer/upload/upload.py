"""A file on its way up: bytes written in any cut become parts at Telegram, several of them in flight.

Which of Telegram's two ways a file goes depends on its size (`ways`), and a body of unknown length shows that
only at its end. Parts go the likelier way at once, and are kept until it is certain; when memory runs short,
what is kept is sent the other way too, which costs at most 10 MB of traffic and never a byte of the file.

All that is in memory counts (`rooms`): the bytes short of a part, the parts kept, the parts in flight.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from tgbridge.errors import FloodWait, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.rpc.call import now
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.transfer.upload.rooms import Rooms
from tgbridge.telegram.transfer.upload.ways import SMALL_FILE_BYTES, UNKNOWN_TOTAL, StoredFile, Way

if TYPE_CHECKING:
    from collections.abc import Hashable

    from telethon.tl import TLRequest

    from tgbridge.settings import TelegramSettings
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.transfer.budget import Budget
    from tgbridge.telegram.transfer.upload.ways import Buffer


class Client(Protocol):
    """An account's client, as far as uploads need it."""

    @property
    def files(self) -> Router:
        """Its connections for files."""

    @property
    def home_dc_id(self) -> int:
        """The data centre that takes its files."""


class Observer(Protocol):
    """Is told how an upload gets on, from within the event loop: must be quick, and not raise."""

    def progressed(self, received: int, stored: int) -> None:
        """So many bytes were written, and so many are at Telegram (fewer again if the way changes)."""

    def waiting(self, seconds: float) -> None:
        """Telegram takes no part for so long. Told by each part that has to wait."""


@dataclass(slots=True, eq=False)
class _Part:
    index: int
    data: bytearray
    before: Any  # the MD5 of all parts before it
    uses: int = 0  # it is in memory while it is in flight, once or both ways, or kept


class FileUpload:
    """One file, written as a stream, and in the end known to Telegram as a `StoredFile`.

    Use it as a context manager: leaving it gives up what is in flight. Parts that no message was made of are
    forgotten by Telegram by itself. Only one task may use it at a time, but any number one after the other,
    with `pause` in between; `client` may be set to another client of the same account meanwhile. After a
    TelegramFailure it can go on once `recover` has been called.
    """

    def __init__(
        self,
        client: Client,
        budget: Budget,
        account: Hashable,
        telegram: TelegramSettings,
        *,
        places: asyncio.Semaphore,
        part_bytes: int,
        size: int | None = None,
        at_most: int | None = None,
        likely_big: bool = False,
        beside: int = 0,
        admission_seconds: float,
        observer: Observer | None = None,
    ) -> None:
        """`size` is the exact one where it is known, else `at_most` may bound it, and `likely_big` guess.

        All are in bytes. `part_bytes` divides 512 KiB; `beside` is what the caller holds of the file himself.
        """
        bound = at_most if size is None else size
        self.client = client
        self._telegram = telegram
        self.received = 0
        """Bytes written, exactly, also after a `write` that was cancelled."""
        self._part_bytes = part_bytes
        self._size = size
        self._total = UNKNOWN_TOTAL if size is None else -(-size // part_bytes)
        self._observer = observer
        self._other: Way | None = None
        if bound is not None and (size is not None or bound <= SMALL_FILE_BYTES):
            self._way = Way(big=bound > SMALL_FILE_BYTES)
        else:
            self._way, self._other = Way(big=likely_big), Way(big=not likely_big)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._tail = bytearray()
        self._parts = 0
        self._kept: list[_Part] = []
        self._in_flight: dict[asyncio.Task[None], tuple[Way, _Part]] = {}
        self._ended = False
        self._failure: BaseException | None = None
        self._lost: _Part | None = None  # the first that Telegram may not have
        self._progress_at = 0.0  # by the loop's clock: when it took a part, the last time
        self._rooms = Rooms(
            budget,
            account,
            places=places,
            room=part_bytes if bound is None else max(1, min(part_bytes, bound)),
            beside=beside,
            admission_seconds=admission_seconds,
            free=self._spill,
            check=self._raise_failure,
        )

    # What callers use

    @property
    def stored(self) -> int:
        """Bytes that Telegram has confirmed."""
        return self._way.stored

    @property
    def certain(self) -> int:
        """Bytes from the beginning on that `recover` can't give up any more: none of them is on its way."""
        first = min((part.index for _, part in self._in_flight.values()), default=self._parts)
        if self._lost is not None:
            first = min(first, self._lost.index)
        return self.received if first == self._parts else first * self._part_bytes

    @property
    def held(self) -> int:
        """Bytes of memory that count as this upload's."""
        return self._rooms.held

    async def __aenter__(self) -> Self:
        """Begin. Nothing is held before the first bytes."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is in flight."""
        await self.aclose()

    async def admit(self) -> None:
        """Wait for room for one part. Raises PoolExhausted if there is none for a long time."""
        await self._rooms.admit()

    async def write(self, data: Buffer) -> None:
        """Take the next bytes; return when they have their place in memory or in flight.

        Raises the TelegramFailure that any part met, what `admit` raises before the first bytes and after a
        `pause`, and ValueError for more bytes than were announced.
        """
        view = memoryview(data)
        if self._ended or (self._size is not None and self.received + len(view) > self._size):
            raise ValueError("bytes beyond the end of the file")
        self._raise_failure()
        if view:
            await self._rooms.admit()
        while view:
            # A full part stays here until a byte follows it: only then it is known not to be the last.
            if len(self._tail) == self._part_bytes:
                self._cut(self._total)
            await self._rooms.next()
            piece = view[: self._part_bytes - len(self._tail)]
            self._tail += piece
            self.received += len(piece)
            view = view[len(piece) :]
            if self._other is not None and self.received > SMALL_FILE_BYTES:
                self._decide(big=True)
        self._tell()

    async def pause(self) -> None:
        """Wait until Telegram has all whole parts, and hold no more than the bytes that are short of one.

        Raises the TelegramFailure that any part met.
        """
        self._spill()
        await self._landed()
        self._rooms.lend(len(self._tail))

    def end(self) -> None:
        """Say that the file is whole: its last part is sent. Idempotent.

        Raises the TelegramFailure that any part met, and ValueError for an empty file, or fewer bytes than
        were announced.
        """
        if self._ended:
            return
        if not self.received or self._size not in {None, self.received}:
            raise ValueError("the file is empty, or shorter than announced")
        self._raise_failure()
        self._ended = True
        if self._other is not None:
            self._decide(big=False)
        self._cut(self._parts + 1)
        self._rooms.end()

    def release_beside(self) -> None:
        """Count what the caller held beside as held no more. Idempotent."""
        self._rooms.release_beside()

    async def finish(self) -> StoredFile:
        """End, wait until Telegram has it all, and say how to refer to it. Raises as `end` does."""
        self.end()
        await self._landed()
        md5 = None if self._way.big else self._md5.hexdigest()
        return StoredFile(self._way.file_id, self._parts, self.received, md5)

    async def recover(self) -> None:
        """After a failure: go back to what Telegram has from the beginning on without a gap.

        From there, `received`, the bytes are to be written again. Changes nothing if nothing has failed.
        """
        if self._lost is None:
            return
        await self._give_up()
        lost, self._lost, self._failure = self._lost, None, None
        for part in [part for part in self._kept if part.index >= lost.index]:
            self._kept.remove(part)
            self._let_go(part)
        self._tail, self._md5, self._parts = bytearray(), lost.before, lost.index
        self.received = self._way.stored = lost.index * self._part_bytes
        if self._other is not None:
            self._other.stored = self.received - len(self._kept) * self._part_bytes
        if self._ended:
            self._ended = False
            self._rooms.reopen()
        self._tell()

    async def aclose(self) -> None:
        """Give up what is in flight, and all memory. Idempotent."""
        self._ended = True
        self._kept.clear()
        self._tail = bytearray()
        self._rooms.close()
        await self._give_up()

    # Parts

    def _cut(self, total: int) -> None:
        """Send the tail as a part."""
        part = _Part(self._parts, self._tail, self._md5)
        self._tail = bytearray()
        self._parts += 1
        self._rooms.add()
        if not self._way.big or self._other is not None:
            self._md5 = self._md5.copy()
            self._md5.update(part.data)
        self._send(part, self._way, total)
        if self._other is not None:
            part.uses += 1
            self._kept.append(part)

    def _send(self, part: _Part, way: Way, total: int = UNKNOWN_TOTAL) -> None:
        part.uses += 1
        task = asyncio.create_task(self._store(part, way, total))
        self._in_flight[task] = way, part
        task.add_done_callback(self._arrived)

    async def _store(self, part: _Part, way: Way, total: int) -> None:
        size, since = len(part.data), now()
        while True:
            request = way.request(part.index, part.data, total)
            try:
                taken = await self._save(request, since)
                break
            except TelegramRefused as refusal:
                # Behind a part that said how many there are, one that says "unknown" may be refused.
                known = self._parts if self._ended else UNKNOWN_TOTAL
                if refusal.name != "FILE_PARTS_INVALID" or total == known or not way.big:
                    raise
                total = known
        if not taken:
            raise TelegramUnavailable("Telegram did not take a part of the file")
        way.stored += size
        self._progress_at = now()

    async def _save(self, request: TLRequest, since: float) -> bool:
        """Send a part, for as long as the upload gets on, and then until patience ends."""
        while True:
            client = self.client
            patience = Patience.of_transfer(self._telegram, since=since, on_wait=self._on_wait)
            try:
                return bool(await client.files.call(client.home_dc_id, request, patience))
            except (FloodWait, TelegramUnavailable) as error:
                too_long = isinstance(error, FloodWait) and error.seconds > patience.flood_wait
                if too_long or client.files.closed or self._progress_at <= since:
                    raise
                since = self._progress_at  # of other parts, meanwhile

    def _arrived(self, task: asyncio.Task[None]) -> None:
        way, part = self._in_flight.pop(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None and self._failure is None and not way.left:
            self._failure = failure
            for other in self._in_flight:
                other.cancel()
            self._rooms.alarm()
        lost = (task.cancelled() or failure is not None) and not way.left
        if lost and (self._lost is None or part.index < self._lost.index):
            self._lost = part
        self._let_go(part)
        self._tell()

    async def _give_up(self) -> None:
        tasks = list(self._in_flight)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _let_go(self, part: _Part) -> None:
        part.uses -= 1
        if not part.uses:
            part.data = bytearray()
            self._rooms.remove()

    async def _landed(self) -> None:
        self._raise_failure()
        while self._in_flight:
            await self._rooms.changed()
            self._raise_failure()

    # Ways

    def _decide(self, *, big: bool) -> None:
        """Go on one way only: the size is known to be beyond the limit, or not to be."""
        other, self._other = self._other, None
        if other is None:
            return
        kept, self._kept = self._kept, []
        right = self._way.big is big
        left, self._way = (other, self._way) if right else (self._way, other)
        left.left = True
        for part in kept:
            if not right:
                self._send(part, self._way)
            self._let_go(part)
        for task, (way, _) in self._in_flight.items():
            if way is left:
                task.cancel()

    def _spill(self) -> None:
        """Send what is kept the other way too: it leaves memory, whichever way turns out to be right."""
        kept, self._kept = self._kept, []
        for part in kept:
            if self._other is not None:
                self._send(part, self._other)
            self._let_go(part)

    # Telling

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _tell(self) -> None:
        if self._observer is not None:
            self._observer.progressed(self.received, self._way.stored)

    def _on_wait(self, seconds: float) -> None:
        if self._observer is not None:
            self._observer.waiting(seconds)
