"""Message ids, sequence numbers, salts, and answers that were lost or are asked for again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import functions, types
from telethon.tl.core import RpcResult

if TYPE_CHECKING:
    from tests.sandbox.conftest import NewWire
    from tgbridge.sandbox import Sandbox

GET_CONFIG = functions.help.GetConfigRequest()
GET_NEAREST = functions.help.GetNearestDcRequest()
SECOND = 1 << 32


async def test_a_session_begins_by_one_notice(wire: NewWire) -> None:
    """The first message that is taken is answered by new_session_created; later ones are not."""
    line = await wire(begun=False)
    refused = await line.send(functions.PingRequest(1))
    salt = (await line.expect(types.BadServerSalt)).content
    assert (salt.bad_msg_id, salt.error_code) == (refused, 48)
    line.state.salt = salt.new_server_salt
    first = await line.send(functions.PingRequest(2))
    notice = (await line.expect(types.NewSessionCreated)).content
    assert (notice.first_msg_id, notice.server_salt) == (first, salt.new_server_salt)
    await line.expect(types.Pong)
    assert await line.settled() == []


async def test_a_new_key_has_its_first_salt(sandbox: Sandbox, wire: NewWire) -> None:
    """The salt that both sides derive from the key exchange is taken."""
    line = await wire(begun=False, new_key=True)
    (record,) = sandbox.auth_keys
    line.state.salt = record.first_salt
    await line.send(functions.PingRequest(1))
    assert (await line.expect(types.Pong)).content.ping_id == 1


async def test_a_salt_is_taken_for_an_hour(sandbox: Sandbox, wire: NewWire) -> None:
    """The salt before the present one is still taken, an older one is not, nor is one of the future."""
    line = await wire()
    (record,) = sandbox.auth_keys
    for ahead, taken in ((0, True), (-1, True), (-2, False), (1, False)):
        line.state.salt = record.salt(sandbox.now(), ahead)
        await line.send(functions.PingRequest(1))
        answer = await line.expect(types.Pong if taken else types.BadServerSalt)
        assert answer.msg_id % 4 == 1


@pytest.mark.parametrize(
    ("shift", "odd", "code"),
    [
        (-301 * SECOND, True, 16),
        (31 * SECOND, True, 17),
        (1, True, 18),
        (2, True, 18),
        (0, False, 35),
    ],
)
async def test_messages_out_of_order_are_refused(wire: NewWire, shift: int, odd: bool, code: int) -> None:
    """Too old, from the future, not divisible by 4, of even number though it is a call: each has its code."""
    line = await wire()
    msg_id = line.next_msg_id() + shift
    seq_no = line.next_seq_no() - (not odd)
    await line.send(GET_CONFIG, msg_id=msg_id, seq_no=seq_no)
    notice = (await line.expect(types.BadMsgNotification)).content
    assert (notice.bad_msg_id, notice.bad_msg_seqno, notice.error_code) == (msg_id, seq_no, code)


async def test_messages_of_their_time_are_taken(wire: NewWire) -> None:
    """Five minutes of the past and half a minute of the future are allowed, and ids may come in any order."""
    line = await wire()
    now = line.next_msg_id()
    seq_no = line.next_seq_no()
    await line.send(GET_NEAREST, msg_id=now + 20 * SECOND, seq_no=seq_no + 2)
    assert isinstance(await line.result(now + 20 * SECOND), types.NearestDc)
    await line.send(GET_NEAREST, msg_id=now, seq_no=seq_no)
    assert isinstance(await line.result(now), types.NearestDc)


@pytest.mark.parametrize(("step", "code"), [(-2, 32), (0, 32), (2, None)])
async def test_sequence_numbers_rise_with_ids(wire: NewWire, step: int, code: int | None) -> None:
    """A later message with a lower or the same odd number is refused."""
    line = await wire()
    seq_no = line.next_seq_no() + 100
    await line.send(GET_NEAREST, seq_no=seq_no)
    msg_id = await line.send(GET_NEAREST, seq_no=seq_no + step)
    if code is None:
        assert isinstance(await line.result(msg_id), types.NearestDc)
    else:
        assert (await line.expect(types.BadMsgNotification)).content.error_code == code


async def test_sequence_numbers_fall_with_ids(wire: NewWire) -> None:
    """An earlier message with a higher number is refused."""
    line = await wire()
    early, late = line.next_msg_id(), line.next_msg_id()
    await line.send(GET_NEAREST, msg_id=late)
    await line.send(GET_NEAREST, msg_id=early, seq_no=line.next_seq_no())
    assert (await line.expect(types.BadMsgNotification)).content.error_code == 33


async def test_acknowledgements_have_even_numbers(wire: NewWire) -> None:
    """An acknowledgement that pretends to need one itself is refused."""
    line = await wire()
    await line.send(types.MsgsAck([1]))
    assert (await line.expect(types.BadMsgNotification)).content.error_code == 34


async def test_a_repeated_call_is_answered_again(sandbox: Sandbox, wire: NewWire) -> None:
    """The same message sent twice is executed once, and its answer comes twice, with the same id."""
    line = await wire()
    sandbox.counters.reset()
    msg_id, seq_no = line.next_msg_id(), line.next_seq_no()
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    first = await line.expect(RpcResult)
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    second = await line.expect(RpcResult)
    assert first.content.req_msg_id == second.content.req_msg_id == msg_id
    assert (first.msg_id, first.seq_no) == (second.msg_id, second.seq_no)
    assert sandbox.counters.of("help.getNearestDc") == 1


async def test_a_call_that_is_repeated_too_early_has_to_wait(sandbox: Sandbox, wire: NewWire) -> None:
    """A message sent again while it is being executed has one answer."""
    line = await wire()
    hold = sandbox.faults.hold("help.getNearestDc")
    msg_id, seq_no = line.next_msg_id(), line.next_seq_no()
    for _ in range(2):
        await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    assert await line.settled() == []
    await hold.reached(1)
    hold.release()
    assert isinstance(await line.result(msg_id), types.NearestDc)
    assert await line.settled() == []


async def test_an_acknowledged_answer_is_forgotten(wire: NewWire) -> None:
    """After its acknowledgement, a repeated call is merely acknowledged."""
    line = await wire()
    msg_id, seq_no = line.next_msg_id(), line.next_seq_no()
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    answer = await line.expect(RpcResult)
    await line.send(types.MsgsAck([answer.msg_id]), seq_no=line.next_seq_no(content_related=False))
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    (notice,) = await line.settled()
    assert notice.content.msg_ids == [msg_id]


async def test_too_many_answers_are_not_kept(
    sandbox: Sandbox, wire: NewWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of more than is kept the oldest answer is gone, which a client that repeats its call is told."""
    monkeypatch.setattr("tgbridge.sandbox.mtproto.session._KEPT_BYTES", 100)
    line = await wire()
    msg_id, seq_no = line.next_msg_id(), line.next_seq_no()
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    await line.result(msg_id)
    for _ in range(3):
        await line.call(GET_NEAREST)
    await line.send(GET_NEAREST, msg_id=msg_id, seq_no=seq_no)
    notice = (await line.expect(types.BadMsgNotification)).content
    assert (notice.bad_msg_id, notice.error_code) == (msg_id, 20)
    assert sandbox.counters.of("help.getNearestDc") == 4


