"""What a page is still to be sent: bounded, so that one that does not read costs little."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class Outbox:
    """Pieces of a stream, in order. ``fell_behind`` is called once, when they exceed ``most`` bytes."""

    def __init__(self, most: int, fell_behind: Callable[[], object]) -> None:
        self.unbounded = False
        """Whether no bound holds for now, since whoever fills it waits until it is empty."""
        self._most = most
        self._fell_behind: Callable[[], object] | None = fell_behind
        self._pieces: dict[Hashable, bytes] = {}
        self._size = 0
        self._is_closed = False
        self._stirred = asyncio.Event()

    def put(self, piece: bytes, key: Hashable = None) -> None:
        """Add a piece; what is there with the same ``key``, other than None, goes."""
        if key is None:
            key = object()
        self._size += len(piece) - len(self._pieces.pop(key, b""))
        self._pieces[key] = piece
        self._stirred.set()
        if self._size > self._most and not self.unbounded and self._fell_behind is not None:
            fell_behind, self._fell_behind = self._fell_behind, None
            fell_behind()

    def close(self) -> None:
        """Let nothing follow what is there."""
        self._is_closed = True
        self._stirred.set()

    def take(self) -> bytes:
        """Take what there is, perhaps nothing."""
        taken = b"".join(self._pieces.values())
        self._pieces.clear()
        self._size = 0
        self._stirred.clear()
        return taken

    async def wait(self, seconds: float) -> bool:
        """Wait until there is something, or for so long; False if nothing follows any more."""
        try:
            async with asyncio.timeout(seconds):
                while not self._pieces and not self._is_closed:
                    self._stirred.clear()
                    await self._stirred.wait()
        except TimeoutError:
            return True
        return bool(self._pieces)
