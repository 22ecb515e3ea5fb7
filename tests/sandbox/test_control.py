"""The control port, and the sandbox as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from telethon import TelegramClient, errors, events, functions
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tgbridge.sandbox.control import FAULTS, Control
from tgbridge.sandbox.faults import Faults
from tgbridge.sandbox.run import ports_from
from tgbridge.sandbox.telephone import SENDABLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.sandbox.conftest import SignIn, Telegram
    from tgbridge.sandbox import Sandbox

NEAREST = "help.getNearestDc"
GET_NEAREST = functions.help.GetNearestDcRequest()


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[ClientSession]:
    """A client of the control port."""
    port = Control(sandbox)
    await port.start()
    async with ClientSession(port.url) as client:
        yield client
    await port.close()
    await port.close()


async def state(control: ClientSession) -> dict[str, Any]:
    async with control.get("/state") as response:
        assert response.status == 200
        found: dict[str, Any] = await response.json()
        return found


async def test_state(sandbox: Sandbox, control: ClientSession, sign_in: SignIn) -> None:
    """What was asked, by whom and how often, without keys, names or numbers."""
    await sign_in("+9996620001")
    found = await state(control)
    assert found["calls"]["2"]["auth.signIn"] == 1
    assert found["connections"] == {"1": 0, "2": 1, "3": 0, "203": 0}
    assert found["connections_opened"] == {"2": 1}
    assert found["data_centres"]["3"]["media_port"] == sandbox.data_centres[3].media_address.port
    (record,) = sandbox.auth_keys
    account = sandbox.state.account_of("+9996620001")
    assert found["auth_keys"] == [
        {"id": record.name, "dc": 2, "account": account.id, "revoked": None, "sessions": 1}
    ]
    assert found["failures"] == []
    text = json.dumps(found)
    assert record.key.hex() not in text
    assert "9996620001" not in text


async def test_rules(control: ClientSession, telegram: Telegram) -> None:
    """A rule is added by the name of its method, seen, and taken away by its id."""
    client = await telegram(flood_sleep_threshold=0)
    fault = {"fault": "flood_wait", "method": NEAREST, "seconds": 0, "times": None, "dc": 2}
    async with control.post("/faults", json=fault) as response:
        assert (response.status, await response.json()) == (201, {"id": 1})
    with pytest.raises(errors.FloodWaitError):
        await client(GET_NEAREST)
    (rule,) = (await state(control))["rules"]
    assert (rule["id"], rule["fault"], rule["message"]) == (1, "error", "FLOOD_WAIT_0")
    assert (rule["applied"], rule["dc"]) == (1, 2)
    async with control.delete("/faults/1") as response:
        assert response.status == 204
    assert (await client(GET_NEAREST)).this_dc == 2
    async with control.delete("/faults/1") as response:
        assert response.status == 404


async def test_holds_are_released(control: ClientSession, sandbox: Sandbox, telegram: Telegram) -> None:
    """What a hold holds back can be let go over the control port."""
    client = await telegram()
    async with control.post("/faults", json={"fault": "hold", "method": NEAREST}) as response:
        identifier = (await response.json())["id"]
    call = asyncio.ensure_future(client(GET_NEAREST))
    (rule,) = sandbox.faults.rules
    await rule.reached(1)  # type: ignore[attr-defined]
    async with control.post(f"/faults/{identifier}/release") as response:
        assert response.status == 204
    assert (await call).this_dc == 2
    async with control.post("/faults", json={"fault": "drop", "method": NEAREST}) as response:
        other = (await response.json())["id"]
    for path, status in ((other, 400), (99, 404)):
        async with control.post(f"/faults/{path}/release") as response:
            assert response.status == status


async def test_everything_else(control: ClientSession, sandbox: Sandbox) -> None:
    """Faults of the network and of keys, switches, counters and data centres."""
    for fault in (
        {"fault": "delay", "seconds": 0.5, "dc": 3},
        {"fault": "silence_data_centre", "dc": 3},
    ):
        async with control.post("/faults", json=fault) as response:
            assert (response.status, await response.json()) == (200, {"result": None})
    async with control.post("/faults", json={"fault": "revoke", "error": "SESSION_REVOKED"}) as response:
        assert await response.json() == {"result": 0}
    found = await state(control)
    assert found["networks"]["3"] == {
        "delay": 0.5,
        "bytes_per_second": None,
        "silent": True,
        "refusing": False,
    }
    for method, path in (("delete", "/faults"), ("delete", "/counters"), ("post", "/data-centres/3/stop")):
        async with control.request(method, path) as response:
            assert response.status == 204
    assert sandbox.faults.network(3).delay == 0
    with pytest.raises(OSError, match="Connect"):
        await asyncio.open_connection(*sandbox.data_centres[3].address)
    async with control.post("/data-centres/3/start") as response:
        assert response.status == 204
    assert sandbox.data_centres[3].listening
    async with control.post("/data-centres/4/stop") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "no such fault"),
        ({"fault": "clear"}, "no such fault"),
        ({"fault": "__init__"}, "no such fault"),
        ({"fault": ["hold"]}, "no such fault"),
        ({"fault": "hold"}, "method: Missing required argument"),
        ({"fault": "drop", "method": 1}, "method: Input should be a valid string"),
        ({"fault": "drop", "method": NEAREST, "times": "2"}, "times: Input should be a valid integer"),
        ({"fault": "drop", "method": NEAREST, "colour": 2}, "colour: Extra inputs are not permitted"),
        ({"fault": "key_exchange", "verdict": "maybe"}, "verdict: Input should be 'ok', 'retry' or 'fail'"),
        ({"fault": "delay", "seconds": 1, "dc": 4}, "no such data centre"),
        ([], "not a JSON object"),
    ],
)
async def test_what_does_not_fit_is_told(control: ClientSession, body: Any, error: str) -> None:
    """A fault that there is not, or with other arguments, is a 400 that says why, and has no effect."""
    async with control.post("/faults", json=body) as response:
        assert response.status == 400
        assert (await response.json())["error"].startswith(error)
    assert (await state(control))["rules"] == []


async def test_bodies_are_json(control: ClientSession) -> None:
    """A body that is not declared as JSON is not read, and one that is not JSON is refused."""
    async with control.post("/faults", data="{}") as response:
        assert response.status == 415
    async with control.post("/faults", data="{", headers={"Content-Type": "application/json"}) as response:
        assert response.status == 400


def test_every_fault_can_be_set_from_outside() -> None:
    """The control port knows all public methods of Faults, but for those that only the server needs."""
    public = {name for name, value in vars(Faults).items() if callable(value) and not name.startswith("_")}
    assert public - FAULTS == {
        *("remove", "clear", "network", "take", "judge_key", "check_key", "loses_update")
    }
    assert public >= FAULTS


async def test_the_port_belongs_to_a_running_one(sandbox: Sandbox) -> None:
    """There is no address before the start."""
    with pytest.raises(RuntimeError):
        _ = Control(sandbox).url


def test_fixed_ports() -> None:
    """The home data centre has the first two of eight ports."""
    assert ports_from(0) is None
    assert ports_from(4000) == {2: (4000, 4001), 1: (4002, 4003), 3: (4004, 4005), 203: (4006, 4007)}


RUN = """
import asyncio, sys
from pathlib import Path
from tgbridge.sandbox.run import run_sandbox
asyncio.run(run_sandbox(state_dir=Path(sys.argv[1]), exit_with_stdin=sys.argv[2] == "stdin"))
"""


@pytest.mark.parametrize("end", ["stdin", "SIGTERM", "SIGINT"])
async def test_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """It says in one line where it is, serves, and ends cleanly, by a signal or with its standard input."""
    monkeypatch.setattr(TelegramClient, "_config", None)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        RUN,
        str(tmp_path),
        end,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        assert process.stdin is not None
        ready = json.loads(await process.stdout.readline())
        rsa.add_key(await asyncio.to_thread(Path(ready["public_key"]).read_text), old=False)
        session = StringSession()
        session.set_dc(ready["dc_id"], ready["host"], ready["port"])
        client = TelegramClient(session, 1, "hash", retry_delay=0)
        await client.connect()
        assert (await client(GET_NEAREST)).this_dc == ready["dc_id"] == 2
        await client.disconnect()
        async with ClientSession(ready["control"]) as control:
            assert (await state(control))["data_centres"] == ready["data_centres"]
        if end == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[end])
        rest, complaints = await process.communicate()
        assert (process.returncode, rest, complaints) == (0, b"", b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_scan(control: ClientSession, telegram: Telegram) -> None:
    """A QR code is scanned without a telephone; what can't be scanned is refused with the reason."""
    client = await telegram(2)
    login = await client.qr_login()
    scanned = {"phone": "+9996620001", "url": login.url}
    waiting = asyncio.ensure_future(login.wait(5))
    await asyncio.sleep(0)
    async with control.post("/scan", json=scanned) as response:
        assert response.status == 204
    assert (await waiting).phone == "9996620001"
    for change, reason in (
        ({}, "AUTH_TOKEN_INVALID"),
        ({"url": "https://example.com/"}, "not the link of a QR code"),
        ({"url": "tg://login?token=A"}, "Invalid base64"),
        ({"url": None}, "not the link of a QR code"),
        ({"phone": "+15551234567"}, "not a number of the sandbox"),
    ):
        async with control.post("/scan", json=scanned | change) as response:
            assert response.status == 400
            assert reason in (await response.json())["error"]


