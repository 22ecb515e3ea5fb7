"""Sessions that have ended are remembered while their cookies last, and never more than so many."""

from __future__ import annotations

import os
from typing import Final

from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from tgbridge.telegram.ended_sessions import EndedSessions

NAME: Final = "SESSION_REVOKED"


def session(address: str = "127.0.0.1", key: bytes | None = None) -> str:
    made = StringSession()
    made.set_dc(2, address, 443)
    made.auth_key = AuthKey(key or os.urandom(256))
    return str(made.save())


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_reason() -> None:
    """Why it has ended is told of the session that has, and the first reason stays."""
    ended, one, other = EndedSessions(60), session(), session()
    ended.add(one, NAME)
    ended.add(one, "AUTH_KEY_UNREGISTERED")
    assert (ended.reason(one), ended.reason(other)) == (NAME, None)
    ended.discard(one)
    ended.discard(one)
    assert ended.reason(one) is None


def test_by_its_key() -> None:
    """It is the key that has ended, wherever its data centre was when the cookie was made."""
    ended, key = EndedSessions(60), os.urandom(256)
    ended.add(session("127.0.0.1", key), NAME)
    assert ended.reason(session("127.0.0.2", key)) == NAME


def test_no_session() -> None:
    """A text that is no session is remembered as well: it will never be one."""
    ended = EndedSessions(60)
    for text in ("", "1", "1x", "\ud800"):
        assert ended.reason(text) is None
        ended.add(text, "AUTH_KEY_INVALID")
        assert ended.reason(text) == "AUTH_KEY_INVALID"


def test_forgotten() -> None:
    """When the last cookie of it must have expired, it is forgotten."""
    clock = Clock()
    ended, sessions = EndedSessions(60, clock=clock), [session() for _ in range(3)]
    ended.add(sessions[0], NAME)
    clock.now += 30
    ended.add(sessions[1], NAME)
    clock.now += 30
    assert [ended.reason(each) for each in sessions] == [None, NAME, None]
    ended.add(sessions[2], NAME)
    assert len(ended) == 2


def test_bounded() -> None:
    """There are never more than so many; the oldest goes first, and is then a question to Telegram again."""
    ended, sessions = EndedSessions(60, most=2), [session() for _ in range(4)]
    for each in sessions:
        ended.add(each, NAME)
    assert [ended.reason(each) for each in sessions] == [None, None, NAME, NAME]
    assert len(ended) == 2


def test_nothing_of_a_session_is_kept() -> None:
    """Neither the session nor its key is in what is remembered, which each process does in its own way."""
    one, other, key = EndedSessions(60), EndedSessions(60), os.urandom(256)
    for ended in (one, other):
        ended.add(session(key=key), NAME)
    assert one._ends.keys().isdisjoint(other._ends)
    assert all(len(kept) == 16 and kept not in key for kept in one._ends)
