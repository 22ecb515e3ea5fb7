"""Parts that are stuck on a slow connection: when they are, and who wins then."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest

from tgbridge.errors import TelegramUnavailable
from tgbridge.telegram.transfer.download import hedging
from tgbridge.telegram.transfer.download.hedging import (
    FIRST_PATIENCE,
    SHORTEST_PATIENCE,
    Trip,
    first_of,
    stuck_at,
)
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.telegram.transfer.conftest import MakeReader, Reader

QUICK = Trip(MIB, asked_at=100.0, landed_at=100.1)


def test_nothing_tells_a_slow_connection_from_a_slow_path() -> None:
    """Without other parts to compare with, and with those that were in memory already, one waits longer."""
    assert stuck_at(MIB, 100.0, ()) == 100.0 + FIRST_PATIENCE
    assert stuck_at(MIB, 100.0, [Trip(MIB, asked_at=100.0, landed_at=99.0)]) == 100.0 + FIRST_PATIENCE


def test_while_others_come_nothing_is_stuck() -> None:
    """The time runs from the latest that came, or from when the part was asked for."""
    later = Trip(MIB, asked_at=101.0, landed_at=101.1)
    assert stuck_at(MIB, 100.0, [QUICK, later]) == pytest.approx(101.1 + SHORTEST_PATIENCE)
    assert stuck_at(MIB, 107.0, [QUICK]) == 107.0 + SHORTEST_PATIENCE


def test_patience_is_what_the_others_took_twice_over() -> None:
    """A part that is larger may take as much longer, a smaller one no less."""
    slow = Trip(128 * KIB, asked_at=100.0, landed_at=102.0)
    assert stuck_at(128 * KIB, 100.0, [slow, QUICK]) == 102.0 + 2 * 2.0
    assert stuck_at(MIB, 100.0, [slow, QUICK]) == 102.0 + 2 * 8 * 2.0
    assert stuck_at(4 * KIB, 100.0, [slow]) == 102.0 + 2 * 2.0
    tiny = Trip(1, asked_at=100.0, landed_at=102.0)
    assert stuck_at(256 * KIB, 100.0, [tiny]) == 102.0 + 2 * 2 * 2.0


async def hang() -> str:
    await asyncio.Event().wait()
    raise AssertionError("never set")


async def after(gate: asyncio.Event, outcome: str) -> str:
    await gate.wait()
    if outcome == "error":
        raise LookupError
    return outcome


async def test_the_second_attempt_counts_if_it_is_first() -> None:
    """The first one goes on, for others who may want it."""
    first = asyncio.create_task(hang())
    gate = asyncio.Event()
    gate.set()
    assert await first_of(first, lambda: after(gate, "second"), until=math.inf) == "second"
    assert not first.done()
    first.cancel()


async def test_the_first_attempt_may_come_after_all() -> None:
    """The second one is given up."""
    gate = asyncio.Event()
    first = asyncio.create_task(after(gate, "first"))
    tasks = asyncio.all_tasks()
    racing = asyncio.create_task(first_of(first, hang, until=math.inf))
    await asyncio.sleep(0)
    gate.set()
    assert await racing == "first"
    assert asyncio.all_tasks() <= tasks


async def test_an_attempt_that_fails_leaves_the_other_its_time() -> None:
    """Whichever it is; and when both fail, the error is the first one's."""
    opened, gate = asyncio.Event(), asyncio.Event()
    opened.set()
    for outcomes, gates in ((("first", "error"), (gate, opened)), (("error", "second"), (opened, gate))):
        gate.clear()
        first = asyncio.create_task(after(gates[0], outcomes[0]))
        racing = asyncio.create_task(first_of(first, lambda: after(gates[1], outcomes[1]), until=math.inf))  # noqa: B023
        for _ in range(5):
            await asyncio.sleep(0)
        assert not racing.done()
        gate.set()
        assert await racing in outcomes
    failing = asyncio.create_task(after(opened, "error"))
    with pytest.raises(LookupError):
        await first_of(failing, lambda: after(opened, "error"), until=math.inf)


@pytest.mark.swift_time
async def test_silence_costs_a_request_its_time_once(make_reader: MakeReader) -> None:
    """Nobody can be told anything before the first bytes: what was asked for later is not waited for then."""
    reader = await make_reader(telegram={"request_timeout_seconds": 20})
    file = await reader.file(MIB)
    await reader.read(file, 0, 1)
    reader.sandbox.faults.silence_data_centre()
    began = asyncio.get_running_loop().time()
    with pytest.raises(TelegramUnavailable):
        await reader.read(file, MIB // 2, MIB)
    assert asyncio.get_running_loop().time() - began < 20 + FIRST_PATIENCE / 2


async def test_giving_up_ends_the_second_attempt_alone() -> None:
    """The first one belongs to somebody else."""
    first = asyncio.create_task(hang())
    tasks = asyncio.all_tasks()
    racing = asyncio.create_task(first_of(first, hang, until=math.inf))
    for _ in range(3):
        await asyncio.sleep(0)
    racing.cancel()
    await asyncio.wait((racing,))
    assert racing.cancelled()
    assert not first.done()
    assert asyncio.all_tasks() <= tasks
    first.cancel()


# In downloads


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hedging, "SHORTEST_PATIENCE", 0.05)
    monkeypatch.setattr(hedging, "FIRST_PATIENCE", 0.1)


