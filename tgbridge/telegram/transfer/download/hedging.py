"""Parts that are stuck: on a connection that has become slow, while others are as quick as ever.

A slow connection is not a dead one, and what is on it may be on it for minutes. The part that a reader waits
for need not be: it is asked for once more, on the least burdened connection, which is another one as a rule,
and whichever answer comes first counts. The second answer's bytes, at most one part, are in no budget.
No I/O.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from tgbridge.telegram.futures import look_at
from tgbridge.telegram.rpc.call import now
from tgbridge.telegram.transfer.parts import KIB

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any

T = TypeVar("T")

_SMALL: Final = 128 * KIB  # and below, it is not the bytes that take the time

SHORTEST_PATIENCE: Final = 0.5
"""Seconds in which nothing came any more, after which a part may count as stuck."""

FIRST_PATIENCE: Final = 3.0
"""Seconds while no part has shown how long one takes: a slow connection looks like a slow path."""

_PATIENCE: Final = 2.0
"""In multiples of the time that other parts took."""


class Trip(NamedTuple):
    """A part's way here: of how many bytes, asked for and landed when, by the loop's clock."""

    size: int
    asked_at: float
    landed_at: float

    def seconds(self, size: int) -> float:
        """Return how long a part of `size` bytes might have taken."""
        return (self.landed_at - self.asked_at) * max(1.0, size / max(self.size, _SMALL))


def stuck_at(size: int, asked_at: float, others: Iterable[Trip]) -> float:
    """Return when a part of `size` bytes is to count as stuck, as others of the stream have come by now."""
    trips = [trip for trip in others if trip.landed_at > trip.asked_at]  # else it was there already
    if not trips:
        return asked_at + FIRST_PATIENCE
    patience = max(SHORTEST_PATIENCE, _PATIENCE * max(trip.seconds(size) for trip in trips))
    return max(asked_at, *(trip.landed_at for trip in trips)) + patience


async def first_of(first: asyncio.Task[T], again: Callable[[], Coroutine[Any, Any, T]], *, until: float) -> T:
    """Do the same work a second time beside `first`; the outcome of whichever succeeds before the other.

    Where both fail, or `first` alone when it is later than `until` by the loop's clock, the first one's
    error. Whatever happens, `first` is left as it is.
    """
    second = asyncio.create_task(again())
    second.add_done_callback(look_at)
    waiting = {first, second}
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for attempt in done:
                if not attempt.cancelled() and attempt.exception() is None:
                    return attempt.result()
            if first.done() and now() >= until:
                break
        return first.result()
    finally:
        if second.cancel():
            await asyncio.wait((second,))
