"""A client that loses its connection, its session, or its data centre."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tgbridge.errors import (
    SessionEnded,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.telegram.account import login
from tgbridge.telegram.client import BridgeClient
from tgbridge.telegram.datacentres.directory import Directory
from tgbridge.telegram.mtproto import connection

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, MakeSettings, SignIn, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings
    from tgbridge.telegram.pool import ClientPool

ME = functions.users.GetUsersRequest([types.InputUserSelf()])
CONFIG = functions.help.GetConfigRequest()
IMPATIENT = {"telegram": {"connect_timeout_seconds": 0.5, "request_timeout_seconds": 0.5}}


def alone(settings: Settings, session: str = "") -> BridgeClient:
    return BridgeClient(session, settings, Directory(settings.telegram))


# Losing the connection


async def test_a_lost_connection_is_made_anew(client: BridgeClient, sandbox: Sandbox) -> None:
    """A request that is under way when the connection breaks is answered all the same, over the next one."""
    sandbox.faults.drop("users.getUsers")
    assert (await client(ME))[0].is_self
    assert sandbox.counters.connections[1] >= 2


async def test_a_restart_is_survived(client: BridgeClient, sandbox: Sandbox) -> None:
    """The data centre goes and comes back; requests of before and after are answered, in one session."""
    held = sandbox.faults.hold("users.getUsers")
    before = asyncio.create_task(client(ME))
    await held.reached(1)
    await sandbox.stop()
    sandbox.faults.clear()
    await sandbox.start()
    assert (await before)[0].is_self
    assert (await client(ME))[0].is_self


@pytest.mark.swift_time
async def test_a_data_centre_that_stays_away_ends_the_client(
    client: BridgeClient, sandbox: Sandbox, until: Until
) -> None:
    """Reconnecting has an end: waiting requests fail, and the client says that it is of no use."""
    await sandbox.data_centres[1].stop()
    with pytest.raises(TelegramUnavailable):
        await client(ME)
    await until(lambda: not client.is_usable)
    await sandbox.data_centres[1].start()
    await client.connect()
    assert (await client(ME))[0].is_self


async def test_a_server_that_hangs_up_at_once_is_not_hammered(
    impatient: BridgeClient, sandbox: Sandbox
) -> None:
    """Connections that end before a word is said are tried a few times with pauses, not in a tight loop."""
    sandbox.counters.reset()
    sandbox.faults.refuse_connections(1)
    sandbox.faults.drop_connections(1)
    with pytest.raises(TelegramUnavailable):
        await impatient(ME)
    assert sandbox.counters.connections[1] < 10


@pytest.mark.swift_time
async def test_a_request_that_always_ends_the_connection_is_given_up(
    client: BridgeClient, sandbox: Sandbox
) -> None:
    """When its time is over, with pauses in between; other requests go on over the same client."""
    sandbox.counters.reset()
    sandbox.faults.drop("users.getUsers", times=None)
    with pytest.raises(TelegramUnavailable):
        await client(ME)
    assert 4 < sandbox.counters.connections[1] < 30
    assert await client(CONFIG)


async def test_silence_is_noticed_without_a_request(
    stored: str, make_settings: MakeSettings, sandbox: Sandbox, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pings find out that the peer is gone; the next request is asked on another connection."""
    monkeypatch.setattr(connection, "KEEPALIVE_SECONDS", 0.01)
    client = alone(make_settings(**IMPATIENT), stored)
    await client.connect()
    sandbox.faults.silence_data_centre(1)
    current = await client.main_connection()
    await until(lambda: current.failure)
    sandbox.faults.silence_data_centre(1, silent=False)
    assert await client(ME)
    await client.disconnect()


async def test_an_idle_client_comes_back_when_it_is_asked(client: BridgeClient, sandbox: Sandbox) -> None:
    """And not before: a data centre that restarts would see all of its clients in one moment."""
    await client(ME)
    sandbox.counters.reset()
    sandbox.faults.drop_connections(1)
    current = await client.main_connection()
    while current.failure is None:
        await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert sandbox.counters.connections[1] == 0
    assert client.is_usable
    assert await client(ME)
    assert sandbox.counters.connections[1] == 1


async def test_a_request_on_a_connection_that_is_going(client: BridgeClient, sandbox: Sandbox) -> None:
    """Nothing is encrypted for a socket that is being closed: the request goes to another connection."""
    await client(ME)
    current = await client.main_connection()
    current._wire._transport.close()
    assert await client(ME)
    assert sandbox.counters.of("users.getUsers", 1) == 3


async def test_a_restart_of_the_data_centre_costs_few_connects(
    make_pool: MakePool, sandbox: Sandbox, sign_in: SignIn
) -> None:
    """Of clients that are asked something while it is away: it is tried for all of them together."""
    pool = make_pool()
    sessions = [await sign_in(pool, f"+999661{number:04}") for number in range(20)]
    await sandbox.data_centres[1].stop()
    sandbox.counters.reset()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(pool.borrow(session)) for session in sessions]
        asking = [asyncio.create_task(client(ME)) for client in clients]
        await asyncio.sleep(0.05)
        (pace,) = clients[0].connector._paces.values()
        assert pace.failures < 30
        await sandbox.data_centres[1].start()
        assert all(answer[0].is_self for answer in await asyncio.gather(*asking))


