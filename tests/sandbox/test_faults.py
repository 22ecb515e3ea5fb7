"""Everything that can be made to go wrong, as stock clients see it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from telethon import errors, functions, types
from telethon.crypto import AuthKey

from tests.sandbox.conftest import for_media
from tgbridge.sandbox.world.blobs import Synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from telethon import TelegramClient

    from tests.sandbox.conftest import NewWire, SignIn, Telegram
    from tgbridge.sandbox import Faults, Sandbox

GET_NEAREST = functions.help.GetNearestDcRequest()
NEAREST = "help.getNearestDc"
PHONE, OTHER_PHONE = "+9996620001", "+9996620002"


async def failures(client: TelegramClient, times: int) -> list[str]:
    """Call some times, and tell what came of it."""
    found = []
    for _ in range(times):
        try:
            await client(GET_NEAREST)
            found.append("")
        except errors.RPCError as error:
            found.append(type(error).__name__)
    return found


async def test_flood_waits(sandbox: Sandbox, telegram: Telegram) -> None:
    """FLOOD_WAIT and FLOOD_PREMIUM_WAIT carry their seconds, for as many calls as they are told to."""
    client = await telegram(flood_sleep_threshold=0)
    sandbox.faults.flood_wait(NEAREST, seconds=0, times=1)
    sandbox.faults.flood_wait(NEAREST, seconds=0, premium=True)
    assert await failures(client, 3) == ["FloodWaitError", "FloodPremiumWaitError", ""]
    sandbox.faults.flood_wait(NEAREST, seconds=73)
    with pytest.raises(errors.FloodWaitError) as caught:
        await client(GET_NEAREST)
    assert caught.value.seconds == 73


async def test_limits_are_each_keys_own(sandbox: Sandbox, telegram: Telegram) -> None:
    """A burst goes well, then everything waits; another key has a bucket of its own."""
    client, other = await telegram(flood_sleep_threshold=0), await telegram(2, flood_sleep_threshold=0)
    limit = sandbox.faults.limit(NEAREST, per_second=0.01, burst=2, wait=9, premium=True)
    assert await failures(client, 3) == ["", "", "FloodPremiumWaitError"]
    assert await failures(other, 1) == [""]
    assert limit.waits == 1


async def test_which_calls_a_rule_is_for(sandbox: Sandbox, telegram: Telegram) -> None:
    """A rule has a method, a name space or all, a data centre, some that go well before, and a number."""
    client = await telegram(2, request_retries=1)
    other = await telegram(1, request_retries=1)
    rule = sandbox.faults.error(NEAREST, 400, "METHOD_INVALID", skip=1, times=2, dc=2)
    assert await failures(other, 2) == ["", ""]
    assert await failures(client, 4) == ["", *["MethodInvalidError"] * 2, ""]
    assert (rule.applied, rule.times) == (2, 0)
    sandbox.faults.error("help.*", 400, "METHOD_INVALID")
    sandbox.faults.error("users.*", 400, "METHOD_INVALID")
    assert await failures(client, 2) == ["MethodInvalidError", ""]
    everything = sandbox.faults.error("*", 400, "METHOD_INVALID", times=None)
    assert await failures(client, 2) == ["MethodInvalidError"] * 2
    sandbox.faults.remove(everything)
    sandbox.faults.remove(everything)
    assert await failures(client, 1) == [""]


async def test_whose_calls_a_rule_is_for(sandbox: Sandbox, sign_in: SignIn) -> None:
    """A rule may be for one account, or for one key."""
    clients = [await sign_in(PHONE), await sign_in(OTHER_PHONE)]
    keys = [key for key in sandbox.auth_keys if key.authorization is not None]
    ids = [sandbox.state.account_of(phone).id for phone in (PHONE, OTHER_PHONE)]
    for index in (0, 1):
        for scope in ({"account": ids[index]}, {"auth_key": keys[index].name}):
            sandbox.faults.error(NEAREST, 400, "METHOD_INVALID", **scope)
            expected = [["MethodInvalidError"], [""]]
            assert [await failures(client, 1) for client in clients] == expected[:: 1 if index == 0 else -1]
            sandbox.faults.clear()


async def test_internal_errors(sandbox: Sandbox, wire: NewWire) -> None:
    """A data centre may have troubles of its own."""
    line = await wire()
    sandbox.faults.internal_error(NEAREST)
    sandbox.faults.internal_error(NEAREST, code=-503, message="Timeout")
    found = [await line.call(GET_NEAREST) for _ in range(2)]
    assert [(error.error_code, error.error_message) for error in found] == [
        (500, "RPC_CALL_FAIL"),
        (-503, "Timeout"),
    ]


async def test_dropped_connections(sandbox: Sandbox, telegram: Telegram) -> None:
    """A dropped call is not executed; the client connects anew and asks again."""
    client = await telegram()
    rule = sandbox.faults.drop(NEAREST, times=2)
    assert (await client(GET_NEAREST)).this_dc == 2
    assert (rule.applied, sandbox.counters.of(NEAREST), sandbox.counters.connections[2]) == (2, 3, 3)


async def test_lost_answers(sandbox: Sandbox, sign_in: SignIn) -> None:
    """A call may be executed without its answer getting through."""
    client = await sign_in()
    sandbox.faults.drop("messages.sendMessage", executed=True)
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), "once", random_id=7)
    with pytest.raises(errors.RandomIdDuplicateError):
        await client._sender.send(request)  # past the client's own retries
    messages = await client.get_messages("me", limit=2)
    assert [message.text == "once" for message in messages] == [True, False]


async def test_silence(sandbox: Sandbox, wire: NewWire) -> None:
    """A swallowed call has no answer, not even an acknowledgement; others on the connection have theirs."""
    line = await wire()
    sandbox.faults.silence(NEAREST)
    msg_id, seq_no = line.next_msg_id(), line.next_seq_no()
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    assert await line.settled() == []
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    assert await line.settled() == []
    assert isinstance(await line.call(GET_NEAREST), types.NearestDc)


async def test_silent_connections(sandbox: Sandbox, wire: NewWire) -> None:
    """A connection may fall silent, for calls that were made before as well; another one is served."""
    line = await wire()
    hold = sandbox.faults.hold("help.getConfig", times=1)
    sandbox.faults.silence(NEAREST, connection=True)
    await line.send(functions.help.GetConfigRequest())
    await hold.reached(1)
    await line.send(GET_NEAREST)
    other = await wire(key=line.auth_key)
    (silent,) = (one for one in sandbox.data_centres[2].connections if one.silent)
    hold.release()
    assert isinstance(await other.call(GET_NEAREST), types.NearestDc)
    assert not silent.closed
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await line.connection.recv()


async def test_silent_data_centres(sandbox: Sandbox, wire: NewWire) -> None:
    """A silent data centre takes connections and answers nothing; what was lost meanwhile remains so."""
    line = await wire()
    sandbox.faults.silence_data_centre(2)
    await line.send(functions.PingRequest(1))
    fresh = await wire(key=AuthKey(os.urandom(256)), begun=False)
    await fresh.send(functions.PingRequest(1))
    assert isinstance(await (await wire(1)).call(GET_NEAREST), types.NearestDc)
    sandbox.faults.silence_data_centre(2, silent=False)
    assert isinstance(await (await wire(2)).call(GET_NEAREST), types.NearestDc)
    await line.send(functions.PingRequest(1))
    for silent in (line, fresh):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await silent.connection.recv()


async def test_refused_connections(sandbox: Sandbox, telegram: Telegram) -> None:
    """New connections are reset, open ones are not."""
    client = await telegram()
    sandbox.faults.refuse_connections(2)
    # Not by Telethon: on Python 3.13 it connects again for ever where each connection is reset.
    reader, writer = await asyncio.open_connection(*sandbox.data_centres[2].address)
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()
    assert await failures(client, 1) == [""]
    sandbox.faults.refuse_connections(2, refusing=False)
    assert await failures(await telegram(), 1) == [""]


async def test_dropping_all_connections(sandbox: Sandbox, telegram: Telegram) -> None:
    """Clients whose connections are reset come back."""
    clients = [await telegram(1), await telegram(2)]
    sandbox.faults.drop_connections(1)
    assert [await failures(client, 1) for client in clients] == [[""], [""]]
    assert (sandbox.counters.connections[1], sandbox.counters.connections[2]) == (2, 1)


async def test_held_answers(sandbox: Sandbox, telegram: Telegram) -> None:
    """Calls can be held until all of them have come, and let go together."""
    client = await telegram()
    hold = sandbox.faults.hold(NEAREST)
    calls = [asyncio.ensure_future(client(GET_NEAREST)) for _ in range(5)]
    await hold.reached(5)
    assert (hold.held, sandbox.counters.of(NEAREST)) == (5, 5)
    sandbox.faults.clear()
    assert [answer.this_dc for answer in await asyncio.gather(*calls)] == [2] * 5


async def test_short_files(sandbox: Sandbox, sign_in: SignIn) -> None:
    """A part of a file can be made to have fewer bytes, or a wrong one."""
    client = await sign_in()
    account, blob = sandbox.state.account_of(PHONE), Synthetic(10_000)
    made = account.document(blob, mime_type="video/mp4", dc_id=2)
    message = account.add_message(media=types.MessageMediaDocument(document=made))
    document = (await client.get_messages("me", ids=message.id)).document
    place = types.InputDocumentFileLocation(
        document.id, document.access_hash, document.file_reference, thumb_size=""
    )
    sandbox.faults.short()
    sandbox.faults.short(keep=1)
    sandbox.faults.short(keep=0)
    request = functions.upload.GetFileRequest(place, 0, 1 << 20)
    assert [len((await client(request)).bytes) for _ in range(4)] == [5000, 1, 0, 10_000]
    sandbox.faults.alter()
    altered, intact = [(await client(request)).bytes for _ in range(2)]
    assert intact == blob.read(0, 10_000)
    assert (altered[:-1], altered[-1]) == (intact[:-1], intact[-1] ^ 1)


async def test_a_slow_connection(sandbox: Sandbox, telegram: Telegram) -> None:
    """One connection can be slow among quick ones, and is from then on."""
    client, other = await telegram(), await telegram()
    sandbox.faults.throttle(NEAREST, 2000)
    started = asyncio.get_running_loop().time()
    assert await failures(client, 2) == ["", ""]
    assert asyncio.get_running_loop().time() - started >= 2 * 80 / 2000
    assert await failures(other, 2) == ["", ""]
    limits = {connection.path.limit for connection in sandbox.data_centres[2].connections}
    assert limits == {None, 2000}


async def test_delays_do_not_add_up(sandbox: Sandbox, wire: NewWire) -> None:
    """With a delay, all calls that were sent arrive before the first answer does, in their order."""
    line = await wire()
    sandbox.counters.reset()
    sandbox.faults.delay(0.15)
    sent = [await line.send(functions.PingRequest(number)) for number in range(9)]
    sent.append(await line.send(GET_NEAREST))
    assert sandbox.counters.of(NEAREST) == 0
    bytes_out = sandbox.counters.bytes_out
    packet = line._open(await line.connection.recv())
    assert sandbox.counters.of(NEAREST) == 1
    assert sandbox.counters.bytes_out > bytes_out
    line._take(*packet)
    pongs = [await line.expect(types.Pong) for _ in range(9)]
    assert [pong.content.ping_id for pong in pongs] == list(range(9))
    assert isinstance(await line.result(sent[-1]), types.NearestDc)


async def test_key_exchanges_are_delayed(sandbox: Sandbox, wire: NewWire) -> None:
    """A new connection costs a round trip, and each of the three steps of a key exchange another one."""
    round_trip = 0.02
    sandbox.faults.delay(round_trip / 2, dc=2)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await wire(2, begun=False, new_key=True)
    assert loop.time() - started >= 4 * round_trip
    sandbox.faults.delay(60, dc=1)
    assert isinstance(await (await wire(2)).call(GET_NEAREST), types.NearestDc)


async def test_bandwidth(sandbox: Sandbox, wire: NewWire) -> None:
    """Bytes beyond the bandwidth wait, in each direction."""
    line = await wire()
    sandbox.faults.bandwidth(200_000)
    loop = asyncio.get_running_loop()
    started = loop.time()
    await line.send(types.MsgsAck([0] * 1000), seq_no=line.next_seq_no(content_related=False))
    assert await line.settled() == []
    assert loop.time() - started >= 8000 / 200_000


async def test_expired_salts(sandbox: Sandbox, telegram: Telegram) -> None:
    """A client whose salt is not taken any more is told the new one, and asks again."""
    client = await telegram()
    before = client._sender._state.salt
    sandbox.faults.expire_salts()
    assert await failures(client, 1) == [""]
    assert client._sender._state.salt != before


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        ("AUTH_KEY_UNREGISTERED", errors.AuthKeyUnregisteredError),
        ("SESSION_REVOKED", errors.SessionRevokedError),
        ("SESSION_EXPIRED", errors.SessionExpiredError),
        ("USER_DEACTIVATED", errors.UserDeactivatedError),
        ("AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
    ],
)
async def test_revoked_keys(sandbox: Sandbox, sign_in: SignIn, error: str, raised: type[Exception]) -> None:
    """An account's keys can be ended by any of Telegram's errors; another account's are not."""
    client, other = await sign_in(PHONE), await sign_in(OTHER_PHONE)
    account = sandbox.state.account_of(PHONE)
    assert sandbox.faults.revoke(account=account.id, error=error) == 1
    request = functions.users.GetUsersRequest([types.InputUserSelf()])
    for _ in range(2):
        with pytest.raises(raised):
            await client(request)
    assert len(await other(request)) == 1