async def test_a_message_from_the_telephone(
    sandbox: Sandbox, control: ClientSession, sign_in: SignIn
) -> None:
    """The user's telephone sends what can be seen; other devices are told of it, and get its bytes."""
    client = await sign_in("+9996620001")
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    client.add_event_handler(arrived.put, events.NewMessage())
    for media in SENDABLE:
        sent = {"phone": "+9996620001", "media": media, "caption": f"a {media}"}
        async with control.post("/messages", json=sent) as response:
            assert response.status == 201
            message_id = (await response.json())["id"]
        async with asyncio.timeout(10):
            message = (await arrived.get()).message
        assert (message.id, message.message) == (message_id, f"a {media}")
        if message.file is not None:  # Telethon knows of no files in stories, polls and paid media
            assert message.file.size == len(await client.download_media(message, bytes))
    async with control.post("/messages", json={"phone": "+9996620001"}) as response:
        assert (await response.json())["id"] == message_id + 1
    assert (await client.get_messages("me", limit=1))[0].message == "A beautiful image"


async def test_a_message_that_the_telephone_cannot_send(control: ClientSession) -> None:
    """What can't be sent is refused with the reason."""
    for sent, reason in (
        ({"phone": "+9996620001", "media": "poll"}, "media is one of text_file, html, "),
        ({"phone": "+9996620001", "media": None}, "media is one of "),
        ({"phone": "+15551234567"}, "not a number of the sandbox"),
        ({}, "not a number of the sandbox"),
    ):
        async with control.post("/messages", json=sent) as response:
            assert response.status == 400
            assert reason in (await response.json())["error"]
