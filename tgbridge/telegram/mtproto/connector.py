"""Opening connections at a pace that no server minds, for all clients of the process together.

A data centre that restarts cuts hundreds of connections in one moment, and one that is in trouble refuses
them: coming back at once, again and again, is what keeps it there.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import defaultdict
from typing import Final

from tgbridge.telegram.mtproto.connection import Connection
from tgbridge.telegram.statistics import Statistics

AT_ONCE: Final = 20
"""Connections that are opened to one address without a gap."""

PER_SECOND: Final = 20.0
"""Beyond that, while all is well."""

FIRST_PAUSE: Final = 0.05
"""Seconds, on average, after one that was refused, or ended before the server said a word."""

LONGEST_PAUSE: Final = 3.0
"""Seconds, on average, after many: then one connection at a time finds out whether the server is back."""

_CROWDED_SECONDS: Final = 1.0  # after the last one had to wait


class Connector:
    """Opens the connections of a process; ``request_timeout`` is how long they bear silence, in seconds."""

    def __init__(self, *, request_timeout: float, statistics: Statistics | None = None) -> None:
        self._request_timeout = request_timeout
        self._statistics = statistics or Statistics()
        self._paces: defaultdict[tuple[str, int], Pace] = defaultdict(Pace)

    @property
    def is_crowded(self) -> bool:
        """Whether connections have just had to wait for their turn, to servers that answer."""
        return any(pace.is_crowded for pace in self._paces.values())

    async def open(self, host: str, port: int) -> Connection:
        """Connect when it is time to. Raises OSError; has no time-out of its own."""
        pace = self._paces[host, port]
        await pace.turn()
        try:
            connection = await Connection.open(
                host, port, request_timeout=self._request_timeout, on_outcome=pace.ended
            )
        except OSError:
            pace.ended(False)
            self._statistics.connected(opened=False)
            raise
        self._statistics.connected(opened=True)
        return connection


class Pace:
    """When the next connection to one address may be opened."""

    def __init__(self) -> None:
        self.failures = 0
        """How many in a row were refused, or ended before the server said a word."""
        self._free_at = 0.0
        self._waited_at = -math.inf
        self._back = asyncio.Event()
        self._next = asyncio.Lock()

    @property
    def is_crowded(self) -> bool:
        """Whether one has just had to wait for its turn, though the server is well."""
        waited_at = self._waited_at + _CROWDED_SECONDS
        return not self.failures and asyncio.get_running_loop().time() < waited_at

    async def turn(self) -> None:
        """Wait until one may be opened, and count it."""
        loop = asyncio.get_running_loop()
        async with self._next:  # one after the other: hundreds would all look again at each turn
            while (wait := self._free_at - self._allowance - loop.time()) > 0:
                try:
                    async with asyncio.timeout(wait):
                        await self._back.wait()
                except TimeoutError:
                    pass
                finally:  # it may have been given up
                    self._waited_at = loop.time()
            self._free_at = max(self._free_at, loop.time()) + self._gap

    def ended(self, said_a_word: bool) -> None:
        """Take note of what came of one."""
        if said_a_word:
            if self.failures:
                self.failures = 0
                self._free_at = 0.0
                # Who waits looks again; who comes later has to wait again.
                self._back.set()
                self._back.clear()
            return
        self.failures += 1
        self._free_at = max(self._free_at, asyncio.get_running_loop().time() + self._gap)

    @property
    def _allowance(self) -> float:
        """Seconds by which one may be ahead of the rate."""
        return 0.0 if self.failures else (AT_ONCE - 1) / PER_SECOND

    @property
    def _gap(self) -> float:
        if not self.failures:
            return 1 / PER_SECOND
        return random.uniform(0.5, 1.5) * min(FIRST_PAUSE * 2.0 ** min(self.failures - 1, 10), LONGEST_PAUSE)
