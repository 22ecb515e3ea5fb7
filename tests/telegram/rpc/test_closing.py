"""Whatever waits, ends when the connections are closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import FloodWait, TelegramUnavailable
from tgbridge.telegram.rpc.call import compose
from tgbridge.telegram.rpc.closing import Closing
from tgbridge.telegram.rpc.flood_waits import sit_out_flood_waits


async def test_calls_under_way_end_at_once() -> None:
    """Also in the middle of a wait of minutes."""
    closing = Closing()
    waiting = Script(FloodWait(100))
    call = compose(waiting, sit_out_flood_waits, closing)
    task = asyncio.ensure_future(call(REQUEST, patience(120, flood_wait=120)))
    while not waiting.attempts:
        await asyncio.sleep(0)
    closing.close()
    closing.close()
    with pytest.raises(TelegramUnavailable, match="closed"):
        await task


async def test_none_begins_afterwards() -> None:
    """Without asking anybody."""
    closing, script = Closing("gone"), Script(True)
    closing.close()
    with pytest.raises(TelegramUnavailable, match="gone"):
        await closing(script)(REQUEST, patience())
    assert script.attempts == 0


async def test_a_time_out_of_the_callers_own_is_not_the_end() -> None:
    """Nor is a cancellation."""

    async def never(request: Any, patience: Any) -> None:
        await asyncio.Event().wait()

    call = Closing()(never)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await call(REQUEST, patience())
    task = asyncio.ensure_future(call(REQUEST, patience()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
