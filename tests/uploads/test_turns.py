"""Who may write to an upload."""

from __future__ import annotations

import asyncio

import pytest

from tgbridge.uploads.errors import UploadGone, UploadLocked
from tgbridge.uploads.turns import Turn, Turns

FOREVER, AT_ONCE = 1e9, 0.0


async def hold(
    turns: Turns, taken: asyncio.Event, *, listening: bool = False, gives_way: bool = False
) -> None:
    """Have a turn until it is taken away."""
    async with turns.take(gives_way=gives_way) as turn:
        taken.set()
        if listening:
            with turn.listening():
                await asyncio.Event().wait()
        await asyncio.Event().wait()


async def holding(turns: Turns, **kind: bool) -> asyncio.Task[None]:
    taken = asyncio.Event()
    task = asyncio.create_task(hold(turns, taken, **kind))
    await taken.wait()
    return task


async def is_locked(turns: Turns) -> bool:
    try:
        async with turns.take():
            return False
    except UploadLocked:
        return True


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def test_one_after_the_other() -> None:
    """A turn that is over is free, however it has ended."""
    turns = Turns(wait_seconds=0.0)
    async with turns.take():
        assert await is_locked(turns)
    with pytest.raises(ZeroDivisionError):
        async with turns.take():
            raise ZeroDivisionError
    await end(await holding(turns))
    assert not turns.taken
    assert not await is_locked(turns)


@pytest.mark.parametrize("listening", [True, False])
async def test_locked(*, listening: bool) -> None:
    """Who is heard of, or is at work, keeps the turn."""
    turns = Turns(silence_seconds=FOREVER if listening else AT_ONCE, wait_seconds=0.0)
    task = await holding(turns, listening=listening)
    assert await is_locked(turns)
    assert not task.done()
    await end(task)


async def test_silence() -> None:
    """Who listens for a client that is silent for too long gives way, and is told so."""
    turns = Turns(silence_seconds=AT_ONCE, wait_seconds=0.0)
    task = await holding(turns, listening=True)
    async with turns.take():
        assert task.done()
    failure = task.exception()
    assert isinstance(failure, UploadLocked)
    assert failure.ousted


async def test_waiting() -> None:
    """Who comes waits for a little: until the turn is free, or its owner has been silent for long enough."""
    turns = Turns(silence_seconds=FOREVER)
    task = await holding(turns)
    waiting = asyncio.create_task(is_locked(turns))
    await asyncio.sleep(0)
    await end(task)
    assert not await waiting
    turns = Turns(silence_seconds=0.01, wait_seconds=FOREVER)
    task = await holding(turns, listening=True)
    assert not await is_locked(turns)
    assert isinstance(task.exception(), UploadLocked)


async def test_giving_way() -> None:
    """Who has said so gives way at once, silent or not."""
    turns = Turns(silence_seconds=FOREVER)
    task = await holding(turns, gives_way=True)
    assert not await is_locked(turns)
    assert isinstance(task.exception(), UploadLocked)


async def test_force() -> None:
    """Nothing withstands force, which says why."""
    turns = Turns(silence_seconds=FOREVER)
    task = await holding(turns)
    async with turns.take(by_force=UploadGone):
        failure = task.exception()
    assert isinstance(failure, UploadGone)
    assert failure.ousted


async def test_many_at_once() -> None:
    """Of those who come while one gives way, one gets the turn, and the others are told to wait."""
    turns = Turns(silence_seconds=AT_ONCE, wait_seconds=0.0)
    task = await holding(turns, listening=True)
    served: list[Turn] = []

    async def serve() -> None:
        async with turns.take() as turn:
            served.append(turn)
            await asyncio.sleep(0)

    results = await asyncio.gather(*(serve() for _ in range(5)), return_exceptions=True)
    assert len(served) == 1
    assert [type(result) for result in results].count(UploadLocked) == 4
    assert not turns.taken
    assert isinstance(task.exception(), UploadLocked)


async def test_errors_pass() -> None:
    """A TimeoutError of the work's own stays what it is."""
    turns = Turns(wait_seconds=0.0)
    with pytest.raises(TimeoutError, match="its own"):
        async with turns.take():
            raise TimeoutError("its own")
