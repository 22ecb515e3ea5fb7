"""At which pace connections to an address are opened."""

from __future__ import annotations

import asyncio
import struct
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions

from tgbridge.telegram.mtproto import connector
from tgbridge.telegram.mtproto.connector import Connector, Pace
from tgbridge.telegram.mtproto.failures import TransportRefused

if TYPE_CHECKING:
    from tests.telegram.conftest import Until
    from tgbridge.sandbox import Sandbox

pytestmark = pytest.mark.swift_time


def now() -> float:
    return asyncio.get_running_loop().time()


async def opened(pace: Pace, count: int) -> list[float]:
    """When so many connections that are wanted at once may be opened, in seconds from now."""
    began = now()

    async def one() -> float:
        await pace.turn()
        return now() - began

    return sorted(await asyncio.gather(*(one() for _ in range(count))))


async def test_some_at_once_and_more_by_and_by() -> None:
    """As a service that starts, or many clients that are cut at once, want them."""
    times = await opened(Pace(), connector.AT_ONCE + 40)
    assert times[connector.AT_ONCE - 1] < 0.1
    assert times[-1] > 40 / connector.PER_SECOND * 0.9
    gaps = [b - a for a, b in pairwise(times[connector.AT_ONCE :])]
    assert max(gaps) < 5 / connector.PER_SECOND


async def test_each_in_its_turn() -> None:
    """They go in the order in which they came, instead of all looking again at each turn."""
    pace, went, count = Pace(), list[int](), connector.AT_ONCE + 100

    async def one(number: int) -> None:
        await pace.turn()
        went.append(number)

    await asyncio.gather(*map(one, range(count)))
    assert went == list(range(count))


@pytest.mark.parametrize(("code", "failures"), [(-429, 3), (-404, 0)])
async def test_too_many_connections_are_a_failure(code: int, failures: int) -> None:
    """Whoever comes next waits as after one that was refused; other errors of the transport are a word."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(struct.pack("<ii", 4, code))
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1") as server:
        opening = Connector(request_timeout=20)
        address = server.sockets[0].getsockname()
        for _ in range(3):
            connection = await opening.open(*address)
            with pytest.raises(TransportRefused):
                await connection.exchange(functions.ReqPqMultiRequest(1))
            await connection.aclose()
        assert opening._paces[address].failures == failures


async def test_failures_slow_it_down_for_all() -> None:
    """One at a time, further and further apart, up to a limit; with jitter, so that pauses differ."""
    pace, times = Pace(), [now()]
    for _ in range(12):
        await pace.turn()
        times.append(now())
        pace.ended(said_a_word=False)
    gaps = [b - a for a, b in pairwise(times[1:])]
    assert gaps[0] < 0.1
    assert connector.LONGEST_PAUSE / 2 <= max(gaps) < connector.LONGEST_PAUSE * 1.6
    assert len({round(gap, 3) for gap in gaps[-4:]}) == 4


async def test_those_who_wait_go_on_when_the_server_is_back() -> None:
    """The first word that it says ends the pauses."""
    pace = Pace()
    for _ in range(10):
        pace.ended(said_a_word=False)
    began = now()
    waiting = asyncio.create_task(opened(pace, 5))
    await asyncio.sleep(0)
    pace.ended(said_a_word=True)
    await waiting
    assert now() - began < 0.2
    assert pace.failures == 0


async def test_what_counts_as_failed(sandbox: Sandbox, until: Until) -> None:
    """A refusal, and a server that hangs up before it has said a word; not one that we closed ourselves."""
    sandbox_address = sandbox.data_centres[1].address
    opener = Connector(request_timeout=5)
    connection = await opener.open(*sandbox_address)
    await connection.aclose()
    (pace,) = opener._paces.values()
    assert pace.failures == 0
    sandbox.faults.refuse_connections(1)
    connection = await opener.open(*sandbox_address)
    await until(lambda: connection.failure)
    assert pace.failures == 1
    await sandbox.data_centres[1].stop()
    with pytest.raises(OSError, match=r"refused|failed"):
        await opener.open(*sandbox_address)
    assert pace.failures == 2