async def test_forgotten_keys(sandbox: Sandbox, sign_in: SignIn) -> None:
    """A key that is forgotten altogether is answered by the transport's -404."""
    client = await sign_in()
    (key,) = sandbox.auth_keys
    assert sandbox.faults.revoke(auth_key="0" * 16, error=None) == 0
    assert sandbox.faults.revoke(auth_key=key.name, error=None) == 1
    with pytest.raises(errors.AuthKeyNotFound):
        await client(GET_NEAREST)


async def test_two_connections_of_an_authorization(
    sandbox: Sandbox, sign_in: SignIn, telegram: Telegram
) -> None:
    """One after the other is fine; the second at a time ends the authorization for good, on both."""
    client = await sign_in()
    session = client.session.save()
    await client.disconnect()
    # Without Telethon's update loop, which closes a client of that error; what it is asked just then hangs.
    again = await telegram(session=session, receive_updates=False)
    assert await failures(again, 1) == [""]
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await telegram(session=session, receive_updates=False)
    for _ in range(2):
        assert await failures(again, 1) == ["AuthKeyDuplicatedError"]


async def test_connections_for_media_may_be_parallel(
    sandbox: Sandbox, sign_in: SignIn, telegram: Telegram
) -> None:
    """At addresses that are media_only, beside one at another."""
    client = await sign_in()
    others = [await telegram(session=for_media(sandbox, client)) for _ in range(2)]
    for one in (client, *others):
        assert await failures(one, 1) == [""]


EVERYTHING: list[Callable[[Faults], Any]] = [
    lambda faults: faults.error("*", 400, "METHOD_INVALID", times=None),
    lambda faults: faults.hold("*"),
    lambda faults: faults.delay(60),
    lambda faults: faults.bandwidth(1),
    lambda faults: faults.silence_data_centre(),
    lambda faults: faults.refuse_connections(),
    lambda faults: faults.key_exchange("fail", times=9),
]


async def test_clear(sandbox: Sandbox, telegram: Telegram) -> None:
    """Everything can be taken away at once."""
    for fault in EVERYTHING:
        fault(sandbox.faults)
    sandbox.faults.clear()
    assert sandbox.faults.rules == ()
    assert await failures(await telegram(new_key=True), 1) == [""]
