from __future__ import annotations

import asyncio
import gc

import pytest

from tgbridge.errors import TelegramUnavailable
from tgbridge.telegram.transfer.download.cache import Fetch, FileParts, PartCache
from tgbridge.telegram.transfer.parts import MIB, Part

FIRST, SECOND, THIRD, LAST = Part(0, 10), Part(10, 10), Part(20, 10), Part(30, 10)


class Shelf:
    """A file of 35 bytes whose parts come when the test says so."""

    def __init__(self, *, account_bytes: int = 20, room: int = 1000) -> None:
        self.room = room
        self.cache = PartCache(account_bytes, room=lambda: self.room)
        self.recent = self.cache.account()
        self.parts = FileParts(35, self.recent)
        self.started: list[Part] = []
        self.gate = asyncio.Event()
        self.failure: Exception | None = None

    async def start(self, fetch: Fetch) -> memoryview:
        part = fetch.part
        self.started.append(part)
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return memoryview(bytes(part.length(35)))

    async def read(self, *parts: Part, keep: bool = True) -> None:
        self.gate.set()
        for part in parts:
            fetch = self.parts.join(part, self.start, keep=keep)
            assert len(await fetch.wait()) == fetch.size
            self.parts.leave(fetch)


async def test_two_who_want_a_part_at_the_same_time_fetch_it_once() -> None:
    """The second joins the first one's fetch, and both get the same buffer."""
    shelf = Shelf()
    fetches = [shelf.parts.join(FIRST, shelf.start, keep=False) for _ in range(2)]
    shelf.gate.set()
    one, other = await asyncio.gather(*(fetch.wait() for fetch in fetches))
    assert one is other
    assert shelf.started == [FIRST]


async def test_a_fetch_is_given_up_with_the_last_who_wants_it() -> None:
    """One of two leaving changes nothing; the second one's leaving cancels, and the next one fetches anew."""
    shelf = Shelf()
    fetch = shelf.parts.join(FIRST, shelf.start, keep=True)
    shelf.parts.join(FIRST, shelf.start, keep=True)
    assert shelf.parts.leave(fetch) is None
    task = shelf.parts.leave(fetch)
    assert task is fetch.task
    again = shelf.parts.join(FIRST, shelf.start, keep=True)
    assert again is not fetch
    await asyncio.wait((task,))
    assert task.cancelled()
    shelf.gate.set()
    await again.wait()
    shelf.parts.leave(again)
    assert shelf.started == [FIRST]  # the first task was cancelled before it began


