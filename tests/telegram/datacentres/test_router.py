"""An account's file connections: how calls are spread over them, and what ends them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions

from tests.telegram.datacentres.calls import (
    FOREIGN,
    GET_FILE,
    HOME,
    KIB,
    MIB,
    connections,
    get_file,
    patience,
    read,
    read_all,
)
from tgbridge.errors import TelegramRefused, TelegramUnavailable
from tgbridge.telegram.datacentres.account import Address

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import Reader


# How calls are spread


async def test_at_home_the_accounts_key_is_enough(reader: Reader) -> None:
    """No key exchange, no export; the connection is one for media."""
    file = await reader.file(40 * KIB, dc_id=HOME)
    keys = reader.sandbox.counters.auth_keys
    assert await read(reader, file)
    assert reader.sandbox.counters.auth_keys == keys
    assert reader.calls("auth.exportAuthorization") == 0
    assert connections(reader).stats.connections == {HOME: 1}
    assert any(connection.media_only for connection in reader.sandbox.data_centres[HOME].connections)


async def test_elsewhere_one_key_and_one_login_serve_all(reader: Reader) -> None:
    """However many calls come at once."""
    file = await reader.file(2 * MIB, dc_id=FOREIGN)
    keys = reader.sandbox.counters.auth_keys
    assert await read_all(reader, file)
    assert await read_all(reader, file)
    assert reader.sandbox.counters.auth_keys == keys + 1
    assert reader.calls("auth.exportAuthorization") == 1
    assert reader.calls("auth.importAuthorization") == 1


@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
async def test_no_call_costs_a_round_trip_more_than_it_must(reader: Reader, dc_id: int) -> None:
    """The server never has to refuse a salt, a key or a login, nor is anything asked that is known."""
    file = await reader.file(40 * KIB, dc_id=dc_id)
    await connections(reader).call(dc_id, get_file(file), patience(reader))
    before = sum(reader.sandbox.calls.values())
    assert await read(reader, file)
    assert sum(reader.sandbox.calls.values()) == before + 1


async def test_one_call_after_the_other_needs_one_connection(reader: Reader) -> None:
    """More are opened only while all have something to do."""
    file = await reader.file(200 * KIB)
    for offset in range(0, 200 * KIB, 4 * KIB):
        assert await read(reader, file, offset)
    assert connections(reader).stats.connections == {HOME: 1}


async def test_connections_are_opened_up_to_the_limit(make_reader: Any) -> None:
    """As the setting says."""
    reader = await make_reader(files={"connections_per_dc": 3})
    file = await reader.file(2 * MIB)
    held = reader.sandbox.faults.hold(GET_FILE)
    reading = asyncio.create_task(read_all(reader, file))
    await held.reached(32)
    await reader.until(lambda: connections(reader).stats.connections == {HOME: 3})
    assert connections(reader).stats.calls == 32
    held.release()
    assert await reading
    assert connections(reader).stats.calls == 0


async def test_the_least_burdened_connection_is_chosen(reader: Reader) -> None:
    """By the bytes that are on their way on it."""
    file = await reader.file(12 * MIB)
    assert await read_all(reader, file, MIB)
    centre = connections(reader)._routes[HOME, False].centre
    await reader.until(lambda: centre.connections == 4)
    held = reader.sandbox.faults.hold(GET_FILE)
    reading = asyncio.create_task(read_all(reader, file, MIB))
    await held.reached(12)
    assert [lane.bytes for lane in centre._members] == [3 * MIB] * 4
    held.release()
    assert await reading


@pytest.mark.swift_time
async def test_a_flood_wait_leaves_fewer_connections_in_use(
    make_reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as TDLib has, though more are open, which are closed when they have rested."""
    reader = await make_reader(files={"idle_seconds": 3})
    file = await reader.file(12 * MIB)
    assert await read_all(reader, file, MIB)
    assert connections(reader).stats.connections == {HOME: 4}
    reader.sandbox.faults.flood_wait(GET_FILE, 1)
    assert await read(reader, file)
    used: set[Any] = set()
    take = reader.sandbox.faults.take

    def note(call: Any) -> Any:
        used.add(call.connection)
        return take(call)

    monkeypatch.setattr(reader.sandbox.faults, "take", note)
    reader.sandbox.faults.slow(GET_FILE, 2, times=None)
    for _ in range(2):
        assert await read_all(reader, file, MIB, under_way=True)
    assert len(used) == 2
    assert connections(reader).stats.connections == {HOME: 2}


async def test_a_connection_can_be_opened_ahead(reader: Reader) -> None:
    """While something else has to be asked first; a hint, which may fail."""
    connections(reader).warm(HOME)
    connections(reader).warm(HOME)
    connections(reader).warm(99)
    await reader.until(lambda: connections(reader).stats.connections == {HOME: 1})
    file = await reader.file(40 * KIB)
    assert await read(reader, file)
    assert connections(reader).stats.connections == {HOME: 1}


