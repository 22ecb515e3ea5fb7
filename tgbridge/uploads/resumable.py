"""One upload that comes in several requests, over hours, and over one connection after the other.

No byte is on a disk: Telegram holds the parts, and what is short of a part waits in memory. The bytes that an
answer has confirmed, that of HEAD too, are at one of the two places. Others may be lost when Telegram fails;
the client asks where to go on, as it does after every failure, and may go on there: what has come since, by a
request that was not yet known to be cut, is passed over.

The file counts as whole only when it has become a message: until then the last byte is said to be missing.
So a client whose message could not be sent, for now, comes back with that byte, and it is tried again; or
with no byte at all, and another caption, where Telegram finds the first one too long.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tgbridge.errors import (
    BridgeError,
    FloodWait,
    PartsLost,
    PoolExhausted,
    SessionEnded,
    TelegramFailure,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.telegram.saved.captions import CAPTION_TOO_LONG, check_caption
from tgbridge.uploads.checked import checked
from tgbridge.uploads.errors import (
    LengthChanged,
    LengthExceeded,
    OffsetMismatch,
    UploadError,
    UploadFinished,
    UploadGone,
)
from tgbridge.uploads.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tgbridge.completion import Completion
    from tgbridge.http.tus import Checksum, Continuation, Creation
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.saved.library import Library
    from tgbridge.telegram.saved.sending import Sending
    from tgbridge.telegram.transfer.budget import Budget
    from tgbridge.telegram.transfer.upload.ways import StoredFile
    from tgbridge.uploads.outcome import Outcome
    from tgbridge.uploads.progress import Progress
    from tgbridge.uploads.turns import Turn

FEW_BYTES: Final = 64 * 1024
"""A request that brings fewer does not keep an upload from being forgotten when memory is short: one byte a
minute would keep a whole part there."""

# After these the same request may well succeed.
_TEMPORARY: Final = (FloodWait, PoolExhausted, SessionEnded, TelegramUnavailable)

SETTLE_SECONDS: Final = 2.0
"""How long a client that asks where to go on waits for parts that are on their way."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What uploads work with, and share with the rest of the service."""

    pool: ClientPool
    library: Library
    completion: Completion
    budget: Budget
    """What uploads hold on their way."""
    checked_budget: Budget
    """What chunks hold that have a checksum, until it is verified."""


