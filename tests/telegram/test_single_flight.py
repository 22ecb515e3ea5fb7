from __future__ import annotations

import asyncio

import pytest

from tgbridge.telegram.single_flight import SingleFlight


async def test_the_outcome_is_everybodys() -> None:
    """All who wait get the one result."""
    runs: list[int] = []

    async def work() -> str:
        runs.append(1)
        return "done"

    shared = SingleFlight(work())
    assert set(await asyncio.gather(shared.wait(), shared.wait())) == {"done"}
    assert shared.over
    assert runs == [1]


async def test_the_error_is_everybodys() -> None:
    """All who wait get the one error."""

    async def work() -> None:
        raise LookupError

    shared = SingleFlight(work())
    assert [
        type(error) for error in await asyncio.gather(shared.wait(), shared.wait(), return_exceptions=True)
    ] == [
        LookupError,
        LookupError,
    ]


async def test_the_work_ends_with_the_last_who_waits() -> None:
    """One of two leaving changes nothing; after the second the work is over, also for who comes late."""
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    shared = SingleFlight(work())
    one, other = (asyncio.create_task(shared.wait()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.wait((one,))
    assert shared.over is False
    other.cancel()
    await asyncio.wait((other,))
    await cancelled.wait()
    assert shared.over is True


async def test_one_who_leaves_does_not_end_anothers_wait() -> None:
    """The result comes although the first who wanted it is gone."""
    gate = asyncio.Event()

    async def work() -> int:
        await gate.wait()
        return 7

    shared = SingleFlight(work())
    impatient, patient = (asyncio.create_task(shared.wait()) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    assert await patient == 7
    with pytest.raises(asyncio.CancelledError):
        await impatient
