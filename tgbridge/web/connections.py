"""How many connections are open, and whether one more may be: by a bound, and by the descriptors left."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, Final, Literal, Protocol

from tgbridge.errors import HTTPFailure

if TYPE_CHECKING:
    from collections.abc import Callable

OVERLOADED: Final = "OVERLOADED"
TOO_BUSY: Final = "The service is too busy. Please try again later."
_FREE_AGAIN_SECONDS: Final = 5

SURPLUS: Final = 64
"""So many more are let in, only to be told that there are too many: a connection that is closed unheard looks
like a service that is down."""

_DESCRIPTORS_KEPT: Final = 256  # for connections to Telegram; an eighth where there are few
_MOST_ENDED_AT_ONCE: Final = 32  # of the idle ones, an eighth at most: as nginx does

Welcome = Literal["in", "surplus", "out"]
"""What becomes of a connection: it is served, is told that there are too many, or is dropped."""


def overloaded() -> HTTPFailure:
    """Return what is answered past a bound of the process."""
    return HTTPFailure(503, TOO_BUSY, code=OVERLOADED, retry_after=_FREE_AGAIN_SECONDS)


class Connection(Protocol):
    """What a connection has to tell."""

    def idle_since(self) -> float | None:
        """Return since when it waits for a request, by the loop's clock; None if it does not."""

    def end_idle(self) -> None:
        """Close it."""


class Connections:
    """Those that are open. If there are too many, those give way that have waited longest for a request."""

    def __init__(self, most: int, *, descriptor_limit: Callable[[], int | None]) -> None:
        """``most`` may be open. ``descriptor_limit`` tells how many file descriptors there may be."""
        self._most = most
        self._descriptor_limit = descriptor_limit
        self._open: set[Connection] = set()
        self._surplus: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open) + len(self._surplus)

    def add(self, connection: Connection, descriptor: int) -> Welcome:
        """Count one more, whose file descriptor this is: they are given out from the lowest on (POSIX)."""
        limit = self._descriptor_limit()
        kept = 0 if limit is None else min(_DESCRIPTORS_KEPT, limit // 8)
        are_scarce = limit is not None and descriptor >= limit - kept
        if len(self._open) >= self._most or are_scarce:
            # What is ended gives its descriptor back in the loop's next turn.
            are_scarce = not self._end_some() and are_scarce
        if len(self._open) < self._most and not are_scarce:
            self._open.add(connection)
            return "in"
        if len(self._surplus) >= SURPLUS or (limit is not None and descriptor >= limit - kept // 2):
            return "out"
        self._surplus.add(connection)
        return "surplus"

    def discard(self, connection: Connection) -> None:
        """Count one less, if it was counted."""
        self._open.discard(connection)
        self._surplus.discard(connection)

    def _end_some(self) -> int:
        idle = [(since, id(one), one) for one in self._open if (since := one.idle_since()) is not None]
        longest = nsmallest(min(_MOST_ENDED_AT_ONCE, -(-len(idle) // 8)), idle)
        for _, _, one in longest:
            self._open.discard(one)
            one.end_idle()
        return len(longest)
