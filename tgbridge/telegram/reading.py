"""A file for a reader who may stop reading for hours: browsers pause videos, and keep the connection."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from tgbridge.errors import PoolExhausted, TelegramUnavailable
from tgbridge.telegram.mtproto.pieces import pieces_of
from tgbridge.telegram.mtproto.turns import turns
from tgbridge.telegram.rpc.call import Backoff
from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.settings import Settings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.loan import Loan
    from tgbridge.telegram.transfer.budget import Share
    from tgbridge.telegram.transfer.download.download import Download
    from tgbridge.telegram.transfer.download.downloader import Downloader
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import RemoteFile

_PATIENCE_SECONDS: Final = 60.0
"""By how much a reader may be behind one at the least rate."""

PIECE_BYTES: Final = 512 * 1024
"""What is handed on at once: asyncio copies what the socket does not take of one write."""


class Reading:
    """One span of a file, in pieces, in order: a download that gives way while nobody takes anything.

    After `files.stall_seconds` all that it holds but the piece at hand goes to others, and the client back to
    the pool; the next piece is then asked for anew, from where the reader is. After `files.abandon_seconds`
    more `abandon` is called, if others wait for memory then; sooner if the reader is slower than
    `files.min_bytes_per_second`.
    """

    def __init__(
        self,
        downloader: Downloader,
        loan: Loan,
        file: RemoteFile,
        start: int,
        stop: int,
        *,
        refetch: Callable[[BridgeClient], Refetch],
        settings: Settings,
        abandon: Callable[[], object],
    ) -> None:
        """From `start` up to, not including, `stop`, in bytes. `refetch` is as for a download of a client."""
        self._downloader = downloader
        self._loan = loan
        self._file = file
        self._position = start
        self._stop = stop
        self._refetch = refetch
        self._settings = settings
        self._abandon = abandon
        self._download: Download | None = None
        self._pieces: deque[memoryview] = deque()  # what has not been handed on of the part at hand
        self._handed = 0  # bytes of the piece that the reader has
        self._away_since: float | None = None  # when it got that; None while it waits for the next one
        self._kept: Share | None = None  # of the budget, for what is at hand, while there is no download
        self._giving_way: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._late = 0.0  # seconds that the reader is behind one at the least rate
        self._cutting: asyncio.TimerHandle | None = None  # of a reader below the least rate
        self._loop = asyncio.get_running_loop()
        self._turns = turns()
        self._has_begun = False  # to hand bytes on

    async def __aenter__(self) -> Self:
        """Fetch the first part. Raises what a download does, and what lending does."""
        self._download = await self._open(begun=False)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is in flight, and all that is held."""
        await self._come_back()
        if self._timer is not None:
            self._timer.cancel()
        await self._close()

    def __aiter__(self) -> Self:
        """Return the reading itself: it is read once."""
        return self

    async def __anext__(self) -> memoryview:
        """Return the next bytes, at most PIECE_BYTES. What they are made of is held until the next call."""
        if self._cutting is not None:
            self._count_late()
        self._away_since = None
        if self._giving_way is not None or self._cutting is not None:
            await self._come_back()
        if not self._pieces:
            if self._position == self._stop:
                raise StopAsyncIteration
            if self._download is None:
                self._download = await self._resume()
            part = await anext(self._download)
            # What is on its way to the first byte does not wait.
            if self._has_begun and not self._turns.take(len(part)):
                await self._turns.turn(len(part))
            self._has_begun = True
            self._pieces.extend(pieces_of(part, PIECE_BYTES))
        piece = self._pieces.popleft()
        self._handed = len(piece)
        self._position += self._handed
        self._away_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._settings.files.stall_seconds, self._look)
        if least := self._settings.files.min_bytes_per_second:
            # Only its own time counts: while Telegram is waited for, nothing runs.
            seconds = _PATIENCE_SECONDS - self._late + self._handed / least
            self._cutting = self._loop.call_later(seconds, self._abandon)
        return piece

    def _count_late(self) -> None:
        """Count what the last piece took; who was fast has nothing saved up."""
        away = 0.0 if self._away_since is None else self._loop.time() - self._away_since
        due = self._handed / self._settings.files.min_bytes_per_second
        self._late = max(0.0, self._late + away - due)

    async def _open(self, *, begun: bool) -> Download:
        client = await self._loan.client()
        download = self._downloader.open(
            client, self._file, self._position, self._stop, refetch=self._refetch(client), begun=begun
        )
        return await download.__aenter__()

    async def _resume(self) -> Download:
        """Open it anew, as patiently as the middle of a body is waited for."""
        backoff = Backoff(Patience.of_transfer(self._settings.telegram))
        while True:
            try:
                return await self._open(begun=True)
            except (TelegramUnavailable, PoolExhausted):
                if not await backoff.pause():
                    raise

    # While the reader is away

    def _look(self) -> None:
        """See whether the reader is away for too long; one timer does for all pieces."""
        stall_seconds, since = self._settings.files.stall_seconds, self._away_since
        stalled_at = (self._loop.time() if since is None else since) + stall_seconds
        if since is not None and stalled_at <= self._loop.time():
            self._giving_way = asyncio.create_task(self._give_way())
            self._timer = self._loop.call_later(self._settings.files.abandon_seconds, self._look_again)
        else:
            self._timer = self._loop.call_at(stalled_at, self._look)

    async def _give_way(self) -> None:
        account = (await self._loan.client()).files.account
        await self._close()
        self._pieces.clear()
        await self._loan.put_back()
        self._kept = self._downloader.budget.enter(
            account, wake=lambda: None, reclaim=lambda _wanted, _most: 0
        )
        self._kept.take(self._handed)  # less than a part, which is always let in

    def _look_again(self) -> None:
        if self._downloader.budget.waiting:
            self._abandon()
        else:
            self._timer = self._loop.call_later(self._settings.files.abandon_seconds, self._look_again)

    async def _come_back(self) -> None:
        """End the reader's absence, if it was one."""
        if self._cutting is not None:
            self._cutting.cancel()
        if self._giving_way is not None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            await asyncio.wait((self._giving_way,))
            self._giving_way.result()
            self._giving_way = None
        if self._kept is not None:
            self._kept.leave()
            self._kept = None

    async def _close(self) -> None:
        download, self._download = self._download, None
        if download is not None:
            await download.__aexit__(None, None, None)
