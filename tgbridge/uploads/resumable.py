"""One upload that comes in several requests, over hours, and over one connection after the other.

No byte is on a disk: Telegram holds the parts, and what is short of a part waits in memory. The bytes that an
answer has confirmed are at one of the two places. Bytes that no answer has confirmed may be lost when
Telegram fails; the client asks where to go on (HEAD), as it does after every failure.

The file counts as whole only when it has become a message: until then the last byte is said to be missing.
So a client whose message could not be sent, for now, comes back with that byte, and it is tried again.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from tgbridge.errors import (
    BridgeError,
    FileTooLarge,
    FloodWait,
    HTTPFailure,
    PartsLost,
    PoolExhausted,
    SessionEnded,
    TelegramFailure,
    TelegramUnavailable,
)
from tgbridge.http import tus
from tgbridge.uploads.checked import checked
from tgbridge.uploads.outcome import error_body
from tgbridge.uploads.turns import Turns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tgbridge.completion import Completion
    from tgbridge.http.tus import Checksum, Continuation, Creation
    from tgbridge.models import ErrorBody
    from tgbridge.telegram.files.budget import Budget
    from tgbridge.telegram.pool import ClientPool
    from tgbridge.telegram.sending import Sending
    from tgbridge.uploads.outcome import Outcome
    from tgbridge.uploads.progress import Progress
    from tgbridge.uploads.turns import Turn

# After these the same request may well succeed.
_TEMPORARY: Final = (FloodWait, PoolExhausted, SessionEnded, TelegramUnavailable)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What uploads work with, and share with the rest of the service."""

    pool: ClientPool
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
        self.closed = False
        self._surroundings = surroundings
        self._sending = sending
        self._outcome = outcome
        self._turns = Turns()
        self._making: asyncio.Task[None] | None = None
        self._settling: asyncio.Task[None] | None = None
        self._settled = True

    @property
    def offset(self) -> int:
        """The bytes that the client need not send again."""
        if self.length is None:
            return self._sending.received
        if self.message_id is not None:
            return self.length
        return max(0, min(self._sending.received, self.length - 1))

    @property
    def message_id(self) -> int | None:
        """The message that it has become."""
        return self._outcome.message_id

    @property
    def busy(self) -> bool:
        """Whether somebody is at work on it."""
        return self._turns.taken or self._is_making

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
    ) -> None:
        """Take the bytes of one request, and make the message if they are the last.

        `session` is the Telegram session of whoever asks, and `expected` is how many bytes come, if that is
        known. Whatever ends it early, the upload can go on, unless it is `closed` then.

        Raises HTTPFailure 400, 409, 410, 413, 423 and 460, FileTooLarge, TelegramFailure, PoolExhausted.
        """
        self.touched = _now()
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
                    await self._take(session, pieces)
                if self._is_whole and self.message_id is None:
                    await self._made(session)
        finally:
            self.touched = _now()
            self._settle_later(session)

    async def terminate(self) -> None:
        """Forget it, whoever is at work on it. A message that is being sent, is sent."""
        if self._making is not None:
            await asyncio.wait({self._making})
        async with self._turns.take(by_force=tus.GONE):
            await self.close(tus.GONE.body)

    async def close(self, end: ErrorBody) -> None:
        """Give up all that it holds. Idempotent."""
        self.closed = True
        if self._settling is not None and self._settling is not asyncio.current_task():
            self._settling.cancel()
            await asyncio.wait({self._settling})
        await self._sending.aclose()
        self.progress.over(end)

    # The bytes

    def _check_offset(self, at: Continuation) -> None:
        if self.closed:
            raise tus.GONE.failure()
        if at.offset != self.offset:
            raise tus.OFFSET_MISMATCH.failure()

    def _check_length(self, at: Continuation, expected: int | None) -> None:
        length = self.length if at.length is None else at.length
        if length is None:
            return
        if self.length not in {None, length} or length < self._sending.received:
            raise tus.LENGTH_CHANGED.failure()
        if at.offset + (expected or 0) > length:
            raise tus.BEYOND_LENGTH.failure()
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

    async def _take(self, session: str, pieces: AsyncIterator[bytes]) -> None:
        # The last byte comes again, when all were here before and no message could be made.
        again = self._sending.received - self.offset
        self._settled = False
        try:
            async with self._surroundings.pool.borrow(session, account=self.progress.owner) as client:
                self._sending.client = client
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
            raise tus.BEYOND_LENGTH.failure()
        if data:
            async with self._closed_if_refused():
                await self._sending.write(data)

    @asynccontextmanager
    async def _closed_if_refused(self) -> AsyncIterator[None]:
        """Close the upload if it turns out to be no file that can be sent."""
        try:
            yield
        except (HTTPFailure, FileTooLarge) as error:
            await self.close(error_body(error))
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
        with suppress(HTTPFailure):  # the client is back, and goes on
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
            await self.close(tus.GONE.body)
            raise tus.GONE.failure() from error
        except _TEMPORARY as error:
            if isinstance(error, FloodWait):
                self.progress.waiting(error.seconds)
            await self._sending.recover()
            await self._lend()
            raise
        except BridgeError as error:
            await self.close(error_body(error))
            raise
        self.progress.over(item)


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
