from __future__ import annotations

import heapq

import pytest

from tgbridge.settings import FilesSettings
from tgbridge.telegram.transfer.parts import MIB
from tgbridge.telegram.transfer.window import FIRST_BYTES, SLACK_BYTES, Departure, Window

MOST = FilesSettings().window_bytes_per_stream


def transfer(
    window: Window, *, round_trip: float, rate: float, reader: float = float("inf"), parts: int = 400
) -> float:
    """Move parts of 1 MiB over a path of `rate` bytes a second; return how many seconds it took."""
    now = path_free = reader_free = 0.0
    held, sent = 0, 0
    events: list[tuple[float, int, tuple[Departure, float]]] = []
    while sent < parts or events:
        while sent < parts and (not held or held + MIB <= window.size):
            path_free = max(path_free, now) + MIB / rate
            heapq.heappush(events, (path_free + round_trip, 0, (window.depart(now), 0.0)))
            held += MIB
            sent += 1
        now, kind, (departure, landed_at) = heapq.heappop(events)
        if kind == 0:
            reader_free = max(reader_free, now) + MIB / reader
            heapq.heappush(events, (reader_free, 1, (departure, now)))
        else:
            window.read(departure, MIB, landed_at=landed_at, now=now)
            held -= MIB
    return now


@pytest.mark.parametrize("round_trip", [0.001, 0.02, 0.04, 0.08])
def test_it_fills_the_path(round_trip: float) -> None:
    """At 300 MB/s, whatever the round trip, nearly all of what the path could carry is used."""
    seconds = transfer(Window(MOST), round_trip=round_trip, rate=300e6)
    assert seconds < 1.05 * (400 * MIB / 300e6) + 4 * round_trip


def test_it_begins_small_and_doubles() -> None:
    """A long and wide path is filled within a few round trips."""
    window = Window(MOST)
    assert window.size == FIRST_BYTES
    transfer(window, round_trip=0.08, rate=1e12, parts=40)
    assert window.size == MOST


def test_it_grows_with_what_was_read() -> None:
    """A reader that leaves after the first mebibyte leaves little more than that behind."""
    window = Window(MOST)
    departure = window.depart(0.0)
    window.read(departure, MIB, landed_at=0.04, now=0.04)
    assert window.size == 3 * MIB


def test_it_stays_small_where_more_brings_nothing() -> None:
    """On a short path the queues stay short."""
    window = Window(MOST)
    transfer(window, round_trip=0.001, rate=100e6)
    assert window.size < 2 * SLACK_BYTES


def test_a_slow_reader_gets_a_small_window() -> None:
    """Somebody who plays a film at 2 MB/s does not need 24 MiB of it in advance."""
    window = Window(MOST)
    transfer(window, round_trip=0.08, rate=100e6, reader=2e6, parts=60)
    assert window.size < 2 * SLACK_BYTES


def test_it_is_never_larger_than_it_may_be() -> None:
    """The bound holds for the first bytes as well."""
    window = Window(MIB // 2)
    assert window.size == MIB // 2
    transfer(window, round_trip=0.5, rate=1e12, parts=10)
    assert window.size == MIB // 2


def test_parts_that_were_there_already_say_nothing_of_the_path() -> None:
    """Bytes from memory neither shorten it nor divide by zero."""
    window = Window(MOST)
    window.read(window.depart(1.0), MIB, landed_at=0.5, now=1.0)
    window.read(window.depart(1.0), MIB, landed_at=0.5, now=1.001)
    assert window.size == FIRST_BYTES
    window.read(window.depart(1.001), MIB, landed_at=1.101, now=1.101)
    assert window.size == 3 * MIB + 2 * MIB  # what has been read, and twice what is on the path


def test_parts_are_asked_for_several_at_once() -> None:
    """Some mebibytes of a large window, half of a small one: there are always others on their way."""
    assert Window(most=MIB).low == MIB // 2
    window = Window(most=64 * MIB)
    window.size = 24 * MIB
    assert window.low == 20 * MIB
