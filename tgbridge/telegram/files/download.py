"""Downloads: spans of files, handed on in order while the parts behind are on their way.

Nothing waits for a batch: whenever the reader has taken a part, the next request goes out. What is fetched
and not yet read counts as held, so a slow reader slows its own requests, and no more than its window waits
for it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self
from weakref import WeakKeyDictionary, finalize

from tgbridge.errors import PoolExhausted
from tgbridge.telegram.files.budget import Budget, Share
from tgbridge.telegram.files.cache import Fetch, FileParts, PartCache
from tgbridge.telegram.files.parts import Part, part_at, power_of_two
from tgbridge.telegram.files.source import Refetch, Source
from tgbridge.telegram.files.window import Departure, Window

if TYPE_CHECKING:
    from tgbridge.settings import FilesSettings
    from tgbridge.telegram.files.connections import FileConnections
    from tgbridge.telegram.files.remote import FileKey, RemoteFile

ADMISSION_SECONDS: Final = 20.0
"""How long a download waits for its first bytes of the budget: as long as a browser would for a page."""

_SOURCES_PER_ACCOUNT = 256
"""Of how many files an account remembers the data centre and the fresh reference."""


class Client(Protocol):
    """An account's client, as far as downloads need it."""

    @property
    def files(self) -> FileConnections:
        """Its connections for files."""


class AccountFiles:
    """What downloads remember of one account. Holds no client, so that it goes with it."""

    def __init__(self, cache: PartCache, budget: Budget, *, verify_hashes: bool) -> None:
        self.recent = cache.account()
        self._budget = budget
        self._verify_hashes = verify_hashes
        self._sources: OrderedDict[FileKey, Source] = OrderedDict()

    def source(self, file: RemoteFile) -> Source:
        """Return the one source for this file, told of its latest reference."""
        source = self._sources.get(file.key)
        if source is None or source.size != file.size:
            parts = FileParts(file.size, self.recent, self._landed)
            source = self._sources[file.key] = Source(file, parts, verify_hashes=self._verify_hashes)
            self._forget_idle()
        else:
            self._sources.move_to_end(file.key)
            source.adopt(file)
        return source

    def _forget_idle(self) -> None:
        if len(self._sources) > _SOURCES_PER_ACCOUNT:
            idle = (key for key, source in self._sources.items() if not len(source.parts))
            del self._sources[next(idle)]  # the newest is idle still

    def _landed(self) -> None:
        # What has landed and is not wanted yet may be reclaimed for those who wait.
        if self._budget.waiting:
            self._budget.settle()


class Downloader:
    """All downloads of the process, under the bounds of the settings."""

    def __init__(self, files: FilesSettings, *, admission_seconds: float = ADMISSION_SECONDS) -> None:
        self.smallest = power_of_two(files.first_part_bytes)
        self.largest = max(self.smallest, power_of_two(files.part_bytes))
        self.keep_bytes = files.cache_bytes_per_account // 2
        self.admission_seconds = admission_seconds
        self._verify_hashes = files.verify_hashes
        self._cache = PartCache(files.cache_bytes_per_account, room=lambda: self.budget.left)
        self.budget = Budget(
            process_bytes=files.window_bytes_per_process,
            account_bytes=files.window_bytes_per_account,
            stream_bytes=files.window_bytes_per_stream,
            relieve=self._cache.shrink,
        )
        self._accounts: WeakKeyDictionary[Client, AccountFiles] = WeakKeyDictionary()

    def open(self, client: Client, file: RemoteFile, start: int, stop: int, *, refetch: Refetch) -> Download:
        """Open the bytes of `file` from `start` up to, not including, `stop`.

        ``async with`` it, which fetches the first part, then iterate. Entering and iterating raise
        PoolExhausted when the process holds all the bytes that it may, MediaNotFound when the message has
        lost the file, and TelegramFailure. Leaving gives up what is in flight. `refetch` fetches the message
        anew, when its file reference has expired.
        """
        if not 0 <= start <= stop <= file.size:
            raise ValueError("no such span")
        account = self._accounts.get(client)
        if account is None:
            account = AccountFiles(self._cache, self.budget, verify_hashes=self._verify_hashes)
            self._accounts[client] = account
            finalize(client, account.recent.close).atexit = False
        return Download(
            self,
            account,
            account.source(file),
            connections=client.files,
            refetch=refetch,
            start=start,
            stop=stop,
        )

    @property
    def cached_bytes(self) -> int:
        """Bytes of recent parts that nobody reads."""
        return self._cache.bytes


class Slot(NamedTuple):
    """A part that the reader has not finished with."""

    fetch: Fetch
    position: int
    """Of the first byte that it brings to this reader."""
    departure: Departure


class Download:
    """One span of one file on its way to one reader: an asynchronous iterator of buffers, in order.

    A buffer counts as held until the next one is asked for.
    """

    def __init__(
        self,
        downloader: Downloader,
        account: AccountFiles,
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
        self._handed = False  # whether the reader has the front slot's bytes
        self._filled = asyncio.Event()
        self._window = Window(downloader.budget.stream_bytes)
        self._now = asyncio.get_running_loop().time
        self._share: Share | None = None

    async def __aenter__(self) -> Self:
        """Request the window's parts, and wait for the first."""
        self._share = self._downloader.budget.enter(self._account, wake=self._fill, reclaim=self._give_up)
        try:
            if self._start < self._stop:
                self._fill()
                await self._admitted()
                await self._slots[0].fetch.wait()
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
        while not self._slots:
            self._filled.clear()
            await self._filled.wait()
        fetch, _, departure = self._slots[0]
        data = await fetch.wait()
        self._window.read(departure, fetch.size, landed_at=fetch.landed_at, now=self._now())
        offset = fetch.part.offset
        chunk = data[self._position - offset : self._stop - offset]
        self._position += len(chunk)
        self._handed = True
        return chunk

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
            self._slots.append(Slot(fetch, self._cursor, self._window.depart(self._now())))
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

    async def _read(self, part: Part) -> memoryview:
        return await self._source.read(self._connections, self._refetch, part)

    def _pass_on(self) -> None:
        """Let go of the part that the reader has had."""
        self._handed = False
        fetch = self._slots.popleft().fetch
        self._source.parts.leave(fetch)
        if self._share is not None:
            self._share.give(fetch.size)

    def _give_up(self, wanted: int, most: int) -> int:
        """Drop what has landed at the window's far end, to be fetched again when the reader gets there."""
        freed = 0
        while freed < wanted and len(self._slots) > 1:
            fetch, position, _ = self._slots[-1]
            if not fetch.landed or freed + fetch.size > most:
                break
            self._slots.pop()
            self._cursor = position
            self._source.parts.leave(fetch)
            freed += fetch.size
        return freed

    async def _close(self) -> None:
        share, self._share = self._share, None
        if share is None:
            return
        tasks = [task for slot in self._slots if (task := self._source.parts.leave(slot.fetch)) is not None]
        self._slots.clear()
        self._handed = False
        share.leave()
        if tasks:
            await asyncio.wait(tasks)
