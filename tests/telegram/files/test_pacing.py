"""The turns of a method's calls, after Telegram has asked for patience."""

from __future__ import annotations

from tgbridge.telegram.files.pacing import RECOVERY_SECONDS, Pace


def test_there_is_no_limit_before_the_first_wait() -> None:
    """Any number of calls at the same time."""
    pace = Pace()
    assert [pace.turn(100.0) for _ in range(1000)] == [100.0] * 1000


def test_nobody_calls_before_the_wait_is_over() -> None:
    """Neither the one who was told, nor others; and then one after the other."""
    pace = Pace()
    turn = pace.turn(100.0)
    pace.flooded(100.5, 3, turn)
    turns = [pace.turn(101.0) for _ in range(3)]
    assert turns[0] == 103.5
    assert turns[0] < turns[1] < turns[2]


def test_half_as_many_calls_a_second_as_were_too_much() -> None:
    """20 a second were: then there are 10."""
    pace = Pace()
    for call in range(200):
        turn = pace.turn(100 + call / 20)
    pace.flooded(110.0, 1, turn)
    first, second = pace.turn(110.0), pace.turn(110.0)
    assert round(second - first, 3) == 0.1


def test_calls_told_at_the_same_time_count_once() -> None:
    """They were all under way when the first one was told; the longest wait holds."""
    pace = Pace()
    turns = [pace.turn(100.0 + call / 20) for call in range(20)]
    for turn, seconds in zip(turns, (1, 5, 2) * 7, strict=False):
        pace.flooded(101.0, seconds, turn)
    first, second = pace.turn(101.0), pace.turn(101.0)
    assert first == 106.0
    assert round(second - first, 3) == 0.1


def test_another_wait_makes_it_slower_but_not_endlessly() -> None:
    """Half the rate again, down to a call every two seconds."""
    pace = Pace()
    now, intervals = 100.0, []
    for _ in range(10):
        turn = pace.turn(now)
        intervals.append(pace.turn(now) - turn)
        now = turn + 1
        pace.flooded(now, 1, turn)
    assert intervals == sorted(intervals)
    assert intervals[-1] == 2.0


def test_the_rate_recovers() -> None:
    """It doubles as time goes by without another wait, until nothing is left of the limit."""
    pace = Pace()
    turn = pace.turn(100.0)
    pace.flooded(101.0, 1, turn)
    intervals = []
    for step in range(12):
        now = 102.0 + step * RECOVERY_SECONDS
        turn = pace.turn(now)
        intervals.append(round(pace.turn(now) - turn, 4))
    assert intervals[:3] == [2.0, 1.0, 0.5]
    assert intervals[-1] == 0
