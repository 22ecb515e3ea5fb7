"""Waits and outages in the middle of a file: it stalls and goes on, by time and not by attempts."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Self

import pytest
from telethon.tl.functions.upload import GetFileRequest

from tests.telegram.datacentres.calls import GET_FILE, HOME, KIB, MIB
from tests.telegram.transfer.conftest import PHONE
from tgbridge.errors import FloodWait, TelegramUnavailable

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn
    from tests.telegram.transfer.conftest import MakeReader, MakeWriter, Reader, Writer
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.transfer.download.download import Download

pytestmark = pytest.mark.swift_time

SMALL, BIG = "upload.saveFilePart", "upload.saveBigFilePart"
NOISE = random.Random(11).randbytes(12 * MIB)
WAITS = {6: False, 9: True, 30: False, 70: True, 110: False}
"""Seconds, and whether for want of Premium."""


class Rest:
    """What is left of a download that somebody else has opened."""

    def __init__(self, download: Download) -> None:
        self._download = download

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> Download:
        return self._download


def now() -> float:
    return asyncio.get_running_loop().time()


# Downloads


@pytest.mark.parametrize("seconds", WAITS)
async def test_a_wait_in_the_middle_stalls_every_stream_and_breaks_none(reader: Reader, seconds: int) -> None:
    """As long as Telegram says; whichever stream was told, and however many others there are."""
    files = [await reader.file(6 * MIB + number) for number in range(3)]
    flood = reader.sandbox.faults.flood_wait(GET_FILE, seconds, premium=WAITS[seconds], skip=10)
    begun = now()
    bodies = await asyncio.gather(*(reader.read(file) for file in files))
    assert bodies == [reader.expected(file) for file in files]
    assert flood.applied == 1
    assert seconds <= now() - begun < seconds + 15


async def test_any_number_of_short_waits_in_a_row(reader: Reader) -> None:
    """Twelve of one second were a 429."""
    file = await reader.file(8 * MIB)
    reader.sandbox.faults.flood_wait(GET_FILE, 1, skip=4, times=12)
    assert await reader.read(file) == reader.expected(file)


async def test_a_wait_beyond_all_patience_ends_the_stream(reader: Reader) -> None:
    """At once: what has come is right, and nothing is held."""
    file, body, begun = await reader.file(6 * MIB), bytearray(), now()
    reader.sandbox.faults.flood_wait(GET_FILE, 121, skip=4)
    with pytest.raises(FloodWait):
        await reader.read_into(body, reader.open(file))
    assert body == reader.expected(file, 0, len(body))
    assert now() - begun < 15
    assert reader.idle()


async def test_first_bytes_are_told_of_a_wait_that_a_stream_sits_out(reader: Reader) -> None:
    """Also if they would be the same as the stream's: there is no status yet, and a person waits."""
    file, other = await reader.file(12 * MIB), await reader.file(MIB)
    reader.sandbox.faults.flood_wait(GET_FILE, 60, skip=5)
    async with reader.open(file) as download:
        body = bytearray(bytes(await anext(download)))
        reading = asyncio.create_task(reader.read_into(body, Rest(download)))
        await reader.until(lambda: reader.client.files.gates.to(HOME, GetFileRequest).pace.waits_until)
        for start in (2 * MIB, 3 * MIB, 11 * MIB):
            begun = now()
            with pytest.raises(FloodWait) as told:
                await reader.read(file, start + 3)
            assert 50 < told.value.seconds <= 60
            assert now() - begun < 1
        with pytest.raises(FloodWait):
            await reader.read(other)
        await reading
    assert body == reader.expected(file)


async def test_who_joins_a_stream_before_its_first_bytes_may_be_more_patient(reader: Reader) -> None:
    """A part that was asked for in a hurry, and failed, is asked for again by who has the time."""
    file, body = await reader.file(3 * MIB), bytearray()
    async with reader.open(file) as download:
        body += bytes(await anext(download))
        reader.sandbox.faults.flood_wait(GET_FILE, 20)  # for parts that were asked for on entering, too
        await reader.read_into(body, Rest(download))
    assert body == reader.expected(file)


