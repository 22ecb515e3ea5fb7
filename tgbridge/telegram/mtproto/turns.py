"""How much is worked on in one turn of the event loop: small requests are between any two turns.

Whoever has sent something gets on once a turn. If two hundred streams were served in each, with whatever has
come for them, turns would take a tenth of a second, and a small answer takes several.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES: Final = 1 << 20
"""Received, or sent on, in one turn by all together: some three milliseconds. The last part may exceed it."""


class Turns:
    """Counts bytes in each turn of a loop. What is too much for one waits for the next, in its order."""

    def __init__(self) -> None:
        self._spent = 0
        self._waiting: deque[tuple[int, Callable[[], object]]] = deque()
        self._next: asyncio.Handle | None = None

    def spend(self, size: int) -> bool:
        """Count bytes that have been worked on; tell whether that is enough for this turn."""
        self._spent += size
        if self._next is None:
            self._look()
        return self._spent >= BYTES

    def later(self, size: int, go_on: Callable[[], object]) -> None:
        """Call `go_on` in the next turn that has room for `size` bytes, after those who came before."""
        self._waiting.append((size, go_on))
        if self._next is None:
            self._look()

    def take(self, size: int) -> bool:
        """Count `size` bytes if this turn has room for them; tell whether it has."""
        if self._waiting or self._spent >= BYTES:
            return False
        self.spend(size)
        return True

    async def turn(self, size: int) -> None:
        """Wait for a turn that has room for `size` bytes, and count them."""
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.later(size, partial(_let_go, ready))
        await ready

    def _look(self) -> None:
        self._next = asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """Begin a turn."""
        self._next, self._spent = None, 0
        while self._waiting and self._spent < BYTES:
            size, go_on = self._waiting.popleft()
            self.spend(size)
            go_on()


def _let_go(ready: asyncio.Future[None]) -> None:
    if not ready.done():  # else whoever waited has given up
        ready.set_result(None)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def turns() -> Turns:
    """Return those of the running loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = Turns()
    return found
