"""One connection to a data centre, over real TCP."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from tgbridge.sandbox import Sandbox
from tgbridge.telegram.mtproto import connection as module
from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
from tgbridge.telegram.mtproto.calls import init_connection
from tgbridge.telegram.mtproto.connection import Connection
from tgbridge.telegram.mtproto.failures import ConnectionFailed, PeerSilent, RpcFailed, TransportRefused
from tgbridge.telegram.mtproto.key_exchange import create_key
from tgbridge.telegram.mtproto.rsa_keys import PublicKeys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.telegram.conftest import Until

PREAMBLE = init_connection(
    functions.InitConnectionRequest(1, "device", "system", "app", "en", "", "en", None), updates=True
)
GET_CONFIG = functions.help.GetConfigRequest()
NEAREST_DC = functions.help.GetNearestDcRequest()
PATIENCE = 0.3


class Connect:
    """Opens connections to data centre 1 of a sandbox, with one key."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._public_keys = PublicKeys.of_pem(sandbox.public_key_pem)
        self._key: AuthorizationKey | None = None
        self.opened: list[Connection] = []
        self.heard: list[Any] = []

    async def __call__(self, *, patience: float = 10.0, hear: bool = False, **of_key: int) -> Connection:
        # Where a key may have several connections, as it has in some tests.
        address = self._sandbox.data_centres[1].media_address
        if self._key is None:
            # However busy the machine is: the test's patience is for what it asks.
            first = await Connection.open(*address, request_timeout=60)
            self._key = await create_key(first.exchange, self._public_keys, 1)
            await first.aclose()
        connection = await Connection.open(*address, request_timeout=patience)
        self.opened.append(connection)
        key = AuthorizationKey(self._key.key, replace(self._key.state, **of_key))
        connection.use(key, lambda: PREAMBLE, self.heard.append if hear else None)
        return connection


@pytest.fixture
async def connect(sandbox: Sandbox, until: Until) -> AsyncIterator[Connect]:
    connect = Connect(sandbox)
    tasks = asyncio.all_tasks()
    yield connect
    tasks.update(task for task in (asyncio.current_task(),) if task)
    for connection in connect.opened:
        await connection.aclose()
        await connection.aclose()
    assert [task for task in asyncio.all_tasks() - tasks if "/sandbox/" not in repr(task)] == []
    await until(lambda: sum(sandbox.connections.values()) == 0)


async def test_a_call_is_answered(connect: Connect) -> None:
    """By what Telethon makes of the answer."""
    connection = await connect()
    assert isinstance(await connection.call(GET_CONFIG), types.Config)
    assert not connection.pending


async def test_calls_are_in_flight_together(connect: Connect, sandbox: Sandbox) -> None:
    """Any number of them, answered in any order."""
    connection = await connect()
    held = sandbox.faults.hold("help.getConfig")
    calls = [asyncio.create_task(connection.call(GET_CONFIG)) for _ in range(200)]
    await held.reached(200)
    assert isinstance(await connection.call(NEAREST_DC), types.NearestDc)
    held.release()
    assert {type(answer) for answer in await asyncio.gather(*calls)} == {types.Config}


async def test_several_sessions_share_a_key(connect: Connect, sandbox: Sandbox) -> None:
    """Without a further key exchange, or any other question before the first call."""
    first, second = await connect(), await connect()
    await asyncio.gather(first.call(GET_CONFIG), second.call(GET_CONFIG))
    assert sandbox.counters.auth_keys == 1
    assert dict(sandbox.calls) == {(1, "help.getConfig"): 2}


async def test_an_error_is_told_by_code_and_name(connect: Connect, sandbox: Sandbox) -> None:
    """RpcFailed; the connection goes on."""
    connection = await connect()
    sandbox.faults.error("help.getConfig", 400, "SOME_ERROR")
    with pytest.raises(RpcFailed) as failed:
        await connection.call(GET_CONFIG)
    assert (failed.value.code, failed.value.message) == (400, "SOME_ERROR")
    await connection.call(GET_CONFIG)


async def test_an_unknown_salt_costs_a_round_trip_and_nothing_else(connect: Connect) -> None:
    """bad_server_salt for each of the calls in flight."""
    connection = await connect(salt=1)
    await asyncio.gather(*(connection.call(GET_CONFIG) for _ in range(20)))
    assert connection.key is not None
    assert connection.key.state.salt != 1


