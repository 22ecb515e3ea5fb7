"""One value says how long a caller waits."""

from __future__ import annotations

import asyncio

from tgbridge.settings import TelegramSettings
from tgbridge.telegram.rpc.patience import Patience

SETTINGS = TelegramSettings(request_timeout_seconds=20, flood_wait_seconds=5, transfer_wait_seconds=120)


async def test_a_login_is_short_and_sits_no_flood_wait_out() -> None:
    """A person looks at a form: 20 s at most, and a FLOOD_WAIT is told at once."""
    patience = Patience.of_login(SETTINGS, repeatable=False)
    assert 0 <= asyncio.get_running_loop().time() + 20 - patience.give_up_at < 1
    assert (patience.flood_wait, patience.repeatable) == (0, False)


async def test_what_comes_before_a_status_is_short_and_sits_short_waits_out() -> None:
    """A page may wait for 5 s, and no longer."""
    waits: list[float] = []
    patience = Patience.of_first_bytes(SETTINGS, on_wait=waits.append)
    assert 0 <= asyncio.get_running_loop().time() + 20 - patience.give_up_at < 1
    assert (patience.flood_wait, patience.repeatable, patience.on_wait) == (5, True, waits.append)


async def test_a_body_under_way_waits_long_from_its_last_progress() -> None:
    """What counts is when bytes last moved, and not how often anything was tried."""
    now = asyncio.get_running_loop().time()
    assert Patience.of_transfer(SETTINGS, since=now - 30).give_up_at == now + 90
    patience = Patience.of_transfer(SETTINGS)
    assert 0 <= patience.give_up_at - now - 120 < 1
    assert patience.flood_wait == 120
