"""Containers, packed messages, service messages, wrapped calls, and what is none of these."""

from __future__ import annotations

import asyncio
import gzip
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import functions, types
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult
from telethon.tl.tlobject import TLObject, TLRequest

from tgbridge.sandbox import RpcError
from tgbridge.sandbox.mtproto import invocation

if TYPE_CHECKING:
    from tests.sandbox.conftest import NewWire, SignIn, Wire
    from tgbridge.sandbox import Sandbox

GET_CONFIG = functions.help.GetConfigRequest()
GET_NEAREST = functions.help.GetNearestDcRequest()
SECOND = 1 << 32


def container(*messages: tuple[int, int, Any]) -> bytes:
    parts = [struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, len(messages))]
    for msg_id, seq_no, content in messages:
        body = bytes(content)
        parts.append(struct.pack("<qii", msg_id, seq_no, len(body)) + body)
    return b"".join(parts)


def due(wire: Wire, content: Any) -> tuple[int, int, Any]:
    return wire.next_msg_id(), wire.next_seq_no(), content


async def test_a_container_holds_several_messages(sandbox: Sandbox, wire: NewWire) -> None:
    """Calls, pings and acknowledgements may travel together; each is answered."""
    line = await wire()
    call, ping, again = due(line, GET_NEAREST), due(line, functions.PingRequest(5)), due(line, GET_NEAREST)
    await line.send(container(call, ping, again), seq_no=line.next_seq_no(content_related=False))
    assert (await line.expect(types.Pong)).content.msg_id == ping[0]
    for sent in (call, again):
        assert isinstance(await line.result(sent[0]), types.NearestDc)


async def test_containers_are_not_nested(wire: NewWire) -> None:
    """A container within a container is an error, and so is one whose contents are younger than it is."""
    line = await wire()
    inner = container(due(line, GET_NEAREST))
    nested = (line.next_msg_id(), line.next_seq_no(content_related=False), inner)
    await line.send(container(nested), seq_no=line.next_seq_no(content_related=False))
    notice = (await line.expect(types.BadMsgNotification)).content
    assert (notice.bad_msg_id, notice.error_code) == (nested[0], 64)
    outer = line.next_msg_id()
    younger = due(line, GET_NEAREST)
    await line.send(container(younger), msg_id=outer, seq_no=line.next_seq_no(content_related=False))
    notice = (await line.expect(types.BadMsgNotification)).content
    assert (notice.bad_msg_id, notice.error_code) == (younger[0], 64)


async def test_a_container_is_not_repeated(wire: NewWire) -> None:
    """A container with the id of an earlier message has an error code of its own."""
    line = await wire()
    call = due(line, GET_NEAREST)
    seq_no = line.next_seq_no(content_related=False)
    msg_id = await line.send(container(call), seq_no=seq_no)
    await line.result(call[0])
    await line.send(container(call), msg_id=msg_id, seq_no=seq_no)
    assert (await line.expect(types.BadMsgNotification)).content.error_code == 19


async def test_packed_messages_are_read(wire: NewWire) -> None:
    """A call may be gzip-packed, alone or in a container."""
    line = await wire()
    assert isinstance(await line.call(GzipPacked(bytes(GET_NEAREST))), types.NearestDc)
    packed = due(line, GzipPacked(bytes(GET_NEAREST)))
    await line.send(container(packed), seq_no=line.next_seq_no(content_related=False))
    assert isinstance(await line.result(packed[0]), types.NearestDc)


async def test_long_answers_are_packed(sandbox: Sandbox, sign_in: SignIn) -> None:
    """An answer that gets smaller by it is gzip-packed, and stock clients read it."""
    client = await sign_in()
    before = sandbox.counters.bytes_out
    history = await client(functions.messages.GetHistoryRequest("me", 0, None, 0, 100, 0, 0, 0))
    assert sandbox.counters.bytes_out - before < len(bytes(history)) * 0.9


