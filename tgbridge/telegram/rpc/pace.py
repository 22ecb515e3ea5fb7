"""How fast an account may call a method at a data centre, and how much at once, learnt from flood waits.

Telegram tells its limits to nobody. They behave like a bucket that fills at some rate: a burst passes, and
then no more than the rate. So nothing is limited before the first wait. What was taken from wait to wait says
what the rate may be; the account stays a little below it, and tries a little more after a while without a
wait, the more rarely the more often that was too much. What may be in flight is halved by a wait, down to
what TDLib has. No I/O, no clock of its own.
"""

from __future__ import annotations

import math
from typing import Final

FORGET_SECONDS: Final = 3600.0
"""After so long without a wait nothing is left of what was learnt."""

FIRST_GAP: Final = 0.05
"""Seconds between the first two calls of a burst, once there was a wait (as in TDLib's DelayDispatcher)."""

SLOWEST: Final = 0.5  # calls a second; slower than that, the wait itself is all there is
# Calls a second after a first wait, at least and at most. A few calls tell little, and so does a long burst;
# a second wait is a longer one, perhaps more than those have patience for who wait for a page.
_FIRST_RATE: Final = 4.0
_FIRST_RATE_AT_MOST: Final = 20.0
FASTEST: Final = 100.0  # what is above it is no limit

_SHRINKING: Final = 0.8  # of the gaps in a burst
_SMALLEST_GAP: Final = 0.003
_BURST_BEGINS: Final = 1.0  # after so many seconds without a call
_SHORTEST_OBSERVATION: Final = 5.0  # seconds: a burst is no rate
_LONGEST_OBSERVATION: Final = 10.0
_BELOW: Final = 0.95  # of the rate that seems possible
_LEAST_CHANGE: Final = 0.85
_MOST_CHANGE: Final = 0.5
_GROWTH: Final = 1.2
_FIRST_PROBE: Final = 8.0  # seconds of work at one rate, before a higher one is tried
_USUAL_PROBE: Final = 30.0  # after the second wait
_LONGEST_PROBE: Final = 300.0
_LEAST_PROBE_CALLS: Final = 8


class Pace:
    """One method's calls, of one account to one data centre.

    All times are of one monotonic clock, in seconds. `floor_bytes` may always be in flight; never more than
    `most_bytes` are.
    """

    def __init__(self, floor_bytes: float = math.inf, most_bytes: float = math.inf) -> None:
        self.waits_until = 0.0
        """When the longest wait is over that was told."""
        self.window = most_bytes
        """Bytes that may be in flight at the same time."""
        self._floor = floor_bytes
        self._most = most_bytes
        self._rate = math.inf
        self._flooded_at = self._news_at = -math.inf
        self._last = -math.inf
        self._gap = 0.0
        self._next = 0.0
        self._observed_at = 0.0
        self._taken = 0.0  # calls since the latest news, but for those that were told to wait
        self._busy = 0.0  # seconds in that time in which there was something to do
        self._probe = _FIRST_PROBE
        self._probe_calls = 0.0
        self._probes = 0  # in a row without a wait

    @property
    def has_learnt(self) -> bool:
        """Whether there is anything to remember."""
        return self._flooded_at > -math.inf

    @property
    def rate(self) -> float:
        """Calls a second, as far as is known; infinite without a limit."""
        return self._rate

    def bound(self, floor_bytes: float, most_bytes: float) -> None:
        """Set other bounds: the account has got Premium, or has lost it."""
        self._floor, self._most = floor_bytes, most_bytes
        self.window = max(floor_bytes, min(self.window, most_bytes))

    def ready_at(self, now: float) -> float:
        """Return when the next call may go: `now`, or later."""
        if self._rate < math.inf and now - max(self._flooded_at, self.waits_until) > FORGET_SECONDS:
            self._forget()
        return max(now, self.waits_until, self._next)

    def depart(self, now: float) -> None:
        """Take note that a call goes."""
        self._observe(now)
        self._taken += 1
        if self._rate == math.inf:
            return
        self._probe_calls += 1
        if self._probe_calls >= max(_LEAST_PROBE_CALLS, self._probe * self._rate):
            self._grow()
        burst = now - self._last > _BURST_BEGINS or self._last < self.waits_until
        self._gap = FIRST_GAP if burst else self._gap * _SHRINKING
        gap = self._gap if self._gap > _SMALLEST_GAP else 0.0
        self._next = now + max(1 / self._rate, gap)
        self._last = now

    def flooded(
        self, now: float, seconds: float, departed_at: float, in_flight: float, calls: int = 1
    ) -> None:
        """Take note that a call which went at `departed_at` was told to wait for `seconds`.

        `in_flight`: how many bytes were, with it; `calls`: how many calls that are.
        """
        self._taken -= departed_at > self._news_at
        if departed_at > self._flooded_at:  # else it was under way when another one was told: no news
            self._flooded_at = now
            # Else none has gone well since the last wait, which goes on: the rate was not tried.
            if self._rate == math.inf or self._taken >= calls:
                self._observe(now)
                self._slow_down(max(self._taken, 1) / max(self._busy, _SHORTEST_OBSERVATION))
                self.window = max(self._floor, min(self.window, in_flight) / 2)
                self._news_at, self._taken, self._busy = now, 0.0, 0.0
        self.waits_until = max(self.waits_until, now + seconds)

    def _forget(self) -> None:
        self._rate, self._flooded_at, self._probe = math.inf, -math.inf, _FIRST_PROBE
        self.window = self._most

    def _observe(self, now: float) -> None:
        """Count the time since the last look as busy, as far as somebody wanted something in it."""
        waited = max(0.0, min(self.waits_until, now) - self._observed_at)
        longest_pause = _BURST_BEGINS + 1 / self._rate
        self._busy += waited + min(now - self._observed_at - waited, longest_pause)
        self._observed_at = now
        if self._rate == math.inf and self._busy > _LONGEST_OBSERVATION:
            # What brought a first wait about is what was asked lately.
            self._taken, self._busy = self._taken / 2, self._busy / 2

    def _slow_down(self, taken_rate: float) -> None:
        before = self._rate
        if before == math.inf:
            rate = min(max(taken_rate / 2, _FIRST_RATE), _FIRST_RATE_AT_MOST)  # most of it was a burst
        else:
            rate = _BELOW * math.sqrt(taken_rate * before)
            rate = min(max(rate, _MOST_CHANGE * before), _LEAST_CHANGE * before)
            self._probe = min(max(2 * self._probe, _USUAL_PROBE), _LONGEST_PROBE)
        self._rate = min(max(rate, SLOWEST), FASTEST)
        self._probe_calls, self._probes = 0.0, 0

    def _grow(self) -> None:
        self._rate *= _GROWTH
        if self._rate > FASTEST:
            self._forget()
            return
        self.window = min(self.window * _GROWTH, self._most)
        self._probe_calls = 0.0
        self._probes += 1
        if self._probes > 1:  # the limit is a higher one by now
            self._probe = max(self._probe / 2, min(self._probe, _USUAL_PROBE))
