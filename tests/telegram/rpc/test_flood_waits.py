"""Flood waits are sat out as far as the caller's patience goes."""

from __future__ import annotations

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import FloodWait
from tgbridge.telegram.rpc.flood_waits import sit_out_flood_waits

pytestmark = pytest.mark.swift_time


@pytest.mark.parametrize("name", ["FLOOD_WAIT", "FLOOD_PREMIUM_WAIT"])
async def test_a_wait_within_patience_is_sat_out_and_told(name: str) -> None:
    """As long as Telegram says, and no shorter."""
    waits: list[float] = []
    script = Script(FloodWait(5, name), True)
    assert await sit_out_flood_waits(script)(REQUEST, patience(on_wait=waits.append)) is True
    assert 5 <= script.seconds < 5.1
    assert waits == [5]


async def test_a_longer_wait_is_raised_at_once() -> None:
    """For 429, with the seconds that Telegram named."""
    script = Script(FloodWait(6))
    with pytest.raises(FloodWait) as told:
        await sit_out_flood_waits(script)(REQUEST, patience())
    assert (told.value.seconds, script.attempts) == (6, 1)


async def test_any_number_of_waits_in_a_row() -> None:
    """Twelve of a second are twelve seconds, and nothing else."""
    script = Script(*[FloodWait(1)] * 12, True)
    assert await sit_out_flood_waits(script)(REQUEST, patience()) is True
    assert script.attempts == 13


async def test_no_wait_ends_after_patience_does() -> None:
    """The one that would is raised before it begins."""
    script = Script(FloodWait(4))
    with pytest.raises(FloodWait):
        await sit_out_flood_waits(script)(REQUEST, patience(10))
    assert 8 <= script.seconds < 8.1
