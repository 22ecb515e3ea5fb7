"""What the server does about each decrypted message: service messages, containers, and calls of methods.

Sources: https://core.telegram.org/mtproto/service_messages,
https://core.telegram.org/mtproto/service_messages_about_messages
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tgbridge.sandbox.mtproto import calls
from tgbridge.sandbox.mtproto.session import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tgbridge.sandbox.mtproto.connection import Connection
    from tgbridge.sandbox.mtproto.envelope import Opened
    from tgbridge.sandbox.mtproto.session import Session

CONTAINER = 0x73F1F8DC
GZIP_PACKED = 0x3072CFA1
_CONTAINER_MAX_MESSAGES = 1020
_UNPACKED_MAX_BYTES = 10 << 20
_ACK_SECONDS = 1.0  # an answer that takes longer is preceded by an acknowledgement
_SALT_ERROR = 48
_FUTURE_SALTS_MAX = 64

_EVEN = frozenset(
    (
        CONTAINER,
        types.MsgsAck.CONSTRUCTOR_ID,
        types.HttpWait.CONSTRUCTOR_ID,
        types.MsgsStateInfo.CONSTRUCTOR_ID,
        types.MsgsAllInfo.CONSTRUCTOR_ID,
        types.MsgDetailedInfo.CONSTRUCTOR_ID,
        types.MsgNewDetailedInfo.CONSTRUCTOR_ID,
    )
)


class Message(NamedTuple):
    """One message, alone or out of a container."""

    msg_id: int
    seq_no: int
    body: bytes


class MalformedMessageError(Exception):
    """What was inside the encryption is no message; the connection can only be closed."""


def receive(connection: Connection, session: Session, opened: Opened) -> None:
    """Act on what a client sent in one packet. Raises MalformedMessageError."""
    now = session.now()
    if not session.auth_key.takes_salt(opened.salt, now):
        connection.sandbox.counters.bad_salts += 1
        salt = session.auth_key.salt(now)
        notice = types.BadServerSalt(opened.msg_id, opened.seq_no, _SALT_ERROR, salt)
        session.send([bytes(notice)], answer=True, via=connection)
        return
    _process(connection, session, Message(opened.msg_id, opened.seq_no, opened.body))


def _process(connection: Connection, session: Session, message: Message, within: int | None = None) -> None:
    msg_id, seq_no, body = message
    constructor = _constructor(body)
    if constructor == GZIP_PACKED:
        body = _gunzip(body)
        constructor = _constructor(body)
    service = _SERVICE.get(constructor)
    related = False if constructor in _EVEN else None if service else True
    verdict = session.verdict(msg_id, seq_no, content_related=related, within=within)
    if constructor == CONTAINER and within is not None:
        verdict = Verdict.INVALID_CONTAINER
    elif constructor == CONTAINER and verdict is Verdict.REPEATED:
        verdict = Verdict.CONTAINER_ID_REPEATED
    if verdict is Verdict.REPEATED:
        _answer_again(connection, session, message)
    elif verdict is not Verdict.ACCEPTED:
        notice = types.BadMsgNotification(msg_id, seq_no, int(verdict))
        session.send([bytes(notice)], answer=True, via=connection)
    elif constructor == CONTAINER:
        for inner in _unpack_container(body):
            _process(connection, session, inner, within=msg_id)
    else:
        _announce(connection, session, msg_id)
        if service is not None:
            service(connection, session, msg_id, _read(body))
        else:
            calls.start(connection, session, msg_id, body)
            _acknowledge_soon(connection, session)


def _constructor(body: bytes) -> int:
    if len(body) < 4:
        raise MalformedMessageError("empty message")
    return int.from_bytes(body[:4], "little")


def _read(body: bytes) -> Any:
    try:
        return BinaryReader(body).tgread_object()
    except Exception as error:  # malformed bytes make generated code raise anything
        raise MalformedMessageError("malformed service message") from error


def _gunzip(body: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj(wbits=31)
        unpacked = unpacker.decompress(BinaryReader(body[4:]).tgread_bytes(), _UNPACKED_MAX_BYTES)
    except (zlib.error, struct.error, BufferError) as error:
        raise MalformedMessageError("damaged gzip") from error
    if not unpacker.eof:
        raise MalformedMessageError("gzip that is cut short or too large")
    return unpacked


def _unpack_container(body: bytes) -> Iterator[Message]:
    try:
        (count,) = struct.unpack_from("<i", body, 4)
        if not 0 <= count <= _CONTAINER_MAX_MESSAGES:
            raise MalformedMessageError("container too long")
        position = 8
        for _ in range(count):
            msg_id, seq_no, length = struct.unpack_from("<qii", body, position)
            position += 16
            if not 0 <= length <= len(body) - position:
                raise MalformedMessageError("container cut short")
            yield Message(msg_id, seq_no, body[position : position + length])
            position += length
    except struct.error as error:
        raise MalformedMessageError("container cut short") from error


def _announce(connection: Connection, session: Session, msg_id: int) -> None:
    if session.announced:
        return
    session.announced = True
    salt = session.auth_key.salt(session.now())
    notice = types.NewSessionCreated(msg_id, session.unique_id, salt)
    session.send([bytes(notice)], answer=False, content_related=True, via=connection)


def _answer_again(connection: Connection, session: Session, message: Message) -> None:
    msg_id = message.msg_id
    received = session.received.get(msg_id)
    if received is not None and received.forgotten:
        notice = types.BadMsgNotification(msg_id, message.seq_no, int(Verdict.TOO_OLD_TO_TELL))
        session.send([bytes(notice)], answer=True, via=connection)
    elif received is None or (received.finished and received.answer is None):
        # Not a call, or the client has acknowledged the answer: it needs to know no more than that.
        session.send([bytes(types.MsgsAck([msg_id]))], answer=False, via=connection)
    elif received.answer is not None:
        session.resend(received.answer, via=connection)


def _acknowledge_soon(connection: Connection, session: Session) -> None:
    if session.ack_timer is None:
        session.ack_timer = connection.loop.call_later(_ACK_SECONDS, _acknowledge, session)


def _acknowledge(session: Session) -> None:
    session.ack_timer = None
    waiting = {
        msg_id: received
        for msg_id, received in session.received.items()
        if not received.finished and not received.acknowledged
    }
    if waiting and session.connections:
        for received in waiting.values():
            received.acknowledged = True
        session.send([bytes(types.MsgsAck(list(waiting)))], answer=False)


def _acknowledged(_connection: Connection, session: Session, _msg_id: int, ack: types.MsgsAck) -> None:
    session.acknowledge(ack.msg_ids)


def _ping(connection: Connection, session: Session, msg_id: int, ping: functions.PingRequest) -> None:
    session.send([bytes(types.Pong(msg_id, ping.ping_id))], answer=True, via=connection)


def _ping_delay_disconnect(
    connection: Connection, session: Session, msg_id: int, ping: functions.PingDelayDisconnectRequest
) -> None:
    connection.close_after(ping.disconnect_delay)
    _ping(connection, session, msg_id, ping)


def _future_salts(
    connection: Connection, session: Session, msg_id: int, request: functions.GetFutureSaltsRequest
) -> None:
    now = session.now()
    number = max(1, min(request.num, _FUTURE_SALTS_MAX))
    salts = [
        types.FutureSalt(valid_since, valid_until, salt)
        for valid_since, valid_until, salt in session.auth_key.future_salts(now, number)
    ]
    session.send([bytes(types.FutureSalts(msg_id, int(now), salts))], answer=True, via=connection)


def _state_req(connection: Connection, session: Session, msg_id: int, request: types.MsgsStateReq) -> None:
    _send_state(connection, session, msg_id, request.msg_ids)


def _send_state(connection: Connection, session: Session, msg_id: int, msg_ids: list[int]) -> None:
    info = bytes(map(session.state_of, msg_ids))
    answer = types.MsgsStateInfo(msg_id, info)
    session.send([bytes(answer)], answer=True, content_related=True, via=connection)


def _resend_req(connection: Connection, session: Session, msg_id: int, request: types.MsgResendReq) -> None:
    missing = []
    for wanted in request.msg_ids:
        if sent := session.sent.get(wanted):
            session.resend(sent, via=connection)
        else:
            missing.append(wanted)
    if missing:
        _send_state(connection, session, msg_id, missing)


def _drop_answer(
    connection: Connection, session: Session, msg_id: int, request: functions.RpcDropAnswerRequest
) -> None:
    received = session.received.get(request.req_msg_id)
    answer: Any
    if received is None or received.dropped:
        answer = types.RpcAnswerUnknown()
    elif not received.finished:
        received.dropped = True
        answer = types.RpcAnswerDroppedRunning()
    elif sent := received.answer:
        answer = types.RpcAnswerDropped(sent.msg_id, sent.seq_no, sent.size)
        session.acknowledge([sent.msg_id])
    else:
        answer = types.RpcAnswerUnknown()
    calls.send_result(session, msg_id, [bytes(answer)], via=connection)


def _destroy_session(
    connection: Connection, session: Session, _msg_id: int, request: functions.DestroySessionRequest
) -> None:
    other = session.auth_key.sessions.get(request.session_id)
    if other is None or other is session:
        answer: Any = types.DestroySessionNone(request.session_id)
    else:
        answer = types.DestroySessionOk(request.session_id)
        other.close()
        del session.auth_key.sessions[other.id]
    session.send([bytes(answer)], answer=True, via=connection)


def _destroy_auth_key(connection: Connection, session: Session, _msg_id: int, _request: Any) -> None:
    session.send([bytes(types.DestroyAuthKeyOk())], answer=True, via=connection)
    connection.flush()  # the key is needed to say so
    connection.sandbox.auth_keys.remove(session.auth_key)


def _nothing(_connection: Connection, _session: Session, _msg_id: int, _message: Any) -> None:
    """Take note and do nothing."""


_SERVICE: dict[int, Callable[[Connection, Session, int, Any], None]] = {
    CONTAINER: _nothing,
    types.MsgsAck.CONSTRUCTOR_ID: _acknowledged,
    types.HttpWait.CONSTRUCTOR_ID: _nothing,
    types.MsgsStateInfo.CONSTRUCTOR_ID: _nothing,
    types.MsgsAllInfo.CONSTRUCTOR_ID: _nothing,
    types.MsgDetailedInfo.CONSTRUCTOR_ID: _nothing,
    types.MsgNewDetailedInfo.CONSTRUCTOR_ID: _nothing,
    types.MsgsStateReq.CONSTRUCTOR_ID: _state_req,
    types.MsgResendReq.CONSTRUCTOR_ID: _resend_req,
    functions.PingRequest.CONSTRUCTOR_ID: _ping,
    functions.PingDelayDisconnectRequest.CONSTRUCTOR_ID: _ping_delay_disconnect,
    functions.GetFutureSaltsRequest.CONSTRUCTOR_ID: _future_salts,
    functions.RpcDropAnswerRequest.CONSTRUCTOR_ID: _drop_answer,
    functions.DestroySessionRequest.CONSTRUCTOR_ID: _destroy_session,
    functions.DestroyAuthKeyRequest.CONSTRUCTOR_ID: _destroy_auth_key,
}
