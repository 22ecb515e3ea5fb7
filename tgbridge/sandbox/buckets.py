"""Telegram's flood limits as they are reported from the field: a bucket of tokens, and waits that rise.

A burst passes as long as there are tokens; then calls are told to wait, all of them until the wait is over.
Who comes again too fast soon after a wait, is told a longer one. No I/O, no clock of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

CALM_SECONDS: Final = 60.0
"""After so long without a wait the next one is as short as the first."""

LONGEST_WAIT: Final = 120.0


@dataclass(slots=True, kw_only=True)
class Bucket:
    """`burst` tokens at most, `per_second` more each second; `wait`: the first wait, in seconds.

    Each further one within `CALM_SECONDS` of the last is `rising` times as long. All times are of one
    monotonic clock, in seconds.
    """

    per_second: float
    burst: float
    wait: float
    rising: float = 1.5
    tokens: float = math.nan
    filled_at: float = -math.inf
    waits_until: float = -math.inf
    latest_wait: float = 0.0
    waits: int = 0
    """How many were imposed so far."""
    waited: float = 0.0
    """How many seconds they were, together."""

    def take(self, now: float) -> int:
        """Take a token; return how many seconds to wait if there is none, else 0."""
        if self.filled_at == -math.inf:
            self.tokens = self.burst
        else:
            self.tokens = min(self.burst, self.tokens + (now - self.filled_at) * self.per_second)
        self.filled_at = now
        if now < self.waits_until:
            return math.ceil(self.waits_until - now)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0
        soon = now - self.waits_until < CALM_SECONDS
        self.latest_wait = min(self.latest_wait * self.rising, LONGEST_WAIT) if soon else self.wait
        self.waits_until = now + self.latest_wait
        self.waits += 1
        self.waited += self.latest_wait
        return math.ceil(self.latest_wait)
