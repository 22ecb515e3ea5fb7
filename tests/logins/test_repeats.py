"""Requests that come twice."""

from __future__ import annotations

import asyncio

import pytest

from tgbridge.completion import Completion
from tgbridge.logins.repeats import Repeats

KEY = ("send code", "+15551234567", "cookie")


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def completion() -> Completion:
    return Completion()


@pytest.fixture
def repeats(completion: Completion, clock: Clock) -> Repeats:
    return Repeats(completion, seconds=60, most=3, clock=clock)


class Work:
    """Counts how often it is done; each time it comes to the number, or fails."""

    def __init__(self, *failures: Exception) -> None:
        self.done = 0
        self._failures = list(failures)

    async def __call__(self) -> int:
        self.done += 1
        await asyncio.sleep(0)
        if self._failures:
            raise self._failures.pop()
        return self.done


async def test_at_once(repeats: Repeats) -> None:
    """All who ask at the same time share one."""
    work = Work()
    assert await asyncio.gather(*(repeats.once(KEY, work) for _ in range(5))) == [1] * 5


async def test_later(repeats: Repeats, clock: Clock) -> None:
    """Whoever asks later gets what came of it, for a while; what differs in anything is another request."""
    work = Work()
    await repeats.once(KEY, work)
    clock.now = 59.0
    assert await repeats.once(KEY, work) == 1
    assert await repeats.once((*KEY[:2], "another cookie"), work) == 2
    clock.now = 60.0
    assert await repeats.once(KEY, work) == 3


async def test_only_at_once(repeats: Repeats) -> None:
    """What is not to be kept is shared while it is under way, and by nobody later."""
    work = Work()
    assert await asyncio.gather(*(repeats.once(KEY, work, keep=False) for _ in range(2))) == [1, 1]
    assert await repeats.once(KEY, work, keep=False) == 2
    assert len(repeats) == 0


async def test_failures(repeats: Repeats) -> None:
    """A failure is that of all who wait for it, and then it may be tried again."""
    work = Work(ValueError("x"))
    failed = await asyncio.gather(*(repeats.once(KEY, work) for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in failed] == [ValueError, ValueError]
    assert await repeats.once(KEY, work) == 2


async def test_one_who_goes_away(repeats: Repeats, completion: Completion) -> None:
    """What was begun completes for whoever comes back."""
    work = Work()
    asking = asyncio.create_task(repeats.once(KEY, work))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait({asking})
    assert await repeats.once(KEY, work) == 1
    assert len(completion) == 0


async def test_in_bounded_memory(repeats: Repeats, clock: Clock) -> None:
    """The oldest is forgotten for a new one, and so is what is over."""
    for number in range(5):
        repeats.keep((str(number),), number)
    assert [repeats.recall((str(number),)) for number in range(5)] == [None, None, 2, 3, 4]
    clock.now = 60.0
    repeats.keep(("new",), "x")
    assert len(repeats) == 1
