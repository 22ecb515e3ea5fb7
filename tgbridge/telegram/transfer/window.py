"""How far ahead of its reader a stream asks: as far as the path is long, and not further.

Bytes that are asked for too early wait in Telegram's queues, where they are in the way of every other request
of the account, and are sent in vain when the reader leaves. So the window follows what the path takes, as in
BBR (Cardwell et al., ACM Queue 14-5, 2016): the rate at which parts are read times the shortest time that
one took to come. No I/O, no clock of its own.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from tgbridge.telegram.transfer.parts import MIB

FIRST_BYTES: Final = MIB
"""At a stream's start: players often leave after the first bytes, and what is behind them delays these."""

SLACK_BYTES: Final = 4 * MIB
"""Beyond what is on the path: one part for each connection, which keeps both ends busy. Or as much as has
been read: who leaves after a mebibyte, as players do that seek, leaves no four behind."""

BURST_BYTES: Final = 4 * MIB
"""So much is asked for together, or half the window: parts that are asked for one by one cost more."""

_GAIN: Final = 2.0
"""Above 1, so that the window grows until a larger one brings no more: twofold with each round trip."""


class Departure(NamedTuple):
    """When a part was asked for, and how many bytes had been read until then."""

    at: float
    read: int


class Window:
    """One stream's window. All times are of one monotonic clock, in seconds."""

    __slots__ = ("_read", "_shortest", "most", "size")

    def __init__(self, most: int) -> None:
        self.most = most
        """The largest that it may become, in bytes."""
        self.size = min(FIRST_BYTES, most)
        """Bytes that may be in flight or unread now."""
        self._read = 0
        self._shortest = math.inf

    @property
    def low(self) -> int:
        """Bytes in flight or unread with which it is time to ask for more."""
        return self.size - min(BURST_BYTES, self.size // 2)

    def depart(self, now: float) -> Departure:
        """Take note that a part is asked for."""
        return Departure(now, self._read)

    def read(self, departure: Departure, size: int, *, landed_at: float, now: float) -> None:
        """Take note that it came, all of its `size` bytes, at `landed_at`, and is read now."""
        self._read += size
        if landed_at > departure.at:  # else it was there already
            self._shortest = min(self._shortest, landed_at - departure.at)
        if self._shortest == math.inf or now <= departure.at:
            return
        on_the_path = (self._read - departure.read) / (now - departure.at) * self._shortest
        slack = min(SLACK_BYTES, self._read)
        wanted = min(self.most, int(_GAIN * on_the_path) + slack)
        # Grows at once, shrinks slowly: parts come in bursts.
        self.size = wanted if wanted > self.size else self.size - (self.size - wanted) // 8
