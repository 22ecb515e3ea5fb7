"""One download: a span of a file, handed on in order while the parts behind are on their way.

Nothing waits for a batch: whenever the reader has taken a part, the next request goes out. What is fetched
and not yet read counts as held, so a slow reader slows its own requests, and no more than its window waits
for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeAlias

from tgbridge.telegram.transfer.download.arrival import Arrival, Slot
from tgbridge.telegram.transfer.parts import Part, part_at, power_of_two
from tgbridge.telegram.transfer.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from tgbridge.settings import TelegramSettings
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.transfer.budget import Budget, Share
    from tgbridge.telegram.transfer.download.ahead import Ahead
    from tgbridge.telegram.transfer.download.cache import Fetch
    from tgbridge.telegram.transfer.download.source import Refetch, Source


LookAhead: TypeAlias = "Callable[[Bytes], Ahead | None]"
"""Told the first part of a file, begins to read what will be wanted next."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What all downloads of the process have in common. Sizes are in bytes, powers of two but for `keep`."""

    budget: Budget
    telegram: TelegramSettings
    smallest: int
    largest: int
    keep: int
    """How much of a download's beginning is worth keeping when it has been read."""
    hedges: bool
    """Whether a part that is stuck may come by another connection."""


class Download:
    """One span of one file on its way to one reader: an asynchronous iterator of its bytes, in order.

    A part counts as held until the next one is asked for. One part is always let in, so that a reader gets
    on whatever the others hold.
    """

    def __init__(
        self,
        rules: Rules,
        account: Hashable,
        source: Source,
        *,
        connections: Router,
        refetch: Refetch,
        start: int,
        stop: int,
        begun: bool,
        look_ahead: LookAhead | None = None,
    ) -> None:
        self._rules = rules
        self._account = account
        self._source = source
        self._arrival = Arrival(
            source, connections, refetch, rules.telegram, hedges=rules.hedges, begun=begun
        )
        self._start = start
        self._stop = stop
        self._position = start  # of the byte that the reader gets next
        self._cursor = start  # of the byte that no slot covers yet
        self._slots: deque[Slot] = deque()
        self._front: Bytes | None = None  # the front slot's bytes
        self._handed = False  # whether the reader has them
        self._filled = asyncio.Event()
        self._window = Window(rules.budget.stream_bytes)
        self._stuck: list[Fetch] = []  # first attempts that have not ended, of parts that have been read
        self._now = asyncio.get_running_loop().time
        self._share: Share | None = None
        self._look_ahead = look_ahead
        self._ahead: Ahead | None = None

    async def __aenter__(self) -> Self:
        """Request the window's parts, and wait for the first."""
        self._share = self._rules.budget.enter(self._account, wake=self._request, reclaim=self._give_up)
        try:
            if self._start < self._stop:
                self._fill()
                self._front = await self._arrival.front(self._slots)
                if self._look_ahead is not None:
                    self._ahead = self._look_ahead(self._front)
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is in flight, and all that is held."""
        await self._close()

    def __aiter__(self) -> Self:
        """Return the download itself: it is read once."""
        return self

    async def __anext__(self) -> Bytes:
        """Return the next bytes, at most one part."""
        if self._handed:
            self._pass_on()
        if self._position == self._stop:
            raise StopAsyncIteration
        if self._share is None:
            raise RuntimeError("the download is not open")
        self._fill()
        if not self._slots and self._stuck:  # and nothing of our own is coming that would leave us room
            held = self._share.held
            self._share.give(self._drop_stuck(held, held))
            self._fill()
        while not self._slots:
            self._filled.clear()
            await self._filled.wait()
        if self._front is None:
            self._front = await self._arrival.front(self._slots)
        front = self._slots[0]
        fetch, departure = front.fetch, front.departure
        self._window.read(departure, fetch.size, landed_at=fetch.landed_at, now=self._now())
        offset = fetch.part.offset
        chunk = self._front[self._position - offset : self._stop - offset]
        self._position += len(chunk)
        self._handed = True
        return chunk

    def _fill(self) -> None:
        """Request parts if there are few, several at once."""
        if not self._slots or self._share is None or self._share.held <= self._window.low:
            self._request()

    def _request(self) -> None:
        """Request as many parts as the window and the budget allow."""
        share = self._share
        if share is None:
            return
        source, size = self._source, self._source.size
        while self._cursor < self._stop:
            part = self._next_part(share)
            length = part.length(size)
            if self._slots and share.held + length > self._window.size:
                return
            if not share.take(length):
                return
            keep = self._cursor - self._start < self._rules.keep
            fetch = source.parts.join(part, self._arrival.read, keep=keep)
            own = fetch.users == 1 and not fetch.task.done()
            fetch.task.add_done_callback(self._landed)
            self._slots.append(Slot(fetch, self._cursor, self._window.depart(self._now()), own))
            self._cursor = part.end
            self._filled.set()

    def _landed(self, _task: object) -> None:
        # What has come and is not wanted yet may be reclaimed for those who wait.
        if self._share is not None:
            self._share.landed()

    def _next_part(self, share: Share) -> Part:
        rules = self._rules
        largest = rules.smallest
        if self._cursor > self._start:
            # Many streams take smaller parts, so that those whose readers pause do not hold everything.
            largest = power_of_two(min(rules.largest, share.fair), least=rules.smallest)
        return part_at(
            self._cursor,
            stop=self._stop,
            size=self._source.size,
            smallest=rules.smallest,
            largest=largest,
            taken=self._source.parts.near(self._cursor),
        )

    def _pass_on(self) -> None:
        """Let go of the part that the reader has had."""
        self._handed = False
        self._front = None
        # Given up, a stuck one would make its connection seem free, and the next part would be stuck there.
        passed = [*self._stuck, self._slots.popleft().fetch]
        self._stuck = [fetch for fetch in passed if not fetch.task.done()]
        freed = 0
        for fetch in passed:
            if fetch.task.done():
                self._source.parts.leave(fetch)
                freed += fetch.size
        if freed and self._share is not None:
            self._share.give(freed)  # at last, since it may call `_give_up`

    def _give_up(self, wanted: int, most: int) -> int:
        """Drop what has landed at the window's far end, to be fetched again when the reader gets there."""
        freed = self._drop_stuck(wanted, most)
        while freed < wanted and len(self._slots) > 1:
            fetch, position, *_ = self._slots[-1]
            if not fetch.landed or freed + fetch.size > most:
                break
            self._slots.pop()
            self._cursor = position
            self._source.parts.leave(fetch)
            freed += fetch.size
        return freed

    def _drop_stuck(self, wanted: int, most: int) -> int:
        """Give up first attempts that nobody needs, until `wanted` bytes are free; return how many are."""
        freed = 0
        while self._stuck and freed < wanted and freed + self._stuck[0].size <= most:
            fetch = self._stuck.pop(0)
            self._source.parts.leave(fetch)
            freed += fetch.size
        return freed

    async def _close(self) -> None:
        share, self._share = self._share, None
        if share is None:
            return
        if self._ahead is not None:
            self._ahead.leave()
        left = [*self._stuck, *(slot.fetch for slot in self._slots)]
        tasks = [task for fetch in left if (task := self._source.parts.leave(fetch)) is not None]
        self._slots.clear()
        self._stuck.clear()
        self._front = None
        self._handed = False
        share.leave()
        if tasks:
            await asyncio.wait(tasks)
