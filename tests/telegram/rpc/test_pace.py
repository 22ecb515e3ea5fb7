"""How fast an account may be is learnt from the waits that it is told."""

from __future__ import annotations

import heapq
import itertools
import math

import pytest

from tgbridge.sandbox.buckets import Bucket
from tgbridge.telegram.rpc.pace import FASTEST, FIRST_GAP, FORGET_SECONDS, SLOWEST, Pace

MIB = 1 << 20


def depart(pace: Pace, now: float, calls: int) -> list[float]:
    """Make calls as soon as each may go."""
    times = []
    for _ in range(calls):
        now = pace.ready_at(now)
        pace.depart(now)
        times.append(now)
    return times


def test_there_is_no_limit_before_the_first_wait() -> None:
    """Any number of calls at the same time."""
    assert set(depart(Pace(), 100.0, 1000)) == {100.0}


def test_nobody_calls_before_the_wait_is_over() -> None:
    """The longest that was told to any of them."""
    pace = Pace()
    depart(pace, 100.0, 3)
    for seconds in (3, 5, 4):
        pace.flooded(100.5, seconds, 100.0, MIB)
    assert pace.ready_at(101.0) == 105.5


def test_a_burst_after_a_wait_begins_with_gaps() -> None:
    """Of 50 ms at first and shrinking, however many calls a second turn out to be fine."""
    pace = Pace()
    depart(pace, 100.0, 5000)
    pace.flooded(100.1, 1, 100.0, MIB)
    times = depart(pace, 101.1, 10)
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert gaps[0] == pytest.approx(FIRST_GAP)
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] == pytest.approx(1 / pace.rate)


def test_calls_told_at_the_same_time_count_once() -> None:
    """They were all under way when the first one was told."""
    pace = Pace()
    depart(pace, 100.0, 100)
    pace.flooded(100.5, 1, 100.0, 32 * MIB)
    rate, window = pace.rate, pace.window
    for _ in range(20):
        pace.flooded(100.6, 1, 100.0, 16 * MIB)
    assert (pace.rate, pace.window) == (rate, window)


def test_each_wait_makes_it_slower_but_not_endlessly() -> None:
    """Down to a call every two seconds; of two calls each time, the first goes well."""
    pace, now, rates = Pace(), 100.0, []
    for _ in range(20):
        _, now = depart(pace, now, 2)
        pace.flooded(now, 1, now, MIB)
        rates.append(pace.rate)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == SLOWEST


def test_a_wait_that_goes_on_makes_it_no_slower() -> None:
    """Twelve in a row, with nothing in between that went well, take as long as they say."""
    pace = Pace(2 * MIB)
    depart(pace, 100.0, 100)
    pace.flooded(100.5, 1, 100.0, 32 * MIB, 100)
    rate, window, now = pace.rate, pace.window, 100.5
    for _ in range(11):
        now, late = depart(pace, now, 2)
        assert now == pace.waits_until
        pace.flooded(late, 1, now, 2 * MIB, 2)
        pace.flooded(late, 1, late, MIB, 1)
    assert (pace.rate, pace.window) == (rate, window)
    assert now < 100.5 + 11 * (1 + 2 * FIRST_GAP)


def test_what_may_be_in_flight_is_halved_down_to_the_floor() -> None:
    """From what was in flight, and never below what TDLib has."""
    pace, windows = Pace(2 * MIB), []
    assert pace.window == math.inf
    for step in range(5):
        depart(pace, 100.0 + 10 * step, 2)
        pace.flooded(101.0 + 10 * step, 1, 100.0 + 10 * step, 20 * MIB)
        windows.append(pace.window / MIB)
    assert windows == [10, 5, 2.5, 2, 2]


def test_no_more_is_in_flight_than_is_ever_allowed() -> None:
    """Neither before nor after waits, until the bounds are others."""
    pace = Pace(2 * MIB, 2 * MIB)
    assert pace.window == 2 * MIB
    pace.flooded(101.0, 1, 100.0, 2 * MIB)
    assert pace.window == 2 * MIB
    pace.bound(16 * MIB, 16 * MIB)
    assert pace.window == 16 * MIB


def test_it_recovers_by_use() -> None:
    """Step by step, until nothing is left of the limit; time alone proves nothing."""
    pace = Pace(2 * MIB)
    depart(pace, 100.0, 100)
    pace.flooded(101.0, 1, 100.0, 8 * MIB)
    rate = pace.rate
    assert pace.ready_at(700.0) == 700.0
    assert pace.rate == rate
    now = 700.0
    for _ in range(100_000):
        (now,) = depart(pace, now, 1)
        if pace.rate == math.inf:
            break
        assert rate <= pace.rate <= 1.2 * rate
        rate = pace.rate
    assert (pace.rate, pace.window, pace.has_learnt) == (math.inf, math.inf, False)
    assert rate > FASTEST / 2


def test_after_an_hour_it_is_forgotten() -> None:
    """Limits of yesterday say little of today's."""
    pace = Pace(2 * MIB)
    depart(pace, 100.0, 10)
    pace.flooded(101.0, 1, 100.0, 8 * MIB)
    pace.ready_at(102.0 + FORGET_SECONDS)
    assert pace.has_learnt
    pace.ready_at(103.0 + FORGET_SECONDS)
    assert (pace.rate, pace.window) == (math.inf, math.inf)


@pytest.mark.parametrize("rising", [1.0, 1.5, 2.0])
@pytest.mark.parametrize(
    ("per_second", "burst", "wait"), [(8, 16, 7), (8, 16, 1), (3, 10, 5), (20, 100, 9), (60, 200, 3)]
)
def test_over_minutes_most_of_what_is_allowed_is_had(
    per_second: float, burst: float, wait: float, rising: float
) -> None:
    """Of a bucket that is always asked for more, seven tenths and more, with a handful of waits."""
    bucket = Bucket(per_second=per_second, burst=burst, wait=wait, rising=rising)
    assert taken(Pace(2 * MIB), bucket, seconds=600) >= 0.7 * per_second * 600
    assert bucket.waits <= 8


def taken(pace: Pace, bucket: Bucket, *, seconds: float) -> int:
    """How many calls a bucket takes of 32 that are always wanted, each with a way of 40 ms."""
    answers: list[tuple[float, float, int]] = []
    now, calls = 100.0, 0
    give_up_at = now + seconds
    while now < give_up_at:
        while len(answers) < min(32, pace.window / MIB) and pace.ready_at(now) <= now:
            pace.depart(now)
            heapq.heappush(answers, (now + 0.04, now, bucket.take(now + 0.02)))
        ready_at = pace.ready_at(now)
        if answers and (ready_at == now or answers[0][0] <= ready_at):
            now, departed_at, told = heapq.heappop(answers)
            if told:
                pace.flooded(now, told, departed_at, (len(answers) + 1) * MIB, len(answers) + 1)
            else:
                calls += 1
        else:
            now = ready_at
    return calls
