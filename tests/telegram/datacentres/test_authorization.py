"""Keys of data centres: how they are logged in, and what happens when a key or a login is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.telegram.datacentres.calls import (
    FOREIGN,
    GET_FILE,
    MIB,
    connections,
    get_file,
    read,
    read_all,
)
from tgbridge.errors import FloodWait, SessionEnded, TelegramUnavailable
from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import MakeReader, Reader


async def test_a_lost_login_is_renewed_once_for_all(reader: Reader) -> None:
    """Elsewhere than at home, AUTH_KEY_UNREGISTERED means to import the authorization anew."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    assert await read(reader, file)
    reader.sandbox.faults.error(GET_FILE, 401, "AUTH_KEY_UNREGISTERED", dc=FOREIGN, times=5)
    assert await read_all(reader, file)
    assert reader.calls("auth.importAuthorization") == 2


@pytest.mark.swift_time
async def test_a_login_that_does_not_help_is_no_end_of_the_session(reader: Reader) -> None:
    """The account is signed in at home, after all."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.error(GET_FILE, 401, "AUTH_KEY_UNREGISTERED", dc=FOREIGN, times=None)
    with pytest.raises(TelegramUnavailable):
        await read(reader, file)


async def test_a_failed_import_is_made_again(reader: Reader) -> None:
    """With another export, since one is good for once."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.error("auth.importAuthorization", 400, "AUTH_BYTES_INVALID")
    assert await read_all(reader, file)
    assert reader.calls("auth.exportAuthorization") == 2


@pytest.mark.parametrize("seconds", [1, 30])
async def test_a_login_may_have_to_wait(reader: Reader, seconds: int) -> None:
    """A short wait is sat out, a longer one is the caller's, and neither is disregarded."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.flood_wait("auth.importAuthorization", seconds)
    outcomes = await asyncio.gather(*(read(reader, file) for _ in range(3)), return_exceptions=True)
    expected, imports = ("True", 2) if seconds == 1 else ("FloodWait('FLOOD_WAIT (30)')", 1)
    assert [repr(outcome) for outcome in outcomes] == [expected] * 3
    assert reader.calls("auth.importAuthorization") == imports


@pytest.mark.swift_time
async def test_a_login_may_wait_for_longer_than_connecting_takes(make_reader: MakeReader) -> None:
    """The data centre is not to blame for it, and connections that come after wait as well."""
    reader = await make_reader(telegram={"connect_timeout_seconds": 0.5})
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.flood_wait("auth.exportAuthorization", 1)
    assert await read_all(reader, file)
    assert reader.calls("auth.exportAuthorization") == 2
    # One of them for the key; those that had no login yet are opened anew.
    assert reader.sandbox.counters.connections[FOREIGN] <= 9


@pytest.mark.swift_time
async def test_a_wait_for_exports_is_remembered(make_reader: MakeReader) -> None:
    """Whoever reads meanwhile is told at once; Telegram is not asked again before, by no client."""
    reader = await make_reader()
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.flood_wait("auth.exportAuthorization", 300)
    for _ in range(5):
        with pytest.raises(FloodWait) as told:
            await read(reader, file)
    assert 290 < told.value.seconds <= 300
    assert reader.calls("auth.exportAuthorization") == 1
    assert reader.client.files.gates.login_waits[FOREIGN] > asyncio.get_running_loop().time() + 290
    await asyncio.sleep(told.value.seconds + 1)
    assert await read(reader, file)


@pytest.mark.swift_time
async def test_a_login_is_waited_for_with_the_callers_patience(make_reader: MakeReader) -> None:
    """However long the main connection would wait; who has more patience gets what was begun for both."""
    reader = await make_reader(telegram={"request_timeout_seconds": 60})
    file = await reader.file(MIB, dc_id=FOREIGN)
    export = reader.sandbox.faults.hold("auth.exportAuthorization")
    loop = asyncio.get_running_loop()
    patient = asyncio.create_task(read(reader, file))
    await export.reached(1)
    began = loop.time()
    short = Patience(give_up_at=began + 5, flood_wait=0)
    with pytest.raises(TelegramUnavailable):
        await connections(reader).call(FOREIGN, get_file(file), short)
    assert loop.time() - began < 6
    export.release()
    assert await patient
    assert reader.calls("auth.exportAuthorization") == 1


async def test_a_failed_export_is_the_callers_error(reader: Reader) -> None:
    """The main connection has met it."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    reader.sandbox.faults.error("auth.exportAuthorization", 400, "DC_ID_INVALID", times=2)
    outcomes = await asyncio.gather(read(reader, file), read(reader, file), return_exceptions=True)
    assert [repr(outcome) for outcome in outcomes] == ["TelegramRefused('DC_ID_INVALID')"] * 2
    assert await read(reader, file)


async def test_a_session_ended_at_home_has_ended(reader: Reader) -> None:
    """There is nobody to ask for another authorization."""
    file = await reader.file(MIB)
    reader.sandbox.faults.error(GET_FILE, 401, "SESSION_REVOKED", times=None)
    with pytest.raises(SessionEnded, match="SESSION_REVOKED"):
        await read(reader, file)
    reader.sandbox.faults.clear()
    reader.sandbox.faults.error(GET_FILE, 401, "AUTH_KEY_UNREGISTERED", times=None)
    with pytest.raises(SessionEnded, match="AUTH_KEY_UNREGISTERED"):
        await read(reader, file)


async def test_a_key_that_was_lost_is_made_anew(reader: Reader) -> None:
    """Elsewhere than at home: AUTH_KEY_DUPLICATED, after which the key is dead for good."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    assert await read_all(reader, file)
    keys = reader.sandbox.counters.auth_keys
    reader.sandbox.faults.error(GET_FILE, 406, "AUTH_KEY_DUPLICATED", dc=FOREIGN, times=3)
    assert await read_all(reader, file)
    assert reader.sandbox.counters.auth_keys == keys + 1


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_forgotten_key_is_made_anew(reader: Reader, *, at_once: bool) -> None:
    """Elsewhere than at home: -404, and a new key with a new login, for all connections."""
    file = await reader.file(MIB, dc_id=FOREIGN)
    assert await read_all(reader, file)
    keys = reader.sandbox.counters.auth_keys
    for key in list(reader.sandbox.auth_keys):
        if key.dc_id == FOREIGN:
            reader.sandbox.faults.revoke(auth_key=key.name, error=None)
    assert await (read_all(reader, file) if at_once else read(reader, file))
    assert reader.sandbox.counters.auth_keys == keys + 1


async def test_a_forgotten_key_at_home_ends_the_session(reader: Reader) -> None:
    """No address knows it, however many connections find that out."""
    file = await reader.file(MIB)
    assert await read_all(reader, file)
    reader.sandbox.faults.revoke(error=None)
    with pytest.raises(SessionEnded, match="AUTH_KEY_NOT_FOUND"):
        await read(reader, file)
