"""Logins by QR code that wait for their browser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tgbridge.logins.qr_logins import QrLogins
from tgbridge.models import User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER = User(id=1, first_name=None, last_name=None, username=None, phone=None, is_premium=False)


@pytest.fixture
def left() -> list[str]:
    """The sessions that were signed out."""
    return []


@pytest.fixture
async def logins(left: list[str]) -> AsyncIterator[QrLogins]:
    logins = QrLogins(left.append, seconds=60, most=3)
    yield logins
    logins.close()
    assert len(logins) == 0


async def test_a_claim_is_good_once(logins: QrLogins, left: list[str]) -> None:
    """It finds its login as long as that waits; what was taken is not signed out."""
    claim, other = logins.signed_in("one", "proof", USER), logins.signed_in("two", "proof", USER)
    assert claim != other
    login = logins.claimed(claim)
    assert login is not None
    assert (login.telegram, login.proof, login.user) == ("one", "proof", USER)
    assert logins.take(login)
    assert not logins.take(login)
    assert logins.claimed(claim) is None
    assert logins.claimed(other) is not None
    logins.give_up(login)
    assert left == []


@pytest.mark.parametrize("claim", ["", "x", "\ud800", "é" * 1000])
async def test_what_is_no_claim(logins: QrLogins, claim: str) -> None:
    """Any text may be tried."""
    logins.signed_in("one", "proof", USER)
    assert logins.claimed(claim) is None


async def test_a_login_may_be_kept_again(logins: QrLogins) -> None:
    """For a browser that went away before its answer, the same claim is good as before."""
    claim = logins.signed_in("one", "proof", USER)
    login = logins.claimed(claim)
    assert login is not None
    logins.take(login)
    logins.keep(login)
    assert logins.claimed(claim) is login


async def test_the_newest_password_of_a_browser(logins: QrLogins) -> None:
    """A password is for the login that this browser, and no other, has begun last."""
    logins.awaits_password("one", "mine")
    logins.awaits_password("two", "mine as well")
    logins.awaits_password("three", "another's")
    mine = ("mine", "mine as well", "nobody's")
    login = logins.lacking_password(mine)
    assert login is not None
    assert login.telegram == "two"
    logins.take(login)
    assert logins.lacking_password(mine).telegram == "one"  # type: ignore[union-attr]
    assert logins.lacking_password(()) is None
    logins.signed_in("four", "done", USER)
    assert logins.lacking_password(["done"]) is None


async def test_too_many(logins: QrLogins, left: list[str]) -> None:
    """The oldest is signed out for a new one."""
    claims = [logins.signed_in(str(number), "proof", USER) for number in range(5)]
    assert len(logins) == 3
    assert [logins.claimed(claim) is not None for claim in claims] == [False, False, True, True, True]
    logins.close()
    assert left == ["0", "1", "2", "3", "4"]


async def test_expiry(left: list[str]) -> None:
    """What nobody comes for is signed out; an attempt at a password lets it wait anew."""
    gone = asyncio.Event()

    def leave(telegram: str) -> None:
        left.append(telegram)
        gone.set()

    logins = QrLogins(leave, seconds=0)
    claim = logins.signed_in("one", "proof", USER)
    assert logins.claimed(claim) is not None
    await gone.wait()
    assert (left, logins.claimed(claim), len(logins)) == (["one"], None, 0)
    gone.clear()
    logins.awaits_password("two", "proof")
    logins._seconds = 60
    assert logins.lacking_password(["proof"]) is not None
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(logins) == 1
    logins.close()
    assert left == ["one", "two"]


async def test_nothing_secret_is_shown(logins: QrLogins) -> None:
    """A login's session string is the account."""
    claim = logins.signed_in("telegram session", "the proof", USER)
    shown = repr(logins) + repr(logins.claimed(claim))
    for secret in ("telegram session", "the proof", claim):
        assert secret not in shown
