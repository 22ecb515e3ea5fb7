"""What is said about messages, also what the sandbox never has cause to say."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AES
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import functions, types

from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
from tgbridge.telegram.mtproto.calls import NOTHING, Call, Preamble
from tgbridge.telegram.mtproto.conversation import Conversation
from tgbridge.telegram.mtproto.failures import (
    ConnectionFailed,
    PeerSilent,
    ProtocolViolated,
    RpcFailed,
    TransportRefused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.telegram.mtproto.conversation import Packet

NOW = 1_700_000_000
PREAMBLE = Preamble(bytes(functions.InvokeWithoutUpdatesRequest(NOTHING)))
GET_CONFIG = functions.help.GetConfigRequest()


class Server:
    """The other side of a conversation: reads what it sends, and says whatever it likes."""

    def __init__(self, hear: Callable[[Any], None] | None = None) -> None:
        self.key = AuthorizationKey(os.urandom(256))
        self.conversation = Conversation(self.key, lambda: PREAMBLE, hear, now=lambda: NOW)
        self._last_id = 1

    def read(self, packet: Packet | None) -> tuple[int, Any]:
        """The message id and the object in a packet."""
        assert packet is not None
        head, data = packet
        keys = MTProtoState._calc_key(self.key.key, head[-16:], client=True)
        plain = AES.decrypt_ige(data, *keys)
        msg_id, _, size = struct.unpack_from("<qii", plain, 16)
        return msg_id, BinaryReader(plain[32 : 32 + size]).tgread_object()

    def sent(self) -> list[tuple[int, Any]]:
        """What of the waiting calls is sent now."""
        found = []
        while packet := self.conversation.next_call(0.0):
            found.append(self.read(packet))
        return found

    def say(self, body: Any, *, seq_no: int = 1, age: int = 0, msg_id: int | None = None) -> bool:
        if msg_id is None:
            self._last_id += 4
            msg_id = (NOW - age) << 32 | self._last_id
        data = bytes(body)
        header = struct.pack("<q8sqii", 0, self.conversation._session.id, msg_id, seq_no, len(data))
        return self.conversation.receive(memoryview(header + data + bytes(16)))

    def answer(self, to: int, result: Any, **how: Any) -> bool:
        return self.say(struct.pack("<Iq", 0xF35C6D01, to) + bytes(result), **how)

    async def ask(self) -> tuple[Call, int]:
        """Have a call sent; it and its message id."""
        call = Call(GET_CONFIG)
        self.conversation.calls.waiting.append(call)
        ((msg_id, _),) = self.sent()
        return call, msg_id


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def sent_on() -> list[Any]:
    """What was heard."""
    return []


NEAREST = types.NearestDc("NL", 2, 2)


async def test_requests_are_greeted_until_one_is_answered(server: Server) -> None:
    """All that are sent before it carry initConnection, since the server may get to any of them first."""
    calls = [Call(GET_CONFIG) for _ in range(3)]
    server.conversation.calls.waiting.extend(calls)
    (first, one), (_, two), (third, three) = server.sent()
    assert all(isinstance(request, functions.InvokeWithoutUpdatesRequest) for request in (one, two, three))
    server.answer(third, NEAREST)
    assert calls[2].answer.result() == NEAREST
    _, msg_id = await server.ask()
    server.conversation.calls.waiting.append(Call(GET_CONFIG))
    ((_, plain),) = server.sent()
    assert isinstance(plain, functions.help.GetConfigRequest)
    assert first < msg_id


async def test_a_server_that_forgot_init_connection_hears_it_again(server: Server) -> None:
    """CONNECTION_NOT_INITED is no answer for the caller."""
    call, msg_id = await server.ask()
    server.answer(msg_id, NEAREST)
    call, msg_id = await server.ask()
    server.answer(msg_id, types.RpcError(400, "CONNECTION_NOT_INITED"))
    ((again, request),) = server.sent()
    assert isinstance(request, functions.InvokeWithoutUpdatesRequest)
    server.answer(again, NEAREST)
    assert call.answer.result() == NEAREST


async def test_a_call_can_come_after_another(server: Server) -> None:
    """By invokeAfterMsg, within initConnection, as long as the other one has no answer."""
    first = Call(GET_CONFIG)
    server.conversation.calls.waiting.extend((first, Call(GET_CONFIG, first)))
    (first_id, _), (_, second) = server.sent()
    assert isinstance(second.query, functions.InvokeAfterMsgRequest)
    assert second.query.msg_id == first_id
    server.answer(first_id, NEAREST)
    server.conversation.calls.waiting.append(Call(GET_CONFIG, first))
    ((_, third),) = server.sent()
    assert isinstance(third, functions.help.GetConfigRequest)


async def test_a_new_salt_is_used_for_the_same_call(server: Server) -> None:
    """bad_server_salt; the call is sent again under another message id, before what waits."""
    call, msg_id = await server.ask()
    later = Call(functions.help.GetNearestDcRequest())
    server.conversation.calls.waiting.append(later)
    server.say(types.BadServerSalt(msg_id, 1, 48, 4711))
    assert server.key.state.salt == 4711
    (again, request), _ = server.sent()
    assert again > msg_id
    assert isinstance(request.query, functions.help.GetConfigRequest)
    server.answer(again, NEAREST)
    assert call.answer.result() == NEAREST


async def test_a_salt_refused_again_and_again_is_an_error(server: Server) -> None:
    """The call may be made elsewhere."""
    call, msg_id = await server.ask()
    for _ in range(4):
        server.say(types.BadServerSalt(msg_id, 1, 48, 4711))
        ((msg_id, _),) = server.sent()
    server.say(types.BadServerSalt(msg_id, 1, 48, 4711))
    assert server.sent() == []
    assert isinstance(call.answer.exception(), ConnectionFailed)


@pytest.mark.parametrize(("code", "age"), [(16, -1000), (17, 1000)])
async def test_the_servers_clock_is_taken_over(server: Server, code: int, age: int) -> None:
    """Even from a message that seems to be of another time."""
    call, msg_id = await server.ask()
    server.say(types.BadMsgNotification(msg_id, 1, code), age=age)
    assert server.key.state.time_offset == -age
    ((again, _),) = server.sent()
    assert again >> 32 == NOW - age
    server.answer(again, NEAREST, age=age)
    assert call.answer.result() == NEAREST


async def test_a_message_too_old_to_tell_is_sent_again(server: Server) -> None:
    """Code 20."""
    call, msg_id = await server.ask()
    server.say(types.BadMsgNotification(msg_id, 1, 20))
    assert len(server.sent()) == 1
    assert not call.answer.done()


@pytest.mark.parametrize("code", [32, 33])
async def test_sequence_numbers_that_disagree_end_the_connection(server: Server, code: int) -> None:
    """Another connection has a session that counts from the start."""
    _, msg_id = await server.ask()
    with pytest.raises(ProtocolViolated, match="sequence"):
        server.say(types.BadMsgNotification(msg_id, 1, code))


@pytest.mark.parametrize("code", [18, 19, 34, 35, 64])
async def test_other_notifications_fail_the_call(server: Server, code: int) -> None:
    """And no other."""
    call, msg_id = await server.ask()
    other, _ = await server.ask()
    server.say(types.BadMsgNotification(msg_id, 1, code))
    assert isinstance(call.answer.exception(), ConnectionFailed)
    assert not other.answer.done()


async def test_what_a_forgotten_session_was_asked_is_asked_again(server: Server) -> None:
    """new_session_created names the first message that counts."""
    old, old_id = await server.ask()
    _, new_id = await server.ask()
    server.say(types.NewSessionCreated(new_id, 1, 99))
    assert server.key.state.salt == 99
    ((again, _),) = server.sent()
    server.answer(again, NEAREST)
    assert old.answer.result() == NEAREST
    server.answer(old_id, NEAREST)  # it had been received after all


async def test_a_message_that_comes_twice_counts_once(server: Server) -> None:
    """But is acknowledged twice: the first time was lost on its way."""
    call, msg_id = await server.ask()
    server.answer(msg_id, NEAREST, msg_id=NOW << 32 | 1)
    server.answer(msg_id, types.RpcError(500, "AGAIN"), msg_id=NOW << 32 | 1)
    assert call.answer.result() == NEAREST
    _, ack = server.read(server.conversation.acknowledge())
    assert ack == types.MsgsAck([NOW << 32 | 1] * 2)
    assert server.conversation.acknowledge() is None


async def test_only_content_is_acknowledged(server: Server) -> None:
    """An even sequence number asks for no acknowledgement."""
    server.say(types.MsgsAck([5]), seq_no=2)
    assert server.conversation.acknowledge() is None


@pytest.mark.parametrize("age", [1000, -1000])
async def test_messages_of_another_time_are_ignored_but_not_for_ever(server: Server, age: int) -> None:
    """After some of them something must be wrong."""
    call, msg_id = await server.ask()
    server.say(types.MsgsAck([5]), seq_no=2)
    for _ in range(10):
        server.answer(msg_id, NEAREST, age=age)
    assert not call.answer.done()
    assert server.conversation.acknowledge() is None
    with pytest.raises(ProtocolViolated, match="time"):
        server.answer(msg_id, NEAREST, age=age)


@pytest.mark.parametrize("age", [1000, -1000])
async def test_the_first_message_tells_the_time(server: Server, age: int) -> None:
    """Nobody can have kept one of a session that is new."""
    call, msg_id = await server.ask()
    server.answer(msg_id, NEAREST, age=age)
    assert call.answer.done()
    assert server.key.state.time_offset == -age


async def test_a_lost_answer_is_asked_for(server: Server) -> None:
    """msg_detailed_info of a call that waits; what nobody waits for is acknowledged."""
    _, msg_id = await server.ask()
    server.say(types.MsgDetailedInfo(msg_id, 77, 100, 0), seq_no=0)
    server.say(types.MsgDetailedInfo(4, 78, 100, 0), seq_no=0)
    server.say(types.MsgNewDetailedInfo(79, 100, 0), seq_no=0)
    ((_, resend),) = map(server.read, server.conversation.take_packets())
    assert resend == types.MsgResendReq([77])
    assert server.conversation.take_packets() == []
    _, ack = server.read(server.conversation.acknowledge())
    assert ack == types.MsgsAck([78, 79])


async def test_a_question_about_messages_is_answered(server: Server) -> None:
    """msgs_state_req: what has come (4), and what has not (2)."""
    server.say(types.UpdatesTooLong(), msg_id=NOW << 32 | 1)
    server.say(types.MsgsStateReq([NOW << 32 | 1, NOW << 32 | 5]), msg_id=NOW << 32 | 9)
    ((_, info),) = map(server.read, server.conversation.take_packets())
    assert info.info in ("\x04\x02", b"\x04\x02")  # Telethon does not decode it


async def test_a_message_is_sent_again_as_it_was(server: Server) -> None:
    """msg_resend_req: under the same id, so that it counts once; of one that is gone, the state is told."""
    _, msg_id = await server.ask()
    server.say(types.MsgResendReq([msg_id, 4]))
    (again, request), (_, info) = map(server.read, server.conversation.take_packets())
    assert again == msg_id
    assert isinstance(request.query, functions.help.GetConfigRequest)
    assert len(info.info) == 1
    assert server.sent() == []


OTHERS = 1_234_568
"""A message id that is none of ours."""


@pytest.mark.parametrize(
    "claim",
    [
        types.BadServerSalt(OTHERS, 1, 48, 4711),
        types.BadMsgNotification(OTHERS, 1, 16),
        types.BadMsgNotification(OTHERS, 1, 17),
        types.BadMsgNotification(OTHERS, 1, 32),
    ],
)
async def test_what_is_said_of_messages_that_are_not_ours_is_not_believed(server: Server, claim: Any) -> None:
    """Neither salt nor clock change, nor does the connection end."""
    call, _ = await server.ask()
    server.say(types.UpdatesTooLong())  # the first message sets the clock
    server.say(claim, age=1000)
    assert (server.key.state.salt, server.key.state.time_offset) == (0, 0)
    assert server.sent() == []
    assert not call.answer.done()


async def test_updates_are_heard(sent_on: list[Any]) -> None:
    """Where somebody wants them, and None where some may be lost: unreadable, or of a lost session."""
    server = Server(sent_on.append)
    _, msg_id = await server.ask()
    server.say(types.NewSessionCreated(msg_id, 1, 99))
    assert sent_on == []
    server.say(types.UpdatesTooLong())
    server.say(types.FutureSalts(1, NOW, []))
    server.say(struct.pack("<I", 0x12345678))
    server.say(types.NewSessionCreated(msg_id, 2, 99))
    assert sent_on == [types.UpdatesTooLong(), None, None]


async def test_an_update_that_was_lost_is_asked_for(sent_on: list[Any]) -> None:
    """msg_new_detailed_info; of one that has come, only the acknowledgement was lost."""
    server = Server(sent_on.append)
    server.say(types.UpdatesTooLong(), msg_id=NOW << 32 | 1)
    server.conversation.acknowledge()
    server.say(types.MsgNewDetailedInfo(NOW << 32 | 1, 100, 0), seq_no=0, msg_id=NOW << 32 | 5)
    server.say(types.MsgNewDetailedInfo(77, 100, 0), seq_no=0, msg_id=NOW << 32 | 9)
    ((_, resend),) = map(server.read, server.conversation.take_packets())
    assert resend == types.MsgResendReq([77])
    _, ack = server.read(server.conversation.acknowledge())
    assert ack == types.MsgsAck([NOW << 32 | 1])


@pytest.mark.parametrize("repeatable", [True, False])
async def test_what_must_not_be_repeated_fails_where_it_may_have_been_received(
    server: Server, *, repeatable: bool
) -> None:
    """By a session that the server has forgotten; at the session's beginning nothing had been received."""
    first = Call(GET_CONFIG, repeatable=repeatable)
    server.conversation.calls.waiting.append(first)
    ((first_id, _),) = server.sent()
    server.say(types.NewSessionCreated(first_id + 4, 1, 99))
    ((again, _),) = server.sent()
    server.say(types.NewSessionCreated(again + 4, 2, 99))
    assert len(server.sent()) == repeatable
    error = None if repeatable else first.answer.exception()
    assert isinstance(error, ConnectionFailed) is not repeatable
    assert error is None or not getattr(error, "not_received", True)


