"""What those who watch an upload are told."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import FileTooLarge
from tgbridge.models import ErrorBody, MediaItem, UploadProgress, UploadWaiting
from tgbridge.uploads import progress as progress_module
from tgbridge.uploads.errors import TooManyUploads, UploadIdInUse
from tgbridge.uploads.progress import ProgressBoard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tgbridge.errors import BridgeError
    from tgbridge.uploads.progress import News, Progress

OWNER, OTHER, NAME = 1, 2, "an-upload"
ITEM = MediaItem(
    id=1,
    name="a",
    type="document",
    timestamp="2023-10-27T10:00:00Z",
    size=1,
    caption="",
    has_thumbnail=False,
    url="stream_media/1",
    thumbnail_url=None,
)
ERROR = FileTooLarge(1)


def describe(error: BridgeError) -> ErrorBody:
    return ErrorBody(error=type(error).__name__, code="X")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "_INTERVAL", 0.0)


@pytest.fixture
def board() -> Iterator[ProgressBoard]:
    board = ProgressBoard(describe)
    yield board
    board.close()
    assert len(board) == 0


class Watching:
    """Somebody who watches, and what was told."""

    def __init__(
        self, board: ProgressBoard, name: str = NAME, *, owner: int = OWNER, **options: float
    ) -> None:
        self.told: list[News] = []
        self._task = asyncio.create_task(self._watch(board, owner, name, options))

    async def until(self, condition: Callable[[list[News]], object]) -> list[News]:
        async with asyncio.timeout(10):
            while not condition(self.told):
                await asyncio.sleep(0)
        return self.told

    async def end(self) -> list[News]:
        await asyncio.wait_for(self._task, 10)
        return self.told

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _watch(self, board: ProgressBoard, owner: int, name: str, options: dict[str, float]) -> None:
        with board.watched(owner, name) as progress:
            async with aclosing(progress.watch(**options)) as news:
                async for told in news:
                    self.told.append(told)


def begun(board: ProgressBoard, total: int | None = 10) -> Progress:
    return board.begin(OWNER, NAME, total, session="a session")


def state(received: int, stored: int, total: int | None = 10) -> UploadProgress:
    return UploadProgress(received=received, stored=stored, total=total)


async def test_before_it_begins(board: ProgressBoard) -> None:
    """Who comes first waits, and is told all from the beginning."""
    watching = Watching(board)
    await asyncio.sleep(0)
    assert board.knows(OWNER, NAME)
    progress = begun(board)
    await watching.until(len)
    progress.done(ITEM)
    assert await watching.end() == [state(0, 0), ITEM]


async def test_in_the_middle(board: ProgressBoard) -> None:
    """Who comes later is told how it stands, and then each change."""
    progress = begun(board)
    file = progress.file()
    file.progressed(4, 2)
    watching = Watching(board)
    await watching.until(len)
    file.progressed(8, 2)
    await watching.until(lambda told: len(told) == 2)
    progress.done(ITEM)
    assert await watching.end() == [state(4, 2), state(8, 2), ITEM]


async def test_shortly_after(board: ProgressBoard) -> None:
    """Who comes after the end is told of it, as often as they come."""
    progress = begun(board)
    progress.file().progressed(10, 10)
    progress.failed(ERROR)
    for _ in range(2):
        assert await Watching(board).end() == [state(10, 10), describe(ERROR)]


async def test_forgotten_in_the_end() -> None:
    """The end is remembered for a while, and not for ever."""
    board = ProgressBoard(describe, keep_seconds=0.0)
    begun(board).done(ITEM)
    assert len(board) == 1
    while len(board):
        await asyncio.sleep(0)


async def test_many_changes(board: ProgressBoard) -> None:
    """Whoever does not keep up is told the latest, once."""
    progress = begun(board)
    file = progress.file()
    watching = Watching(board)
    await watching.until(len)
    for received in range(1, 11):
        file.progressed(received, 0)
    await watching.until(lambda told: len(told) > 1)
    progress.done(ITEM)
    assert await watching.end() == [state(0, 0), state(10, 0), ITEM]


async def test_files_together(board: ProgressBoard) -> None:
    """What is told of an album is of all its files; what comes in the end is known when all has come."""
    progress = begun(board, 100)
    first, second = progress.file(), progress.file()
    first.progressed(5, 5)
    second.progressed(7, 1)
    assert progress.state == state(12, 6, 100)
    progress.all_received()
    assert progress.state == state(12, 6, 12)


async def test_waiting(board: ProgressBoard) -> None:
    """A wait is told once, in whole seconds, and again if it becomes longer."""
    progress = begun(board)
    file = progress.file()
    watching = Watching(board)
    await watching.until(len)
    for _ in range(3):
        file.waiting(2.5)
    await watching.until(lambda told: len(told) > 1)
    file.waiting(2.6)
    file.waiting(9.9)
    await watching.until(lambda told: len(told) > 2)
    progress.failed(ERROR)
    waits = [UploadWaiting(retry_after=3), UploadWaiting(retry_after=10)]
    assert await watching.end() == [state(0, 0), *waits, describe(ERROR)]


async def test_a_wait_that_is_over(board: ProgressBoard) -> None:
    """Who comes later is not told of what has been."""
    progress = begun(board)
    progress.waiting(-1)
    watching = Watching(board)
    await watching.until(len)
    progress.done(ITEM)
    assert await watching.end() == [state(0, 0), ITEM]


async def test_one_that_never_begins(board: ProgressBoard) -> None:
    """Nobody waits for ever, and nothing is left of it."""
    told = await Watching(board, begin_seconds=0.0).end()
    assert told == [ErrorBody(error="UploadNotFound", code="X")]
    assert len(board) == 0


async def test_owners(board: ProgressBoard) -> None:
    """The same name of another account is another upload."""
    begun(board).done(ITEM)
    assert not board.knows(OTHER, NAME)
    told = await Watching(board, owner=OTHER, begin_seconds=0.0).end()
    assert [type(news) for news in told] == [ErrorBody]
    assert board.begin(OTHER, NAME, None, session="another").end is None


async def test_names_in_use(board: ProgressBoard) -> None:
    """A name is free again when its upload is over."""
    progress = begun(board)
    with pytest.raises(UploadIdInUse):
        begun(board)
    progress.done(ITEM)
    assert begun(board).end is None
    assert progress.end is ITEM


async def test_the_first_end_counts(board: ProgressBoard) -> None:
    """What is over does not change any more."""
    progress = begun(board)
    progress.done(ITEM)
    progress.failed(ERROR)
    assert progress.end is ITEM


async def test_those_who_leave(board: ProgressBoard) -> None:
    """A watcher that goes leaves nothing behind, and the others their upload."""
    first, second = Watching(board), Watching(board)
    await asyncio.sleep(0)
    await first.leave()
    assert len(board) == 1
    await second.leave()
    assert len(board) == 0


async def test_bounds(board: ProgressBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    """One account has so many watchers, and so many ends are remembered, and no more."""
    monkeypatch.setattr(progress_module, "MOST", 2)
    for number in range(5):
        board.begin(OWNER, f"upload-{number}", None, session="a session").done(ITEM)
    board.begin(OTHER, NAME, None, session="another").done(ITEM)
    assert [board.knows(OWNER, f"upload-{number}") for number in range(5)] == [False] * 3 + [True] * 2
    watching = [Watching(board, name) for name in ("some-upload", "more-upload")]
    await asyncio.sleep(0)
    with pytest.raises(TooManyUploads), board.watched(OWNER, NAME):
        pass
    with board.watched(OTHER, NAME):
        pass
    for one in watching:
        await one.leave()


async def test_lasting(board: ProgressBoard) -> None:
    """The end of one that lasts is remembered until somebody says when."""
    board = ProgressBoard(describe, keep_seconds=0.0)
    progress = begun(board)
    progress.lasting = True
    progress.done(ITEM)
    for _ in range(5):
        await asyncio.sleep(0)
    assert board.knows(OWNER, NAME)
    board.keep(progress)
    while len(board):
        await asyncio.sleep(0)


async def test_without_a_name(board: ProgressBoard) -> None:
    """An upload that has no name is on no board."""
    progress = board.begin_unseen(OWNER)
    progress.done(ITEM)
    assert (progress.has_name, len(board)) == (False, 0)
