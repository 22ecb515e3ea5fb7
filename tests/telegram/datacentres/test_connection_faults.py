"""Every fault on the way of an account's file connections, and every error that Telegram answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
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
    patience,
    read,
    read_all,
)
from tgbridge.errors import FloodWait, TelegramRefused, TelegramUnavailable
from tgbridge.sandbox.mtproto.connection import Connection as ServerSide
from tgbridge.telegram.datacentres.account import Address

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import Reader


# What goes wrong with connections


@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
@pytest.mark.parametrize("skip", [0, 5, 15])
async def test_a_dropped_connections_calls_go_to_another(reader: Reader, dc_id: int, skip: int) -> None:
    """At the first, a middle or the last part."""
    file = await reader.file(MIB, dc_id=dc_id)
    reader.sandbox.faults.drop(GET_FILE, skip=skip)
    assert await read_all(reader, file)


@pytest.mark.swift_time
async def test_dropped_again_and_again_is_unavailable(reader: Reader) -> None:
    """When patience ends, however many attempts there were."""
    file = await reader.file(MIB)
    drop = reader.sandbox.faults.drop(GET_FILE, times=None)
    begun = asyncio.get_running_loop().time()
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    assert 15 < asyncio.get_running_loop().time() - begun < 21
    assert drop.applied < 20


@pytest.mark.swift_time
@pytest.mark.parametrize("connection", [True, False], ids=["connection", "call"])
@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
async def test_a_silent_connections_calls_go_to_another(
    make_reader: Any, dc_id: int, *, connection: bool
) -> None:
    """Whether it is silent altogether, or one call got lost on it."""
    reader = await make_reader(telegram={"request_timeout_seconds": 0.3})
    file = await reader.file(MIB, dc_id=dc_id)
    assert await read(reader, file)
    reader.sandbox.faults.silence(GET_FILE, connection=connection)
    assert await read_all(reader, file, under_way=True)


@pytest.mark.swift_time
async def test_a_slow_connection_is_waited_for(make_reader: Any) -> None:
    """A part may take many times the time-out, as long as it is on its way."""
    reader = await make_reader(telegram={"request_timeout_seconds": 0.1})
    file = await reader.file(MIB)
    assert await read(reader, file)
    calls = reader.calls()
    reader.sandbox.faults.bandwidth(400 * KIB, dc=HOME)
    assert await read(reader, file, 0, 128 * KIB)
    assert reader.calls() == calls + 1


@pytest.mark.swift_time
async def test_a_silent_data_centre_blocks_no_other(make_reader: Any) -> None:
    """Each is on its own; the silent one is unavailable in the end."""
    reader = await make_reader(telegram={"request_timeout_seconds": 1, "connect_timeout_seconds": 2})
    silent, other = await reader.file(MIB, dc_id=FOREIGN), await reader.file(MIB, dc_id=2)
    reader.sandbox.faults.silence_data_centre(FOREIGN)
    waiting = asyncio.create_task(read(reader, silent))
    assert await read_all(reader, other)
    assert not waiting.done()
    with pytest.raises(TelegramUnavailable):
        await waiting


@pytest.mark.swift_time
async def test_a_refusing_data_centre_is_unavailable(reader: Reader) -> None:
    """And is tried again by the next call."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.refuse_connections(FOREIGN)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    reader.sandbox.faults.refuse_connections(FOREIGN, refusing=False)
    assert await read(reader, file)


@pytest.mark.swift_time
async def test_a_data_centre_without_an_address_is_unavailable(reader: Reader) -> None:
    """The configuration does not name it."""
    file = await reader.file(MIB)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file, dc_id=99)


def name_addresses(reader: Reader, monkeypatch: pytest.MonkeyPatch, *named: Address) -> None:
    """Let the configuration name other addresses of a data centre."""

    async def addresses(_dc_id: int, *, cdn: bool = False) -> list[Address]:
        assert not cdn
        return list(named)

    monkeypatch.setattr(reader.client, "addresses", addresses)


