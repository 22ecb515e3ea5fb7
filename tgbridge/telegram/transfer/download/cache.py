"""Parts of files that are on their way or still in memory: what two requests want is fetched once.

A `Fetch` belongs to all streams that joined it. While it has such users it counts in their windows; when the
last one leaves, it is given up if it has not landed, else kept for a while among the account's recent parts.
What is kept may be thrown out at any moment.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING

from tgbridge.telegram.futures import end_of, look_at
from tgbridge.telegram.transfer.ranked_queue import RankedQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine
    from typing import Any

    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.transfer.parts import Part

    Start = Callable[["Fetch"], Coroutine[Any, Any, Bytes]]

_BLOCK = 1 << 20
"""No part crosses a border of this many bytes."""


class Fetch:
    """One part of one file: a task, then its bytes."""

    __slots__ = (
        "keep",
        "landed",
        "landed_at",
        "owner",
        "part",
        "sent_at",
        "size",
        "task",
        "users",
        "waits_until",
    )

    def __init__(self, owner: FileParts, part: Part, size: int, start: Start) -> None:
        self.owner = owner
        self.part = part
        self.size = size
        """How many bytes it brings."""
        self.users = 0
        self.keep = False
        self.sent_at: float | None = None
        """The loop's time when it was asked for, the last time; None while it waits for its turn."""
        self.waits_until = 0.0
        """The loop's time up to which Telegram lets it wait."""
        self.landed = False
        """Whether its bytes are there."""
        self.landed_at = 0.0
        """The loop's time when its bytes came."""
        self.task = asyncio.create_task(self._run(start))

    async def wait(self) -> Bytes:
        """Return the bytes, or raise what the fetching raised. Cancelling one who waits harms nobody else."""
        await end_of(self.task)
        return self.task.result()

    def sent(self) -> None:
        """Take note that it is asked for now."""
        self.sent_at = _now()

    def told_to_wait(self, seconds: float) -> None:
        """Take note that Telegram lets it wait for so long."""
        self.sent_at = None
        self.waits_until = max(self.waits_until, _now() + seconds)

    async def _run(self, start: Start) -> Bytes:
        try:
            data = await start(self)
        except BaseException:
            # Those who joined get the error; whoever comes later tries again.
            self.owner.forget(self)
            raise
        self.landed, self.landed_at = True, _now()
        return data


class PartCache:
    """The recent parts of all accounts, in bytes bounded per account, and by what `room()` leaves in all."""

    def __init__(self, account_bytes: int, room: Callable[[], int]) -> None:
        self.account_bytes = account_bytes
        self.bytes = 0
        self.hits = 0
        """Parts that somebody wanted and that were there, or on their way to somebody else."""
        self.misses = 0
        self._room = room
        self._largest: RankedQueue[RecentParts] = RankedQueue(_most_bytes)

    def account(self) -> RecentParts:
        """Return a new account's share of it."""
        return RecentParts(self)

    def count(self, recent: RecentParts, size: int) -> None:
        """Take note that an account holds so many bytes more. For RecentParts."""
        self.bytes += size
        if recent.bytes:
            self._largest.enter(recent)
        else:
            self._largest.remove(recent)

    def fit(self) -> None:
        """Throw out as much as there is no room for."""
        self.shrink(self._room())

    def shrink(self, most: int) -> None:
        """Throw out the oldest parts, of whichever account has most of them, until `most` bytes are left."""
        while self.bytes > max(most, 0) and (largest := self._largest.first()) is not None:
            largest.discard_oldest()


class RecentParts:
    """One account's parts that nobody reads at the moment, the longest unread first."""

    def __init__(self, cache: PartCache) -> None:
        self.bytes = 0
        self._cache = cache
        self._fetches: OrderedDict[Fetch, None] = OrderedDict()

    def put(self, fetch: Fetch) -> None:
        """Keep a part, at the cost of older ones."""
        self._fetches[fetch] = None
        self._count(fetch.size)
        while self.bytes > self._cache.account_bytes:
            self.discard_oldest()
        self._cache.fit()

    def take(self, fetch: Fetch) -> None:
        """Let somebody read it again: it counts in that one's window now."""
        if fetch in self._fetches:
            del self._fetches[fetch]
            self._count(-fetch.size)

    def discard_oldest(self) -> None:
        """Throw out the part that nobody has read for longest."""
        fetch, _ = self._fetches.popitem(last=False)
        self._count(-fetch.size)
        fetch.owner.forget(fetch)

    def asked(self, *, hit: bool) -> None:
        """Count a part that somebody wants."""
        self._cache.hits += hit
        self._cache.misses += not hit

    def close(self) -> None:
        """Throw out everything. Idempotent."""
        while self._fetches:
            self.discard_oldest()

    def _count(self, size: int) -> None:
        self.bytes += size
        self._cache.count(self, size)


class FileParts:
    """The parts of one file that one account's streams fetch or have fetched: no two of them overlap."""

    __slots__ = ("_blocks", "_recent", "_size")

    def __init__(self, size: int, recent: RecentParts) -> None:
        self._size = size
        self._recent = recent
        self._blocks: dict[int, dict[Part, Fetch]] = {}

    def __len__(self) -> int:
        return sum(len(block) for block in self._blocks.values())

    def near(self, position: int) -> Collection[Part]:
        """Return the parts of the 1 MiB block that holds the byte at `position`."""
        return self._blocks.get(position // _BLOCK, ())

    def join(self, part: Part, start: Start, *, keep: bool) -> Fetch:
        """Have a part fetched by `start(fetch)`, unless it is fetched already; `leave` it again.

        `keep`: it is worth keeping when nobody reads it any more.
        """
        block = self._blocks.setdefault(part.offset // _BLOCK, {})
        fetch = block.get(part)
        self._recent.asked(hit=fetch is not None)
        if fetch is None:
            fetch = block[part] = Fetch(self, part, part.length(self._size), start)
        else:
            self._recent.take(fetch)
        fetch.users += 1
        fetch.keep |= keep
        return fetch

    def leave(self, fetch: Fetch) -> asyncio.Task[Bytes] | None:
        """Want a part no longer. Returns the task if nobody else does and it has not ended: it ends now."""
        fetch.users -= 1
        if fetch.users:
            return None
        if not fetch.task.done():
            fetch.task.cancel()
            fetch.task.add_done_callback(look_at)  # it may meet an error on its way out
            self.forget(fetch)
            return fetch.task
        if fetch.keep and fetch.landed:
            self._recent.put(fetch)
        else:
            look_at(fetch.task)  # perhaps nobody has got as far as its error
            self.forget(fetch)
        return None

    def forget(self, fetch: Fetch) -> None:
        """Have the next one who wants this part fetch it anew."""
        number = fetch.part.offset // _BLOCK
        block = self._blocks.get(number)
        if block is not None and block.get(fetch.part) is fetch:
            del block[fetch.part]
            if not block:
                del self._blocks[number]


def _now() -> float:
    return asyncio.get_running_loop().time()


def _most_bytes(recent: RecentParts) -> tuple[int]:
    return (-recent.bytes,)
