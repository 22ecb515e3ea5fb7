"""What client and server say to each other on an encrypted connection: calls, answers, service messages.

Sources: https://core.telegram.org/mtproto/service_messages,
https://core.telegram.org/mtproto/service_messages_about_messages. No I/O.
"""

from __future__ import annotations

import secrets
import struct
import time
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types
from telethon.tl.core import MessageContainer, RpcResult

from tgbridge.telegram.mtproto.call_queue import MOST_TRIES, CallQueue
from tgbridge.telegram.mtproto.encryption import encrypt
from tgbridge.telegram.mtproto.failures import ConnectionFailed, ProtocolViolated, RpcFailed
from tgbridge.telegram.mtproto.packets import frame
from tgbridge.telegram.mtproto.serialisation import (
    constructor,
    messages,
    read_object,
    read_result,
)
from tgbridge.telegram.mtproto.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.calls import Call, Preamble
    from tgbridge.telegram.mtproto.encryption import Buffer
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.mtproto.session import Message

Packet = tuple[bytes, bytes]
"""What is to be written: a few bytes, and a packet's encrypted data, which may be long."""

MOST_ACKNOWLEDGED: Final = 8192
"""Message ids in one msgs_ack."""

_MOST_IGNORED: Final = 10
_ANSWERED: Final = struct.Struct("<q")
_CONTAINER: Final[int] = MessageContainer.CONSTRUCTOR_ID
_WORTH_DROPPING: Final = 64 * 1024  # bytes of an answer
_NO_PROGRESS: Final[frozenset[int]] = frozenset(
    {_CONTAINER, types.Pong.CONSTRUCTOR_ID, types.MsgsAck.CONSTRUCTOR_ID}
)
_AT_ANY_TIME: Final[frozenset[int]] = frozenset(
    {_CONTAINER, types.BadServerSalt.CONSTRUCTOR_ID, types.BadMsgNotification.CONSTRUCTOR_ID}
)
_CLOCK_IS_WRONG: Final = frozenset({16, 17})
_TOO_OLD_TO_TELL: Final = 20
_SEQUENCE_IS_WRONG: Final = frozenset({32, 33})
_NOT_INITIALISED: Final = frozenset({"CONNECTION_NOT_INITED", "CONNECTION_LAYER_INVALID"})
_UPDATES: Final[int] = types.UpdatesTooLong.SUBCLASS_OF_ID


