"""A sandbox, stock Telethon clients that are connected to it, and a wire for single messages."""

from __future__ import annotations

import logging
import struct
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import pytest
from telethon import TelegramClient, functions, types
from telethon.crypto import AES, AuthKey, rsa
from telethon.errors import SecurityError
from telethon.extensions import BinaryReader
from telethon.network import ConnectionTcpFull, ConnectionTcpIntermediate, authenticator
from telethon.network.mtprotoplainsender import MTProtoPlainSender
from telethon.network.mtprotostate import MTProtoState
from telethon.sessions import StringSession
from telethon.tl.alltlobjects import LAYER
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult
from telethon.tl.tlobject import TLRequest

from tests.ready import ready_key
from tgbridge.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LOGGERS: defaultdict[str, logging.Logger] = defaultdict(lambda: logging.getLogger("telethon"))


class Telegram(Protocol):
    """Gives connected clients, which are disconnected when the test ends.

    They have a key, unless they are to agree on a ``new_key``. ``media``: at the address for media, where a
    key may have several at once.
    """

    async def __call__(
        self,
        dc: int = 2,
        *,
        session: str | None = None,
        new_key: bool = False,
        connection: type = ConnectionTcpFull,
        connect: bool = True,
        **options: Any,
    ) -> TelegramClient: ...


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running
    assert running.failures == []
    assert sum(running.connections.values()) == 0


class Message(NamedTuple):
    """One message from the server, out of its container and unpacked."""

    msg_id: int
    seq_no: int
    content: Any


class TransportCode(Exception):
    """A transport error, as a positive number."""


class Wire:
    """One connection, on which each message is sent as told, by the pieces that Telethon is made of."""

    def __init__(self, connection: Any, auth_key: AuthKey) -> None:
        self.connection = connection
        self.auth_key = auth_key
        self.state = MTProtoState(auth_key, LOGGERS)
        self.messages: list[Message] = []
        """What was received and not yet asked for."""

    @classmethod
    async def open(cls, address: tuple[str, int], auth_key: AuthKey | None = None) -> Self:
        connection = ConnectionTcpIntermediate(*address, 2, loggers=LOGGERS)
        await connection.connect(timeout=10)
        while auth_key is None:
            try:
                plain = MTProtoPlainSender(connection, loggers=LOGGERS)
                auth_key, _ = await authenticator.do_authentication(plain)
            except SecurityError:  # one key in 256 begins with a zero byte, which Telethon mistakes
                continue
        return cls(connection, auth_key)

    async def send(self, content: Any, *, msg_id: int | None = None, seq_no: int | None = None) -> int:
        """Send one message, an object or its bytes, by default with the numbers that are due."""
        body = content if isinstance(content, bytes) else bytes(content)
        msg_id = self.next_msg_id() if msg_id is None else msg_id
        seq_no = self.next_seq_no() if seq_no is None else seq_no
        head = struct.pack("<qii", msg_id, seq_no, len(body))
        await self.connection.send(self.state.encrypt_message_data(head + body))
        return msg_id

    async def begin(self) -> None:
        """Get the salt right and introduce the client, and forget what came of it."""
        await self.send(functions.PingRequest(1))
        salt = await self.expect(types.BadServerSalt)
        self.state.salt = salt.content.new_server_salt
        await self.call(initialised(functions.help.GetConfigRequest()))
        self.messages.clear()

    def next_msg_id(self) -> int:
        number: int = self.state._get_new_msg_id()
        return number

    def next_seq_no(self, *, content_related: bool = True) -> int:
        number: int = self.state._get_seq_no(content_related)
        return number

    async def call(self, request: Any) -> Any:
        """Send a call and give its result or RpcError."""
        return await self.result(await self.send(request), request)

    async def result(self, msg_id: int, request: Any = TLRequest) -> Any:
        """Give the result, or RpcError, of a call that was sent."""
        answer = await self.expect(RpcResult, req_msg_id=msg_id)
        if answer.content.error is not None:
            return answer.content.error
        return getattr(request, "read_result", TLRequest.read_result)(BinaryReader(answer.content.body))

    async def expect(self, kind: type, **fields: Any) -> Message:
        """Give the next message of a class with these fields, and leave all others."""
        while True:
            for message in self.messages:
                content = message.content
                if isinstance(content, kind) and fields.items() <= vars(content).items():
                    self.messages.remove(message)
                    return message
            self._take(*self._open(await self.connection.recv()))

    async def settled(self) -> list[Message]:
        """Give all that has come of what was sent so far: a ping is answered after it."""
        await self.expect(types.Pong, msg_id=await self.send(functions.PingRequest(7)))
        messages, self.messages = self.messages, []
        return messages

    def _open(self, packet: bytes) -> tuple[int, int, bytes]:
        if len(packet) == 4:
            raise TransportCode(-int.from_bytes(packet, "little", signed=True))
        key, msg_key = self.auth_key.key, packet[8:24]
        plain = AES.decrypt_ige(packet[24:], *MTProtoState._calc_key(key, msg_key, client=False))
        assert sha256(key[96:128] + plain).digest()[8:24] == msg_key
        _, session_id, msg_id, seq_no, length = struct.unpack_from("<qqqii", plain)
        assert session_id == self.state.id
        assert 12 <= len(plain) - 32 - length <= 1024
        return msg_id, seq_no, plain[32 : 32 + length]

    def _take(self, msg_id: int, seq_no: int, body: bytes) -> None:
        assert msg_id % 4 in (1, 3)
        if body[:4] == struct.pack("<I", MessageContainer.CONSTRUCTOR_ID):
            position = 8
            for _ in range(int.from_bytes(body[4:8], "little")):
                inner = struct.unpack_from("<qii", body, position)
                position += 16 + inner[2]
                self._take(inner[0], inner[1], body[position - inner[2] : position])
            return
        content = BinaryReader(body).tgread_object()
        if isinstance(content, GzipPacked):
            content = BinaryReader(content.data).tgread_object()
        self.messages.append(Message(msg_id, seq_no, content))

    async def close(self) -> None:
        await self.connection.disconnect()