@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
@pytest.mark.parametrize("dead", [None, "media", "ordinary"])
async def test_one_address_for_media_that_answers_is_enough(
    reader: Reader, dc_id: int, dead: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For keys as for files; at the others, nobody listens."""
    file = await reader.file(MIB, dc_id=dc_id)
    centre = reader.sandbox.data_centres[dc_id]
    media = Address(*centre.media_address, media_only=True)
    ordinary = Address(*centre.address)
    named = [media]
    if dead == "media":
        named = [replace(media, port=1), media, ordinary]
    elif dead == "ordinary":
        named = [media, replace(ordinary, port=1)]
    name_addresses(reader, monkeypatch, *named)
    assert await read_all(reader, file)


@pytest.mark.swift_time
@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
async def test_addresses_for_media_are_not_replaced_by_others(
    make_reader: Any, dc_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one is named and does not answer, files wait: two connections at another would end it all."""
    reader = await make_reader()
    file = await reader.file(MIB, dc_id=dc_id)
    centre = reader.sandbox.data_centres[dc_id]
    dead = Address("127.0.0.1", 1, media_only=True)
    name_addresses(reader, monkeypatch, dead, Address(*centre.address))
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    assert reader.calls() == 0
    assert await reader.look_up(file.message_id)


@pytest.mark.parametrize(("dc_id", "connects"), [(HOME, 0), (FOREIGN, 2)])
async def test_without_an_address_for_media_there_is_one_connection(
    reader: Reader, dc_id: int, connects: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At home the main one, which stays what it was; elsewhere one more, beside that of the key exchange."""
    file = await reader.file(2 * MIB, dc_id=dc_id)
    name_addresses(reader, monkeypatch, Address(*reader.sandbox.data_centres[dc_id].address))
    reader.sandbox.counters.reset()
    for _ in range(2):
        assert await read_all(reader, file)
    assert reader.sandbox.counters.connections[dc_id] == connects
    await connections(reader).aclose()
    assert await reader.look_up(file.message_id)


@pytest.mark.swift_time
@pytest.mark.parametrize("end", ["silence", "rest", "another client"])
async def test_the_only_one_is_closed_at_the_server_before_the_next_begins(
    make_reader: Any, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """However it ended, though a proxy on the way tells of it late: else the key would be lost."""
    reader = await make_reader(files={"idle_seconds": 60})
    file = await reader.file(2 * MIB, dc_id=FOREIGN)
    name_addresses(reader, monkeypatch, Address(*reader.sandbox.data_centres[FOREIGN].address))
    monkeypatch.setattr(ServerSide, "eof_received", lambda side: side.loop.call_later(0.5, side.close))
    assert await read_all(reader, file)
    keys = reader.sandbox.counters.auth_keys
    if end == "silence":
        reader.sandbox.faults.silence(GET_FILE, connection=True)
    elif end == "rest":
        await asyncio.sleep(60.1)
        assert connections(reader).stats.connections == {}
    else:
        await connections(reader).aclose()
        assert not any(side.asked_for for side in reader.sandbox.data_centres[FOREIGN].connections)
        return
    assert await read(reader, file, under_way=True)
    assert reader.sandbox.counters.auth_keys == keys


async def test_further_connections_are_a_convenience(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """When only one can be opened, it serves all calls."""
    file = await reader.file(2 * MIB)
    assert await read(reader, file)
    reader.sandbox.faults.refuse_connections(HOME)
    assert await read_all(reader, file)
    assert connections(reader).stats.connections == {HOME: 1}


# What Telegram answers


@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
@pytest.mark.parametrize(
    ("code", "message"), [(500, "RPC_CALL_FAIL"), (-503, "Timeout"), (500, "No workers running")]
)
async def test_internal_errors_are_asked_again_at_once(
    reader: Reader, dc_id: int, code: int, message: str
) -> None:
    """Without the two seconds that Telethon waits."""
    file = await reader.file(MIB, dc_id=dc_id)
    reader.sandbox.faults.internal_error(GET_FILE, code=code, message=message, times=3)
    async with asyncio.timeout(5):
        assert await read_all(reader, file)


@pytest.mark.swift_time
async def test_internal_errors_without_an_end_are_unavailable(reader: Reader) -> None:
    """When patience ends."""
    file = await reader.file(MIB)
    error = reader.sandbox.faults.internal_error(GET_FILE, times=None)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    assert error.applied < 20


@pytest.mark.parametrize("premium", [False, True])
async def test_a_short_wait_is_sat_out_by_all(reader: Reader, *, premium: bool) -> None:
    """Nobody asks meanwhile, and nobody notices."""
    file = await reader.file(MIB)
    flood = reader.sandbox.faults.flood_wait(GET_FILE, 1, premium=premium)
    assert await read(reader, file)
    assert await read(reader, file)
    assert flood.applied == 1


async def test_a_long_wait_is_told(reader: Reader) -> None:
    """To whoever asks meanwhile, too, without asking Telegram again."""
    file = await reader.file(MIB)
    reader.sandbox.faults.flood_wait(GET_FILE, 30)
    with pytest.raises(FloodWait) as told:
        await read(reader, file)
    assert told.value.seconds == 30
    calls = reader.calls()
    with pytest.raises(FloodWait) as told:
        await read(reader, file)
    assert told.value.seconds in (29, 30)
    assert reader.calls() == calls
    # Other methods are free.
    request = functions.upload.GetFileHashesRequest(file.location(), 0)
    await connections(reader).call(HOME, request, patience(reader))


async def test_a_refusal_has_telegrams_name(reader: Reader) -> None:
    """And the number that belongs to it."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    with pytest.raises(TelegramRefused) as refused:
        await read(reader, file, dc_id=HOME)
    assert (refused.value.name, refused.value.value) == ("FILE_MIGRATE", FOREIGN)
    with pytest.raises(TelegramRefused) as refused:
        await read(reader, file, 1)
    assert (refused.value.name, refused.value.value) == ("OFFSET_INVALID", None)
