"""One download: a span of a file, handed on in order while the parts behind are on their way.

Nothing waits for a batch: whenever the reader has taken a part, the next request goes out. What is fetched
and not yet read counts as held, so a slow reader slows its own requests, and no more than its window waits
for it.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Self

from tgbridge.errors import FloodWait, PoolExhausted, TelegramUnavailable
from tgbridge.telegram.files import late
from tgbridge.telegram.files.parts import Part, part_at, power_of_two
from tgbridge.telegram.files.window import Departure, Window
from tgbridge.telegram.rpc.call import Backoff
from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tgbridge.telegram.files.budget import Share
    from tgbridge.telegram.files.cache import Fetch
    from tgbridge.telegram.files.connections import FileConnections
    from tgbridge.telegram.files.downloader import Downloader
    from tgbridge.telegram.files.source import Refetch, Source


class Slot(NamedTuple):
    """A part that the reader has not finished with."""

    fetch: Fetch
    position: int
    """Of the first byte that it brings to this reader."""
    departure: Departure

    own: bool
    """Whether nobody else had asked for it before."""

    @property
    def sent_at(self) -> float | None:
        """When it was asked for, as far as this reader is concerned; None while it waits for its turn."""
        return None if self.fetch.sent_at is None else max(self.fetch.sent_at, self.departure.at)

    @property
    def trip(self) -> late.Trip:
        """How it came, once it has landed."""
        return late.Trip(self.fetch.size, self.sent_at or self.fetch.landed_at, self.fetch.landed_at)


class Download:
    """One span of one file on its way to one reader: an asynchronous iterator of buffers, in order.

    A buffer counts as held until the next one is asked for.
    """

    def __init__(
        self,
        downloader: Downloader,
        account: Hashable,
        source: Source,
        *,
        connections: FileConnections,
        refetch: Refetch,
        start: int,
        stop: int,
    ) -> None:
        self._downloader = downloader
        self._account = account
        self._source = source
        self._connections = connections
        self._refetch = refetch
        self._start = start
        self._stop = stop
        self._position = start  # of the byte that the reader gets next
        self._cursor = start  # of the byte that no slot covers yet
        self._slots: deque[Slot] = deque()
        self._front: memoryview | None = None  # the front slot's bytes
        self._handed = False  # whether the reader has them
        self._begun = False  # whether the first bytes are there
        self._filled = asyncio.Event()
        self._window = Window(downloader.budget.stream_bytes)
        self._latest: late.Trip | None = None  # of the parts that have been read
        self._stuck: list[Fetch] = []  # first attempts that have not ended, of parts that have been read
        self._now = asyncio.get_running_loop().time
        self._share: Share | None = None

    async def __aenter__(self) -> Self:
        """Request the window's parts, and wait for the first."""
        self._share = self._downloader.budget.enter(self._account, wake=self._fill, reclaim=self._give_up)
        try:
            if self._start < self._stop:
                self._fill()
                await self._admitted()
                self._front = await self._arrival()
            self._begun = True
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

    async def __anext__(self) -> memoryview:
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
            self._front = await self._arrival()
        front = self._slots[0]
        fetch, departure = front.fetch, front.departure
        self._latest = front.trip if fetch.landed else self._latest
        self._window.read(departure, fetch.size, landed_at=fetch.landed_at, now=self._now())
        offset = fetch.part.offset
        chunk = self._front[self._position - offset : self._stop - offset]
        self._position += len(chunk)
        self._handed = True
        return chunk

    async def _arrival(self) -> memoryview:
        """Wait for the front part: a short time before the first bytes, a long one from progress to progress.

        It may have been asked for by somebody of less patience, or before there was progress.
        """
        since = self._now()
        backoff = Backoff(self._patience(since))
        while True:
            try:
                return await self._landing(self._slots[0], self._patience(since))
            except (FloodWait, TelegramUnavailable) as error:
                since = max(since, *(slot.fetch.landed_at for slot in self._slots))
                patience = self._patience(since)
                too_long = isinstance(error, FloodWait) and error.seconds > patience.flood_wait
                if too_long or self._connections.closed or self._now() >= patience.give_up_at:
                    raise
                if not await backoff.pause():
                    backoff = Backoff(patience)
            self._ask_again(since)

    async def _landing(self, front: Slot, patience: Patience) -> memoryview:
        """Wait for a part; one that is stuck is asked for once more."""
        fetch, look_again = front.fetch, late.SHORTEST_PATIENCE
        while not fetch.task.done():
            await asyncio.wait((fetch.task,), timeout=look_again)
            now = self._now()
            if fetch.task.done():
                break
            if not front.own and not self._begun:
                self._check_foreign(fetch, patience)
            look_again = late.SHORTEST_PATIENCE
            if front.sent_at is None or not self._downloader.second_attempts:
                continue  # what waits for its turn is not stuck
            others = [slot.trip for slot in self._slots if slot.fetch.landed]
            if self._latest is not None:
                others.append(self._latest)
            look_again = late.stuck_at(fetch.size, front.sent_at, others) - now
            if look_again <= 0:
                again = partial(self._source.read, self._connections, self._refetch, fetch.part, patience)
                return await late.first_of(fetch.task, again)
        return await fetch.wait()

    def _check_foreign(self, fetch: Fetch, patience: Patience) -> None:
        """Give up, before there is a status, what somebody of more patience waits for."""
        left = fetch.waits_until - self._now()
        if left > patience.flood_wait:
            raise FloodWait(math.ceil(left))
        if self._now() >= patience.give_up_at and fetch.sent_at is None:
            raise TelegramUnavailable("the part is still waited for")

    def _ask_again(self, since: float) -> None:
        """Have the front part fetched anew, since its fetching has failed."""
        failed = self._slots[0]
        read = partial(self._read, since=since)
        fetch = self._source.parts.join(failed.fetch.part, read, keep=failed.fetch.keep)
        self._slots[0] = failed._replace(
            fetch=fetch, departure=self._window.depart(self._now()), own=fetch.users == 1
        )
        self._source.parts.leave(failed.fetch)

    def _patience(self, since: float | None = None, fetch: Fetch | None = None) -> Patience:
        make = Patience.of_transfer if self._begun else Patience.of_first_bytes
        if fetch is None:
            return make(self._downloader.telegram, since=since)
        return make(self._downloader.telegram, since=since, on_turn=fetch.sent, on_wait=fetch.told_to_wait)

    async def _admitted(self) -> None:
        try:
            async with asyncio.timeout(self._downloader.admission_seconds):
                while not self._slots:
                    self._filled.clear()
                    await self._filled.wait()
        except TimeoutError:
            raise PoolExhausted from None

    def _fill(self) -> None:
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
            keep = self._cursor - self._start < self._downloader.keep_bytes
            fetch = source.parts.join(part, self._read, keep=keep)
            own = fetch.users == 1 and not fetch.task.done()
            self._slots.append(Slot(fetch, self._cursor, self._window.depart(self._now()), own))
            self._cursor = part.end
            self._filled.set()

    def _next_part(self, share: Share) -> Part:
        downloader = self._downloader
        largest = downloader.smallest
        if self._cursor > self._start:
            # Many streams take smaller parts, so that those whose readers pause do not hold everything.
            largest = power_of_two(min(downloader.largest, share.fair // 2), least=downloader.smallest)
        return part_at(
            self._cursor,
            stop=self._stop,
            size=self._source.size,
            smallest=downloader.smallest,
            largest=largest,
            taken=self._source.parts.near(self._cursor),
        )

    async def _read(self, fetch: Fetch, since: float | None = None) -> memoryview:
        patience = self._patience(since, fetch)
        return await self._source.read(self._connections, self._refetch, fetch.part, patience)

    def _pass_on(self) -> None:
        """Let go of the part that the reader has had."""
        self._handed = False
        self._front = None
        # Given up, a stuck one would make its connection seem free, and the next part would be stuck there.
        passed = [*self._stuck, self._slots.popleft().fetch]
        self._stuck = [fetch for fetch in passed if not fetch.task.done()]
        ended = [fetch for fetch in passed if fetch.task.done()]
        for fetch in ended:
            self._source.parts.leave(fetch)
        if ended and self._share is not None:
            self._share.give(sum(fetch.size for fetch in ended))  # at last, since it may call `_give_up`

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
        left = [*self._stuck, *(slot.fetch for slot in self._slots)]
        tasks = [task for fetch in left if (task := self._source.parts.leave(fetch)) is not None]
        self._slots.clear()
        self._stuck.clear()
        self._front = None
        self._handed = False
        share.leave()
        if tasks:
            await asyncio.wait(tasks)