async def test_salts_may_change_in_between(connect: Connect, sandbox: Sandbox) -> None:
    """As they do every half an hour."""
    connection = await connect()
    await connection.call(GET_CONFIG)
    sandbox.faults.expire_salts()
    await asyncio.gather(*(connection.call(GET_CONFIG) for _ in range(20)))


@pytest.mark.parametrize("wrong", [-10_000, 10_000])
async def test_a_wrong_clock_is_set_right(connect: Connect, wrong: int) -> None:
    """By the server's, which it learns from the first refusal."""
    connection = await connect(time_offset=wrong)
    assert isinstance(await connection.call(GET_CONFIG), types.Config)
    assert connection.key is not None
    assert connection.key.state.time_offset in (-1, 0, 1)


async def test_a_server_with_another_clock_is_understood() -> None:
    """From the key exchange on."""
    async with Sandbox(clock_offset=-50_000) as sandbox:
        connect = Connect(sandbox)
        connection = await connect()
        assert isinstance(await connection.call(GET_CONFIG), types.Config)
        await connection.aclose()


async def test_answers_are_acknowledged(connect: Connect, sandbox: Sandbox, until: Until) -> None:
    """Else the server keeps them, and sends them again."""
    connection = await connect()
    await asyncio.gather(*(connection.call(GET_CONFIG) for _ in range(9)))
    (record,) = sandbox.auth_keys
    (session,) = record.sessions.values()
    connection._acknowledge()
    await until(lambda: not session.sent)


async def test_a_cancelled_call_is_forgotten_at_once(connect: Connect, sandbox: Sandbox) -> None:
    """Its late answer is dropped, and the connection serves others."""
    connection = await connect()
    held = sandbox.faults.hold("help.getConfig")
    call = asyncio.create_task(connection.call(GET_CONFIG))
    await held.reached(1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not connection.pending
    held.release()
    assert isinstance(await connection.call(NEAREST_DC), types.NearestDc)


async def test_a_dropped_connection_fails_all_calls(connect: Connect, sandbox: Sandbox) -> None:
    """And takes no other."""
    connection = await connect()
    held = sandbox.faults.hold("help.getConfig")
    calls = [asyncio.create_task(connection.call(GET_CONFIG)) for _ in range(3)]
    await held.reached(3)
    sandbox.faults.drop_connections()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionFailed] * 3
    with pytest.raises(ConnectionFailed):
        await connection.call(GET_CONFIG)


async def test_closing_fails_all_calls(connect: Connect, sandbox: Sandbox) -> None:
    """With an error, never with a cancellation that would look like the caller's own."""
    connection = await connect()
    held = sandbox.faults.hold("help.getConfig")
    call = asyncio.create_task(connection.call(GET_CONFIG))
    await held.reached(1)
    await connection.aclose()
    with pytest.raises(ConnectionFailed, match="closed"):
        await call
    held.release()


async def test_a_forgotten_key_is_an_error_of_the_transport(connect: Connect, sandbox: Sandbox) -> None:
    """-404, told by its code."""
    connection = await connect()
    sandbox.faults.revoke(error=None)
    with pytest.raises(TransportRefused) as refused:
        await connection.call(GET_CONFIG)
    assert refused.value.code == -404


