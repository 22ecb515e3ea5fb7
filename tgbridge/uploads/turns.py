"""Who may write to an upload: one at a time.

A client that lost its connection comes back before the server has noticed the loss: a mobile phone changes
its network, and no packet tells. So a request that has heard nothing from its client for a while gives way to
the next one; as long as bytes come, the next one is told to wait (423).
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from tgbridge.http import tus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SILENCE_SECONDS: Final = 5.0
"""After so long without a byte a client is taken for gone once another request comes: tus-js-client has asked
four times by then."""


class Turn:
    """One task's time with the upload. `gives_way` says that it does so at once, to whoever comes."""

    def __init__(self, *, gives_way: bool) -> None:
        self.over = asyncio.Event()
        self.grip = asyncio.timeout(None)
        self._gives_way = gives_way
        self._listens_since: float | None = None
        self._interrupted = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Mark the time during which nothing but the client's next bytes is waited for."""
        self._listens_since = _now()
        try:
            yield
        finally:
            self._listens_since = None

    def gives_way(self, silence_seconds: float) -> bool:
        """Tell whether another one may have the turn."""
        since = self._listens_since
        return self._gives_way or (since is not None and _now() - since >= silence_seconds)

    def interrupt(self) -> None:
        """Make the task give up its turn, by a TimeoutError where it stands."""
        if not self._interrupted and not self.over.is_set():
            self._interrupted = True
            self.grip.reschedule(_now())


class Turns:
    """An upload's turns."""

    def __init__(self, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._silence_seconds = silence_seconds
        self._turn: Turn | None = None

    @property
    def taken(self) -> bool:
        """Whether somebody has the turn."""
        return self._turn is not None

    @asynccontextmanager
    async def take(self, *, gives_way: bool = False, by_force: bool = False) -> AsyncIterator[Turn]:
        """Have the turn while the block runs.

        Raises HTTPFailure 423 at once if another task has it that does not give way, or in the middle if
        another one was given way to.
        """
        while (other := self._turn) is not None:
            if not by_force and not other.gives_way(self._silence_seconds):
                raise tus.LOCKED.failure()
            other.interrupt()
            await other.over.wait()
        turn = self._turn = Turn(gives_way=gives_way)
        try:
            async with turn.grip:
                yield turn
        except TimeoutError:
            if turn.grip.expired():
                raise tus.LOCKED.failure(Connection="close") from None
            raise
        finally:
            self._turn = None
            turn.over.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
