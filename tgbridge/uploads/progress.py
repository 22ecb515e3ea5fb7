"""How far each upload has got, for whoever watches it: before it begins, while it runs, and shortly after.

A watcher is told the latest state and never each change: there is no queue, so that a slow one costs nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from tgbridge.models import ErrorBody, MediaItem, UploadProgress, UploadWaiting
from tgbridge.uploads.errors import TooManyUploads, UploadIdInUse, UploadNotFound

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from tgbridge.errors import BridgeError

News: TypeAlias = UploadProgress | UploadWaiting | MediaItem | ErrorBody
"""What a watcher is told; one of the last two comes at the end, and once."""

KEEP_SECONDS: Final = 60.0
"""How long the end of an upload is remembered: a browser connects again within seconds."""

BEGIN_SECONDS: Final = 60.0
"""How long a watcher waits for an upload that has not begun."""

MOST: Final = 64
"""An account's watchers at the same time, and as many ends of its uploads are remembered."""

_INTERVAL: Final = 0.1  # seconds between pieces of news: more often than people can see
_LONGER: Final = 0.5  # seconds by which a wait lasts longer than the one before, to be news


class FileProgress:
    """One file of an upload. It is an `Observer`: whatever sends the file tells it."""

    def __init__(self, progress: Progress) -> None:
        self.received = self.stored = 0
        self._progress = progress

    def progressed(self, received: int, stored: int) -> None:
        """Take note of bytes received, and of those that are at Telegram."""
        if (received, stored) != (self.received, self.stored):
            self.received, self.stored = received, stored
            self._progress.changed()

    def waiting(self, seconds: float) -> None:
        """Take note that Telegram takes nothing for so long."""
        self._progress.waiting(seconds)


