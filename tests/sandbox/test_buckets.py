"""Floods as Telegram's users report them."""

from __future__ import annotations

from tgbridge.sandbox.buckets import CALM_SECONDS, Bucket


def bucket() -> Bucket:
    return Bucket(per_second=2, burst=4, wait=7, rising=2)


def test_a_burst_passes_and_then_everybody_waits() -> None:
    """Also who comes while the wait lasts, though there are tokens again."""
    limited = bucket()
    assert [limited.take(100.0) for _ in range(6)] == [0, 0, 0, 0, 7, 7]
    assert limited.take(103.5) == 4
    assert (limited.take(107.0), limited.waits) == (0, 1)


def test_the_rate_itself_is_always_taken() -> None:
    """For as long as one likes."""
    limited = bucket()
    assert not any(limited.take(100 + call / 2) for call in range(500))


def test_waits_rise_until_there_was_calm() -> None:
    """Twice as long each time here, and as at first after a minute."""
    limited, now, waits = bucket(), 100.0, []
    for _ in range(4):
        while not (told := limited.take(now)):
            pass
        waits.append(told)
        now += told
    assert waits == [7, 14, 28, 56]
    now += CALM_SECONDS
    while not (told := limited.take(now)):
        pass
    assert told == 7
