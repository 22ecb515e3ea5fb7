"""The shape that one attempt at a request has, and each piece around it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

from telethon.tl import TLRequest

from tgbridge.telegram.rpc.patience import Patience

Call: TypeAlias = Callable[[TLRequest, Patience], Awaitable[Any]]
"""Sends a request; returns its answer, or raises what came of it."""

_FIRST_PAUSE: Final = 0.05  # seconds, on average, before the third attempt; the second follows at once
_LONGEST_PAUSE: Final = 3.0


class Backoff:
    """Pauses between the attempts at one request: hardly any at first, then twice as long each time.

    With jitter, so that what failed together does not come back together.
    """

    def __init__(self, patience: Patience) -> None:
        self._give_up_at = patience.give_up_at
        self._scale = 0.0

    async def pause(self) -> bool:
        """Wait before the next attempt; False, at once, if there is no time for one."""
        seconds = random.uniform(0.5, 1.5) * self._scale + random.uniform(0, 0.01)
        self._scale = min(2 * self._scale or _FIRST_PAUSE, _LONGEST_PAUSE)
        if now() + seconds >= self._give_up_at:
            return False
        await asyncio.sleep(seconds)
        return True


def now() -> float:
    """Return the event loop's time, in seconds."""
    return asyncio.get_running_loop().time()


def compose(attempt: Call, *pieces: Callable[[Call], Call]) -> Call:
    """Put pieces around an attempt: the first one innermost."""
    call = attempt
    for piece in pieces:
        call = piece(call)
    return call