async def test_the_end_tells_what_was_certainly_not_received(server: Server) -> None:
    """What was not sent; what was sent, if the server does not know the key."""
    for error, expected in (
        (ConnectionFailed("reset"), [False, True]),
        (TransportRefused(-404), [True, True]),
    ):
        sent, _ = await server.ask()
        waiting = Call(GET_CONFIG)
        server.conversation.calls.waiting.append(waiting)
        server.conversation.calls.fail(error)
        errors: list[Any] = [sent.answer.exception(), waiting.answer.exception()]
        assert [one.not_received for one in errors] == expected


async def test_an_acknowledgement_may_be_worth_something(server: Server) -> None:
    """For calls that are sometimes not answered."""
    call, msg_id = await server.ask()
    call.acknowledged = lambda: call.succeed("believed")
    server.say(types.MsgsAck([4, msg_id]))
    assert call.answer.result() == "believed"


async def test_a_ping_is_sent_again_with_a_new_salt(server: Server) -> None:
    """Else an idle connection would seem silent."""
    msg_id, ping = server.read(server.conversation.ping(75))
    assert server.conversation.pinging
    server.say(types.BadServerSalt(msg_id, 1, 48, 4711))
    ((again, repeated),) = map(server.read, server.conversation.take_packets())
    assert repeated.ping_id == ping.ping_id
    assert not server.say(types.Pong(again, ping.ping_id))  # a sign of life, no progress
    assert not server.conversation.pinging