async def test_messages_are_not_remembered_for_ever(wire: NewWire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a message older than all that are remembered was received can't be told."""
    monkeypatch.setattr("tgbridge.sandbox.mtproto.session._REMEMBERED", 3)
    line = await wire()
    old, seq_no = line.next_msg_id(), line.next_seq_no()
    for _ in range(4):
        await line.call(GET_NEAREST)
    await line.send(GET_NEAREST, msg_id=old, seq_no=seq_no)
    assert (await line.expect(types.BadMsgNotification)).content.error_code == 20


async def test_lost_answers_are_sent_on_request(wire: NewWire) -> None:
    """msg_resend_req brings a message once more while it is kept, and else the news that there is none."""
    line = await wire()
    await line.send(GET_NEAREST)
    answer = await line.expect(RpcResult)
    await line.send(types.MsgResendReq([answer.msg_id]))
    assert (await line.expect(RpcResult)).msg_id == answer.msg_id
    await line.send(types.MsgsAck([answer.msg_id]), seq_no=line.next_seq_no(content_related=False))
    request = await line.send(types.MsgResendReq([answer.msg_id]))
    assert (await line.expect(types.MsgsStateInfo)).content.req_msg_id == request


async def test_a_lost_connection_loses_no_answer(sandbox: Sandbox, wire: NewWire) -> None:
    """What was answered on a connection that broke off comes on the next one of the same session."""
    line = await wire()
    hold = sandbox.faults.hold("help.getNearestDc")
    msg_id = await line.send(GET_NEAREST)
    await hold.reached(1)
    other = await wire(key=line.auth_key, begun=False)
    other.state = line.state
    await line.close()
    await other.send(functions.PingRequest(3))
    await other.expect(types.Pong)
    hold.release()
    assert isinstance(await other.result(msg_id), types.NearestDc)
