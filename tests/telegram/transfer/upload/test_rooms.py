"""Room in memory: no upload starves, none deadlocks, and nothing goes beyond the budget."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgbridge.errors import PoolExhausted
from tgbridge.telegram.transfer.budget import Budget
from tgbridge.telegram.transfer.upload.rooms import Rooms

if TYPE_CHECKING:
    from collections.abc import Callable


class Upload:
    """Parts of ten bytes that land some time after they were cut."""

    def __init__(
        self,
        budget: Budget,
        account: int,
        *,
        admission_seconds: float = 5.0,
        places: asyncio.Semaphore | None = None,
    ) -> None:
        self.in_flight = 0
        self.freed = 0
        self.failure: Exception | None = None
        self.rooms = Rooms(
            budget,
            account,
            places=asyncio.Semaphore(1) if places is None else places,
            room=10,
            beside=1,
            admission_seconds=admission_seconds,
            free=self._free,
            check=self._check,
        )

    async def run(self, parts: int, pauses: Callable[[], int]) -> None:
        """Fill a part slowly, cut it, let it land, and so on."""
        await self.rooms.admit()
        landing = []
        for _ in range(parts):
            await self.rooms.next()
            for _ in range(pauses()):
                await asyncio.sleep(0)
            self.rooms.add()
            landing.append(asyncio.create_task(self._land(pauses())))
        self.rooms.end()
        await asyncio.gather(*landing)

    async def _land(self, pause: int) -> None:
        for _ in range(pause):
            await asyncio.sleep(0)
        self.rooms.remove()

    def _free(self) -> None:
        self.freed += 1

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    uploads=st.integers(1, 12),
    accounts=st.integers(1, 3),
    process=st.integers(11, 400),
    account=st.integers(11, 400),
    upload=st.integers(11, 100),
    seed=st.integers(0, 1000),
)
def test_all_uploads_end_within_the_budget(
    uploads: int, accounts: int, process: int, account: int, upload: int, seed: int
) -> None:
    """Whatever the bounds and the order of events: nobody waits for ever, and no bound is passed."""
    lefts: list[int] = []
    budget = Budget(process_bytes=process, account_bytes=account, stream_bytes=upload, relieve=lefts.append)
    chance = random.Random(seed)

    async def one(number: int) -> None:
        made = Upload(budget, number % accounts)
        await made.run(chance.randrange(1, 8), lambda: chance.randrange(4))
        assert made.rooms.held == 1  # what stands beside
        made.rooms.close()

    async def together() -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(uploads):
                group.create_task(one(number))

    asyncio.run(together())
    assert min(lefts) >= 0
    assert (budget.held, budget.waiting, budget.streams) == (0, 0, 0)


async def test_the_own_room_is_nobody_elses() -> None:
    """With the budget full, an upload goes on in its own room as its part lands, before anybody who waits."""
    budget = Budget(process_bytes=22, account_bytes=22, stream_bytes=22)
    first, second = Upload(budget, 1), Upload(budget, 2)
    await first.rooms.admit()
    await second.rooms.admit()
    first.rooms.add()
    waiting = asyncio.create_task(first.rooms.next())
    await asyncio.sleep(0)
    assert (waiting.done(), first.freed) == (False, 1)
    first.rooms.remove()
    await waiting
    assert (first.rooms.held, second.rooms.held) == (11, 11)
    first.rooms.close()
    second.rooms.close()


async def test_a_grant_that_comes_too_late_goes_back() -> None:
    """Who went on in his own room does not keep what he had asked for beside it."""
    budget = Budget(process_bytes=22, account_bytes=22, stream_bytes=22)
    first, second = Upload(budget, 1), Upload(budget, 2)
    await first.rooms.admit()
    await second.rooms.admit()
    first.rooms.add()
    waiting = asyncio.create_task(first.rooms.next())
    await asyncio.sleep(0)
    first.rooms.remove()
    await waiting
    second.rooms.close()
    assert (first.rooms.held, budget.held, budget.waiting) == (11, 11, 0)
    first.rooms.close()


async def test_what_is_lent_is_had_back_or_refused() -> None:
    """During a pause others may use the room; who comes back to none is told so, and may try again."""
    budget = Budget(process_bytes=22, account_bytes=22, stream_bytes=22)
    paused, other = Upload(budget, 1, admission_seconds=0.01), Upload(budget, 2)
    await paused.rooms.admit()
    paused.rooms.lend(4)
    assert paused.rooms.held == 5
    await other.rooms.admit()
    await other.rooms.admit()
    third = Upload(budget, 3)
    entering = asyncio.create_task(third.rooms.admit())
    await asyncio.sleep(0)
    with pytest.raises(PoolExhausted):
        await paused.rooms.admit()
    other.rooms.close()
    await entering
    third.rooms.close()
    await paused.rooms.admit()
    assert paused.rooms.held == 11
    paused.rooms.close()
    assert (budget.held, budget.waiting, budget.streams) == (0, 0, 0)


async def test_a_failure_ends_waiting() -> None:
    """Who waits for room hears of what makes waiting useless."""
    budget = Budget(process_bytes=11, account_bytes=11, stream_bytes=11)
    upload = Upload(budget, 1)
    await upload.rooms.admit()
    upload.rooms.add()
    waiting = asyncio.create_task(upload.rooms.next())
    await asyncio.sleep(0)
    upload.failure = KeyError("of the test")
    upload.rooms.alarm()
    with pytest.raises(KeyError):
        await waiting
    upload.rooms.close()
    upload.rooms.close()


async def test_a_grant_in_the_moment_of_giving_up_is_given_back() -> None:
    """Whoever stops waiting just when his turn has come keeps nothing."""
    budget = Budget(process_bytes=21, account_bytes=21, stream_bytes=21)
    paused, other = Upload(budget, 1), Upload(budget, 2)
    await paused.rooms.admit()
    paused.rooms.lend(4)
    await other.rooms.admit()
    coming_back = asyncio.create_task(paused.rooms.admit())
    await asyncio.sleep(0)
    other.rooms.close()
    coming_back.cancel()
    await asyncio.wait({coming_back})
    assert paused.rooms.held == 5
    await paused.rooms.admit()
    assert paused.rooms.held == 11
    paused.rooms.close()
    assert budget.held == 0


async def test_nothing_is_held_before_the_first_bytes() -> None:
    """An upload that was only begun, or has been paused before it had anything, takes nothing from others."""
    budget = Budget(process_bytes=11, account_bytes=11, stream_bytes=11)
    begun = Upload(budget, 1)
    begun.rooms.lend(0)
    begun.rooms.release_beside()
    assert (begun.rooms.held, budget.held, budget.streams) == (0, 0, 0)
    begun.rooms.close()


async def test_of_each_account_so_many_at_once() -> None:
    """Who finds all places of the account taken waits for one; a pause, the end and a failure free it."""
    budget = Budget(process_bytes=100, account_bytes=100, stream_bytes=100)
    places = asyncio.Semaphore(1)
    uploads = [Upload(budget, 1, places=places) for _ in range(5)]
    first, second, third, fourth, fifth = (upload.rooms for upload in uploads)
    coming = []
    for rooms in (first, second, third, fourth, fifth):
        coming.append(asyncio.create_task(rooms.admit()))
        await asyncio.sleep(0)
    assert [rooms.held for rooms in (first, second)] == [11, 0]
    first.lend(10)  # though it is full
    await coming[1]
    second.add()
    second.end()
    await coming[2]
    third.close()
    await coming[3]
    coming[4].cancel()
    await asyncio.wait({coming[4]})
    fourth.close()
    await first.admit()
    assert [rooms.held for rooms in (first, second, third, fourth, fifth)] == [11, 11, 0, 0, 0]
    for rooms in (first, second, fifth):
        rooms.close()
    assert (budget.held, budget.streams, places.locked()) == (0, 0, False)


async def test_no_place_for_long() -> None:
    """Who waits too long for a place is told so, and has taken nothing."""
    budget = Budget(process_bytes=100, account_bytes=100, stream_bytes=100)
    places = asyncio.Semaphore(1)
    first, late = (Upload(budget, 1, places=places, admission_seconds=0.01) for _ in range(2))
    await first.rooms.admit()
    with pytest.raises(PoolExhausted):
        await late.rooms.admit()
    first.rooms.close()
    await late.rooms.admit()
    late.rooms.close()
    assert (budget.held, budget.waiting, budget.streams) == (0, 0, 0)
