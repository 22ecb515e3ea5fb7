"""What is more than one call is done again as a whole."""

from __future__ import annotations

import asyncio

import pytest

from tests.telegram.rpc.calls import patience
from tgbridge.errors import FloodWait, InternalError, MediaNotFound, TelegramUnavailable
from tgbridge.telegram.rpc.closing import Closing
from tgbridge.telegram.rpc.persist import persist

pytestmark = pytest.mark.swift_time


async def test_it_outlasts_whatever_passes() -> None:
    """Waits, outages and troubles of Telegram's own, in any order."""
    troubles = [FloodWait(7), TelegramUnavailable("lost"), InternalError("RPC_CALL_FAIL"), FloodWait(30)]

    async def work() -> str:
        if troubles:
            raise troubles.pop()
        return "done"

    begun = asyncio.get_running_loop().time()
    assert await persist(work, patience(120, flood_wait=120)) == "done"
    assert 37 <= asyncio.get_running_loop().time() - begun < 38


@pytest.mark.parametrize("error", [MediaNotFound(), FloodWait(121)])
async def test_what_does_not_pass_is_raised_at_once(error: Exception) -> None:
    """And what would take too long."""
    calls = []

    async def work() -> None:
        calls.append(error)
        raise error

    with pytest.raises(type(error)):
        await persist(work, patience(120, flood_wait=120))
    assert len(calls) == 1


async def test_further_pieces_stand_around_it() -> None:
    """Such as the end of all connections."""
    closing = Closing()

    async def work() -> None:
        closing.close()
        raise FloodWait(100)

    with pytest.raises(TelegramUnavailable, match="closed"):
        await persist(work, patience(120, flood_wait=120), closing)
