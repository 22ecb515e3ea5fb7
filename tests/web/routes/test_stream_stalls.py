"""Readers that do not read: they keep nobody out, and lose nothing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientPayloadError, ClientTimeout

from tgbridge.telegram.reading import PIECE_BYTES
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from tests.web.routes.conftest import AddFile, SignedInTo, Until

MIB = 1024 * 1024
STALLS = {"stall_seconds": 0.02, "abandon_seconds": 3600}
NARROW = {
    "window_bytes_per_stream": 2 * MIB,
    "window_bytes_per_account": 2 * MIB,
    "window_bytes_per_process": 2 * MIB,
}


async def stopped(stack: AsyncExitStack, browser: ClientSession, path: str) -> ClientResponse:
    """A reader that has its first bytes, and takes no more than its own buffers do."""
    response = await stack.enter_async_context(browser.get(path, timeout=ClientTimeout()))
    assert response.status == 200
    return response


async def test_a_paused_reader_gives_way_and_goes_on(
    signed_in_to: SignedInTo, add_file: AddFile, until: Until
) -> None:
    """It holds neither client nor window meanwhile, and then gets every byte."""
    file = add_file(24 * MIB)
    service, browser = await signed_in_to(files=STALLS)
    pool, budget = service.app[keys.POOL], service.app[keys.DOWNLOADER].budget
    async with AsyncExitStack() as stack:
        response = await stopped(stack, browser, file.path)
        await until(lambda: pool.stats.lent == 0)
        await until(lambda: 0 < budget.held <= PIECE_BYTES)  # the piece that the socket has not taken
        assert await response.read() == file.content
    await until(lambda: (budget.held, budget.streams) == (0, 0))


async def test_it_goes_on_with_another_client(
    signed_in_to: SignedInTo, add_file: AddFile, until: Until
) -> None:
    """The pool has closed the one that it began with."""
    file = add_file(24 * MIB)
    service, browser = await signed_in_to(files=STALLS, pool={"idle_seconds": 0.01})
    pool = service.app[keys.POOL]
    async with AsyncExitStack() as stack:
        response = await stopped(stack, browser, file.path)
        await until(lambda: pool.stats.clients == 0)
        assert await response.read() == file.content


async def test_many_that_stopped_keep_nobody_out(
    signed_in_to: SignedInTo, add_file: AddFile, until: Until
) -> None:
    """28 on one film, with all the memory that there is: another file comes, whole, and then the film too."""
    film, other = add_file(8 * MIB), add_file(3 * MIB)
    _, browser = await signed_in_to(files=STALLS | NARROW)
    async with AsyncExitStack() as stack:
        responses = [await stopped(stack, browser, film.path) for _ in range(28)]
        async with browser.get(other.path) as response:
            assert await response.read() == other.content
        assert await responses[0].read() == film.content


async def test_one_that_is_away_for_too_long_is_cut_off_if_others_wait(
    signed_in_to: SignedInTo, add_file: AddFile, until: Until
) -> None:
    """Nobody waits: it stays. Somebody does: the connection ends."""
    film = add_file(24 * MIB)
    service, browser = await signed_in_to(files=STALLS | NARROW | {"abandon_seconds": 0.02})
    pool, budget = service.app[keys.POOL], service.app[keys.DOWNLOADER].budget
    async with AsyncExitStack() as stack:
        response = await stopped(stack, browser, film.path)
        await until(lambda: pool.stats.lent == 0)
        await until(lambda: 0 < budget.held <= MIB)
        for _ in range(3):
            async with browser.get(add_file(1000).path) as other:
                assert len(await other.read()) == 1000
        assert len(service.app[keys.IN_FLIGHT]) == 1
        hungry = budget.enter("another account", wake=lambda: None, reclaim=lambda _wanted, _most: 0)
        assert hungry.take(MIB)

        def cut_off() -> bool:
            if hungry.take(MIB):  # the film has moved on: sockets take more than one thinks
                hungry.give(MIB)
            return not service.app[keys.IN_FLIGHT]

        await until(cut_off)
        with pytest.raises(ClientPayloadError):
            await response.read()
        hungry.leave()


@pytest.mark.swift_time
async def test_one_that_is_slower_than_the_least_rate_is_cut_off(
    signed_in_to: SignedInTo, add_file: AddFile
) -> None:
    """By setting only: a minute's grace, then the connection ends, and nothing is left of it."""
    file = add_file(24 * MIB)
    service, browser = await signed_in_to(files={"min_bytes_per_second": 1024})
    async with AsyncExitStack() as stack:
        response = await stopped(stack, browser, file.path)
        await asyncio.sleep(400)
        assert not service.app[keys.IN_FLIGHT]
        with pytest.raises(ClientPayloadError):
            await response.read()
    async with browser.get(file.path) as response:
        assert await response.read() == file.content


async def slowly(response: ClientResponse) -> None:
    """Read as much as the service writes at once, every three seconds."""
    for _ in range(24 * MIB // PIECE_BYTES):
        await response.content.readexactly(PIECE_BYTES)
        await asyncio.sleep(3)


@pytest.mark.swift_time
async def test_one_that_never_stops_but_is_too_slow_is_cut_off(
    signed_in_to: SignedInTo, add_file: AddFile
) -> None:
    """A little now and then, such as a twelfth of the rate, does not begin the grace anew."""
    file = add_file(24 * MIB)
    service, browser = await signed_in_to(files={"min_bytes_per_second": MIB})
    async with AsyncExitStack() as stack:
        response = await stopped(stack, browser, file.path)
        with pytest.raises(ClientPayloadError):
            await slowly(response)
        assert not service.app[keys.IN_FLIGHT]


@pytest.mark.swift_time
async def test_none_is_too_slow_by_default(signed_in_to: SignedInTo, add_file: AddFile) -> None:
    """A video that is paused for hours goes on where it was."""
    file = add_file(24 * MIB)
    _, browser = await signed_in_to()
    async with AsyncExitStack() as stack:
        response = await stopped(stack, browser, file.path)
        await asyncio.sleep(3 * 3600)
        assert await response.read() == file.content
