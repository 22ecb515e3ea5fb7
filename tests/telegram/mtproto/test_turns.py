"""What all streams together do in one turn of the event loop."""

from __future__ import annotations

import asyncio

from tgbridge.telegram.mtproto.turns import BYTES, Turns, turns


async def test_what_is_too_much_for_one_turn_waits_for_the_next_ones() -> None:
    """In the order in which it came; who has room gets on at once."""
    spread, went = Turns(), []

    async def go(number: int) -> None:
        await spread.turn(BYTES // 2)
        went.append(number)

    tasks = [asyncio.create_task(go(number)) for number in range(7)]
    seen = []
    while len(went) < 7:
        await asyncio.sleep(0)
        seen.append(len(went))
    assert went == list(range(7))
    assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) == 2
    await asyncio.gather(*tasks)


async def test_who_has_gone_holds_up_nobody() -> None:
    """A reader may leave while it waits."""
    spread = Turns()
    assert spread.spend(BYTES)
    gone, waiting = (asyncio.create_task(spread.turn(BYTES)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await waiting


async def test_a_loop_has_one() -> None:
    """Whoever works on bytes counts in the same turns."""
    assert turns() is turns()
