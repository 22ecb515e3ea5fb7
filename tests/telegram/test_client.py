"""A client by itself: connecting, and asking, each with an end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions, types

from tgbridge.errors import (
    FloodWait,
    SettingsError,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.settings import Settings
from tgbridge.telegram.account import login
from tgbridge.telegram.client import BridgeClient
from tgbridge.telegram.datacentres.directory import Directory

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, MakeSettings, SignIn, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.pool import ClientPool

ME = functions.users.GetUsersRequest([types.InputUserSelf()])
CONFIG = functions.help.GetConfigRequest()
IMPATIENT = {"telegram": {"connect_timeout_seconds": 0.5, "request_timeout_seconds": 0.5}}


def alone(settings: Settings, session: str = "") -> BridgeClient:
    return BridgeClient(session, settings, Directory(settings.telegram))


# Connecting


async def test_connecting_asks_nothing(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool
) -> None:
    """A connection and a key are all it takes; the first request says who we are."""
    make_pool()
    client = alone(make_settings())
    await client.connect()
    assert not sandbox.calls
    assert client.is_usable
    await client(CONFIG)
    assert sandbox.calls == {(1, "help.getConfig"): 1}
    await client.disconnect()


async def test_a_session_needs_two_round_trips(
    pool: ClientPool, session: str, make_pool: MakePool, sandbox: Sandbox
) -> None:
    """With a key: the salt is the only thing that costs a round trip before the first answer."""
    await pool.close()
    sandbox.counters.reset()
    async with make_pool().borrow(session) as client:
        assert (await login.get_me(client)).id
    assert sandbox.calls == {(1, "users.getUsers"): 1}
    assert sandbox.counters.auth_keys == 0


async def test_it_names_itself(pool: ClientPool, log_in: SignIn) -> None:
    """Telegram's list of devices shows what the settings say."""
    async with pool.borrow(await log_in(pool)) as client:
        answer = await client(functions.account.GetAuthorizationsRequest())
    assert [(one.device_model, one.system_version) for one in answer.authorizations] == [
        ("tgbridge", "server")
    ]


async def test_no_updates_are_asked_for(client: BridgeClient, sandbox: Sandbox) -> None:
    """Each request says that this connection wants none, and the data centre sends none."""
    await client(ME)
    account = sandbox.state.account((await login.get_me(client)).id)
    assert account is not None
    assert sandbox.push(account, types.UpdatesTooLong()) == 0


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "refusing"])
async def test_no_data_centre_no_hang(
    *, silent: bool, sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool
) -> None:
    """A data centre that takes the connection and says nothing, or takes none, is unavailable in time."""
    make_pool()
    if silent:
        sandbox.faults.silence_data_centre(1)
    else:
        await sandbox.data_centres[1].stop()
    client = alone(make_settings(**IMPATIENT))
    with pytest.raises(TelegramUnavailable):
        await client.connect()
    assert not client.is_usable
    await client.disconnect()


@pytest.mark.swift_time
async def test_an_unknown_name_is_unavailable(make_settings: MakeSettings) -> None:
    """A host that cannot be resolved is Telegram's unavailability, not a crash."""
    client = alone(make_settings(telegram={"dc_host": "no-such-host.invalid"}))
    with pytest.raises(TelegramUnavailable):
        await client.connect()
    await client.disconnect()


async def test_a_name_is_resolved(make_settings: MakeSettings, make_pool: MakePool) -> None:
    """A data centre given by name works, and the session holds an address."""
    make_pool()
    client = alone(make_settings(telegram={"dc_host": "localhost"}))
    await client.connect()
    assert await client(CONFIG)
    assert client.session.server_address == "127.0.0.1"
    await client.disconnect()


async def test_a_failed_key_exchange_is_tried_again(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool
) -> None:
    """A server that wants another key, or drops one, gets another."""
    make_pool()
    sandbox.faults.key_exchange("retry")
    sandbox.faults.key_exchange("fail")
    client = alone(make_settings())
    await client.connect()
    assert await client(CONFIG)
    await client.disconnect()


async def test_credentials_are_needed(make_settings: MakeSettings) -> None:
    """Without api_id and api_hash there is no client."""
    with pytest.raises(SettingsError, match="TELEGRAM_API_ID"):
        alone(Settings())


async def test_closed_while_connecting(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, until: Until
) -> None:
    """disconnect() ends a connect() that hangs; whoever waits for it is told, not cancelled."""
    make_pool()
    sandbox.faults.silence_data_centre(1)
    client = alone(make_settings())
    connecting = asyncio.create_task(client.connect())
    await until(lambda: sandbox.connections[1])
    await client.disconnect()
    with pytest.raises(TelegramUnavailable):
        await connecting


async def test_cancelled_while_connecting(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, until: Until
) -> None:
    """A cancelled connect() leaves neither socket nor task, and the client can be connected again."""
    make_pool()
    sandbox.faults.silence_data_centre(1)
    client = alone(make_settings())
    connecting = asyncio.create_task(client.connect())
    await until(lambda: sandbox.connections[1])
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await until(lambda: not sandbox.connections[1])
    sandbox.faults.clear()
    await client.connect()
    await client.disconnect()


