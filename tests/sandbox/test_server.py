"""The sandbox as a whole: its life, what it remembers, what it counts, and updates."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from telethon import TelegramClient, errors, events, functions, types
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tests.sandbox.conftest import for_media
from tgbridge.sandbox import Call, Registry, RpcError, Sandbox, ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.conftest import NewWire, SignIn, Telegram

PHONE = "+9996620001"
GET_SELF = functions.users.GetUsersRequest([types.InputUserSelf()])


async def test_a_restart_keeps_keys(sandbox: Sandbox, sign_in: SignIn) -> None:
    """A client stays signed in while the data centres are away, and its key is known when they are back."""
    client = await sign_in(new_key=True)
    addresses = {centre.id: (centre.address, centre.media_address) for centre in sandbox.all_centres}
    await client.disconnect()
    await sandbox.stop()
    await sandbox.start()
    await client.connect()
    assert {centre.id: (centre.address, centre.media_address) for centre in sandbox.all_centres} == addresses
    assert (await client(GET_SELF))[0].phone == PHONE[1:]
    assert sandbox.counters.auth_keys == 1


async def test_a_new_process_keeps_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a state directory, a stored session is good for another sandbox on it, on the same ports."""
    monkeypatch.setattr(TelegramClient, "_config", None)
    async with Sandbox(state_dir=tmp_path) as first:
        rsa.add_key(first.public_key_pem, old=False)
        session = StringSession()
        session.set_dc(2, *first.data_centres[2].address)
        async with asyncio.timeout(20):
            client = TelegramClient(session, 1, "hash", retry_delay=0)
            await client.connect()
            await client.send_code_request(PHONE)
            await client.sign_in(PHONE, "22222")
            await client.disconnect()
        (key,) = first.auth_keys
    async with Sandbox(state_dir=tmp_path) as second:
        assert second.public_key_pem == first.public_key_pem
        assert second.data_centres[2].address == first.data_centres[2].address
        (known,) = second.auth_keys
        assert (known.layer, known.client_info) == (key.layer, key.client_info)
        client = TelegramClient(StringSession(session.save()), 1, "hash", retry_delay=0)
        await client.connect()
        assert (await client.get_me()).phone == PHONE[1:]
        await client.log_out()
        assert second.counters.auth_keys == 0
    async with Sandbox(state_dir=tmp_path) as third:
        assert [key.authorization for key in third.auth_keys] == [None]


async def test_forgotten_keys_are_forgotten_on_disk(tmp_path: Path) -> None:
    """A key that is removed has no file any more; one that stays can be read by its owner alone."""
    async with Sandbox(state_dir=tmp_path) as sandbox:
        made = sandbox.auth_keys.add(2, bytes(256), 1, sandbox.now())
        sandbox.auth_keys.add(1, bytes(256), 1, sandbox.now())
        await sandbox.auth_keys.close()
        files = sorted((tmp_path / "auth_keys").iterdir())
        assert [path.name[:4] for path in files] == ["dc1-", "dc2-"]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        sandbox.auth_keys.remove(made)
        sandbox.auth_keys.remove(made)
    assert sorted((tmp_path / "auth_keys").iterdir()) == files[:1]


async def test_remembered_ports_may_be_taken(tmp_path: Path) -> None:
    """A port that somebody else has in the meantime does not stop a sandbox, unless it was asked for."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports.save(tmp_path / "ports.json", {2: (taken, 0)})
        async with Sandbox(state_dir=tmp_path) as sandbox:
            assert sandbox.data_centres[2].address.port != taken
        refused = Sandbox(fixed_ports={2: (taken, 0)})
        with pytest.raises(OSError, match="in use"):
            await refused.start()
        assert not any(centre.listening for centre in refused.all_centres)
        await refused.close()


async def test_damaged_state_is_told(tmp_path: Path) -> None:
    """A state directory with something else in it stops the start."""
    (tmp_path / "rsa_key.pem").write_text("nothing of the kind")
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the parser says)
        await Sandbox(state_dir=tmp_path).start()
    (tmp_path / "rsa_key.pem").unlink()
    (tmp_path / "ports.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        await Sandbox(state_dir=tmp_path).start()


async def test_nothing_is_left_behind(wire: NewWire, sandbox: Sandbox) -> None:
    """A stop in the middle of calls ends connections and tasks; it may be repeated."""
    line = await wire()
    hold = sandbox.faults.hold("*")
    await line.send(functions.help.GetConfigRequest())
    await hold.reached(1)
    (record,) = sandbox.auth_keys
    for _ in range(2):
        await sandbox.stop()
    assert (hold.held, record.sessions, sum(sandbox.connections.values())) == (0, {}, 0)
    mine = asyncio.current_task()
    assert [
        task for task in asyncio.all_tasks() if task is not mine and "sandbox" in repr(task.get_coro())
    ] == []


async def test_one_data_centre_may_be_down(sandbox: Sandbox, telegram: Telegram) -> None:
    """A data centre that is stopped refuses connections and keeps its ports, for when it is back."""
    client = await telegram(1)
    await sandbox.data_centres[1].stop()
    for address in (sandbox.data_centres[1].address, sandbox.data_centres[1].media_address):
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection(*address)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(address)
    await sandbox.data_centres[1].start()
    await sandbox.data_centres[1].start()
    await client.disconnect()
    await client.connect()
    assert (await client(functions.help.GetNearestDcRequest())).this_dc == 1


async def test_what_is_not_there_before_the_start() -> None:
    """State and keys belong to a running sandbox."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError):
        _ = sandbox.state
    await sandbox.close()