async def test_one_who_waits_may_be_cancelled_alone() -> None:
    """Cancelling a reader leaves the fetch to the others."""
    shelf = Shelf()
    fetch = shelf.parts.join(FIRST, shelf.start, keep=False)
    shelf.parts.join(FIRST, shelf.start, keep=False)
    impatient, patient = (asyncio.create_task(fetch.wait()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    shelf.gate.set()
    assert len(await patient) == 10
    assert impatient.cancelled()


async def test_a_failed_part_is_fetched_anew_by_whoever_comes_later() -> None:
    """All who joined get the error; it is not remembered."""
    shelf = Shelf()
    shelf.failure = TelegramUnavailable("broken")
    fetch = shelf.parts.join(FIRST, shelf.start, keep=True)
    shelf.gate.set()
    with pytest.raises(TelegramUnavailable, match="broken"):
        await fetch.wait()
    assert not len(shelf.parts)
    shelf.failure = None
    await shelf.read(FIRST)
    assert shelf.started == [FIRST, FIRST]
    shelf.parts.leave(fetch)
    assert shelf.cache.bytes == 10  # the failed one is not kept


async def test_recent_parts_are_read_from_memory() -> None:
    """Within the bound, a part read again costs no request; a part of the end counts its real length."""
    shelf = Shelf()
    await shelf.read(FIRST, LAST, FIRST, LAST)
    assert shelf.started == [FIRST, LAST]
    assert shelf.cache.bytes == 15


async def test_the_longest_unread_goes_first() -> None:
    """Beyond the account's bound the oldest part is dropped, not the one that was read again."""
    shelf = Shelf(account_bytes=20)
    await shelf.read(FIRST, SECOND, FIRST, THIRD)
    assert shelf.cache.bytes == 20
    await shelf.read(FIRST, THIRD)
    assert shelf.started == [FIRST, SECOND, THIRD]
    await shelf.read(SECOND)
    assert shelf.started == [FIRST, SECOND, THIRD, SECOND]


async def test_what_is_not_worth_keeping_is_not_kept() -> None:
    """A part read in the middle of a long stream leaves the cache as it was."""
    shelf = Shelf()
    await shelf.read(FIRST)
    await shelf.read(SECOND, THIRD, keep=False)
    assert shelf.cache.bytes == 10
    assert len(shelf.parts) == 1


async def test_a_part_in_use_is_not_in_the_cache() -> None:
    """What somebody reads counts in that one's window, and nowhere twice."""
    shelf = Shelf()
    await shelf.read(FIRST)
    fetch = shelf.parts.join(FIRST, shelf.start, keep=False)
    assert (shelf.cache.bytes, shelf.recent.bytes) == (0, 0)
    shelf.parts.leave(fetch)
    assert (shelf.cache.bytes, shelf.recent.bytes) == (10, 10)


async def test_the_cache_gives_way_at_once() -> None:
    """When downloads need the room, the account that has most in the cache loses its oldest parts."""
    shelf = Shelf()
    other = FileParts(35, shelf.cache.account())
    await shelf.read(FIRST, SECOND)
    fetch = other.join(THIRD, shelf.start, keep=True)
    await fetch.wait()
    other.leave(fetch)
    shelf.cache.shrink(25)
    assert (shelf.cache.bytes, shelf.recent.bytes, len(other)) == (20, 10, 1)
    assert list(shelf.parts.near(0)) == [SECOND]
    shelf.cache.shrink(-1)
    assert shelf.cache.bytes == 0


async def test_an_error_that_no_reader_got_to_is_no_fault() -> None:
    """A reader leaves with an earlier one: asyncio has nothing to complain of."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    shelf = Shelf()
    shelf.failure = TelegramUnavailable("broken")
    fetch = shelf.parts.join(FIRST, shelf.start, keep=False)
    shelf.gate.set()
    await asyncio.wait((fetch.task,))
    shelf.parts.leave(fetch)
    del fetch, shelf  # its error holds the fetch
    gc.collect()
    assert complaints == []


async def test_nothing_is_kept_without_room() -> None:
    """The last byte of the process's bound belongs to the windows."""
    shelf = Shelf(room=5)
    await shelf.read(FIRST)
    assert (shelf.cache.bytes, len(shelf.parts)) == (0, 0)


async def test_an_account_that_goes_takes_its_parts_along() -> None:
    """Closing empties it, twice as well as once, and the process's sum knows."""
    shelf = Shelf()
    await shelf.read(FIRST, SECOND)
    shelf.recent.close()
    shelf.recent.close()
    assert (shelf.cache.bytes, len(shelf.parts)) == (0, 0)


async def test_parts_are_found_by_the_mebibyte_that_they_lie_in() -> None:
    """Near a position are the parts of its block, which is all that could hold or overlap it."""
    parts = FileParts(3 * MIB, PartCache(0, room=lambda: 0).account())
    gate = asyncio.Event()

    async def start(fetch: Fetch) -> memoryview:
        await gate.wait()
        return memoryview(bytes(fetch.part.limit))

    one, two = Part(MIB, 4096), Part(2 * MIB, 4096)
    fetches = [parts.join(part, start, keep=False) for part in (one, two)]
    assert list(parts.near(MIB + 77)) == [one]
    assert list(parts.near(3 * MIB - 1)) == [two]
    assert list(parts.near(5)) == []
    await asyncio.wait([task for fetch in fetches if (task := parts.leave(fetch)) is not None])


async def test_an_error_met_while_giving_up_is_no_fault() -> None:
    """Nobody waits for a part that was given up, nor for what came of that."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    shelf = Shelf()

    async def start(_fetch: Fetch) -> memoryview:
        try:
            await asyncio.Event().wait()
        finally:
            raise TelegramUnavailable("closed")

    fetch = shelf.parts.join(FIRST, start, keep=False)
    await asyncio.sleep(0)
    task = shelf.parts.leave(fetch)
    assert task is not None
    await asyncio.wait((task,))
    del fetch, task, shelf
    gc.collect()
    assert complaints == []
