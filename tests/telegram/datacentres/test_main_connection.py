"""The main connection: one at a time, believed when it says twice that it does not know the key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from tgbridge.errors import SessionEnded, TelegramUnavailable
from tgbridge.sandbox.mtproto.connection import Connection as ServerSide
from tgbridge.telegram.client import BridgeClient
from tgbridge.telegram.datacentres.directory import Directory
from tgbridge.telegram.mtproto import wire

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, MakeSettings
    from tgbridge.sandbox import Sandbox

ME = functions.users.GetUsersRequest([types.InputUserSelf()])


def refuse(monkeypatch: pytest.MonkeyPatch, times: int, *, plain: bool = False) -> list[ServerSide]:
    """Let the server answer packets by -404, be they encrypted or those of a key exchange."""
    packet = ServerSide._packet
    refused: list[ServerSide] = []

    def answer(self: ServerSide, framing: Any, received: Any) -> None:
        is_plain = received.data[:8] == bytes(8)
        if is_plain is plain and len(refused) < times:
            refused.append(self)
            self._refuse(404)
        else:
            packet(self, framing, received)

    monkeypatch.setattr(ServerSide, "_packet", answer)
    return refused


async def test_an_unknown_key_is_believed_the_second_time(
    client: BridgeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-404 also answers what was damaged on its way: once, it is a lost connection like any other."""
    await client(ME)
    refused = refuse(monkeypatch, 1)
    assert (await client(ME))[0].is_self
    assert len(refused) == 1
    refused = refuse(monkeypatch, 2)
    with pytest.raises(SessionEnded, match="AUTH_KEY_NOT_FOUND"):
        await client(ME)
    assert len(refused) == 2


async def test_answers_in_between_count(client: BridgeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only two in a row are believed."""
    for _ in range(3):
        refuse(monkeypatch, 1)
        assert (await client(ME))[0].is_self


@pytest.mark.swift_time
async def test_a_key_exchange_that_is_refused_is_no_ended_session(
    make_settings: MakeSettings, make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, and is unavailability in the end."""
    make_pool()
    settings = make_settings()
    client = BridgeClient("", settings, Directory(settings.telegram))
    refuse(monkeypatch, 2, plain=True)
    await client.connect()
    await client.disconnect()
    refuse(monkeypatch, 10_000, plain=True)
    client = BridgeClient("", settings, Directory(settings.telegram))
    with pytest.raises(TelegramUnavailable):
        await client.connect()
    await client.disconnect()


async def test_the_old_connection_has_ended_before_the_next_begins(
    client: BridgeClient, sandbox: Sandbox
) -> None:
    """However it is lost, and however many ask: the server never sees two, or the session would be dead."""
    centre = sandbox.data_centres[1]
    most = 0
    for _ in range(5):
        asking = [asyncio.create_task(client(ME)) for _ in range(5)]
        await asyncio.sleep(0)
        sandbox.faults.drop_connections(1)
        for one in asking:
            assert (await one)[0].is_self
            most = max(most, len(centre.connections))
    assert most == 1


@pytest.mark.swift_time
@pytest.mark.parametrize("end", ["silence", "nonsense", "given up"])
async def test_one_that_we_end_is_closed_at_the_server_before_the_next_begins(
    client: BridgeClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """Though a proxy on the way tells it late, and whoever waited for that has given up."""
    await client(ME)
    monkeypatch.setattr(ServerSide, "eof_received", lambda side: side.loop.call_later(0.5, side.close))
    if end == "nonsense":
        (server_side,) = sandbox.data_centres[1].connections
        server_side._write(bytes(8))
        await asyncio.sleep(0.1)
    else:
        sandbox.faults.silence("users.getUsers", connection=True)
        with pytest.raises(TelegramUnavailable):
            await client(ME)
    if end == "given up":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client(ME)
    assert (await client(ME))[0].is_self


async def test_closing_waits_until_the_server_has_closed(client: BridgeClient, sandbox: Sandbox) -> None:
    """So that whoever connects next with the key is the only one."""
    await client(ME)
    (server_side,) = sandbox.data_centres[1].connections
    await client.disconnect()
    assert server_side.closed


async def test_a_server_that_does_not_close_is_not_waited_for_long(
    client: BridgeClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is broken off then."""
    monkeypatch.setattr(ServerSide, "eof_received", lambda _: True)
    monkeypatch.setattr(wire, "PARTING_SECONDS", 0.01)
    await client(ME)
    await client.disconnect()
    for server_side in list(sandbox.data_centres[1].connections):
        server_side.abort()


async def test_calls_are_logged_without_their_content(
    client: BridgeClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, data centre, outcome and time, for whoever debugs; no number, no text of a server's."""
    caplog.set_level("DEBUG", logger="tgbridge.telegram.rpc.log")
    sandbox.faults.error("auth.sendCode", 400, "+15551234567 IS WRONG")
    with pytest.raises(Exception, match="BAD_REQUEST"):
        await client(functions.auth.SendCodeRequest("+15551234567", 1, "hash", types.CodeSettings()))
    sandbox.faults.drop("users.getUsers")
    await client(ME)
    lines = [record.getMessage() for record in caplog.records if record.name == "tgbridge.telegram.rpc.log"]
    assert [line.rpartition(", ")[0] for line in lines] == [
        "auth.sendCode at data centre 1: BAD_REQUEST",
        "users.getUsers at data centre 1: ConnectionResetError",
        "users.getUsers at data centre 1: answered",
    ]
    assert all(line.endswith(" s") for line in lines)
    assert "1555" not in caplog.text