async def test_a_silent_server_is_noticed(connect: Connect, sandbox: Sandbox) -> None:
    """All calls fail over once nothing has come for the time-out, pings unanswered."""
    connection = await connect(patience=PATIENCE)
    sandbox.faults.silence("help.getConfig", connection=True)
    calls = [asyncio.create_task(connection.call(request)) for request in (GET_CONFIG, NEAREST_DC)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [PeerSilent] * 2
    assert connection.failure is not None


async def test_a_silent_key_exchange_is_noticed(sandbox: Sandbox) -> None:
    """There are no pings yet, but a time-out for each step."""
    sandbox.faults.silence_data_centre(1)
    connection = await Connection.open(*sandbox.data_centres[1].address, request_timeout=PATIENCE)
    with pytest.raises(PeerSilent):
        await create_key(connection.exchange, PublicKeys.of_pem(sandbox.public_key_pem), 1)
    await connection.aclose()


async def test_a_lost_call_is_noticed_on_a_living_connection(connect: Connect, sandbox: Sandbox) -> None:
    """Pings are answered: the connection stays, and only the call goes elsewhere."""
    connection = await connect(patience=PATIENCE)
    sandbox.faults.silence("help.getConfig")
    with pytest.raises(PeerSilent):
        await connection.call(GET_CONFIG)
    assert isinstance(await connection.call(GET_CONFIG), types.Config)


@pytest.mark.swift_time
async def test_a_lost_call_is_noticed_when_its_time_is_over(connect: Connect, sandbox: Sandbox) -> None:
    """And not only when the connection is looked at the next time."""
    connection = await connect(patience=20.0)
    sandbox.faults.slow("help.getNearestDc", 1)
    await connection.call(NEAREST_DC)
    sandbox.faults.silence("help.getConfig")
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(PeerSilent):
        await connection.call(GET_CONFIG)
    assert 20 <= loop.time() - began < 20.1


async def test_an_idle_connection_is_kept_alive(
    connect: Connect, sandbox: Sandbox, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pings, which the server answers."""
    monkeypatch.setattr(module, "KEEPALIVE_SECONDS", 0.05)
    connection = await connect()
    (server_side,) = sandbox.data_centres[1].connections
    await until(lambda: server_side._disconnect_timer is not None)
    conversation = connection._conversation
    assert conversation is not None
    await until(lambda: not conversation.pinging)
    assert isinstance(await connection.call(GET_CONFIG), types.Config)


async def test_an_idle_connection_that_died_is_noticed(
    connect: Connect, sandbox: Sandbox, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody needs it."""
    monkeypatch.setattr(module, "KEEPALIVE_SECONDS", 0.05)
    connection = await connect(patience=0.1)
    sandbox.faults.silence_data_centre(1)
    await until(lambda: connection.failure is not None)
    assert isinstance(connection.failure, PeerSilent)


async def test_updates_are_dropped(connect: Connect, sandbox: Sandbox) -> None:
    """Nobody wants them here; they are acknowledged."""
    connection = await connect()
    await connection.call(GET_CONFIG)
    (record,) = sandbox.auth_keys
    assert sandbox.push_key(record, types.UpdatesTooLong()) == 1
    assert isinstance(await connection.call(GET_CONFIG), types.Config)


async def test_requests_wait_for_a_socket_that_is_full(
    connect: Connect, sandbox: Sandbox, until: Until
) -> None:
    """What the socket does not take is not encrypted yet, so that it can still be withdrawn at no cost."""
    connection = await connect()
    await connection.call(GET_CONFIG)
    (server_side,) = sandbox.data_centres[1].connections
    server_side._transport.pause_reading()
    part = functions.upload.SaveBigFilePartRequest(1, 0, 100, bytes(512 * 1024))
    calls: list[asyncio.Task[Any]] = [asyncio.create_task(connection.call(part)) for _ in range(60)]
    await until(lambda: connection._wire._paused)
    conversation = connection._conversation
    assert conversation is not None
    assert len(conversation.calls.waiting) > 20
    for call in calls[1:]:
        call.cancel()
    await asyncio.wait(calls[1:])
    server_side._transport.resume_reading()
    with pytest.raises(RpcFailed, match="401"):
        await calls[0]
    assert sandbox.calls[1, "upload.saveBigFilePart"] < 40
    assert isinstance(await connection.call(GET_CONFIG), types.Config)


async def test_what_the_server_has_reset_is_closed_like_any_other() -> None:
    """Though the loop has not noticed yet, and the socket refuses to be told the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = await Connection.open(*server.getsockname(), request_timeout=60)
        with server.accept()[0] as accepted:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.is_only = True
    connection.close()
    await connection.aclose()


async def test_nothing_is_encrypted_into_a_closing_transport(connect: Connect) -> None:
    """Which would drop it: whoever comes before the loop has noticed goes elsewhere, as nothing was sent."""
    connection = await connect()
    assert isinstance(await connection.call(GET_CONFIG), types.Config)
    connection._wire._transport.abort()
    with pytest.raises(ConnectionFailed) as failed:
        connection.start(GET_CONFIG)
    assert failed.value.not_received


async def test_nothing_can_be_called_without_a_key(sandbox: Sandbox) -> None:
    """There is nobody to encrypt for."""
    connection = await Connection.open(*sandbox.data_centres[1].address, request_timeout=1)
    with pytest.raises(ConnectionFailed, match="key"):
        await connection.call(GET_CONFIG)
    await connection.aclose()


async def test_no_server_at_all_is_the_systems_error(sandbox: Sandbox) -> None:
    """The caller knows other addresses."""
    await sandbox.data_centres[1].stop()
    with pytest.raises(OSError, match=r"refused|failed"):
        await Connection.open(*sandbox.data_centres[1].address, request_timeout=1)
