"""A login goes on where its number belongs."""

from __future__ import annotations

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import TelegramRefused
from tgbridge.telegram.rpc.migration import follow_migrations


@pytest.mark.parametrize("name", ["PHONE_MIGRATE", "NETWORK_MIGRATE", "USER_MIGRATE"])
async def test_it_moves_and_asks_again(name: str) -> None:
    """At the data centre that the answer names."""
    moved: list[int] = []

    async def follow(dc_id: int) -> bool:
        moved.append(dc_id)
        return True

    script = Script(TelegramRefused(name, 4), True)
    assert await follow_migrations(script, follow)(REQUEST, patience()) is True
    assert moved == [4]


@pytest.mark.parametrize("refused", [TelegramRefused("PHONE_MIGRATE", 4), TelegramRefused("FILE_MIGRATE", 4)])
async def test_nobody_moves_who_is_signed_in_or_asked_for_a_file(refused: TelegramRefused) -> None:
    """The refusal is the caller's to know."""

    async def follow(dc_id: int) -> bool:
        return False

    script = Script(refused)
    with pytest.raises(TelegramRefused):
        await follow_migrations(script, follow)(REQUEST, patience())
    assert script.attempts == 1


async def test_data_centres_that_point_at_each_other_end_with_patience() -> None:
    """And not with a number of moves."""

    async def follow(dc_id: int) -> bool:
        return True

    script = Script(TelegramRefused("PHONE_MIGRATE", 4))
    with pytest.raises(TelegramRefused):
        await follow_migrations(script, follow)(REQUEST, patience(0.01))
