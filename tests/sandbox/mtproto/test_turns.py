"""Work done one piece a round of the event loop."""

from __future__ import annotations

import asyncio
from functools import partial

from tgbridge.sandbox.mtproto.turns import Turns


async def test_what_is_due_comes_between_two_turns() -> None:
    """Three pieces take three rounds, in their order; a callback of the loop waits for one at most."""
    turns = Turns()
    done: list[str] = []
    for name in "abc":
        turns.take(partial(done.append, name))
    assert done == []
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(done.append, "due")
    while len(done) < 4:
        await asyncio.sleep(0)
    assert done == ["a", "b", "due", "c"]


async def test_asking_anew_goes_to_the_end() -> None:
    """Who has more to do lets the others go first."""
    turns = Turns()
    done: list[str] = []

    def first() -> None:
        done.append("first")
        turns.take(lambda: done.append("first again"))

    turns.take(first)
    turns.take(lambda: done.append("second"))
    while len(done) < 3:
        await asyncio.sleep(0)
    assert done == ["first", "second", "first again"]
