"""How late the event loop is: how long whatever blocks it makes all others wait."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from tgbridge.web.tally import Histogram

SAMPLE_SECONDS: Final = 0.5
LAG_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
WATCHED_SECONDS: Final = 300.0
"""After so long without anybody who reads it, it is not measured any more: an idle process sleeps."""


class LoopLag:
    """Measures by how much timers are late, while somebody reads what comes of it."""

    def __init__(self) -> None:
        self.seconds = Histogram(LAG_SECONDS)
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._watched_until = 0.0

    def watch(self) -> None:
        """Measure from now on, as long as this is called again within WATCHED_SECONDS."""
        loop = asyncio.get_running_loop()
        self._watched_until = loop.time() + WATCHED_SECONDS
        if self._timer is None:
            self._begin(loop)

    def stop(self) -> None:
        """Measure no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        # uvloop's own clock stands still between two turns.
        self._due = time.perf_counter() + SAMPLE_SECONDS
        self._timer = loop.call_later(SAMPLE_SECONDS, self._sample)

    def _sample(self) -> None:
        loop, self._timer = asyncio.get_running_loop(), None
        self.seconds.observe(max(0.0, time.perf_counter() - self._due))
        if loop.time() < self._watched_until:
            self._begin(loop)