def initialised(request: Any) -> Any:
    """Wrap a request as a client's first one has to be."""
    introduced = functions.InitConnectionRequest(1, "wire", "1", "1", "en", "", "en", request)
    return functions.InvokeWithLayerRequest(LAYER, introduced)


class NewWire(Protocol):
    """Opens wires, which are closed when the test ends; ``begun`` ones have their salt and are introduced.

    They have a key, unless they are to agree on a ``new_key``. ``media``: at the address for media, where a
    key may have several at once.
    """

    async def __call__(
        self,
        dc: int = 2,
        *,
        key: AuthKey | None = None,
        new_key: bool = False,
        begun: bool = True,
        media: bool = False,
        sandbox: Sandbox | None = None,
    ) -> Wire: ...


@pytest.fixture
async def wire(sandbox: Sandbox) -> AsyncIterator[NewWire]:
    rsa.add_key(sandbox.public_key_pem, old=False)
    usual, wires = sandbox, []

    async def opened(
        dc: int = 2,
        *,
        key: AuthKey | None = None,
        new_key: bool = False,
        begun: bool = True,
        media: bool = False,
        sandbox: Sandbox | None = None,
    ) -> Wire:
        at = sandbox or usual
        if key is None and not new_key:
            key = AuthKey(ready_key(at, dc).key)
        centre = at.data_centres[dc]
        made = await Wire.open(centre.media_address if media else centre.address, key)
        wires.append(made)
        if begun:
            await made.begin()
        return made

    yield opened
    for made in wires:
        await made.close()


@pytest.fixture
async def telegram(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Telegram]:
    rsa.add_key(sandbox.public_key_pem, old=False)
    # Telethon keeps the configuration on the class, with the ports of the sandbox before.
    monkeypatch.setattr(TelegramClient, "_config", None)
    clients = []

    async def client(
        dc: int = 2,
        *,
        session: str | None = None,
        new_key: bool = False,
        connection: type = ConnectionTcpFull,
        connect: bool = True,
        **options: Any,
    ) -> TelegramClient:
        stored = StringSession(session or "")
        if not session:
            (centre,) = (centre for centre in sandbox.all_centres if centre.id == dc)
            stored.set_dc(dc, *centre.address)
            stored.auth_key = AuthKey(None if new_key else ready_key(sandbox, dc).key)
        made = TelegramClient(
            stored,
            1,
            "hash",
            connection=connection,
            **{"retry_delay": 0, "raise_last_call_error": True, **options},
        )
        clients.append(made)
        if connect:
            await made.connect()
        return made

    yield client
    for made in clients:
        await made.disconnect()


def for_media(sandbox: Sandbox, client: TelegramClient) -> str:
    """A client's session at the address for media, where it may have several connections at once."""
    stored = StringSession(client.session.save())
    stored.set_dc(stored.dc_id, *sandbox.data_centres[stored.dc_id].media_address)
    return str(stored.save())


class SignIn(Protocol):
    """Gives clients that are signed in as the account of a number, at its home data centre."""

    async def __call__(self, phone: str = "+9996620001", **options: Any) -> TelegramClient: ...


@pytest.fixture
def sign_in(telegram: Telegram) -> SignIn:
    async def signed_in(phone: str = "+9996620001", **options: Any) -> TelegramClient:
        home, code = int(phone[6]), phone[6] * 5
        client = await telegram(home, **options)
        await client.send_code_request(phone)
        await client.sign_in(phone, code)
        return client

    return signed_in