@pytest.mark.parametrize(
    "body",
    [
        b"",
        struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, 1),
        struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, -1),
        container((4, 1, GET_CONFIG))[:-4],
        struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(b"not gzip"),
        struct.pack("<I", GzipPacked.CONSTRUCTOR_ID)
        + TLObject.serialize_bytes(gzip.compress(bytes(99))[:-9]),
        struct.pack("<I", GzipPacked.CONSTRUCTOR_ID)
        + TLObject.serialize_bytes(gzip.compress(bytes(11 << 20))),
        bytes(types.MsgsAck([1, 2]))[:-8],
    ],
    ids=["empty", "cut", "negative", "shorter", "no gzip", "cut gzip", "bomb", "cut service message"],
)
async def test_malformed_messages_end_the_connection(wire: NewWire, body: bytes) -> None:
    """What can't be read at all is answered by nothing but the end of the connection."""
    line = await wire()
    await line.send(body, seq_no=line.next_seq_no(content_related=False))
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await line.expect(types.Updates)


async def test_pings_and_salts(sandbox: Sandbox, wire: NewWire) -> None:
    """Pings have their pong, future_salts lists the salts of the coming hours, half an hour apart."""
    line = await wire()
    msg_id = await line.send(functions.PingRequest(-9))
    pong = (await line.expect(types.Pong)).content
    assert (pong.msg_id, pong.ping_id) == (msg_id, -9)
    msg_id = await line.send(functions.GetFutureSaltsRequest(3))
    (record,) = sandbox.auth_keys
    answer = (await line.expect(types.FutureSalts)).content
    assert answer.req_msg_id == msg_id
    assert [salt.salt for salt in answer.salts] == [record.salt(answer.now, ahead) for ahead in range(3)]
    since = [salt.valid_since.timestamp() for salt in answer.salts]
    assert [time - since[0] for time in since] == [0, 1800, 3600]


async def test_a_ping_can_set_a_term(wire: NewWire) -> None:
    """ping_delay_disconnect is answered, and the connection closes when its time is over."""
    line = await wire()
    await line.send(functions.PingDelayDisconnectRequest(1, 60))
    await line.expect(types.Pong)
    await line.send(functions.PingDelayDisconnectRequest(2, 0))
    await line.expect(types.Pong)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await line.connection.recv()


async def test_the_state_of_messages_is_told(sandbox: Sandbox, wire: NewWire) -> None:
    """msgs_state_req tells what was answered, is being executed, was received, or is not known."""
    line = await wire()
    sandbox.faults.hold("help.getConfig")
    done = await line.send(GET_NEAREST)
    await line.expect(RpcResult)
    running = await line.send(GET_CONFIG)
    ping = await line.send(functions.PingRequest(1))
    unknown, late = done + 4, done + 100 * SECOND
    await line.send(types.MsgsStateReq([done, running, ping, unknown, late]))
    info = (await line.expect(types.MsgsStateInfo)).content.info
    assert [ord(state) for state in info] == [4 | 32 | 64, 4 | 32, 4, 2, 3]


async def test_answers_can_be_dropped(sandbox: Sandbox, wire: NewWire) -> None:
    """rpc_drop_answer keeps a running call's answer from being sent, and tells what it did about others."""
    line = await wire()
    hold = sandbox.faults.hold("help.getConfig")
    running = await line.send(GET_CONFIG)
    await hold.reached(1)
    assert isinstance(await line.call(functions.RpcDropAnswerRequest(running)), types.RpcAnswerDroppedRunning)
    hold.release()
    done = await line.send(GET_NEAREST)
    answer = await line.expect(RpcResult)
    dropped = await line.call(functions.RpcDropAnswerRequest(done))
    assert (dropped.msg_id, dropped.seq_no) == (answer.msg_id, answer.seq_no)
    for msg_id in (done, running, 4):
        assert isinstance(await line.call(functions.RpcDropAnswerRequest(msg_id)), types.RpcAnswerUnknown)
    assert await line.settled() == []


async def test_other_sessions_can_be_destroyed(sandbox: Sandbox, wire: NewWire) -> None:
    """destroy_session ends another session of the same key; one's own and unknown ones are none."""
    line = await wire()
    other = await wire(key=line.auth_key)
    await line.send(functions.DestroySessionRequest(other.state.id))
    assert (await line.expect(types.DestroySessionOk)).content.session_id == other.state.id
    (record,) = sandbox.auth_keys
    assert list(record.sessions) == [line.state.id]
    for session_id in (other.state.id, line.state.id):
        await line.send(functions.DestroySessionRequest(session_id))
        assert (await line.expect(types.DestroySessionNone)).content.session_id == session_id