async def test_the_configuration_lists_all_addresses(sandbox: Sandbox, telegram: Telegram) -> None:
    """Each data centre has a main and a media_only address, for the same keys; the CDN's is marked."""
    client = await telegram(1, new_key=True)
    config = await client(functions.help.GetConfigRequest())
    listed = {
        (option.id, option.media_only, option.cdn): (option.ip_address, option.port)
        for option in config.dc_options
    }
    expected: dict[Any, Any] = {
        (centre.id, False, False): centre.address for centre in sandbox.data_centres.values()
    }
    expected |= {(centre.id, True, False): centre.media_address for centre in sandbox.data_centres.values()}
    expected[203, False, True] = sandbox.cdn.address
    assert listed == expected
    assert (config.this_dc, config.caption_length_max) == (1, 1024)
    session = StringSession(client.session.save())
    session.set_dc(1, *sandbox.data_centres[1].media_address)
    media = await telegram(session=session.save())
    assert (await media(functions.help.GetNearestDcRequest())).this_dc == 1
    assert sandbox.counters.auth_keys == 1


async def test_the_cdn_has_a_key_of_its_own(sandbox: Sandbox, telegram: Telegram) -> None:
    """help.getCdnConfig gives the CDN's public key, with which a key exchange succeeds there."""
    client = await telegram()
    (key,) = (await client(functions.help.GetCdnConfigRequest())).public_keys
    assert (key.dc_id, key.public_key) == (203, sandbox.cdn.server_key.public_pem)
    assert key.public_key != sandbox.public_key_pem
    rsa.add_key(key.public_key, old=False)
    assert (await telegram(203, new_key=True)).is_connected()


async def test_counters(sandbox: Sandbox, telegram: Telegram) -> None:
    """Calls are counted by data centre and method, without wrappers; connections, keys and bytes too."""
    await telegram(1)
    client = await telegram(2)
    sandbox.counters.reset()
    for _ in range(3):
        await client(functions.InvokeWithoutUpdatesRequest(functions.help.GetNearestDcRequest()))
    assert sandbox.calls[2, "help.getNearestDc"] == 3
    assert sandbox.counters.of("help.getNearestDc") == sandbox.counters.of("help.getNearestDc", dc=2) == 3
    assert sandbox.counters.of("help.getNearestDc", dc=1) == 0
    assert sandbox.counters.bytes_in > 300
    assert sandbox.counters.bytes_out > 300
    assert sandbox.connections == {1: 1, 2: 1, 3: 0, 203: 0}
    await telegram(2, new_key=True)
    assert (sandbox.counters.connections[2], sandbox.counters.auth_keys) == (1, 1)


@pytest.mark.parametrize("offset", [-86_400.0, 7_200.0])
async def test_clocks_may_differ(
    sandbox: Sandbox, sign_in: SignIn, telegram: Telegram, offset: float
) -> None:
    """A client whose clock is wrong learns the right time from a notice or from the key exchange."""
    client = await sign_in()
    session = client.session.save()
    await client.disconnect()
    sandbox.clock_offset = offset
    again = await telegram(session=session)
    assert (await again.get_me()).phone == PHONE[1:]
    assert (await telegram(new_key=True)).is_connected()
    assert abs(again._sender._state.time_offset - offset) <= 2


