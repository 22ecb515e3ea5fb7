"""What happens on a socket beside the messages: confirmations, transport errors, clients that do not read."""

from __future__ import annotations

import asyncio
import secrets
import struct
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from telethon import errors, functions, types
from telethon.crypto import AES, AuthKey
from telethon.network.mtprotostate import MTProtoState
from telethon.sessions import StringSession

from tgbridge.sandbox.mtproto.transport import Abridged, PaddedIntermediate
from tgbridge.sandbox.world.blobs import Synthetic

if TYPE_CHECKING:
    from tests.sandbox.conftest import NewWire, SignIn, Telegram, Wire
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.mtproto.transport import Framing

NOT_FOUND = struct.pack("<i", -404)
ENDED = (asyncio.IncompleteReadError, ConnectionError)


def encrypted(wire: Wire, content: object) -> bytes:
    body = bytes(content)  # type: ignore[call-overload]
    head = struct.pack("<qii", wire.next_msg_id(), wire.next_seq_no(), len(body))
    packet: bytes = wire.state.encrypt_message_data(head + body)
    return packet


@pytest.mark.parametrize("kind", [Abridged, PaddedIntermediate])
async def test_packets_are_confirmed_at_once(sandbox: Sandbox, wire: NewWire, kind: type[Framing]) -> None:
    """A packet that asks for it is confirmed by the first bits of its hash, before it is answered."""
    line = await wire()
    key = line.auth_key.key
    packet = encrypted(line, functions.PingRequest(1))
    plain = AES.decrypt_ige(packet[24:], *MTProtoState._calc_key(key, packet[8:24], client=True))
    token = int.from_bytes(sha256(key[88:120] + plain).digest()[:4], "little") | 1 << 31
    reader, writer = await asyncio.open_connection(*sandbox.data_centres[2].address)
    if kind is Abridged:
        writer.write(b"\xef" + bytes([len(packet) // 4 | 0x80]) + packet)
    else:
        writer.write(b"\xdd" * 4 + struct.pack("<I", len(packet) + 5 | 1 << 31) + packet + bytes(5))
    assert await reader.readexactly(4) == token.to_bytes(4, "big" if kind is Abridged else "little")
    assert await reader.read(1) != b""
    writer.close()
    await writer.wait_closed()


async def test_unknown_keys_are_refused(wire: NewWire) -> None:
    """A packet of a key that the data centre does not know is answered by the transport's -404."""
    line = await wire(key=AuthKey(secrets.token_bytes(256)), begun=False)
    await line.send(functions.PingRequest(1))
    assert await line.connection.recv() == NOT_FOUND
    with pytest.raises(ENDED):
        await line.connection.recv()


async def test_keys_belong_to_one_data_centre(wire: NewWire) -> None:
    """A key that was made with one data centre is unknown to another."""
    line = await wire(2)
    other = await wire(1, key=line.auth_key, begun=False)
    await other.send(functions.PingRequest(1))
    assert await other.connection.recv() == NOT_FOUND


async def test_stock_clients_notice_an_unknown_key(sandbox: Sandbox, telegram: Telegram) -> None:
    """Telethon makes AuthKeyNotFound of it when it connects."""
    session = StringSession()
    session.set_dc(2, *sandbox.data_centres[2].address)
    session.auth_key = AuthKey(secrets.token_bytes(256))
    client = await telegram(session=session.save(), connect=False)
    with pytest.raises(errors.AuthKeyNotFound):
        await client.connect()


@pytest.mark.parametrize("place", [8, 30, -1])
async def test_damaged_packets_are_refused(wire: NewWire, place: int) -> None:
    """A message whose msg_key does not match is not looked at."""
    line = await wire()
    packet = bytearray(encrypted(line, functions.PingRequest(1)))
    packet[place] ^= 1
    await line.connection.send(bytes(packet))
    assert await line.connection.recv() == NOT_FOUND


async def test_messages_have_a_length_and_padding(wire: NewWire) -> None:
    """A message that claims more than there is, or leaves too much, is not looked at either."""
    for length in (-4, 10, 1 << 20, 0):
        line = await wire()
        head = struct.pack("<qii", line.next_msg_id(), line.next_seq_no(), length)
        await line.connection.send(line.state.encrypt_message_data(head + bytes(2000)))
        assert await line.connection.recv() == NOT_FOUND


@pytest.mark.parametrize("packet", [bytes(4), bytes(16), b"\x01" * 24])
async def test_packets_too_short_for_a_message(wire: NewWire, packet: bytes) -> None:
    """What can hold no message ends the connection, or belongs to no key."""
    line = await wire(begun=False)
    await line.connection.send(packet)
    try:
        assert await line.connection.recv() == NOT_FOUND
    except ENDED:
        return
    with pytest.raises(ENDED):
        await line.connection.recv()


async def test_what_a_client_does_not_read_waits(
    sandbox: Sandbox, sign_in: SignIn, wire: NewWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that asks for more than it reads is not read from for a while, and gets all in the end."""
    monkeypatch.setattr("tgbridge.sandbox.mtproto.connection._UNREAD_MAX_BYTES", 2 << 20)
    client = await sign_in()
    account = sandbox.state.account_of("+9996620001")
    document = account.document(Synthetic(2 << 20), mime_type="video/mp4", dc_id=2)
    message = account.add_message(media=types.MessageMediaDocument(document=document))
    found = (await client.get_messages("me", ids=message.id)).document
    place = types.InputDocumentFileLocation(found.id, found.access_hash, found.file_reference, thumb_size="")
    key = AuthKey(StringSession(client.session.save()).auth_key.key)
    line = await wire(key=key, media=True)
    request = functions.InvokeWithoutUpdatesRequest(functions.upload.GetFileRequest(place, 0, 1 << 20))
    sent = {await line.send(request) for _ in range(20)}
    for msg_id in sent:
        result = await line.result(msg_id)
        assert len(result.bytes) == 1 << 20


async def test_a_client_that_reads_nothing_does_not_hold_up_the_end(sandbox: Sandbox, wire: NewWire) -> None:
    """What is closed but can't get rid of its last bytes is broken off when the data centre stops."""
    line = await wire()
    line.connection._writer.transport.pause_reading()
    (connection,) = sandbox.data_centres[2].connections
    connection._push([bytes(32 << 20)])
    connection.close()
    await sandbox.stop()
    assert sandbox.connections[2] == 0


async def test_a_client_that_goes_is_forgotten(sandbox: Sandbox, wire: NewWire) -> None:
    """When a client closes its connection, in whatever state, so does the data centre."""
    line = await wire()
    hold = sandbox.faults.hold("help.getNearestDc")
    await line.send(functions.help.GetNearestDcRequest())
    await hold.reached(1)
    await line.close()
    other = await wire()
    hold.release()
    assert isinstance(await other.call(functions.help.GetNearestDcRequest()), types.NearestDc)
    assert sandbox.connections[2] == 1