async def test_over_a_bucket_of_tokens_a_file_arrives_with_few_waits(reader: Reader) -> None:
    """8 parts a second, 16 at once, and waits of 7 s that rise: it was cut after 14 MiB."""
    limit = reader.sandbox.faults.limit(GET_FILE, per_second=8, burst=16, wait=7)
    file, begun = await reader.file(100 * MIB), now()
    received = 0
    async with reader.open(file) as download:
        async for chunk in download:
            received += len(chunk)
    assert received == file.size
    assert limit.waits <= 4
    assert now() - begun < 3 * 100 / 8


async def test_after_many_seeks_the_next_first_byte_is_there_soon(reader: Reader) -> None:
    """Calls that were cancelled leave no turns behind: it took 20 s, and 79 at the slowest pace."""
    files = [await reader.file(12 * MIB) for _ in range(2)]
    reader.sandbox.faults.limit(GET_FILE, per_second=3, burst=12, wait=1)
    await reader.read(files[0])
    for seek in range(12):
        async with reader.open(files[1], seek * MIB // 2) as download:
            await anext(download)
    begun = now()
    async with reader.open(files[1], 11 * MIB) as download:
        await anext(download)
    assert now() - begun < 5


async def test_tdlibs_pacing_never_has_more_in_flight_than_tdlib(make_reader: MakeReader) -> None:
    """2 MiB on 2 connections, however many streams there are, from the beginning on."""
    reader = await make_reader(files={"pacing": "tdlib"})
    files = [await reader.file(6 * MIB) for _ in range(4)]
    gate = reader.client.files.gates.to(HOME, GetFileRequest)
    # From the first call on: one that is given up, since its answer came from elsewhere, would still be held.
    held = reader.sandbox.faults.hold(GET_FILE)
    reading = asyncio.gather(*(reader.read(file) for file in files))
    await held.reached(2)
    await asyncio.sleep(10)
    assert held.held == gate.calls
    assert MIB < gate.in_flight <= 2 * MIB
    assert reader.client.files.stats.connections[HOME] <= 2
    held.release()
    assert await reading == [reader.expected(file) for file in files]


@pytest.mark.parametrize("seconds", [0.5, 20, 100])
async def test_an_outage_stalls_a_stream(reader: Reader, seconds: float) -> None:
    """It ended after 0.23 s: connections are reset, and new ones refused until it is over."""
    file = await reader.file(12 * MIB)
    async with reader.open(file) as download:
        body = bytearray(bytes(await anext(download)))
        reader.sandbox.faults.refuse_connections(HOME)
        reader.sandbox.faults.drop_connections(HOME)
        over = asyncio.get_running_loop().call_later(
            seconds, lambda: reader.sandbox.faults.refuse_connections(HOME, refusing=False)
        )
        await reader.read_into(body, Rest(download))
    over.cancel()
    assert body == reader.expected(file)


async def test_an_outage_without_an_end_ends_a_stream_after_two_minutes(reader: Reader) -> None:
    """And not after a number of attempts."""
    file, body = await reader.file(12 * MIB), bytearray()
    async with reader.open(file) as download:
        body += bytes(await anext(download))
        reader.sandbox.faults.refuse_connections(HOME)
        reader.sandbox.faults.drop_connections(HOME)
        begun = now()
        with pytest.raises(TelegramUnavailable):
            await reader.read_into(body, Rest(download))
    assert 110 < now() - begun < 135
    assert body == reader.expected(file, 0, len(body))
    reader.sandbox.faults.clear()


@pytest.mark.parametrize("trouble", ["wait", "outage"])
async def test_closing_the_client_ends_a_stalled_stream(reader: Reader, trouble: str) -> None:
    """Whoever logs out does not wait for it, nor does it."""
    file, body = await reader.file(12 * MIB), bytearray()
    async with reader.open(file) as download:
        body += bytes(await anext(download))
        if trouble == "wait":
            reader.sandbox.faults.flood_wait(GET_FILE, 100)
        else:
            reader.sandbox.faults.refuse_connections(HOME)
            reader.sandbox.faults.drop_connections(HOME)
        reading = asyncio.create_task(reader.read_into(body, Rest(download)))
        for _ in range(200):
            await asyncio.sleep(0)
        begun = now()
        await reader.client.files.aclose()
        with pytest.raises(TelegramUnavailable, match="closed"):
            await reading
    assert now() - begun < 5
    reader.sandbox.faults.clear()


async def test_two_clients_of_an_account_share_what_it_has_learnt(
    sandbox: Sandbox, make_pool: MakePool, sign_in: SignIn
) -> None:
    """Two browsers of one person have one limit at Telegram, after both were away too; others have theirs."""
    pool = make_pool()
    account = sandbox.state.account_of(PHONE).id
    sessions = [await sign_in(pool, PHONE) for _ in range(2)]
    assert sessions[0] != sessions[1]
    gates, waits = [], []
    for session in (*sessions, sessions[0]):
        async with pool.borrow(session, account=account) as client:
            gates.append(client.files.gates.to(HOME, GetFileRequest))
            waits.append(client.login_waits)
        await pool.drop(session)
    assert gates[0] is gates[1] is gates[2]
    assert waits[0] is waits[1] is waits[2]
    async with pool.borrow(sessions[0], account="somebody else") as client:
        assert client.files.gates.to(HOME, GetFileRequest) is not gates[0]


# Uploads


@pytest.mark.parametrize("seconds", WAITS)
@pytest.mark.parametrize(("method", "size"), [(SMALL, 4 * MIB), (BIG, 12 * MIB)], ids=["small", "big"])
async def test_a_wait_loses_no_upload(writer: Writer, seconds: int, method: str, size: int) -> None:
    """At the first part and in the middle; the one who watches is told how long."""
    faults, data = writer.sandbox.faults, NOISE[:size]
    faults.flood_wait(method, seconds, premium=WAITS[seconds])
    faults.flood_wait(method, seconds, premium=WAITS[seconds], skip=5)
    watcher = Watcher()
    stored = await writer.store(data, size=size, observer=watcher)
    assert writer.content(stored) == data
    assert max(watcher.waits) == pytest.approx(seconds, abs=0.5)


async def test_waits_that_rise_are_told_as_they_rise(writer: Writer) -> None:
    """Each longer one anew, and nothing is lost by any of them."""
    for skip, seconds in enumerate((7, 14, 28, 56)):
        writer.sandbox.faults.flood_wait(BIG, seconds, premium=True, skip=skip)
    watcher = Watcher()
    stored = await writer.store(NOISE, size=len(NOISE), observer=watcher)
    assert writer.content(stored) == NOISE
    assert {7, 14, 28, 56} <= {round(wait) for wait in watcher.waits}


@pytest.mark.parametrize("seconds", [0.5, 20, 100])
async def test_an_outage_loses_no_upload(writer: Writer, seconds: float) -> None:
    """It sat 5 s out."""
    faults = writer.sandbox.faults
    async with writer.open(size=len(NOISE)) as upload:
        await upload.write(NOISE[: 4 * MIB])
        await upload.pause()
        faults.refuse_connections(HOME)
        faults.drop_connections(HOME)
        asyncio.get_running_loop().call_later(
            seconds, lambda: faults.refuse_connections(HOME, refusing=False)
        )
        await upload.write(NOISE[4 * MIB :])
        stored = await upload.finish()
    assert writer.content(stored) == NOISE


async def test_an_upload_that_gets_on_waits_for_as_long_as_it_takes(make_writer: MakeWriter) -> None:
    """At a part every two seconds the last one's turn comes after minutes, though none waits for two."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB})
    writer.sandbox.faults.limit(SMALL, per_second=0.5, burst=1, wait=2, rising=1)
    data = NOISE[: 6 * MIB]
    stored = await writer.store(data, size=len(data))
    assert writer.content(stored) == data


class Watcher:
    """An observer that keeps the waits."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def progressed(self, received: int, stored: int) -> None: ...

    def waiting(self, seconds: float) -> None:
        self.waits.append(seconds)
