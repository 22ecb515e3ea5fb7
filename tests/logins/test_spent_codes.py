"""Codes that have just signed somebody in."""

from __future__ import annotations

from tgbridge.logins.spent_codes import SpentCodes


def test_known() -> None:
    """Only the very code of the very login is known, and no part of them runs into the other."""
    spent = SpentCodes()
    spent.add("hash", "11111")
    assert ("hash", "11111") in spent
    for other in (("hash", "11112"), ("hash1", "1111"), ("another", "11111"), ("", "hash11111")):
        assert other not in spent


def test_bounded() -> None:
    """The oldest are forgotten."""
    spent = SpentCodes(most=2)
    for code in ("1", "2", "3"):
        spent.add("hash", code)
    assert [("hash", code) in spent for code in ("1", "2", "3")] == [False, True, True]
    assert len(spent) == 2


def test_nothing_secret_is_shown() -> None:
    """Codes are kept as hashes."""
    spent = SpentCodes()
    spent.add("hash", "11111")
    assert "11111" not in repr(spent) + repr(vars(spent))