async def test_updates_are_pushed(sandbox: Sandbox, sign_in: SignIn, telegram: Telegram) -> None:
    """Updates go to the account's connected sessions that want them, but for the one that caused them."""
    client = await sign_in()
    other = await telegram(session=for_media(sandbox, client))
    without = await telegram(session=for_media(sandbox, client), receive_updates=False)
    stranger = await sign_in("+9996620002")
    got: dict[str, asyncio.Queue[Any]] = {}
    for name, one in (("client", client), ("other", other), ("without", without), ("stranger", stranger)):
        got[name] = asyncio.Queue()
        one.add_event_handler(got[name].put, events.Raw(types.UpdateConfig))
    account = sandbox.state.account_of(PHONE)
    update = types.UpdateShort(types.UpdateConfig(), datetime.now(UTC))
    assert sandbox.push(account, update) == 2
    for name in ("client", "other"):
        await got[name].get()
    (record, *_) = (key for key in sandbox.auth_keys if key.authorization is not None)
    causing = next(session for session in record.sessions.values() if session.receives_updates)
    assert sandbox.push(account, update, exclude=causing) == 1
    assert sandbox.push_key(record, update) == 3
    for one in (without, stranger):
        await one(functions.help.GetNearestDcRequest())
    assert got["without"].qsize() <= 1
    assert got["stranger"].qsize() == 0


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        (functions.help.GetConfigRequest(), True),
        (functions.help.GetConfigRequest(), False),
        (functions.help.GetConfigRequest(), []),
        (GET_SELF, [types.UserEmpty(1), types.UserEmpty(2)]),
        (functions.contacts.GetContactIDsRequest(0), [1, -2, 3]),
        (functions.photos.DeletePhotosRequest([]), [1 << 40, -1]),
    ],
)
async def test_results(wire: NewWire, request_: Any, value: Any) -> None:
    """Objects, truth values and vectors, of int and of long, are written as clients read them."""
    methods = Registry()

    @methods.method(type(request_))
    async def give(_call: Call, _request: Any) -> Any:
        return value

    async with Sandbox(methods=methods) as sandbox:
        line = await wire(sandbox=sandbox)
        assert await line.call(request_) == value


async def test_files_are_not_copied(wire: NewWire) -> None:
    """An upload.file of any length, from any kind of bytes, is written as Telethon would write it."""
    methods = Registry()
    data = secrets.token_bytes(1 << 20)

    @methods.method(functions.upload.GetFileRequest)
    async def give(_call: Call, request: functions.upload.GetFileRequest) -> types.upload.File:
        return types.upload.File(types.storage.FileUnknown(), 7, memoryview(data)[: request.limit])

    async with Sandbox(methods=methods) as sandbox:
        line = await wire(sandbox=sandbox)
        for size in (0, 1, 253, 254, 255, 1 << 20):
            request = functions.upload.GetFileRequest(types.InputTakeoutFileLocation(), 0, size)
            assert bytes((await line.call(request)).bytes) == data[:size]


async def test_bugs_are_noted(wire: NewWire, sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """A method that fails is answered by 500 RPC_CALL_FAIL, and what it raised is kept."""
    line = await wire()
    methods = Registry()

    @methods.method(functions.help.GetConfigRequest)
    async def fail(_call: Call, _request: Any) -> Any:
        return object() if sandbox.failures else 1 / 0

    sandbox.methods = methods
    for _ in range(2):
        error = await line.call(functions.help.GetConfigRequest())
        assert (error.error_code, error.error_message) == (500, "RPC_CALL_FAIL")
    assert [type(error) for error in sandbox.failures] == [ZeroDivisionError, TypeError]
    assert "help.getConfig" in caplog.text
    sandbox.failures.clear()
    with pytest.raises(ValueError, match=r"help\.getConfig"):
        methods.method(functions.help.GetConfigRequest)(fail)
    assert methods.names == {"help.getConfig"}
    assert str(RpcError(400, "X_INVALID")) == "400 X_INVALID"


async def test_keys_do_not_show(sandbox: Sandbox, telegram: Telegram) -> None:
    """No representation gives a key away."""
    await telegram()
    (key,) = sandbox.auth_keys
    assert key.name in repr(key)
    assert key.key.hex() not in repr(vars(sandbox) | {"key": key})


async def test_migrations(sandbox: Sandbox, telegram: Telegram) -> None:
    """Stock clients follow PHONE_MIGRATE by the addresses of the configuration."""
    client = await telegram(1)
    await client.send_code_request(PHONE)
    assert (await client.sign_in(PHONE, "22222")).phone == PHONE[1:]
    assert client.session.dc_id == 2
    assert (sandbox.counters.connections[1], sandbox.counters.connections[2]) == (1, 1)
    with pytest.raises(errors.PhoneNumberInvalidError):
        await client.send_code_request("+1")