class ResumableUpload:
    """One upload. Any number of requests may come for it at the same time."""

    def __init__(
        self,
        surroundings: Surroundings,
        creation: Creation,
        sending: Sending,
        outcome: Outcome,
        progress: Progress,
        *,
        session: str,
    ) -> None:
        self.length = creation.length
        """Bytes of the whole, None while the client has not said."""
        self.metadata = creation.metadata
        self.progress = progress
        self.session = session
        """The Telegram session that was at work on it last."""
        self.touched = _now()
        """When a client was last heard of, by the event loop's clock."""
        self.heard = self.touched
        """When a client last brought more than a few bytes."""
        self.closed = False
        self._surroundings = surroundings
        self._sending = sending
        self._outcome = outcome
        self._turns = Turns()
        self._making: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._settled = True
        self._told: int | None = None

    @property
    def offset(self) -> int:
        """The bytes that the client need not send again, whatever happens to those on their way."""
        if self.length is None:
            return self._sending.certain
        if self.message_id is not None:
            return self.length
        return max(0, min(self._sending.certain, self.length - 1))

    async def tell(self) -> None:
        """Let the next request go on at what `offset` is then.

        Bytes that a client which has gone has left on their way get a moment to arrive: they need not be sent
        again.
        """
        busy = {task for task in (self._settling, self._making) if task is not None}
        if busy and self._sending.certain < self._sending.received:
            await asyncio.wait(busy, timeout=SETTLE_SECONDS)
        self._told = self.offset

    @property
    def message_id(self) -> int | None:
        """The message that it has become."""
        return self._outcome.message_id

    @property
    def busy(self) -> bool:
        """Whether somebody is at work on it."""
        return self._turns.taken or self._is_making

    @property
    def at_rest(self) -> bool:
        """Whether nobody is at work on it, and no more of it is in memory than has to be."""
        return self._settled and not self.busy

    @property
    def held(self) -> int:
        """Bytes of memory that count as this upload's."""
        return self._sending.held

    async def append(
        self,
        session: str,
        at: Continuation,
        body: AsyncGenerator[bytes, None],
        *,
        expected: int | None,
        checksum: Checksum | None,
        caption: str | None = None,
    ) -> None:
        """Take the bytes of one request, and make the message if they are the last.

        `session` is the Telegram session of whoever asks, and `expected` is how many bytes come, if that is
        known. `caption` takes the place of the one that was given before.
        Whatever ends it early, the upload can go on, unless it is `closed` then.

        Raises UploadError, what the file's own check does, FileTooLarge, TelegramFailure and PoolExhausted.
        """
        self.touched = _now()
        before = self._sending.received
        self._check_offset(at)
        if self._is_making:
            await self._made(session)  # its bytes are here: this is a client that has missed the answer
            return
        try:
            async with self._turns.take() as turn:
                await self._sending.recover()
                self._check_offset(at)
                self._check_length(at, expected)
                self.session = session
                async with aclosing(self._pieces(turn, body, expected, checksum)) as pieces:
                    await self._take(session, pieces, caption, again=self._sending.received - at.offset)
                self._told = None
                if self._is_whole and self.message_id is None:
                    await self._made(session)
        finally:
            self.touched = _now()
            if self._sending.received - before >= FEW_BYTES:
                self.heard = self.touched
            self._settle_later(session)

    def check_open(self) -> None:
        """Raise UploadGone if it is closed, UploadFinished if the message is being made, or is there."""
        if self.closed:
            raise UploadGone
        if self._is_making or self._outcome.decided:
            raise UploadFinished

    def give_thumbnail(self, thumbnail: StoredFile) -> None:
        """Let the file have a poster, in place of one that it was given before. Raises as `check_open`."""
        self.check_open()
        self.touched = _now()
        self._outcome.thumbnail = thumbnail

    async def terminate(self) -> None:
        """Forget it, whoever is at work on it. A message that is being sent, is sent."""
        if self._making is not None:
            await asyncio.wait({self._making})
        async with self._turns.take(by_force=UploadGone):
            await self.close(UploadGone())

    async def close(self, why: BridgeError) -> None:
        """Give up all that it holds; those who watch it are told why. Idempotent."""
        self.closed = True
        if self._settling is not None and self._settling is not asyncio.current_task():
            self._settling.cancel()
            await asyncio.wait({self._settling})
        await self._sending.aclose()
        self.progress.failed(why)

    # The bytes

    def _check_offset(self, at: Continuation) -> None:
        if self.closed:
            raise UploadGone
        received = self._sending.received
        # A client that knows that all of it is here need not send the last byte again.
        if at.offset not in {self.offset, received, self._told} or at.offset > received:
            raise OffsetMismatch

    def _check_length(self, at: Continuation, expected: int | None) -> None:
        length = self.length if at.length is None else at.length
        if length is None:
            return
        if self.length not in {None, length} or length < self._sending.received:
            raise LengthChanged
        if at.offset + (expected or 0) > length:
            raise LengthExceeded
        if self.length is None:
            self.length = length
            self.progress.begin(length)

    async def _pieces(
        self, turn: Turn, body: AsyncGenerator[bytes, None], expected: int | None, checksum: Checksum | None
    ) -> AsyncGenerator[bytes, None]:
        heard = _heard(turn, body)
        if checksum is not None:
            budget, owner = self._surroundings.checked_budget, self.progress.owner
            heard = checked(heard, checksum, budget, owner, expected=expected)
        async with aclosing(heard) as pieces:
            async for piece in pieces:
                yield piece

    async def _take(
        self, session: str, pieces: AsyncIterator[bytes], caption: str | None, *, again: int
    ) -> None:
        """Take bytes, the first `again` of which are here already."""
        self._settled = False
        try:
            async with self._surroundings.pool.borrow(session, account=self.progress.owner) as client:
                self._sending.client = client
                if caption is not None:
                    await check_caption(client, caption)
                    self._outcome.caption = caption
                async with self._closed_if_refused():
                    await self._sending.allow(self.length or 0)
                async for piece in pieces:
                    new = memoryview(piece)[again:]
                    again -= len(piece) - len(new)
                    await self._write(new)
                if not self._is_whole:
                    await self._pause()
        except TelegramFailure as error:
            if isinstance(error, FloodWait):
                self.progress.waiting(error.seconds)
            await self._sending.recover()
            raise

    async def _write(self, data: memoryview) -> None:
        if self.length is not None and self._sending.received + len(data) > self.length:
            raise LengthExceeded
        if data:
            async with self._closed_if_refused():
                await self._sending.write(data)

    @asynccontextmanager
    async def _closed_if_refused(self) -> AsyncIterator[None]:
        """Close the upload if it turns out to be no file that can be sent."""
        try:
            yield
        except BridgeError as error:
            if not isinstance(error, TelegramFailure | PoolExhausted):
                await self.close(error)
            raise

    async def _pause(self) -> None:
        await self._sending.pause()
        self._settled = True

    def _settle_later(self, session: str) -> None:
        """See to it that nothing but what is short of a part stays in memory, also if the client has gone."""
        if not (self._settled or self.closed or self.busy or self.message_id is not None):
            self._settling = asyncio.create_task(self._settle(session))

    async def _settle(self, session: str) -> None:
        if self._turns.taken:
            return
        with suppress(UploadError):  # the client is back, and goes on
            async with self._turns.take(gives_way=True):
                try:
                    async with self._surroundings.pool.borrow(session, account=self.progress.owner) as client:
                        self._sending.client = client
                        await self._pause()
                except BridgeError:
                    await self._sending.recover()
                    await self._lend()

    async def _lend(self) -> None:
        """Pause while Telegram cannot be reached: what can't be had out of memory stays."""
        try:
            await self._pause()
        except TelegramFailure:
            await self._sending.recover()

    # The message

    @property
    def _is_whole(self) -> bool:
        return self._sending.received == self.length

    @property
    def _is_making(self) -> bool:
        return self._making is not None and not self._making.done()

    async def _made(self, session: str) -> None:
        """Wait until the message is there, which goes on even if nobody waits. Raises as `append` does."""
        if self._making is None or self._making.done():
            self._making = self._surroundings.completion.start(self._make(session))
        await self._surroundings.completion.wait(self._making)

    async def _make(self, session: str) -> None:
        try:
            borrow = partial(self._surroundings.pool.borrow, session, account=self.progress.owner)
            item = await self._outcome.reach(borrow, self.progress.waiting)
        except PartsLost as error:
            await self.close(UploadGone())
            raise UploadGone from error
        except BridgeError as error:
            if not _can_go_on(error):
                await self.close(error)
                raise
            if isinstance(error, FloodWait):
                self.progress.waiting(error.seconds)
            await self._sending.recover()
            await self._lend()
            raise
        self.progress.done(item)


def _can_go_on(error: BridgeError) -> bool:
    """Whether a message may still be made: at the next try, or with another caption."""
    if isinstance(error, TelegramRefused) and error.name == CAPTION_TOO_LONG:
        return True
    return isinstance(error, _TEMPORARY)


async def _heard(turn: Turn, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(body):
        while True:
            with turn.listening():
                piece = await anext(body, None)
            if piece is None:
                return
            yield piece


def _now() -> float:
    return asyncio.get_running_loop().time()