class Conversation:
    """What is said on one connection, in both directions; `calls` are what it is about."""

    def __init__(
        self,
        key: AuthorizationKey,
        preamble: Callable[[], Preamble],
        hear: Callable[[Any], None] | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Begin. `preamble` tells for each request what stands before it.

        `hear` is called with updates (TypeUpdates), and with None where some may have been lost; it must be
        quick, and not raise. Without it, nobody wants them here.
        """
        self.calls = CallQueue()
        self.unacknowledged: list[int] = []
        self._key = key
        self._preamble = preamble
        self._hear = hear
        self._initialised = False
        self._has_session = False
        self._session = Session(key, now=now)
        self._ignored = 0
        self._ping: tuple[int, functions.PingDelayDisconnectRequest] | None = None
        self._packets: list[Packet] = []
        self._handlers: dict[int, Callable[[Message], None]] = {
            RpcResult.CONSTRUCTOR_ID: self._on_result,
            types.BadServerSalt.CONSTRUCTOR_ID: self._on_bad_salt,
            types.BadMsgNotification.CONSTRUCTOR_ID: self._on_bad_message,
            types.NewSessionCreated.CONSTRUCTOR_ID: self._on_new_session,
            types.Pong.CONSTRUCTOR_ID: self._on_pong,
            types.MsgDetailedInfo.CONSTRUCTOR_ID: self._on_detailed_info,
            types.MsgNewDetailedInfo.CONSTRUCTOR_ID: self._on_new_detailed_info,
            types.MsgsStateReq.CONSTRUCTOR_ID: self._on_state_request,
            types.MsgsAck.CONSTRUCTOR_ID: self._on_acknowledgement,
            types.MsgResendReq.CONSTRUCTOR_ID: self._on_resend_request,
        }

    @property
    def pinging(self) -> bool:
        """Whether a ping has not been answered."""
        return self._ping is not None

    # To the server

    def take_packets(self) -> list[Packet]:
        """Return what the server's messages made necessary to say, without any call; each once."""
        packets, self._packets = self._packets, []
        return packets

    def acknowledge(self) -> Packet | None:
        """Return the acknowledgement of what has come, if anything has: else the server sends it again."""
        if not self.unacknowledged:
            return None
        msg_ids = self.unacknowledged[:MOST_ACKNOWLEDGED]
        del self.unacknowledged[:MOST_ACKNOWLEDGED]
        return self._packet((bytes(types.MsgsAck(msg_ids)),), content_related=False)[1]

    def ping(self, disconnect_seconds: int) -> Packet:
        """Return a ping; the server closes the connection when no other comes within `disconnect_seconds`."""
        return self._send_ping(functions.PingDelayDisconnectRequest(secrets.randbits(63), disconnect_seconds))

    def _send_ping(self, ping: functions.PingDelayDisconnectRequest) -> Packet:
        msg_id, packet = self._packet((bytes(ping),), content_related=False)
        self._ping = msg_id, ping
        return packet

    def next_call(self, at: float) -> Packet | None:
        """Return the packet of the next waiting call, sent `at` a loop's time; None if there is none."""
        call = self.calls.next()
        if call is None:
            return None
        first, later = self._preamble()
        call.initialises = not self._initialised
        call.sent_at = at
        call.tries += 1
        pieces = call.pack(first if call.initialises else later)
        call.msg_id, packet = self._packet(pieces, content_related=True)
        self.calls.sent[call.msg_id] = call
        return packet

    def withdraw(self, call: Call) -> Packet | None:
        """Forget a call; return what keeps the server from sending a long answer, where that is worth it."""
        if not self.calls.withdraw(call) or getattr(call.request, "limit", 0) < _WORTH_DROPPING:
            return None
        drop = functions.RpcDropAnswerRequest(call.msg_id)
        return self._packet((bytes(drop),), content_related=True)[1]

    def _packet(self, pieces: Sequence[Buffer], *, content_related: bool) -> tuple[int, Packet]:
        msg_id, header = self._session.header(sum(map(len, pieces)), content_related=content_related)
        return msg_id, self._encrypted(header, pieces)

    def _encrypted(self, header: bytes, pieces: Sequence[Buffer]) -> Packet:
        envelope, data = encrypt(self._key, (header, *pieces))
        return frame(envelope, data) + envelope, data

    # From the server

    def receive(self, plain: Bytes) -> bool:
        """Act on a decrypted packet; whether it held more than a sign of life. Raises ProtocolViolated."""
        try:
            message = self._session.open(plain)
            timely = self._session.is_timely(message.id)
            progress = False
            for inner in messages(message):
                progress |= self._receive(inner, timely=timely)
        except struct.error as error:
            raise ProtocolViolated("a message that ends too early") from error
        return progress

    def _receive(self, message: Message, *, timely: bool) -> bool:
        code = constructor(message.body)
        if not timely and code not in _AT_ANY_TIME:
            self._ignored += 1
            if self._ignored > _MOST_IGNORED:
                raise ProtocolViolated("too many messages of another time")
            return False
        if message.content_related:
            self.unacknowledged.append(message.id)
        if self._session.is_new(message.id):
            self._handlers.get(code, self._on_other)(message)
        return code not in _NO_PROGRESS

    def _on_result(self, message: Message) -> None:
        (msg_id,) = _ANSWERED.unpack(bytes(message.body[4:12]))
        call = self.calls.sent.get(msg_id)
        if call is None:
            return  # withdrawn
        try:
            result = read_result(call.request, message.body[12:])
        except RpcFailed as error:
            if error.message in _NOT_INITIALISED and call.tries < MOST_TRIES:
                self._initialised = False
                self._again(msg_id)
                return
            call.fail(error)
        except ProtocolViolated as error:
            call.fail(error)  # an answer of another layer, perhaps: no fault of the connection's
        else:
            call.succeed(result)
        self.calls.answered(call)
        self._initialised = self._initialised or call.initialises
        self._ignored = 0

    def _on_bad_salt(self, message: Message) -> None:
        bad: types.BadServerSalt = read_object(message.body)
        if not self._session.has_sent(bad.bad_msg_id):
            return
        if not self._session.is_timely(message.id):
            self._session.set_clock(message.id)
        self._key.state.salt = bad.new_server_salt
        self._again(bad.bad_msg_id)

    def _on_bad_message(self, message: Message) -> None:
        bad: types.BadMsgNotification = read_object(message.body)
        if not self._session.has_sent(bad.bad_msg_id):
            return
        if bad.error_code in _CLOCK_IS_WRONG:
            self._session.set_clock(message.id)
            self._again(bad.bad_msg_id)
        elif bad.error_code in _SEQUENCE_IS_WRONG:
            # Server and client count differently: a new session, on a new connection, counts from the start.
            raise ProtocolViolated("the sequence numbers disagree")
        elif bad.error_code == _TOO_OLD_TO_TELL:
            self._again(bad.bad_msg_id, perhaps_received=True)
        elif call := self.calls.sent.pop(bad.bad_msg_id, None):
            reason = f"message not taken ({bad.error_code})"
            call.fail(ConnectionFailed(reason, not_received=True))

    def _on_new_session(self, message: Message) -> None:
        created: types.NewSessionCreated = read_object(message.body)
        self._key.state.salt = created.server_salt
        self._initialised = False
        forgotten, self._has_session = self._has_session, True
        # What was sent before it has not been received, or is forgotten with the session that there was.
        before = sorted(msg_id for msg_id in self.calls.sent if msg_id < created.first_msg_id)
        self._again(*before, perhaps_received=forgotten)
        if forgotten and self._hear is not None:
            self._hear(None)

    def _on_pong(self, message: Message) -> None:
        pong: types.Pong = read_object(message.body)
        if self._ping is not None and self._ping[1].ping_id == pong.ping_id:
            self._ping = None

    def _on_detailed_info(self, message: Message) -> None:
        info: types.MsgDetailedInfo = read_object(message.body)
        self._offered(info.answer_msg_id, wanted=info.msg_id in self.calls.sent)

    def _on_new_detailed_info(self, message: Message) -> None:
        info: types.MsgNewDetailedInfo = read_object(message.body)  # of an update
        self._offered(info.answer_msg_id, wanted=self._hear is not None)

    def _offered(self, msg_id: int, *, wanted: bool) -> None:
        """Ask for a message that the server thinks was lost, or let it forget it."""
        if wanted and not self._session.has_received(msg_id):
            request = bytes(types.MsgResendReq([msg_id]))
            self._packets.append(self._packet((request,), content_related=True)[1])
        else:
            self.unacknowledged.append(msg_id)

    def _on_acknowledgement(self, message: Message) -> None:
        ack: types.MsgsAck = read_object(message.body)
        for msg_id in ack.msg_ids:
            call = self.calls.sent.get(msg_id)
            if call is not None and call.acknowledged is not None:
                call.acknowledged()

    def _on_other(self, message: Message) -> None:
        """Let updates be heard; the rest needs no action, or is of a later layer."""
        if self._hear is None:
            return
        try:
            found = read_object(message.body)
        except ProtocolViolated:
            self._hear(None)
            return
        if getattr(found, "SUBCLASS_OF_ID", None) == _UPDATES:
            self._hear(found)

    def _on_state_request(self, message: Message) -> None:
        request: types.MsgsStateReq = read_object(message.body)
        self._tell_state(message.id, request.msg_ids)

    def _tell_state(self, asked_by: int, msg_ids: Sequence[int]) -> None:
        states = "".join(map(chr, map(self._session.state_of, msg_ids)))
        info = bytes(types.MsgsStateInfo(asked_by, states))
        self._packets.append(self._packet((info,), content_related=False)[1])

    def _on_resend_request(self, message: Message) -> None:
        """Send calls again as they were, under the same ids: the server knows them if it has them."""
        request: types.MsgResendReq = read_object(message.body)
        missing = []
        for msg_id in request.msg_ids:
            pieces = self.calls.sent[msg_id].packed if msg_id in self.calls.sent else ()
            header = self._session.header_again(msg_id, sum(map(len, pieces)))
            if pieces and header is not None:
                self._packets.append(self._encrypted(header, pieces))
            else:
                missing.append(msg_id)
        if missing:
            self._tell_state(message.id, missing)

    def _again(self, *msg_ids: int, perhaps_received: bool = False) -> None:
        """Send calls, or the ping, again; see CallQueue."""
        if self._ping is not None and self._ping[0] in msg_ids:
            self._packets.append(self._send_ping(self._ping[1]))
        self.calls.again(*msg_ids, perhaps_received=perhaps_received)