async def test_a_key_can_be_destroyed(sandbox: Sandbox, wire: NewWire) -> None:
    """destroy_auth_key is confirmed under the key, which is unknown from then on."""
    line = await wire()
    await line.send(functions.DestroyAuthKeyRequest())
    await line.expect(types.DestroyAuthKeyOk)
    assert list(sandbox.auth_keys) == []
    await line.send(functions.PingRequest(1))
    assert await line.connection.recv() == struct.pack("<i", -404)


async def test_slow_calls_are_acknowledged(
    sandbox: Sandbox, wire: NewWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call whose answer takes its time is acknowledged before, once."""
    monkeypatch.setattr("tgbridge.sandbox.mtproto.messages._ACK_SECONDS", 0)
    line = await wire()
    hold = sandbox.faults.hold("help.getNearestDc")
    sent = [await line.send(GET_NEAREST) for _ in range(2)]
    acknowledged: list[int] = []
    while len(acknowledged) < 2:
        acknowledged += (await line.expect(types.MsgsAck)).content.msg_ids
    assert acknowledged == sent
    hold.release()
    for msg_id in sent:
        await line.result(msg_id)
    assert await line.settled() == []


async def test_calls_wait_for_calls(sandbox: Sandbox, wire: NewWire) -> None:
    """invokeAfterMsg is executed after the other call's answer, and fails if that failed or is not known."""
    line = await wire()
    hold = sandbox.faults.hold("help.getNearestDc")
    sandbox.faults.error("help.getAppConfig", 400, "FAILED")
    first = await line.send(GET_NEAREST)
    second = await line.send(functions.InvokeAfterMsgsRequest([first], GET_CONFIG))
    await hold.reached(1)
    assert await line.settled() == []
    hold.release()
    assert [(await line.expect(RpcResult)).content.req_msg_id for _ in range(2)] == [first, second]
    failed = await line.send(functions.help.GetAppConfigRequest(0))
    for msg_id in (failed, 4):
        error = await line.call(functions.InvokeAfterMsgRequest(msg_id, GET_CONFIG))
        assert (error.error_code, error.error_message) == (400, "MSG_WAIT_FAILED")


@given(st.sampled_from([0, 0xDA9B0D0D, 0xC1CD5EA9, 0x1CB5C415, 0xBE7E8EF1]), st.binary(max_size=120))
def test_no_bytes_do_harm(constructor: int, rest: bytes) -> None:
    """Whatever is sent is read as a call of a method or refused by an error."""
    with suppress(RpcError):
        assert isinstance(invocation.parse(struct.pack("<I", constructor) + rest), TLRequest)


async def test_layers(wire: NewWire) -> None:
    """A client has to introduce itself in the layer that the sandbox speaks, once for each key."""
    line = await wire(begun=False)
    await line.send(functions.PingRequest(1))
    line.state.salt = (await line.expect(types.BadServerSalt)).content.new_server_salt
    introduced = functions.InitConnectionRequest(1, "", "", "", "", "", "", GET_NEAREST)
    for request, message in (
        (GET_NEAREST, "CONNECTION_NOT_INITED"),
        (introduced, "CONNECTION_NOT_INITED"),
        (functions.InvokeWithLayerRequest(1, introduced), "CONNECTION_LAYER_INVALID"),
    ):
        error = await line.call(request)
        assert (error.error_code, error.error_message) == (400, message)
    other = await wire(key=line.auth_key)
    assert isinstance(await line.call(GET_NEAREST), types.NearestDc)
    assert isinstance(await other.call(GET_NEAREST), types.NearestDc)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (struct.pack("<I", 0x12345678), "INPUT_METHOD_INVALID"),
        (bytes(types.InputPeerSelf()), "INPUT_METHOD_INVALID"),
        (bytes(functions.account.ResetPasswordRequest()), "INPUT_METHOD_INVALID"),
        (
            bytes(functions.messages.GetHistoryRequest(types.InputPeerSelf(), *[0] * 7))[:-8],
            "INPUT_FETCH_ERROR",
        ),
        (struct.pack("<II", 0xBF9459B7, 0x12345678), "INPUT_CONSTRUCTOR_INVALID"),
    ],
    ids=["unknown", "no method", "not answered", "cut short", "unknown within"],
)
async def test_requests_that_are_none(wire: NewWire, body: bytes, message: str) -> None:
    """What can't be read as a call of a method is answered by an error, and the connection goes on."""
    line = await wire()
    error = await line.call(body)
    assert (error.error_code, error.error_message) == (400, message)
    assert isinstance(await line.call(GET_NEAREST), types.NearestDc)
