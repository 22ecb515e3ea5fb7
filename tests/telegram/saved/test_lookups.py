"""Ids that are asked for together, once, and for each who waits."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import FloodWait
from tgbridge.telegram.saved.lookups import GATHER_SECONDS, MOST_IDS, Lookups

if TYPE_CHECKING:
    from tgbridge.telegram.saved.lookups import Take

pytestmark = pytest.mark.swift_time


class Desk:
    """Answers when the test lets it: with the odd ones of the ids."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[int, ...]]] = []
        self.open = asyncio.Event()
        self.way = asyncio.Event()
        self.way.set()
        self.error: Exception | None = None
        self.given_up = 0
        self.lookups: Lookups[str, str] = Lookups(self._ask)

    async def _ask(self, client: str, take: Take) -> dict[int, str]:
        await self.way.wait()
        ids = take()
        self.asked.append((client, tuple(ids)))
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.error is not None:
            raise self.error
        return {number: f"{client}{number}" for number in ids if number % 2}


async def turns() -> None:
    """Let the loop run on for a while."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_one_turn_is_one_request() -> None:
    """Whoever asks in the same turn of the loop, for whatever ids; each is answered for its own."""
    desk = Desk()
    desk.open.set()
    found = await asyncio.gather(*(desk.lookups.fetch("a", (number, number + 1)) for number in (1, 2, 3, 1)))
    assert desk.asked == [("a", (1, 2, 3, 4))]
    assert found == [{1: "a1"}, {3: "a3"}, {3: "a3"}, {1: "a1"}]
    assert len(desk.lookups) == 0


async def test_no_request_is_larger_than_telegram_takes() -> None:
    """What is beyond goes beside it, and not after it."""
    desk = Desk()
    asking = asyncio.create_task(desk.lookups.fetch("a", range(250)))
    await turns()
    assert [len(ids) for _, ids in desk.asked] == [MOST_IDS, MOST_IDS, 50]
    desk.open.set()
    assert len(await asking) == 125


async def test_what_comes_while_the_request_is_on_its_way_out_goes_with_it() -> None:
    """The connection may have to be made first: that takes many turns."""
    desk = Desk()
    desk.way.clear()
    desk.open.set()
    asking = []
    for number in range(1, 2 * MOST_IDS, 2):
        asking.append(asyncio.create_task(desk.lookups.fetch("a", (number,))))
        await turns()
    desk.way.set()
    found = await asyncio.gather(*asking)
    assert [len(ids) for _, ids in desk.asked] == [MOST_IDS]
    assert all(found)


async def test_what_comes_while_an_answer_is_on_its_way_gathers() -> None:
    """A page's pictures are asked for one by one: the first at once, the others when it is answered."""
    desk = Desk()
    asking = []
    for number in range(1, 100, 2):
        asking.append(asyncio.create_task(desk.lookups.fetch("a", (number,))))
        await turns()
    assert desk.asked == [("a", (1,))]
    desk.open.set()
    found = await asyncio.gather(*asking)
    assert desk.asked[1:] == [("a", tuple(range(3, 100, 2)))]
    assert all(found)


async def test_a_full_request_waits_for_no_answer() -> None:
    """There is nothing to be gained."""
    desk = Desk()
    tasks = [asyncio.create_task(desk.lookups.fetch("a", (0,)))]
    await turns()
    tasks += [asyncio.create_task(desk.lookups.fetch("a", (number,))) for number in range(1, MOST_IDS + 1)]
    await turns()
    assert [len(ids) for _, ids in desk.asked] == [1, MOST_IDS]
    desk.open.set()
    await asyncio.gather(*tasks)


async def test_a_slow_answer_delays_others_a_moment() -> None:
    """It may never come."""
    desk = Desk()
    slow = asyncio.create_task(desk.lookups.fetch("a", (1,)))
    await turns()
    other = asyncio.create_task(desk.lookups.fetch("a", (3,)))
    began = asyncio.get_running_loop().time()
    while len(desk.asked) == 1:
        await asyncio.sleep(GATHER_SECONDS / 10)
    assert asyncio.get_running_loop().time() - began <= 2 * GATHER_SECONDS
    desk.open.set()
    assert (await slow, await other) == ({1: "a1"}, {3: "a3"})


async def test_what_is_being_asked_is_not_asked_again() -> None:
    """A later turn waits for the request of an earlier one, and asks for the rest."""
    desk = Desk()
    first = asyncio.create_task(desk.lookups.fetch("a", (1, 3)))
    await turns()
    second = asyncio.create_task(desk.lookups.fetch("a", (3, 5)))
    await turns()
    desk.open.set()
    await asyncio.wait((first, second))
    assert desk.asked == [("a", (1, 3)), ("a", (5,))]
    assert (await first, await second) == ({1: "a1", 3: "a3"}, {3: "a3", 5: "a5"})
    await desk.lookups.fetch("a", (1,))
    assert len(desk.asked) == 3


async def test_each_client_asks_for_itself() -> None:
    """The session of one may end while another's lives."""
    desk = Desk()
    desk.open.set()
    one, other = await asyncio.gather(desk.lookups.fetch("a", (1,)), desk.lookups.fetch("b", (1,)))
    assert (one, other) == ({1: "a1"}, {1: "b1"})
    assert desk.asked == [("a", (1,)), ("b", (1,))]


async def test_one_who_gives_up_does_not_harm_others() -> None:
    """The request goes on for those who wait, is given up with the last, and is then made anew."""
    desk = Desk()
    impatient, patient = (asyncio.create_task(desk.lookups.fetch("a", (1,))) for _ in range(2))
    await turns()
    impatient.cancel()
    await asyncio.wait((impatient,))
    assert (impatient.cancelled(), desk.given_up) == (True, 0)
    patient.cancel()
    await asyncio.wait((patient,))
    await turns()
    assert (desk.given_up, len(desk.lookups)) == (1, 0)
    desk.open.set()
    assert await desk.lookups.fetch("a", (1,)) == {1: "a1"}


async def test_an_error_is_told_to_each() -> None:
    """By a traceback of its own; whoever comes later asks again."""
    desk = Desk()
    desk.error = FloodWait(7)
    waiting = [asyncio.create_task(desk.lookups.fetch("a", (number,))) for number in (1, 2)]
    desk.open.set()
    await asyncio.wait(waiting)
    assert [task.exception() for task in waiting] == [desk.error] * 2
    desk.error = None
    assert await desk.lookups.fetch("a", (1,)) == {1: "a1"}


async def test_nothing_asked_is_nothing_found() -> None:
    """No id, no request."""
    desk = Desk()
    assert await desk.lookups.fetch("a", ()) == {}
    assert desk.asked == []


async def test_an_error_of_one_request_of_several() -> None:
    """Who waits for ids of several requests is told of it, and nothing is left behind."""
    desk = Desk()
    desk.error = FloodWait(7)
    desk.open.set()
    with pytest.raises(FloodWait):
        await desk.lookups.fetch("a", range(250))
    assert len(desk.lookups) == 0


async def test_an_error_that_nobody_waits_for_any_more(caplog: pytest.LogCaptureFixture) -> None:
    """One that comes as the last one gives up is told to nobody, and is no reason to complain."""
    desk = Desk()
    desk.error = FloodWait(7)
    asking = asyncio.create_task(desk.lookups.fetch("a", (1,)))
    await turns()
    desk.open.set()
    await asyncio.sleep(0)  # the error is there, and not told yet
    asking.cancel()
    await asyncio.wait((asking,))
    del asking
    await turns()
    gc.collect()
    assert caplog.records == []
