"""Streams that something happens to: what can be mended is, what cannot breaks the connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientPayloadError

from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from tests.web.routes.conftest import AddFile, Get, SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

KIB, MIB = 1024, 1024 * 1024
FOREIGN = 3  # a data centre that is not the account's


async def receive(response: ClientResponse, received: bytearray) -> None:
    async for chunk in response.content.iter_any():
        received += chunk


@pytest.mark.parametrize("skip", [0, 1, 3])
async def test_what_can_be_mended_is(sandbox: Sandbox, get: Get, add_file: AddFile, skip: int) -> None:
    """Internal errors, lost connections and expired references on the way change no byte."""
    for arrange in (
        lambda: sandbox.faults.internal_error("upload.getFile", times=2, skip=skip),
        lambda: sandbox.faults.drop("upload.getFile", skip=skip),
        lambda: sandbox.faults.error("upload.getFile", 400, "FILE_REFERENCE_EXPIRED", skip=skip),
    ):
        file = add_file(4 * MIB + 1, dc=FOREIGN)
        arrange()
        answer = await get(file.path)
        assert (answer.status, answer.body) == (200, file.content)
        sandbox.faults.clear()


@pytest.mark.parametrize("fault", ["error", "short", "flood_wait"])
@pytest.mark.parametrize("skip", [1, 3, 8], ids=["second", "middle", "last"])
async def test_errors_in_the_middle_break_the_connection(
    sandbox: Sandbox, signed_in: ClientSession, add_file: AddFile, fault: str, skip: int
) -> None:
    """After the status line a failure is a body that ends too early, and nothing else is written into it."""
    file = add_file(6 * MIB)
    details = {"error": (400, "LOCATION_INVALID"), "short": (), "flood_wait": (133,)}[fault]
    getattr(sandbox.faults, fault)("upload.getFile", *details, skip=skip, times=None)
    received = bytearray()
    async with signed_in.get(file.path) as response:
        assert response.status == 200
        assert response.headers["Content-Length"] == str(len(file.content))
        with pytest.raises(ClientPayloadError):
            await receive(response, received)
    assert len(received) < len(file.content)
    assert file.content.startswith(received)


@pytest.mark.parametrize("method", ["auth.exportAuthorization", "auth.importAuthorization"])
async def test_a_short_wait_on_the_way_to_a_data_centre_is_sat_out(
    sandbox: Sandbox, get: Get, add_file: AddFile, method: str
) -> None:
    """Ten requests wait together, and the file comes to all of them."""
    file = add_file(MIB, dc=FOREIGN)
    flood = sandbox.faults.flood_wait(method, seconds=1)
    answers = await asyncio.gather(*(get(file.path) for _ in range(10)))
    assert all((answer.status, answer.body) == (200, file.content) for answer in answers)
    assert (flood.applied, sandbox.counters.of(method)) == (1, 2)


async def test_client_gone(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, add_file: AddFile, until: Until
) -> None:
    """A client that goes away in the middle leaves nothing: no request, no loan, no byte."""
    file = add_file(20 * MIB)
    held = sandbox.faults.hold("upload.getFile", skip=2, times=None)
    response = await signed_in.get(file.path)
    await response.content.readexactly(1000)
    await held.reached(1)
    response.close()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    assert service.app[keys.POOL].stats.lent == 0
    assert service.app[keys.DOWNLOADER].budget.held == 0
    assert service.app[keys.DOWNLOADER].budget.streams == 0
    held.release()


async def test_logging_out_ends_it(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, add_file: AddFile, until: Until
) -> None:
    """A stream of the session that has ended is broken off, and nothing of it is left."""
    file = add_file(20 * MIB)
    held = sandbox.faults.hold("upload.getFile", skip=2, times=None)
    async with signed_in.get(file.path) as response:
        await response.content.readexactly(1000)
        await held.reached(1)
        async with signed_in.post("/logout") as answer:
            assert answer.status == 200
        with pytest.raises(ClientPayloadError):
            await response.read()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    assert service.app[keys.POOL].stats.clients == 0
    assert service.app[keys.DOWNLOADER].budget.streams == 0
    held.release()


async def test_client_gone_that_never_read(
    service: Service, signed_in: ClientSession, add_file: AddFile, until: Until
) -> None:
    """A client that goes away with the sockets full of what it did not read leaves nothing either."""
    file = add_file(48 * MIB)
    response = await signed_in.get(file.path)
    assert response.connection is not None
    protocol = response.connection.protocol
    assert protocol is not None
    # The client stops to read when it has more than it was asked for.
    await until(lambda: protocol._reading_paused and service.app[keys.DOWNLOADER].budget.held)
    response.close()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    assert service.app[keys.POOL].stats.lent == 0
    assert service.app[keys.DOWNLOADER].budget.held == 0


def waiting_to_be_sent(service: Service) -> list[int]:
    """Bytes that the sockets have not taken, which asyncio holds besides those of the window."""
    server = service._runner.server
    assert server is not None
    transports = [protocol.transport for protocol in server.connections]
    return [transport.get_write_buffer_size() for transport in transports if transport is not None]


async def test_slow_client_holds_the_download(
    sandbox: Sandbox, signed_in_to: SignedInTo, add_file: AddFile, until: Until
) -> None:
    """Who does not read has no more fetched than a window and the sockets hold; then all of it arrives."""
    file = add_file(48 * MIB)
    service, browser = await signed_in_to(files={"window_bytes_per_stream": 2 * MIB})
    budget = service.app[keys.DOWNLOADER].budget
    async with browser.get(file.path) as response:
        await until(lambda: response.content.total_bytes and budget.held)
        # Others go all the way meanwhile, so that this one had every chance to run on.
        for _ in range(20):
            async with browser.get(add_file(1000).path) as other:
                assert len(await other.read()) == 1000
            assert budget.held <= 2 * MIB
            assert max(waiting_to_be_sent(service)) <= 256 * KIB + 64 * KIB
        assert sandbox.counters.bytes_out < 24 * MIB
        assert await response.read() == file.content


async def test_shutdown_in_the_middle(sandbox: Sandbox, signed_in_to: SignedInTo, add_file: AddFile) -> None:
    """A service that stops breaks off what does not end in time: the client does not take it for whole."""
    file = add_file(20 * MIB)
    service, browser = await signed_in_to(server={"drain_seconds": 0})
    held = sandbox.faults.hold("upload.getFile", skip=2, times=None)
    async with browser.get(file.path) as response:
        await held.reached(1)
        await service.stop()
        with pytest.raises(ClientPayloadError):
            await response.read()
    held.release()
