"""An account's file connections: how calls are spread over them, and every fault on their way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions

from tests.telegram.files.calls import (
    FOREIGN,
    GET_FILE,
    HOME,
    KIB,
    MIB,
    connections,
    get_file,
    read,
    read_all,
)
from tgbridge.errors import FloodWait, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.files.account import Address

if TYPE_CHECKING:
    from tests.telegram.files.conftest import Reader


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
    await connections(reader).call(dc_id, get_file(file))
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
    centre = connections(reader)._data_centres[HOME, False]
    await reader.until(lambda: centre.connections == 4)
    held = reader.sandbox.faults.hold(GET_FILE)
    reading = asyncio.create_task(read_all(reader, file, MIB))
    await held.reached(12)
    assert [lane.bytes for lane in centre._lanes] == [3 * MIB] * 4
    held.release()
    assert await reading


async def test_a_connection_can_be_opened_ahead(reader: Reader) -> None:
    """While something else has to be asked first; a hint, which may fail."""
    connections(reader).warm(HOME)
    connections(reader).warm(HOME)
    connections(reader).warm(99)
    await reader.until(lambda: connections(reader).stats.connections == {HOME: 1})
    file = await reader.file(40 * KIB)
    assert await read(reader, file)
    assert connections(reader).stats.connections == {HOME: 1}


# What goes wrong with connections


@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
@pytest.mark.parametrize("skip", [0, 5, 15])
async def test_a_dropped_connections_calls_go_to_another(reader: Reader, dc_id: int, skip: int) -> None:
    """At the first, a middle or the last part."""
    file = await reader.file(MIB, dc_id=dc_id)
    reader.sandbox.faults.drop(GET_FILE, skip=skip)
    assert await read_all(reader, file)


async def test_dropped_again_and_again_is_unavailable(reader: Reader) -> None:
    """A number of attempts is enough."""
    file = await reader.file(MIB)
    drop = reader.sandbox.faults.drop(GET_FILE, times=None)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    assert drop.applied == 4


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
    assert await read_all(reader, file)


async def test_a_slow_connection_is_waited_for(make_reader: Any) -> None:
    """A part may take many times the time-out, as long as it is on its way."""
    reader = await make_reader(telegram={"request_timeout_seconds": 0.1})
    file = await reader.file(MIB)
    assert await read(reader, file)
    calls = reader.calls()
    reader.sandbox.faults.bandwidth(400 * KIB, dc=HOME)
    assert await read(reader, file, 0, 128 * KIB)
    assert reader.calls() == calls + 1


async def test_a_silent_data_centre_blocks_no_other(make_reader: Any) -> None:
    """Each is on its own; the silent one is unavailable in the end."""
    reader = await make_reader(telegram={"request_timeout_seconds": 0.3, "connect_timeout_seconds": 2})
    silent, other = await reader.file(MIB, dc_id=FOREIGN), await reader.file(MIB, dc_id=2)
    reader.sandbox.faults.silence_data_centre(FOREIGN)
    waiting = asyncio.create_task(read(reader, silent))
    assert await read_all(reader, other)
    assert not waiting.done()
    with pytest.raises(TelegramUnavailable):
        await waiting


async def test_a_refusing_data_centre_is_unavailable(reader: Reader) -> None:
    """And is tried again by the next call."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.refuse_connections(FOREIGN)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    reader.sandbox.faults.refuse_connections(FOREIGN, refusing=False)
    assert await read(reader, file)


async def test_a_data_centre_without_an_address_is_unavailable(reader: Reader) -> None:
    """The configuration does not name it."""
    file = await reader.file(MIB)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file, dc_id=99)


@pytest.mark.parametrize("dc_id", [HOME, FOREIGN])
@pytest.mark.parametrize("dead", ["media", "ordinary"])
async def test_one_address_that_answers_is_enough(
    reader: Reader, dc_id: int, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For keys as for files; at the other one, nobody listens."""
    file = await reader.file(MIB, dc_id=dc_id)
    centre = reader.sandbox.data_centres[dc_id]
    media = Address(*centre.media_address, media_only=True)
    ordinary = Address(*centre.address)

    async def addresses(_dc_id: int, *, cdn: bool = False) -> list[Address]:
        assert not cdn
        return [
            replace(media, port=1) if dead == "media" else media,
            replace(ordinary, port=1) if dead == "ordinary" else ordinary,
        ]

    monkeypatch.setattr(reader.client, "addresses", addresses)
    assert await read_all(reader, file)


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


async def test_internal_errors_without_an_end_are_unavailable(reader: Reader) -> None:
    """After some attempts."""
    file = await reader.file(MIB)
    error = reader.sandbox.faults.internal_error(GET_FILE, times=None)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)
    assert error.applied == 6


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
    await connections(reader).call(HOME, functions.upload.GetFileHashesRequest(file.location(), 0))


async def test_a_refusal_has_telegrams_name(reader: Reader) -> None:
    """And the number that belongs to it."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    with pytest.raises(TelegramRefused) as refused:
        await read(reader, file, dc_id=HOME)
    assert (refused.value.name, refused.value.value) == ("FILE_MIGRATE", FOREIGN)
    with pytest.raises(TelegramRefused) as refused:
        await read(reader, file, 1)
    assert (refused.value.name, refused.value.value) == ("OFFSET_INVALID", None)


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
        await reader.until(lambda: connections(reader)._paces["GetFileRequest"].waits_until)
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
                HOME, functions.upload.SaveFilePartRequest(77, index, piece), weight_bytes=len(piece)
            )
            for index, piece in enumerate(data[:1])
        ),
        *(
            connections(reader).call(
                HOME, functions.upload.SaveBigFilePartRequest(78, index, 16, part), weight_bytes=len(part)
            )
            for index in range(16)
        ),
    )
    assert saved == [True] * 17


# CDN


async def test_a_cdn_knows_no_account(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key made with the CDN's own RSA keys, nothing exported, nothing imported."""
    file = await reader.file(MIB)

    async def addresses(_dc_id: int, *, cdn: bool = False) -> list[Address]:
        assert cdn
        return [Address(*reader.sandbox.data_centres[2].address)]

    async def cdn_public_keys(_dc_id: int) -> list[str]:
        return [reader.sandbox.public_key_pem]

    monkeypatch.setattr(reader.client, "addresses", addresses)
    monkeypatch.setattr(reader.client, "cdn_public_keys", cdn_public_keys)
    with pytest.raises(TelegramRefused, match="CDN_METHOD_INVALID"):
        await connections(reader).call_cdn(203, functions.upload.GetCdnFileRequest(b"token", 0, file.size))
    assert reader.calls("auth.exportAuthorization") == 0
    with pytest.raises(TelegramUnavailable):  # it cannot end a session that it does not know
        await connections(reader).call_cdn(203, get_file(file))
