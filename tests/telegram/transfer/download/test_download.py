"""Downloads from the sandbox, whole and in part, with nothing going wrong."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tgbridge.telegram.transfer.download.cache import Fetch
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import MakeReader, Reader
    from tgbridge.telegram.client import BridgeClient

NEIGHBOURS = [
    border + shift
    for border in (0, 4096, 128 * KIB, 512 * KIB, MIB, 2 * MIB)
    for shift in (-1, 0, 1)
    if border + shift > 0
]


@pytest.mark.parametrize("dc_id", [1, 3], ids=["home", "foreign"])
async def test_any_cut_of_any_file_puts_it_together_again(reader: Reader, dc_id: int) -> None:
    """Ranges that follow one another give the file's bytes, whatever its size and wherever the cuts are."""
    chance = random.Random(dc_id)
    for size in NEIGHBOURS:
        file = await reader.file(size, dc_id=dc_id)
        cuts = sorted({0, size, *(chance.randrange(size + 1) for _ in range(2))})
        pieces = [await reader.read(file, *span) for span in itertools.pairwise(cuts)]
        assert b"".join(pieces) == reader.expected(file)


async def test_parts_grow_and_come_in_order(reader: Reader) -> None:
    """The first part is small, the others grow to 1 MiB, each is asked for once."""
    file = await reader.file(4 * MIB + 5)
    async with reader.open(file) as download:
        chunks = [chunk async for chunk in download]
    assert [len(chunk) // KIB for chunk in chunks] == [128, 128, 256, 512, 1024, 1024, 1024, 0]
    assert b"".join(map(bytes, chunks)) == reader.expected(file)
    assert reader.calls() == 8


async def test_an_empty_span_asks_for_nothing(reader: Reader) -> None:
    """No bytes, no request."""
    file = await reader.file(10)
    assert await reader.read(file, 5, 5) == b""
    assert reader.calls() == 0


@pytest.mark.parametrize("span", [(-1, 5), (5, 4), (0, 11)])
async def test_a_span_beyond_the_file_is_a_mistake(reader: Reader, span: tuple[int, int]) -> None:
    """What is asked for has to be there."""
    file = await reader.file(10)
    with pytest.raises(ValueError, match="span"):
        reader.open(file, *span)


async def test_two_who_read_the_same_fetch_it_once(reader: Reader) -> None:
    """Requests of one account for the same bytes at the same time share every part."""
    file = await reader.file(3 * MIB)
    bodies = await asyncio.gather(*(reader.read(file) for _ in range(5)))
    assert set(bodies) == {reader.expected(file)}
    assert reader.calls() == 6


async def test_overlapping_ranges_fetch_no_byte_twice(reader: Reader) -> None:
    """A second range that begins in the middle of the first uses the parts that are on their way."""
    file = await reader.file(2 * MIB)
    held = reader.sandbox.faults.hold("upload.getFile")
    first = asyncio.create_task(reader.read(file))
    await held.reached(4)
    second = asyncio.create_task(reader.read(file, 300_001, 900_000))
    await reader.until(lambda: reader.downloader.budget.streams == 2)
    held.release()
    assert await second == reader.expected(file, 300_001, 900_000)
    assert await first == reader.expected(file)
    assert reader.calls() == 5


async def test_what_was_read_a_moment_ago_costs_no_request(reader: Reader) -> None:
    """A player that asks for the same range again gets it from memory."""
    file = await reader.file(20 * MIB)
    span = (9 * MIB, 9 * MIB + 300_000)
    first = await reader.read(file, *span)
    calls = reader.calls()
    assert await reader.read(file, *span) == first == reader.expected(file, *span)
    assert reader.calls() == calls
    assert reader.downloader.cached_bytes > 0


class Borrowed:
    """A client that ends when the test says so."""

    def __init__(self, client: BridgeClient) -> None:
        self.files = client.files


async def test_the_cache_is_bounded_and_goes_with_the_client(reader: Reader) -> None:
    """However much is read, no more than 8 MiB are kept, and nothing once the client is gone."""
    client = Borrowed(reader.client)
    for _ in range(3):
        file = await reader.file(5 * MIB)
        refetch = partial(reader.look_up, file.message_id)
        download = reader.downloader.open(client, file, 0, file.size, refetch=refetch)
        await reader.read_into(bytearray(), download)
    assert MIB < reader.downloader.cached_bytes <= 8 * MIB
    del client, download
    gc.collect()
    assert reader.downloader.cached_bytes == 0


async def test_a_slow_reader_holds_its_window_and_no_more(reader: Reader) -> None:
    """Nothing is asked for while the reader does not read, however much has landed."""
    file = await reader.file(64 * MIB)
    async with reader.open(file) as download:
        for count in range(20):
            await anext(download)
            held = reader.downloader.budget.held
            assert held <= 24 * MIB
            if count % 5 == 0:
                await reader.until(lambda: all(slot.fetch.landed for slot in download._slots))
                assert reader.downloader.budget.held == held
                assert reader.calls() == count + len(download._slots)


async def test_the_window_is_in_flight_at_once(reader: Reader) -> None:
    """No request waits for the answer to another one."""
    file = await reader.file(12 * MIB)
    held = reader.sandbox.faults.hold("upload.getFile", skip=8)
    reading = asyncio.create_task(reader.read(file))
    await held.reached(4)
    held.release()
    assert await reading == reader.expected(file)


@pytest.mark.parametrize("where", ["entering", "reading"])
async def test_leaving_gives_everything_back_at_once(reader: Reader, where: str) -> None:
    """A client that goes away, before or after the first byte, leaves no part, no bytes and no task."""
    file = await reader.file(30 * MIB)
    tasks = asyncio.all_tasks()
    held = reader.sandbox.faults.hold("upload.getFile", skip=1 if where == "reading" else 0)

    async def read() -> None:
        async with reader.open(file) as download:
            async for _ in download:
                pass

    reading = asyncio.create_task(read())
    await held.reached(3)
    reading.cancel()
    await asyncio.wait((reading,))
    assert reading.cancelled()
    assert reader.idle()
    left = {getattr(task.get_coro(), "cr_code", None) for task in asyncio.all_tasks() - tasks}
    assert Fetch._run.__code__ not in left
    # The answers are still held, and yet the same bytes can be asked for anew.
    again = asyncio.create_task(reader.read(file, MIB, MIB + 1000))
    await reader.until(lambda: reader.downloader.budget.held)
    held.release()
    assert await again == reader.expected(file, MIB, MIB + 1000)


async def test_one_of_two_readers_may_leave(reader: Reader) -> None:
    """The parts that the other one waits for are not given up."""
    file = await reader.file(3 * MIB)
    held = reader.sandbox.faults.hold("upload.getFile")
    leaving, staying = (asyncio.create_task(reader.read(file)) for _ in range(2))
    await held.reached(3)
    leaving.cancel()
    await asyncio.wait((leaving,))
    held.release()
    assert await staying == reader.expected(file)
    assert reader.calls() == 6


async def test_paused_readers_do_not_keep_a_new_one_out(make_reader: MakeReader) -> None:
    """Readers that hold the whole budget and stop reading yield what they have not read, for later."""
    reader = await make_reader(
        files={
            "window_bytes_per_stream": 4 * MIB,
            "window_bytes_per_account": 8 * MIB,
            "window_bytes_per_process": 8 * MIB,
        }
    )
    files = [await reader.file(10 * MIB) for _ in range(3)]
    downloads = [reader.open(file) for file in files[:2]]
    bodies = [bytearray() for _ in downloads]
    for download, body in zip(downloads, bodies, strict=True):
        await download.__aenter__()
        while len(body) < 6 * MIB:
            body.extend(bytes(await anext(download)))
    await reader.until(lambda: all(slot.fetch.landed for download in downloads for slot in download._slots))
    assert reader.downloader.budget.left <= 2 * MIB
    assert await reader.read(files[2]) == reader.expected(files[2])
    for download, body, file in zip(downloads, bodies, files, strict=False):
        async for chunk in download:
            body.extend(bytes(chunk))
        assert body == reader.expected(file)
        await download.__aexit__(None, None, None)


async def test_readers_that_do_not_read_keep_nobody_out(make_reader: MakeReader) -> None:
    """However many have stopped, with all that the process may hold: another one reads on."""
    window = {
        "window_bytes_per_stream": MIB,
        "window_bytes_per_account": MIB,
        "window_bytes_per_process": MIB,
    }
    reader = await make_reader(files=window)
    file, other = await reader.file(3 * MIB), await reader.file(2 * MIB)
    async with AsyncExitStack() as stack:
        for _ in range(28):
            stopped = await stack.enter_async_context(reader.open(file))
            await anext(stopped)
        assert reader.downloader.budget.left <= 0
        assert await reader.read(other) == reader.expected(other)


async def test_parts_are_as_large_as_fair_shares(make_reader: MakeReader) -> None:
    """Where many share the memory: smaller ones cost as much each, beside their bytes."""
    window = {
        "window_bytes_per_stream": MIB,
        "window_bytes_per_account": MIB,
        "window_bytes_per_process": MIB,
    }
    reader = await make_reader(files=window)
    file, other = await reader.file(4 * MIB), await reader.file(128 * KIB)
    async with reader.open(other):
        assert await reader.read(file) == reader.expected(file)
    assert reader.sandbox.counters.calls[1, "upload.getFile"] == 1 + len([128, 128, 256, *[512] * 7])


async def test_ten_streams_at_once(reader: Reader) -> None:
    """Ten files at the same time, from two data centres, are each their own."""
    files = [await reader.file(2 * MIB + number, dc_id=1 + 2 * (number % 2)) for number in range(10)]
    bodies = await asyncio.gather(*(reader.read(file) for file in files))
    assert bodies == [reader.expected(file) for file in files]


async def test_connections_go_with_the_client(reader: Reader) -> None:
    """Those to its home as well as those to elsewhere, with nothing left on the way."""
    for dc_id in (1, 3):
        file = await reader.file(3 * MIB, dc_id=dc_id)
        assert await reader.read(file) == reader.expected(file)
        assert reader.sandbox.connections[dc_id] > 1
    await reader.client.disconnect()
    await reader.until(lambda: not sum(reader.sandbox.connections.values()))


async def test_a_download_is_read_inside_its_context_only(reader: Reader) -> None:
    """Afterwards there is nothing to wait for."""
    file = await reader.file(3 * MIB)
    async with reader.open(file) as download:
        await anext(download)
    with pytest.raises(RuntimeError, match="not open"):
        await anext(download)
