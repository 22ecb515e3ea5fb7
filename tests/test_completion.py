"""Work that outlives the request which began it."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from tgbridge.completion import Completion


async def test_a_caller_that_goes_away() -> None:
    """What it began goes on without it."""
    completion, go_on, done = Completion(), asyncio.Event(), []

    async def work() -> None:
        await go_on.wait()
        done.append(True)

    calling = asyncio.create_task(completion.run(work()))
    await asyncio.sleep(0)
    calling.cancel()
    await asyncio.wait({calling})
    assert (calling.cancelled(), len(completion), done) == (True, 1, [])
    go_on.set()
    await completion.drain()
    assert (len(completion), done) == (0, [True])


@pytest.mark.parametrize("seconds", [None, 3600])
async def test_what_begins_meanwhile_completes_too(seconds: float | None) -> None:
    """Work may begin more work."""
    completion, done = Completion(), []

    async def second() -> None:
        await asyncio.sleep(0)
        done.append(2)

    async def first() -> None:
        await asyncio.sleep(0)
        completion.detach(second())
        done.append(1)

    completion.detach(first())
    await completion.drain(seconds)
    assert done == [1, 2]


async def test_what_takes_too_long_is_cancelled() -> None:
    """All of it at once, and it cleans up first; the log says how much it was."""
    completion, cleaned = Completion(), []

    async def work(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(number)

    for number in range(3):
        completion.detach(work(number))
    with capture_logs() as logged:
        await completion.drain(0.001)
    assert (sorted(cleaned), len(completion)) == ([0, 1, 2], 0)
    assert [(line["log_level"], line["count"]) for line in logged] == [("warning", 3)]


async def test_a_failure_that_nobody_waits_for() -> None:
    """It is logged by its kind, and no more of it."""
    completion = Completion()

    async def work() -> None:
        raise ValueError("+15551234567")

    with capture_logs() as logged:
        completion.detach(work())
        await completion.drain()
    assert [(line["log_level"], line["error"]) for line in logged] == [("warning", "ValueError")]
    assert "+15551234567" not in str(logged)
