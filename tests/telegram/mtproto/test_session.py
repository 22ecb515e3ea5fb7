"""Message ids, sequence numbers and the checks of the security guidelines."""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from itertools import pairwise
from logging import getLogger

import pytest
from telethon.crypto import AuthKey
from telethon.network.mtprotostate import MTProtoState

from tgbridge.telegram.mtproto.auth_key import AuthorizationKey, KeyState
from tgbridge.telegram.mtproto.failures import ProtocolViolated
from tgbridge.telegram.mtproto.session import REMEMBERED, Session

NOW = 1_700_000_000.25


@pytest.fixture
def session() -> Session:
    return Session(AuthorizationKey(os.urandom(256), KeyState(salt=-5)), now=lambda: NOW)


def plain(
    session: Session, msg_id: int = int(NOW) << 32 | 1, body: bytes = b"body", padding: int = 16
) -> memoryview:
    header = struct.pack("<q8sqii", 1, session.id, msg_id, 3, len(body))
    return memoryview(header + body + bytes(padding))


def test_sequence_numbers_are_telethons(session: Session) -> None:
    """What has to be acknowledged counts twice, as Telethon counts."""
    oracle = MTProtoState(AuthKey(session.key.key), defaultdict(lambda: getLogger("telethon")))
    for related in (True, False, True, True, False, False, True):
        _, header = session.header(20, content_related=related)
        salt, session_id, _, seq_no, size = struct.unpack("<q8sqii", header)
        assert (salt, session_id, size) == (-5, session.id, 20)
        assert seq_no == oracle._get_seq_no(related)


def test_message_ids_tell_the_time_and_grow(session: Session) -> None:
    """Divisible by 4, and greater each time although the clock stands still."""
    ids = [session.header(4, content_related=True)[0] for _ in range(10)]
    assert ids[0] == int(NOW * 2**32)
    assert all(one % 4 == 0 and one < other for one, other in pairwise(ids))


def test_ids_follow_the_servers_clock(session: Session) -> None:
    """A message that was sent now tells what now is, for all sessions of the key."""
    session.set_clock((int(NOW) + 1000) << 32 | 1)
    assert session.key.state.time_offset == 1000
    assert session.header(4, content_related=True)[0] >> 32 == int(NOW) + 1000
    other = Session(session.key, now=lambda: NOW)
    assert other.header(4, content_related=True)[0] >> 32 == int(NOW) + 1000
    session.set_clock((int(NOW) - 1000) << 32 | 1)
    assert session.header(4, content_related=True)[0] >> 32 == int(NOW) - 1000


def test_a_message_is_opened(session: Session) -> None:
    """Without its padding."""
    message = session.open(plain(session, body=b"four" * 3))
    assert (message.id >> 32, message.seq_no, message.content_related) == (int(NOW), 3, True)
    assert bytes(message.body) == b"four" * 3


@pytest.mark.parametrize("padding", [0, 11, 1025])
def test_padding_has_its_bounds(session: Session, padding: int) -> None:
    """12 to 1024 bytes."""
    with pytest.raises(ProtocolViolated, match="length"):
        session.open(plain(session, padding=padding))


@pytest.mark.parametrize("body", [b"", b"odd"])
def test_the_length_is_positive_and_divisible_by_four(session: Session, body: bytes) -> None:
    """Else the padding could pretend to be content."""
    with pytest.raises(ProtocolViolated, match="length"):
        session.open(plain(session, body=body))


def test_an_absurd_length_is_refused(session: Session) -> None:
    """A length beyond the packet, and a negative one."""
    for size in (8, 2**31 - 4, -4):
        header = struct.pack("<q8sqii", 1, session.id, 5, 3, size)
        with pytest.raises(ProtocolViolated, match="length"):
            session.open(memoryview(header + bytes(16)))


def test_another_session_is_refused(session: Session) -> None:
    """A message to another client of the key is not ours."""
    other = Session(session.key)
    with pytest.raises(ProtocolViolated, match="session"):
        session.open(plain(other))


def test_even_message_ids_are_refused(session: Session) -> None:
    """They are a client's: somebody sends us our own."""
    with pytest.raises(ProtocolViolated, match="id"):
        session.open(plain(session, msg_id=4))


def test_a_message_is_new_once(session: Session) -> None:
    """Nor is it new again when it has been forgotten."""
    assert session.is_new(5)
    assert not session.is_new(5)
    for msg_id in range(7, 7 + 2 * REMEMBERED, 2):
        assert session.is_new(msg_id)
    assert not session.is_new(5)
    assert not session.is_new(3)


@pytest.mark.parametrize(("age", "timely"), [(0, True), (299, True), (301, False), (-30, True), (-31, False)])
def test_messages_of_another_time_are_told(session: Session, age: int, *, timely: bool) -> None:
    """300 seconds of the past and 30 of the future are taken."""
    assert session.is_timely((int(NOW) - age) << 32 | 1) is timely