async def test_disconnect_is_idempotent_and_final(make_settings: MakeSettings, make_pool: MakePool) -> None:
    """Several calls at once and later ones are one; afterwards there is no way back."""
    make_pool()
    client = alone(make_settings())
    await client.connect()
    await asyncio.gather(client.disconnect(), client.disconnect())
    await client.disconnect()
    assert not client.is_usable
    with pytest.raises(TelegramUnavailable):
        await client(CONFIG)
    with pytest.raises(TelegramUnavailable):
        await client.connect()


async def test_nothing_secret_is_shown(
    client: BridgeClient, session: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a repr nor a log line at any level has the key or the session in it."""
    caplog.set_level(logging.DEBUG)
    await client(ME)
    key = client.session.auth_key.key
    for shown in (repr(client), str(vars(client)), caplog.text):
        assert session not in shown
        assert key.hex() not in shown
        assert repr(key)[2:40] not in shown


# Asking


async def test_internal_errors_are_tried_again(client: BridgeClient, sandbox: Sandbox) -> None:
    """A few troubles on Telegram's side are never noticed."""
    sandbox.faults.internal_error("users.getUsers")
    sandbox.faults.internal_error("users.getUsers", code=-503, message="Timeout")
    assert (await client(ME))[0].is_self
    assert sandbox.counters.of("users.getUsers", 1) >= 3


@pytest.mark.swift_time
async def test_lasting_internal_errors_are_unavailability(client: BridgeClient, sandbox: Sandbox) -> None:
    """Telegram that keeps failing is unavailable when the time is over, after attempts that become rare."""
    rule = sandbox.faults.internal_error("users.getUsers", times=None)
    with pytest.raises(TelegramUnavailable, match="RPC_CALL_FAIL"):
        await client(ME)
    assert 4 < rule.applied < 30


async def test_a_refusal_is_not_repeated(client: BridgeClient, sandbox: Sandbox) -> None:
    """What Telegram refuses is raised at once, by its name."""
    rule = sandbox.faults.error("users.getUsers", 400, "USER_ID_INVALID", times=None)
    with pytest.raises(TelegramRefused) as caught:
        await client(ME)
    assert caught.value.name == "USER_ID_INVALID"
    assert rule.applied == 1


async def test_a_flood_wait_is_raised_at_once(client: BridgeClient, sandbox: Sandbox) -> None:
    """However short it is, and it does not block the method afterwards."""
    sandbox.faults.flood_wait("users.getUsers", seconds=1)
    with pytest.raises(FloodWait) as caught:
        await client(ME)
    assert caught.value.seconds == 1
    assert await client(ME)


async def test_a_short_flood_wait_is_sat_out_patiently(client: BridgeClient, sandbox: Sandbox) -> None:
    """Reading waits as long as the setting allows, then asks again."""
    sandbox.faults.flood_wait("users.getUsers", seconds=1)
    assert (await client.patiently(ME))[0].is_self


async def test_a_long_flood_wait_is_raised_even_so(client: BridgeClient, sandbox: Sandbox) -> None:
    """A wait beyond the setting is for the caller to tell."""
    sandbox.faults.flood_wait("users.getUsers", seconds=6)
    with pytest.raises(FloodWait):
        await client.patiently(ME)


async def test_a_request_without_answer_ends(impatient: BridgeClient, sandbox: Sandbox) -> None:
    """Silence is unavailability once the time is over, and the connection that was silent is given up."""
    sandbox.faults.silence("users.getUsers", connection=True)
    with pytest.raises(TelegramUnavailable, match="in time"):
        await impatient(ME)
    assert await impatient(ME)


async def test_a_slow_request_holds_up_no_other(client: BridgeClient, sandbox: Sandbox) -> None:
    """Requests of one account do not wait for one another."""
    held = sandbox.faults.hold("messages.getHistory")
    slow = asyncio.create_task(
        client(functions.messages.GetHistoryRequest(types.InputPeerSelf(), 0, None, 0, 1, 0, 0, 0))
    )
    await held.reached(1)
    assert await client(ME)
    assert not slow.done()
    held.release()
    assert await slow


async def test_a_request_that_was_given_up_is_not_sent_again(
    client: BridgeClient, sandbox: Sandbox, until: Until
) -> None:
    """A cancelled request is forgotten, also when the connection is made anew afterwards."""
    held = sandbox.faults.hold("users.getUsers")
    asking = asyncio.create_task(client(ME))
    await held.reached(1)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    before = sandbox.counters.of("users.getUsers")
    sandbox.faults.clear()
    sandbox.faults.drop_connections(1)
    await client(CONFIG)
    assert sandbox.counters.of("users.getUsers") == before


async def test_a_request_that_cannot_be_sent_is_a_bug(client: BridgeClient) -> None:
    """An id that does not fit is nobody's unavailability."""
    with pytest.raises(Exception, match="format requires") as caught:
        await client(functions.messages.GetMessagesRequest([types.InputMessageID(2**40)]))
    assert not isinstance(caught.value, TelegramUnavailable)