async def test_unknown_messages_are_progress_and_nothing_else(server: Server) -> None:
    """Updates, and what later layers bring."""
    assert server.say(struct.pack("<I", 0x12345678))
    assert server.say(types.FutureSalts(1, NOW, []))
    assert server.say(types.UpdatesTooLong())


async def test_an_answer_that_cannot_be_read_fails_its_call_only(server: Server) -> None:
    """The connection is as good as before."""
    call, msg_id = await server.ask()
    server.answer(msg_id, struct.pack("<I", 0x12345678))
    assert isinstance(call.answer.exception(), ProtocolViolated)
    call, msg_id = await server.ask()
    server.answer(msg_id, types.RpcError(400, "LIMIT_INVALID"))
    assert isinstance(call.answer.exception(), RpcFailed)


@pytest.mark.parametrize("body", [b"\x01\x6d\x5c\xf3", b"\xdc\xf8\xf1\x73\x01\x00\x00\x00", b"\xab"])
async def test_a_message_cut_short_ends_the_connection(server: Server, body: bytes) -> None:
    """An rpc_result without an id, a container without its messages, half a constructor."""
    with pytest.raises(ProtocolViolated):
        server.say(body)


async def test_a_withdrawn_call_is_forgotten(server: Server) -> None:
    """The server is asked not to send a long answer; a short one is not worth a question."""
    call, msg_id = await server.ask()
    assert server.conversation.withdraw(call) is None
    assert not server.conversation.calls.pending
    server.answer(msg_id, NEAREST)
    assert not call.answer.done()
    location = types.InputDocumentFileLocation(1, 2, b"", "")
    long = Call(functions.upload.GetFileRequest(location, 0, 1 << 20))
    server.conversation.calls.waiting.append(long)
    ((msg_id, _),) = server.sent()
    _, drop = server.read(server.conversation.withdraw(long))
    assert drop.req_msg_id == msg_id
    assert server.conversation.withdraw(long) is None


