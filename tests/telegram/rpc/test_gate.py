"""Calls of one kind take turns, and whoever gives up has taken none."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from tests.telegram.rpc.calls import REQUEST, Script, patience
from tgbridge.errors import FloodWait, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import RpcFailed
from tgbridge.telegram.rpc.gate import Gate, take_turns
from tgbridge.telegram.rpc.pace import Pace

pytestmark = pytest.mark.swift_time

MIB = 1 << 20


def now() -> float:
    return asyncio.get_running_loop().time()


async def flooded_gate(seconds: int = 1, calls: int = 15) -> Gate:
    """A gate whose last call was told to wait; from then on there are `calls` in ten seconds, at first."""
    gate = Gate(Pace())
    for _ in range(calls):
        departed_at = await gate.enter(0, patience())
        gate.leave(0)
    gate.flooded(seconds, departed_at)
    return gate


async def take_turn(gate: Gate, order: list[str], name: str, seconds: float = 100.0) -> None:
    await gate.enter(0, patience(seconds, flood_wait=100))
    order.append(name)
    gate.leave(0)


def _the(gate: Gate, _request: Any) -> Gate:
    return gate


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_without_a_wait_everybody_goes_at_once() -> None:
    """And is told of it."""
    gate, turns = Gate(Pace()), []
    begun = now()
    for number in range(100):
        await gate.enter(MIB, patience(on_turn=lambda number=number: turns.append(number)))
    assert (turns, gate.calls, gate.in_flight) == (list(range(100)), 100, 100 * MIB)
    assert now() - begun < 1
    for _ in range(100):
        gate.leave(MIB)
    assert not gate.busy


async def test_a_wait_delays_the_others_and_fails_none_with_patience() -> None:
    """They are told how long, and go when it is over."""
    gate = await flooded_gate(60)
    begun = now()
    waits: list[float] = []
    await gate.enter(0, patience(120, flood_wait=120, on_wait=waits.append))
    assert 60 <= now() - begun < 61
    assert [round(wait) for wait in waits] == [60]


async def test_who_has_no_patience_is_told_at_once() -> None:
    """Whether it comes later, or waits already when another one is told."""
    gate = await flooded_gate(60)
    with pytest.raises(FloodWait) as told:
        await gate.enter(0, patience(flood_wait=5))
    assert told.value.seconds == 60
    gate = await flooded_gate(1)
    departed_at = now()
    waiting = asyncio.create_task(gate.enter(0, patience(flood_wait=5)))
    await settled()
    gate.flooded(30, departed_at)
    with pytest.raises(FloodWait) as told:
        await waiting
    assert told.value.seconds == 30
    assert not gate.busy


async def test_who_gives_up_has_taken_no_turn() -> None:
    """Twelve seeks in a row at a slow pace, and the next one is as quick as without them."""
    gate = await flooded_gate(1)
    for _ in range(12):
        seek = [asyncio.create_task(gate.enter(0, patience())) for _ in range(8)]
        await settled()
        for call in seek:
            call.cancel()
        await asyncio.wait(seek)
    begun = now()
    await gate.enter(0, patience())
    assert now() - begun < 1.1


async def test_the_least_patient_goes_first() -> None:
    """The first bytes of a page overtake the middle of a film; equals go in their order."""
    gate = await flooded_gate(1)
    order: list[str] = []
    film = [asyncio.create_task(take_turn(gate, order, f"film {part}", 120)) for part in range(3)]
    await settled()
    page = asyncio.create_task(take_turn(gate, order, "page", 20))
    await asyncio.gather(page, *film)
    assert order == ["page", "film 0", "film 1", "film 2"]


async def test_no_turn_comes_after_patience_has_ended() -> None:
    """After a wait, that is a flood wait still; else the service is busy."""
    gate = await flooded_gate(1, calls=1)
    tasks = [asyncio.create_task(gate.enter(0, patience(5))) for _ in range(100)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {float, FloodWait}
    gate = Gate(Pace(MIB, MIB))
    await gate.enter(MIB, patience())
    with pytest.raises(TelegramUnavailable):
        await gate.enter(MIB, patience(5))


async def test_only_so_much_is_in_flight() -> None:
    """The next one goes when one has ended; what is larger than all goes alone."""
    gate = Gate(Pace(2 * MIB, 2 * MIB))
    for _ in range(2):
        await gate.enter(MIB, patience())
    third = asyncio.create_task(gate.enter(4 * MIB, patience(100)))
    await settled()
    gate.leave(MIB)
    await settled()
    assert not third.done()
    gate.leave(MIB)
    await third
    gate.leave(4 * MIB)
    assert (gate.in_flight, gate.calls) == (0, 0)


async def test_a_turn_that_comes_with_the_cancellation_is_passed_on() -> None:
    """No room is lost by it."""
    gate = Gate(Pace(MIB, MIB))
    await gate.enter(MIB, patience())
    second, third = (asyncio.create_task(gate.enter(MIB, patience(seconds))) for seconds in (50, 100))
    await settled()
    gate.leave(MIB)
    second.cancel()
    await asyncio.wait({second})
    assert second.cancelled()
    await third
    assert gate.calls == 1


async def test_the_gate_learns_from_what_its_calls_are_told() -> None:
    """And from nothing else that they raise: a login's wait is the login's."""
    gate = Gate(Pace())
    call = take_turns(Script(RpcFailed(420, "FLOOD_WAIT_7")), lambda _: gate, lambda _: MIB)
    with pytest.raises(RpcFailed):
        await call(REQUEST, patience())
    assert 6.9 < gate.pace.waits_until - now() <= 7
    assert not gate.busy
    other: Any
    for other in (FloodWait(7), RpcFailed(400, "LOCATION_INVALID"), OSError()):
        gate = Gate(Pace())
        with pytest.raises(type(other)):
            await take_turns(Script(other), partial(_the, gate), lambda _: MIB)(REQUEST, patience())
        assert (gate.pace.has_learnt, gate.busy) == (False, False)