@pytest.mark.swift_time
@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
async def test_connections_are_closed_when_nothing_is_asked(make_reader: Any, dc_id: int) -> None:
    """After the setting's time, and not while one call is under way; the next call opens another."""
    reader = await make_reader(files={"idle_seconds": 60})
    file = await reader.file(4 * MIB, dc_id=dc_id)
    assert await read_all(reader, file, MIB)
    held = reader.sandbox.faults.hold(GET_FILE)
    reading = asyncio.create_task(read(reader, file))
    await held.reached(1)
    await asyncio.sleep(19)
    held.release()
    assert await reading
    reader.sandbox.faults.clear()
    await asyncio.sleep(59)
    assert connections(reader).stats.connections[dc_id] == 1
    await asyncio.sleep(62)
    assert connections(reader).stats.connections == {}
    keys = reader.sandbox.counters.auth_keys
    assert await read(reader, file)
    assert connections(reader).stats.connections == {dc_id: 1}
    assert reader.sandbox.counters.auth_keys == keys


# Giving up


async def test_a_cancelled_call_gives_its_place_up_at_once(reader: Reader) -> None:
    """Its late answer is dropped; the connection is as good as before."""
    file = await reader.file(8 * MIB)
    held = reader.sandbox.faults.hold(GET_FILE)
    calls = [asyncio.create_task(read(reader, file, part * MIB, MIB)) for part in range(8)]
    await held.reached(8)
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    assert all(call.cancelled() for call in calls)
    assert connections(reader).stats.calls == 0
    held.release()
    assert await read_all(reader, file, MIB)


@pytest.mark.parametrize("stage", ["beginning", "opening", "asking", "waiting"])
async def test_closing_fails_all_calls(make_reader: Any, stage: str) -> None:
    """With TelegramUnavailable: nobody's own task seems cancelled. Closing again does nothing."""
    reader = await make_reader()
    file = await reader.file(MIB, dc_id=FOREIGN)
    faults = reader.sandbox.faults
    held = None
    if stage == "opening":
        held = faults.hold("auth.importAuthorization")
    elif stage == "asking":
        held = faults.hold(GET_FILE)
    elif stage == "waiting":
        faults.flood_wait(GET_FILE, 5, times=None)
    calls = [asyncio.create_task(read(reader, file)) for _ in range(6)]
    if stage == "beginning":
        await reader.until(lambda: connections(reader).stats.calls == 6)
    elif held is not None:
        await held.reached(1)
    else:
        gate = connections(reader).gates.to(file.dc_id, functions.upload.GetFileRequest)
        await reader.until(lambda: gate.pace.waits_until)
    await connections(reader).aclose()
    await connections(reader).aclose()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TelegramUnavailable] * 6
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    assert connections(reader).stats.connections == {}
    assert connections(reader).stats.calls == 0


# Uploads


async def test_parts_are_stored_as_they_were_sent(reader: Reader) -> None:
    """From any buffer, many at a time, faster than the socket takes them."""
    part = bytes(range(256)) * (2 * KIB)
    data = [memoryview(part)[index:] for index in range(0, 64, 4)]
    faults = reader.sandbox.faults
    faults.drop("upload.saveBigFilePart", skip=3)
    faults.internal_error("upload.saveBigFilePart", skip=2, times=2)
    saved = await asyncio.gather(
        *(
            connections(reader).call(
                HOME, functions.upload.SaveFilePartRequest(77, index, piece), patience(reader)
            )
            for index, piece in enumerate(data[:1])
        ),
        *(
            connections(reader).call(
                HOME, functions.upload.SaveBigFilePartRequest(78, index, 16, part), patience(reader)
            )
            for index in range(16)
        ),
    )
    assert saved == [True] * 17


# CDN


@pytest.mark.swift_time
async def test_a_cdn_knows_no_account(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key made with the CDN's own RSA keys, nothing exported, nothing imported."""
    file = await reader.file(MIB)

    async def addresses(_dc_id: int, *, cdn: bool = False) -> list[Address]:
        assert cdn
        return [Address(*reader.sandbox.cdn.address)]

    async def cdn_public_keys(_dc_id: int) -> list[str]:
        return [reader.sandbox.cdn.server_key.public_pem]

    monkeypatch.setattr(reader.client, "addresses", addresses)
    monkeypatch.setattr(reader.client, "cdn_public_keys", cdn_public_keys)
    request = functions.upload.GetCdnFileRequest(b"token", 0, file.size)
    with pytest.raises(TelegramRefused, match="FILE_TOKEN_INVALID"):
        await connections(reader).call_cdn(203, request, patience(reader))
    assert reader.calls("auth.exportAuthorization") == 0
    with pytest.raises(TelegramUnavailable):  # it cannot end a session that it does not know
        await connections(reader).call_cdn(203, get_file(file), patience(reader))