class Progress:
    """One upload's progress, of all its files together."""

    def __init__(self, board: ProgressBoard, owner: int, upload_id: str) -> None:
        self.owner = owner
        self.upload_id = upload_id
        self.begun = False
        self.lasting = False
        """Whether its end is remembered for as long as somebody else says."""
        self.mark: bytes | None = None
        """Which Telegram session has begun it: not the session itself, which may end before."""
        self.end: MediaItem | ErrorBody | None = None
        self.watchers = 0
        self._board = board
        self._files: list[FileProgress] = []
        self._total: int | None = None
        self._waits_until = -math.inf
        self._bell = asyncio.Event()

    @property
    def has_name(self) -> bool:
        """Whether anybody can watch it."""
        return bool(self.upload_id)

    # For those who upload

    def begin(self, total: int | None) -> None:
        """Take note that it has begun; `total` is how many bytes will be received, if anybody knows."""
        self.begun, self._total = True, total
        self.changed()

    def file(self) -> FileProgress:
        """Return what is told about the next file."""
        self._files.append(FileProgress(self))
        return self._files[-1]

    def all_received(self) -> None:
        """Take note that no more bytes come."""
        self.begin(sum(file.received for file in self._files))

    def waiting(self, seconds: float) -> None:
        """Take note that Telegram takes nothing for so long."""
        until = _now() + seconds
        if until > self._waits_until + _LONGER:
            self._waits_until = until
            self.changed()

    def done(self, item: MediaItem) -> None:
        """Take note that the file is a message now. The first end counts."""
        self._over(item)

    def failed(self, error: BridgeError) -> None:
        """Take note that nothing comes of it. The first end counts."""
        self._over(self._board.describe(error))

    def _over(self, end: MediaItem | ErrorBody) -> None:
        if self.end is None:
            self.end = end
            self.changed()
            if not self.lasting:
                self._board.keep(self)

    def changed(self) -> None:
        """Wake those who watch."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
        self._board.tell(self)

    # For those who watch

    @property
    def state(self) -> UploadProgress:
        """How far it is."""
        received = sum(file.received for file in self._files)
        return UploadProgress(
            received=received, stored=sum(file.stored for file in self._files), total=self._total
        )

    @property
    def news(self) -> News:
        """How it stands, in the one word that matters most."""
        if self.end is not None:
            return self.end
        left = self._waits_until - _now()
        return UploadWaiting(retry_after=math.ceil(left)) if left > 0 else self.state

    async def watch(self, *, begin_seconds: float = BEGIN_SECONDS) -> AsyncGenerator[News, None]:
        """Yield how it stands, and then what is new, up to its end."""
        told, told_of_wait = None, -math.inf
        give_up_at = _now() + begin_seconds
        while True:
            bell = self._bell
            silent_until = _now() + _INTERVAL
            if self.begun and told != (state := self.state):
                told = state
                yield state
            left = self._waits_until - _now()
            if self.end is None and left > 0 and self._waits_until != told_of_wait:
                told_of_wait = self._waits_until
                yield UploadWaiting(retry_after=math.ceil(left))
            if self.end is not None:
                yield self.end
                return
            try:
                async with asyncio.timeout_at(None if self.begun else give_up_at):
                    await bell.wait()
            except TimeoutError:
                yield self._board.describe(UploadNotFound())
                return
            await asyncio.sleep(silent_until - _now())


class ProgressBoard:
    """The progress of all uploads, each to be seen by its owner only.

    `describe` says what those who watch are told of an error.
    """

    def __init__(
        self, describe: Callable[[BridgeError], ErrorBody], *, keep_seconds: float = KEEP_SECONDS
    ) -> None:
        self.describe = describe
        self._keep_seconds = keep_seconds
        self._all: dict[tuple[int, str], Progress] = {}
        self._followers: dict[tuple[int, bytes], dict[object, Callable[[Progress], None]]] = {}
        # Those that are over, the oldest first.
        self._kept: dict[Progress, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._all)

    def begin(self, owner: int, upload_id: str, total: int | None, *, session: str) -> Progress:
        """Begin an upload of a Telegram session. Raises UploadIdInUse while another one has its name."""
        progress = self._all.get((owner, upload_id))
        if progress is not None and progress.begun:
            if progress.end is None:
                raise UploadIdInUse
            self.forget(progress)
            progress = None
        if progress is None:
            progress = self._all[owner, upload_id] = Progress(self, owner, upload_id)
        progress.mark = _mark(session)
        progress.begin(total)
        return progress

    def begin_unseen(self, owner: int) -> Progress:
        """Begin an upload that nobody can watch, since nobody knows its name."""
        return Progress(self, owner, "")

    def is_of(self, owner: int, upload_id: str, session: str) -> bool:
        """Tell whether this very Telegram session has begun an upload."""
        progress = self._all.get((owner, upload_id))
        return progress is not None and progress.mark == _mark(session)

    def knows(self, owner: int, upload_id: str) -> bool:
        """Tell whether there is anything to watch, or somebody who waits for it."""
        return (owner, upload_id) in self._all

    @contextmanager
    def following(self, owner: int, session: str, tell: Callable[[Progress], None]) -> Iterator[None]:
        """Have `tell` called with each upload of a session that has news, while the block runs.

        At once with those under way, and with those that have ended lately. It is quick, and raises nothing.
        """
        key = owner, _mark(session)
        followers = self._followers.setdefault(key, {})
        number = object()
        followers[number] = tell
        for progress in tuple(self._all.values()):
            if (progress.owner, progress.mark) == key and (progress.end is None or progress in self._kept):
                tell(progress)
        try:
            yield
        finally:
            del followers[number]
            if not followers:
                del self._followers[key]

    def tell(self, progress: Progress) -> None:
        """Tell those who follow all uploads of a session."""
        if progress.has_name and progress.begun and progress.mark is not None:
            for tell in tuple(self._followers.get((progress.owner, progress.mark), {}).values()):
                tell(progress)

    @contextmanager
    def watched(self, owner: int, upload_id: str) -> Iterator[Progress]:
        """Lend what can be watched, whether or not it has begun. Raises TooManyUploads."""
        if sum(other.watchers for other in self._all.values() if other.owner == owner) >= MOST:
            raise TooManyUploads
        progress = self._all.setdefault((owner, upload_id), Progress(self, owner, upload_id))
        progress.watchers += 1
        try:
            yield progress
        finally:
            progress.watchers -= 1
            if not progress.watchers and not progress.begun:
                self.forget(progress)

    def keep(self, progress: Progress) -> None:
        """Remember for a while how an upload has ended."""
        if self._all.get((progress.owner, progress.upload_id)) is not progress:
            return
        if progress in self._kept:
            return
        loop = asyncio.get_running_loop()
        self._kept[progress] = loop.call_later(self._keep_seconds, self.forget, progress)
        kept = [other for other in self._kept if other.owner == progress.owner]
        if len(kept) > MOST:
            self.forget(kept[0])

    def close(self) -> None:
        """Forget everything. Idempotent."""
        for progress in list(self._all.values()):
            self.forget(progress)

    def forget(self, progress: Progress) -> None:
        """Forget an upload. Those who watch it are told nothing more."""
        timer = self._kept.pop(progress, None)
        if timer is not None:
            timer.cancel()
        if self._all.get((progress.owner, progress.upload_id)) is progress:
            del self._all[progress.owner, progress.upload_id]


def _mark(session: str) -> bytes:
    return hashlib.sha256(session.encode()).digest()


def _now() -> float:
    return asyncio.get_running_loop().time()