async def test_whoever_gives_up_before_it_is_sent_costs_nothing(server: Server) -> None:
    """Waiting calls have no bytes yet."""
    call = Call(GET_CONFIG)
    server.conversation.calls.waiting.append(call)
    call.answer.cancel()
    assert server.conversation.withdraw(call) is None
    assert server.sent() == []


async def test_calls_that_were_overtaken_for_long_are_overdue(server: Server) -> None:
    """The server answers others that were sent 20 seconds later: this one was lost."""
    early, early_id = Call(GET_CONFIG, patience=20.0), 0
    late = Call(GET_CONFIG, patience=20.0)
    server.conversation.calls.waiting.append(early)
    early_id, _ = server.read(server.conversation.next_call(0.0))
    server.conversation.calls.waiting.append(late)
    late_id, _ = server.read(server.conversation.next_call(20.0))
    server.conversation.calls.fail_overdue(20.0, stalled=False)
    assert not early.answer.done()
    server.answer(late_id, NEAREST)
    server.conversation.calls.fail_overdue(19.9, stalled=False)
    assert not early.answer.done()
    server.conversation.calls.fail_overdue(20.0, stalled=False)
    assert isinstance(early.answer.exception(), PeerSilent)
    server.answer(early_id, NEAREST)


async def test_the_end_is_told_to_all(server: Server) -> None:
    """Each waiter has an exception of its own."""
    sent, _ = await server.ask()
    waiting = Call(GET_CONFIG)
    server.conversation.calls.waiting.append(waiting)
    error = PeerSilent("nothing came")
    server.conversation.calls.fail(error)
    errors = [sent.answer.exception(), waiting.answer.exception()]
    assert [type(found) for found in errors] == [PeerSilent, PeerSilent]
    assert errors[0] is not errors[1]
    assert not server.conversation.calls.pending


@given(
    st.sampled_from([b"", *map(struct.Struct("<I").pack, sorted(Server().conversation._handlers))]),
    st.binary(max_size=60).filter(lambda data: len(data) % 4 == 0),
)
def test_no_message_crashes_it(constructor: bytes, data: bytes) -> None:
    """Whatever a server says is understood, ignored, or ends the connection."""
    with suppress(ConnectionFailed):
        Server().say(constructor + data)