@pytest.mark.swift_time
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("skip", [0, 4, 10])
async def test_one_part_that_is_stuck_is_asked_for_once_more(reader: Reader, skip: int) -> None:
    """The first answer never comes, and the reader has all the bytes; nothing else is asked for twice."""
    file = await reader.file(7 * MIB + 5)
    stuck = reader.sandbox.faults.hold("upload.getFile", skip=skip, times=1)
    assert await reader.read(file) == reader.expected(file)
    assert (stuck.held, reader.calls()) == (1, 12)
    stuck.release()


@pytest.mark.swift_time
async def test_a_path_that_is_slow_throughout_is_waited_for(reader: Reader) -> None:
    """No part is asked for twice where all come slowly."""
    file = await reader.file(MIB + 5)
    reader.sandbox.faults.bandwidth(MIB / 2, dc=1)
    assert await reader.read(file) == reader.expected(file)
    assert reader.calls() == 5


@pytest.mark.swift_time
@pytest.mark.usefixtures("impatient")
async def test_what_telegram_makes_wait_is_not_stuck(reader: Reader) -> None:
    """A flood wait is sat out, and nothing is asked for beside it."""
    file, other = await reader.file(3 * MIB), await reader.file(3 * MIB)
    assert await reader.read(file) == reader.expected(file)
    undisturbed = reader.calls()
    reader.sandbox.faults.flood_wait("upload.getFile", 1, skip=4)
    assert await reader.read(other) == reader.expected(other)
    assert reader.calls() == 2 * undisturbed + 1


@pytest.mark.swift_time
@pytest.mark.usefixtures("impatient")
async def test_there_is_no_second_attempt_without_a_second_connection(make_reader: MakeReader) -> None:
    """It would only wait behind the first."""
    reader = await make_reader(files={"connections_per_dc": 1})
    file = await reader.file(64 * KIB)
    stuck = reader.sandbox.faults.hold("upload.getFile")
    reading = asyncio.create_task(reader.read(file))
    await stuck.reached(1)
    await asyncio.sleep(0.2)
    stuck.release()
    assert await reading == reader.expected(file)
    assert reader.calls() == 1


@pytest.mark.swift_time
@pytest.mark.usefixtures("impatient")
async def test_a_slow_connection_is_avoided(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stuck on it keeps its place there, so that the parts behind go to others: it happens once."""
    again: list[object] = []

    async def counted(
        first: asyncio.Task[Any], second: Callable[[], Coroutine[Any, Any, Any]], **options: Any
    ) -> Any:
        again.append(second)
        return await first_of(first, second, **options)

    monkeypatch.setattr(hedging, "first_of", counted)
    file = await reader.file(80 * MIB)
    reader.sandbox.faults.delay(0.02)
    reader.sandbox.faults.throttle("upload.getFile", 100, skip=20)
    assert await reader.read(file) == reader.expected(file)
    assert 0 < len(again) <= 8


NARROW = {
    "part_bytes": MIB,
    "first_part_bytes": MIB,
    "window_bytes_per_stream": MIB,
    "window_bytes_per_account": 2 * MIB,
    "window_bytes_per_process": 2 * MIB,
}


@pytest.mark.swift_time
@pytest.mark.usefixtures("impatient")
async def test_a_stuck_part_does_not_take_the_last_room(make_reader: MakeReader) -> None:
    """Where the bound leaves room for one part alone, its first attempt is given up."""
    reader = await make_reader(files=NARROW)
    file = await reader.file(3 * MIB)
    stuck = reader.sandbox.faults.hold("upload.getFile", times=1)
    assert await reader.read(file) == reader.expected(file)
    stuck.release()


@pytest.mark.swift_time
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("wanted", [MIB, 100 * KIB])
async def test_a_stuck_part_gives_way_to_others(make_reader: MakeReader, wanted: int) -> None:
    """A reader that pauses does not keep room for an attempt that nobody needs, however little is wanted."""
    reader = await make_reader(files=NARROW | {"window_bytes_per_stream": 2 * MIB})
    file, other = await reader.file(3 * MIB), await reader.file(wanted)
    stuck = reader.sandbox.faults.hold("upload.getFile", times=1)
    async with reader.open(file) as paused:
        body = bytearray(bytes(await anext(paused)))
        body += bytes(await anext(paused))
        assert reader.downloader.budget.left == 0
        assert await reader.read(other) == reader.expected(other)
        async for chunk in paused:
            body += bytes(chunk)
    assert body == reader.expected(file)
    stuck.release()
