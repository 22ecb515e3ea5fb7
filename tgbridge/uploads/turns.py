"""Who may write to an upload: one at a time.

A client that lost its connection comes back before the server has noticed the loss: a mobile phone changes
its network, and no packet tells. So a request that has heard nothing from its client for a while gives way to
the next one. As long as bytes come, the next one is told to come later, after it has waited for a
little: clients count how often they are told.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final

from tgbridge.uploads.errors import UploadLocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tgbridge.uploads.errors import UploadError

SILENCE_SECONDS: Final = 3.0
"""After so long without a byte a client is taken for gone, once another request comes."""

WAIT_SECONDS: Final = 2.0
"""How long a request waits for its turn."""


class Turn:
    """One task's time with the upload. `gives_way` says that it does so at once, to whoever comes."""

    def __init__(self, *, gives_way: bool) -> None:
        self.over = asyncio.Event()
        self.grip = asyncio.timeout(None)
        self._gives_way = gives_way
        self._listens_since: float | None = None
        self._ousted_by: type[UploadError] | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Mark the time during which nothing but the client's next bytes is waited for."""
        self._listens_since = _now()
        try:
            yield
        finally:
            self._listens_since = None

    def gives_way_in(self, silence_seconds: float) -> float:
        """Return in how many seconds another one may have the turn, if nothing is heard until then."""
        if self._gives_way:
            return 0.0
        since = self._listens_since
        return math.inf if since is None else max(0.0, since + silence_seconds - _now())

    def interrupt(self, why: type[UploadError]) -> None:
        """Make the task give up its turn, by a TimeoutError where it stands. The first to do so says why."""
        if self._ousted_by is None and not self.over.is_set():
            self._ousted_by = why
            self.grip.reschedule(_now())

    @property
    def failure(self) -> UploadError | None:
        """What the task raises, if it had to give up its turn."""
        return None if self._ousted_by is None else self._ousted_by(ousted=True)


class Turns:
    """An upload's turns."""

    def __init__(
        self, *, silence_seconds: float = SILENCE_SECONDS, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._silence_seconds = silence_seconds
        self._wait_seconds = wait_seconds
        self._turn: Turn | None = None

    @property
    def taken(self) -> bool:
        """Whether somebody has the turn."""
        return self._turn is not None

    @asynccontextmanager
    async def take(
        self, *, gives_way: bool = False, by_force: type[UploadError] | None = None
    ) -> AsyncIterator[Turn]:
        """Have the turn while the block runs.

        `by_force` takes it away from whoever has it, for whom it is raised.
        Raises UploadLocked if another task has it that does not give way, or in the middle if another one was
        given way to.
        """
        give_up_at = _now() + self._wait_seconds
        while (other := self._turn) is not None:
            left = 0.0 if by_force else other.gives_way_in(self._silence_seconds)
            if left <= 0:
                other.interrupt(by_force or UploadLocked)
                await other.over.wait()
            elif _now() >= give_up_at:
                raise UploadLocked
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(_now() + left, give_up_at)):
                        await other.over.wait()
        turn = self._turn = Turn(gives_way=gives_way)
        try:
            async with turn.grip:
                yield turn
        except TimeoutError:
            if turn.grip.expired() and (failure := turn.failure) is not None:
                raise failure from None
            raise
        finally:
            self._turn = None
            turn.over.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
