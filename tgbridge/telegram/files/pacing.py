"""How fast an account may call a method, learnt from FLOOD_WAIT. No I/O, no clock of its own."""

from __future__ import annotations

from collections import deque
from typing import Final

OBSERVED_SECONDS: Final = 10.0
"""The time over which the rate is counted that turned out to be too much."""

RECOVERY_SECONDS: Final = 30.0
"""After so long without another FLOOD_WAIT the rate doubles."""

_SHORTEST_INTERVAL: Final = 0.01  # what is below it is no limit
_LONGEST_INTERVAL: Final = 2.0


class Pace:
    """The turns of one method's calls: none before a wait is over, and then half as many a second as before.

    All times are of one monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self.waits_until = 0.0
        """When the longest wait is over that was told."""
        self._interval = 0.0
        self._next = 0.0
        self._eased_at = 0.0
        self._flooded_at = 0.0
        self._turns: deque[float] = deque()

    def turn(self, now: float) -> float:
        """Take a turn; return when it is, `now` or later."""
        while self._interval and now - self._eased_at >= RECOVERY_SECONDS:
            self._eased_at += RECOVERY_SECONDS
            self._interval = self._interval / 2 if self._interval > _SHORTEST_INTERVAL else 0.0
        turn = max(now, self.waits_until, self._next)
        self._next = turn + self._interval
        self._turns.append(turn)
        self._forget(now)
        return turn

    def flooded(self, now: float, seconds: float, turn: float) -> None:
        """Take note that the call of a `turn` was told to wait for `seconds`."""
        if turn >= self._flooded_at:  # else it was under way when another one was told: no news of the rate
            self._forget(now)
            calls = sum(earlier <= now for earlier in self._turns)
            interval = 2 * (now - self._turns[0]) / calls if calls else 0.0
            self._interval = min(max(interval, 2 * self._interval, _SHORTEST_INTERVAL), _LONGEST_INTERVAL)
            self._flooded_at = now
        self.waits_until = max(self.waits_until, now + seconds)
        self._next = max(self._next, self.waits_until)
        self._eased_at = self.waits_until

    def _forget(self, now: float) -> None:
        while self._turns and self._turns[0] < now - OBSERVED_SECONDS:
            self._turns.popleft()