async def test_salts_may_expire(client: BridgeClient, sandbox: Sandbox) -> None:
    """A new salt costs a round trip and no more."""
    await client(ME)
    sandbox.faults.expire_salts()
    assert await client(ME)


@pytest.mark.parametrize("seconds", [-3600, 3600])
async def test_clocks_may_differ(
    seconds: int, pool: ClientPool, session: str, make_pool: MakePool, sandbox: Sandbox
) -> None:
    """A server whose clock is an hour off is understood, and understands."""
    await pool.close()
    sandbox.clock_offset = seconds
    async with make_pool().borrow(session) as client:
        assert await client(ME)
        assert abs(client.home_key().state.time_offset - seconds) <= 1


async def test_a_forgotten_init_connection_is_repeated(client: BridgeClient, sandbox: Sandbox) -> None:
    """A server that forgot who we are is told again."""
    sandbox.faults.error("users.getUsers", 400, "CONNECTION_NOT_INITED")
    assert await client(ME)


# Sessions that end


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ("AUTH_KEY_UNREGISTERED", "AUTH_KEY_UNREGISTERED"),
        ("SESSION_REVOKED", "SESSION_REVOKED"),
        ("USER_DEACTIVATED", "USER_DEACTIVATED"),
        ("AUTH_KEY_DUPLICATED", "AUTH_KEY_DUPLICATED"),
        (None, "AUTH_KEY_NOT_FOUND"),
    ],
)
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "at connect"])
async def test_an_ended_session_says_so(
    *,
    connected: bool,
    error: str | None,
    name: str,
    sandbox: Sandbox,
    session: str,
    pool: ClientPool,
    make_pool: MakePool,
) -> None:
    """Whatever ended it, and whether the client was connected or comes back later."""
    if not connected:
        await pool.close()
        pool = make_pool()
    async with pool.borrow(session) as client:
        if connected:
            await client(ME)
        sandbox.faults.revoke(error=error)
        with pytest.raises(SessionEnded) as caught:
            await client(ME)
    assert caught.value.name == name


# Data centres


async def test_a_login_moves_to_the_numbers_data_centre(
    sandbox: Sandbox, pool: ClientPool, log_in: SignIn
) -> None:
    """PHONE_MIGRATE is followed once, with a new key, and the old data centre is left."""
    await log_in(pool, "+9996630001")
    assert sandbox.counters.of("auth.sendCode", 1) == 1
    assert sandbox.counters.of("auth.signIn", 3) == 1
    assert sandbox.connections[1] == 0
    assert sandbox.connections[3] == 1


async def test_several_requests_move_once(sandbox: Sandbox, pool: ClientPool) -> None:
    """Requests that are sent elsewhere at the same time go there together."""
    async with pool.anonymous() as client:
        await asyncio.gather(*(login.send_code(client, "+9996620001") for _ in range(3)))
        assert client.home_dc_id == 2
    assert sandbox.counters.connections[2] == 1


async def test_who_is_signed_in_stays(client: BridgeClient, sandbox: Sandbox) -> None:
    """A client with an account does not move: its key is good in its own data centre alone."""
    sandbox.faults.error("users.getUsers", 303, "USER_MIGRATE_2")
    with pytest.raises(TelegramRefused) as caught:
        await client(ME)
    assert (caught.value.name, caught.value.value) == ("USER_MIGRATE", 2)
    assert client.home_dc_id == 1


async def test_file_connections_get_what_they_need(client: BridgeClient, sandbox: Sandbox) -> None:
    """Addresses for files with media_only first, the key with its salt, an authorization for elsewhere."""
    first, *others = await client.addresses(2)
    assert (first.host, first.port) == sandbox.data_centres[2].media_address
    assert [(one.host, one.port) for one in others] == [sandbox.data_centres[2].address]
    assert await client.addresses(77) == ()
    assert await client.addresses(1, cdn=True) == ()
    assert sandbox.counters.of("help.getConfig") == 1
    await client(ME)
    key = client.home_key()
    assert key.key == client.session.auth_key.key
    assert key.state.salt != 0
    exported = await client.export_authorization(2)
    assert exported.bytes
    preamble = client.preamble()
    wrapped = BinaryReader(preamble.first + bytes(CONFIG)).tgread_object()
    assert isinstance(wrapped.query, functions.InvokeWithoutUpdatesRequest)
    assert isinstance(wrapped.query.query.query, functions.help.GetConfigRequest)
    assert BinaryReader(preamble.later + bytes(CONFIG)).tgread_object().query == CONFIG


async def test_ipv6(sandbox: Sandbox, make_settings: MakeSettings) -> None:
    """An IPv6 address is used as it is given."""
    settings = make_settings(telegram={"dc_host": "[::1]", "use_ipv6": True}).telegram
    place = await Directory(settings).start()
    assert place.address.host == "::1"
    assert socket.inet_pton(socket.AF_INET6, place.address.host)
