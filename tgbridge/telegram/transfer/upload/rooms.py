"""What one upload holds in memory, counted in rooms of one part each.

One room is the upload's own from its first bytes to its last: bytes come into it, become a part, and when
Telegram has that part, the next bytes come. So every upload gets on by itself, however little the others
leave: there is no deadlock, and nobody starves. Further rooms are the budget's to grant, and go back as parts
arrive.

The own room cannot be taken back while its sender is waited for. So nobody has one who has sent nothing, and
of each account only so many uploads have one at the same time, whose `places` they take; the others wait.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tgbridge.errors import PoolExhausted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from tgbridge.telegram.transfer.budget import Budget, Share


class Rooms:
    """The rooms of one upload, for one task to wait on."""

    def __init__(
        self,
        budget: Budget,
        account: Hashable,
        *,
        places: asyncio.Semaphore,
        room: int,
        beside: int,
        admission_seconds: float,
        free: Callable[[], None],
        check: Callable[[], None],
    ) -> None:
        """`room` is a part's size and `beside` what is held all the time, in bytes.

        `free` begins to free what can be freed, `check` raises what has failed: both while memory is short.
        """
        self._budget = budget
        self._account = account
        self._share: Share | None = None
        self._places = places
        self._placed = False  # whether one of the places is taken
        self._room = room
        self._beside = beside
        self._beside_lent = beside  # of it, what is not held yet
        self._admission_seconds = admission_seconds
        self._free = free
        self._check = check
        self._granted = 1  # the own room, all of which is lent until the first bytes come
        self._parts = 0
        self._open = True  # whether more bytes come
        self._lent = room  # bytes of the own room, before the beginning and during a pause
        self._asked = 0  # bytes, for admission
        self._changed = asyncio.Event()

    @property
    def held(self) -> int:
        """Bytes that count as held."""
        return 0 if self._share is None else self._share.held

    async def admit(self) -> None:
        """Have the whole of the own room, for bytes that are here. Raises PoolExhausted if it takes long."""
        if self._placed:
            return
        if self._share is None:
            self._share = self._budget.enter(self._account, wake=self._woken, reclaim=self._reclaim)
        try:
            async with asyncio.timeout(self._admission_seconds):
                await self._places.acquire()
                self._placed = True
                await self._admitted(self._lent + self._beside_lent)
        except TimeoutError:
            self._leave_place()
            raise PoolExhausted from None
        except BaseException:
            self._leave_place()
            raise
        self._lent = self._beside_lent = 0

    async def next(self) -> None:
        """Wait until there is a room beyond those of the parts in memory. Raises what `check` does."""
        while self._granted <= self._parts:  # a part that has arrived leaves its room to the next bytes
            if self._take(self._room):
                self._granted += 1
            else:
                await self._wait()  # for a part of our own, or for the budget to call

    async def changed(self) -> None:
        """Wait until a part has left, the budget has called, or `alarm` was."""
        self._changed.clear()
        await self._changed.wait()

    def add(self) -> None:
        """Count a part, which takes the room that its bytes came into."""
        self._parts += 1

    def remove(self) -> None:
        """Count a part no more."""
        self._parts -= 1
        self._give_back()
        self._changed.set()

    def alarm(self) -> None:
        """Wake whoever waits: something has failed."""
        self._changed.set()

    def end(self) -> None:
        """Take no more bytes: the own room goes when the last part does."""
        self._open = False
        self._leave_place()
        self._give_back()

    def release_beside(self) -> None:
        """Count what was held all the time as held no more. Idempotent."""
        held, self._beside, self._beside_lent = self._beside - self._beside_lent, 0, 0
        self._give(held)

    def reopen(self) -> None:
        """Take bytes again after `end`, when all parts have left: the own room is lent until they come."""
        self._open = True
        self._granted = 1
        self._lent = self._room

    def lend(self, held: int) -> None:
        """Give the own room back, but for the `held` bytes in it, for a pause."""
        if self._open and self._placed:
            self._leave_place()
            self._lent = self._room - held
            self._give(self._lent)

    def close(self) -> None:
        """Give everything back. Idempotent."""
        self._open = False
        self._granted = 0
        self._leave_place()
        share, self._share = self._share, None
        if share is not None:
            share.leave()

    async def _admitted(self, size: int) -> None:
        if not size or self._take(size):
            return
        self._asked = size
        try:
            while self._asked:
                await self._wait()
        except BaseException:
            if not self._asked:  # it was granted in the same moment
                self._give(size)
            self._asked = 0
            raise

    def _leave_place(self) -> None:
        if self._placed:
            self._placed = False
            self._places.release()

    async def _wait(self) -> None:
        self._free()
        await self.changed()
        self._check()

    def _woken(self) -> None:
        """Take what the budget has set aside, and give it back if it is not needed any more."""
        if self._asked:
            if self._take(self._asked):
                self._asked = 0
        elif self._take(self._room):
            self._granted += 1
            self._give_back()
        self._changed.set()

    def _take(self, size: int) -> bool:
        if self._share is None:
            raise RuntimeError("the upload is not open")
        return self._share.take(size)

    def _give(self, size: int) -> None:
        if self._share is not None:
            self._share.give(size)

    def _give_back(self) -> None:
        wanted = self._parts + self._open
        while self._granted > wanted:
            self._granted -= 1
            self._give(self._room - self._lent)
            self._lent = 0

    def _reclaim(self, _wanted: int, _most: int) -> int:
        """Begin to free for others. What is in flight can't be had back, so that nothing is free at once."""
        self._free()
        return 0
