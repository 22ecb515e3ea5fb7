"""Whose deleted messages are, by what was shown before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.telegram.saved import shown as shown_module
from tgbridge.telegram.saved.shown import Shown, Tally

if TYPE_CHECKING:
    import pytest


def test_what_was_shown() -> None:
    """Ids that are known are told, the others may be anybody's."""
    shown = Shown(Tally())
    shown.add(5)
    assert shown.of_deleted([5], 10) == ((5,), False)
    assert shown.of_deleted([5, 6], 11) == ((5,), True)
    assert shown.of_deleted([5], 12) == ((5,), False)  # again, for a page that was away


def test_where_all_is_known() -> None:
    """From an id on, and after a state, what is not known is not in Saved Messages."""
    shown = Shown(Tally())
    shown.add(105)
    shown.complete(100, 50)
    assert shown.of_deleted([105, 106], 51) == ((105,), False)
    assert shown.of_deleted([106], 50) == ((), True)  # it may have been there before all was known
    assert shown.of_deleted([99], 51) == ((), True)
    shown.incomplete()
    assert shown.of_deleted([106], 51) == ((), True)


def test_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many ids all begin anew, under another name; nobody's name is 0."""
    monkeypatch.setattr(shown_module, "MOST_SHOWN", 2)
    shown = Shown(Tally())
    life = shown.life
    shown.add(1)
    shown.add(2)
    assert (shown.life, 1 in shown) == (life, True)
    shown.add(3)
    assert shown.life not in (life, 0)
    assert [number in shown for number in (1, 2, 3)] == [False, False, True]


def test_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound of the process, the first account begins anew; what is forgotten does not count."""
    monkeypatch.setattr(shown_module, "MOST_IN_ALL", 4)
    tally = Tally()
    first, second = Shown(tally), Shown(tally)
    lives = first.life, second.life
    for number in (1, 2):
        first.add(number)
        first.add(number)
        second.add(number)
    assert (first.life, second.life) == lives
    second.add(3)
    assert (1 in first, 1 in second) == (False, True)
    assert first.life != lives[0]
    assert second.life == lives[1]
    second.forget()
    for number in range(4):
        first.add(number)
    assert all(number in first for number in range(4))
