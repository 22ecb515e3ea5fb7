"""Downloads: what all of them share, the process's bounds and what is remembered of accounts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakKeyDictionary, finalize

from tgbridge.errors import BridgeError
from tgbridge.telegram.transfer.budget import Budget
from tgbridge.telegram.transfer.download.ahead import MOST_BYTES, Ahead, span_behind
from tgbridge.telegram.transfer.download.cache import FileParts, PartCache
from tgbridge.telegram.transfer.download.download import Download, Rules
from tgbridge.telegram.transfer.download.source import Refetch, Source
from tgbridge.telegram.transfer.parts import power_of_two

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.settings import FilesSettings, TelegramSettings
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.transfer.remote_file import FileKey, RemoteFile

_SOURCES_PER_CLIENT: Final = 256
"""Of how many files a client remembers the data centre and the fresh reference."""


class Client(Protocol):
    """An account's client, as far as downloads need it."""

    @property
    def files(self) -> Router:
        """Its connections for files."""


class ClientFiles:
    """What downloads remember of one client's files. Holds no client, so that it goes with it."""

    def __init__(self, cache: PartCache, *, verify_hashes: bool) -> None:
        self.recent = cache.account()
        self._verify_hashes = verify_hashes
        self._sources: OrderedDict[FileKey, Source] = OrderedDict()

    def source(self, file: RemoteFile) -> Source:
        """Return the one source for this file, told of its latest reference."""
        source = self._sources.get(file.key)
        if source is None or source.size != file.size:
            parts = FileParts(file.size, self.recent)
            source = self._sources[file.key] = Source(file, parts, verify_hashes=self._verify_hashes)
            self._forget_idle()
        else:
            self._sources.move_to_end(file.key)
            source.adopt(file)
        return source

    def _forget_idle(self) -> None:
        if len(self._sources) > _SOURCES_PER_CLIENT:
            idle = (key for key, source in self._sources.items() if not len(source.parts))
            del self._sources[next(idle)]  # the newest is idle still


class Downloader:
    """All downloads of the process, under the bounds of the settings."""

    def __init__(self, files: FilesSettings, telegram: TelegramSettings) -> None:
        smallest = power_of_two(files.first_part_bytes)
        largest = max(smallest, power_of_two(files.part_bytes))
        self._verify_hashes = files.verify_hashes
        self.cache = PartCache(files.cache_bytes_per_account, room=lambda: self.budget.left)
        self.budget = Budget(
            process_bytes=files.window_bytes_per_process,
            account_bytes=files.window_bytes_per_account,
            stream_bytes=files.window_bytes_per_stream,
            always_bytes=largest,
            relieve=self.cache.shrink,
        )
        self._rules = Rules(
            self.budget,
            telegram,
            smallest,
            largest,
            keep=files.cache_bytes_per_account // 2,
            hedges=files.connections_per_dc > 1,
        )
        self._ahead: set[asyncio.Task[None]] = set()
        self._clients: WeakKeyDictionary[Client, ClientFiles] = WeakKeyDictionary()

    def open(
        self,
        client: Client,
        file: RemoteFile,
        start: int,
        stop: int,
        *,
        refetch: Refetch,
        begun: bool = False,
    ) -> Download:
        """Open the bytes of `file` from `start` up to, not including, `stop`.

        ``async with`` it, which fetches the first part, then iterate. Entering and iterating raise
        MediaNotFound when the message has lost the file, and TelegramFailure. Leaving gives up what is in
        flight. `refetch` fetches the message anew, when its file reference has expired.
        `begun` is whether the reader has had bytes before, so that its patience is long.
        """
        if not 0 <= start <= stop <= file.size:
            raise ValueError("no such span")
        files = self._clients.get(client)
        if files is None:
            files = self._clients[client] = ClientFiles(self.cache, verify_hashes=self._verify_hashes)
            finalize(client, files.recent.close).atexit = False
        source = files.source(file)
        make = partial(
            Download, self._rules, client.files.account, source, connections=client.files, refetch=refetch
        )
        ahead = partial(self._look_ahead, source, make) if start == 0 and not source.looked_ahead else None
        return make(start=start, stop=stop, begun=begun, look_ahead=ahead)

    def _look_ahead(self, source: Source, make: Callable[..., Download], head: Bytes) -> Ahead | None:
        """Read ahead what a player will want after the head, as far as nobody else wants the memory."""
        span = None if source.looked_ahead else span_behind(head, source.size)
        source.looked_ahead = True
        if span is None or self._rules.keep < MOST_BYTES:
            return None
        if self.budget.waiting or self.budget.left < MOST_BYTES:
            return None
        ahead = Ahead(_into_the_cache(make(start=span[0], stop=span[1], begun=False)))
        self._ahead.add(ahead.task)
        ahead.task.add_done_callback(self._ahead.discard)
        return ahead

    async def close(self) -> None:
        """Read nothing ahead any more."""
        tasks = list(self._ahead)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def cached_bytes(self) -> int:
        """Bytes of recent parts that nobody reads."""
        return self.cache.bytes


async def _into_the_cache(download: Download) -> None:
    # Who asks for it then meets the same error, and is told.
    with suppress(BridgeError):
        async with download:
            async for _ in download:
                pass
