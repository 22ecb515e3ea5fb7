"""Who encrypts next: one packet each time the event loop goes round.

Encrypting a mebibyte takes milliseconds. If all that is ready were encrypted at once, packets whose delay is
over would have to wait for it, and a round trip would be longer than it was set to be.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Turns:
    """Does pieces of work in the order in which they were asked for, none in the same round as another."""

    def __init__(self) -> None:
        self._work: deque[Callable[[], None]] = deque()

    def take(self, work: Callable[[], None]) -> None:
        """Do `work` when its turn comes."""
        self._work.append(work)
        if len(self._work) == 1:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        try:
            self._work[0]()
        finally:
            self._work.popleft()
            if self._work:
                asyncio.get_running_loop().call_soon(self._next)
