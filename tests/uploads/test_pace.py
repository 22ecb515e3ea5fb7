"""How long a sender is waited for."""

from __future__ import annotations

import pytest

from tgbridge.uploads.pace import Pace


def pace(bytes_per_second: float = 1000) -> Pace:
    return Pace(idle_seconds=60, bytes_per_second=bytes_per_second)


def test_silence_before_the_first_bytes() -> None:
    """Before anything is held for it, a sender may be silent for as long as the setting says."""
    sender = pace()
    assert sender.left == 60
    sender.waited(59, 1)
    assert sender.left == pytest.approx(10.001)


def test_a_trickle() -> None:
    """One byte now and then earns nothing: the grace is used up after its seconds."""
    sender, seconds = pace(), 0.0
    while sender.left > 0.01:
        wait = min(sender.left, 2.0)
        sender.waited(wait, 1)
        seconds += wait
    assert 10 < seconds < 15


@pytest.mark.parametrize("rate", [1001, 2000, 1_000_000])
def test_slow_but_not_too_slow(rate: int) -> None:
    """Who sends at the least rate or faster is waited for without end."""
    sender = pace()
    for _ in range(3600):
        sender.waited(1, rate)
        assert sender.left > 9


def test_a_tunnel() -> None:
    """Who has sent enough may be silent for the whole time, as often as he sends enough between."""
    sender = pace()
    for _ in range(3):
        sender.waited(1, 60_000)
        assert sender.left == 60
        sender.waited(59, 10)
        assert sender.left > 1


def test_more_is_not_saved() -> None:
    """Gigabytes at first buy no hours later."""
    sender = pace()
    sender.waited(1, 10**9)
    assert sender.left == 60


def test_time_that_is_ours() -> None:
    """Only waiting for the sender counts, and what is here already costs nothing."""
    sender = pace()
    sender.waited(0, 1)
    before = sender.left
    for _ in range(1000):
        sender.waited(0, 1)
    assert sender.left > before


def test_turned_off() -> None:
    """Without a least rate, each silence may last as long as the setting says."""
    sender = pace(0)
    for _ in range(1000):
        sender.waited(59, 1)
    assert sender.left == 60
