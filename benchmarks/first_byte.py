"""The table of first bytes: how long a reader waits, in round trips."""

from __future__ import annotations

import random
import statistics
from typing import TYPE_CHECKING

from benchmarks.report import MB, print_table
from benchmarks.sandbox import LARGE_BYTES, Ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_ROUND_TRIP = 0.04
_CENTRES = {"home": Ids.home, "foreign": Ids.foreign}
_OTHERS = {"home": Ids.small, "foreign": Ids.small_foreign}

_LEAST_SAMPLES, _SAMPLES = 5, 20
_MOST_ROUND_TRIPS = 1.2
"""Of a warm client, beyond the lookup of the message."""
_MOST_OF_BASELINE = 0.5
"""Of a cold one."""

Times = dict[str, list[float]]


def first_byte(stage: Stage, *, quick: bool) -> None:
    """How long until the first byte, in round trips."""
    samples = _LEAST_SAMPLES if quick else _SAMPLES
    ours, theirs = _times_of_service(stage, samples), _times_of_baseline(stage, samples)
    lookup = statistics.median(ours["lookup"])
    most = {"warm": lookup + _MOST_ROUND_TRIPS, "seek": _MOST_ROUND_TRIPS, "again": _MOST_ROUND_TRIPS}
    rows = [
        _row("the lookup alone (HEAD)", ours["lookup"], None, None),
        _row("warm client, another file", ours["warm"], theirs["warm"], most["warm"]),
        _row("warm, the same file again", ours["again"], theirs["again"], most["again"]),
        _row("warm, a random place in it", ours["seek"], theirs["seek"], most["seek"]),
    ]
    for name in ("home", "foreign"):
        baseline = theirs[name]
        most_cold = _MOST_OF_BASELINE * statistics.median(baseline)
        rows += [
            _row(
                f"cold client, another file, {name} data centre",
                ours[f"other, {name}"],
                theirs[f"other, {name}"],
                most_cold,
            ),
            _row(f"cold client, the same file again, {name} data centre", ours[name], baseline, most_cold),
            _row(f"just started, {name} data centre", ours[f"started, {name}"], baseline, None),
        ]
    head = ("", "tgbridge", "95th percentile", "baseline", "95th percentile", "at most", "reached")
    title = f"First byte, in round trips of {_ROUND_TRIP * 1000:.0f} ms: medians"
    print_table(title, head, rows)


def _times_of_service(stage: Stage, samples: int) -> Times:
    server = stage.service()
    stage.round_trip(_ROUND_TRIP)
    times = _warm(server, samples)
    # Files that nobody has asked for yet: else there is nothing to be looked up.
    lookups = [server.head(message) for message in Ids.small[-samples:]]
    times["lookup"] = _in_round_trips(lookups)
    stage.end(server.process)
    stage.round_trip(0)
    server = stage.service(TGBRIDGE_POOL__IDLE_SECONDS="0.3")
    stage.round_trip(_ROUND_TRIP)
    times |= _cold(server, samples, lambda: stage.wait_for_connections(0))
    stage.end(server.process)
    for name, message in _CENTRES.items():
        started = []
        for _ in range(samples // 2):
            server = stage.service(after=server)
            started.append(server.get(message, span=(0, MB)).first_byte)
            stage.end(server.process)
        times[f"started, {name}"] = _in_round_trips(started)
    stage.round_trip(0)
    return times


def _times_of_baseline(stage: Stage, samples: int) -> Times:
    server = stage.baseline()
    stage.round_trip(_ROUND_TRIP)

    def disconnect() -> None:
        with server.client() as client:
            client.post("/disconnect")

    times = _warm(server, samples) | _cold(server, samples, disconnect)
    stage.end(server.process)
    stage.round_trip(0)
    return times


def _warm(server: Server, samples: int) -> Times:
    chance = random.Random(7)
    files = Ids.small[: samples + 1]
    offsets = [chance.randrange(LARGE_BYTES - MB) for _ in range(samples)]
    for message in (files[0], Ids.home):
        server.get(message, span=(0, MB))
    times = {
        # Another file each time, for no cache to help.
        "warm": [server.get(message, span=(0, MB)).first_byte for message in files[1:]],
        "again": [server.get(files[0], span=(0, MB)).first_byte for _ in range(samples)],
        "seek": [server.get(Ids.home, span=(offset, LARGE_BYTES), most=MB).first_byte for offset in offsets],
    }
    return {name: _in_round_trips(seconds) for name, seconds in times.items()}


def _cold(server: Server, samples: int, cool: Callable[[], None]) -> Times:
    def first(message: int) -> float:
        cool()
        return server.get(message, span=(0, MB)).first_byte

    again = {name: [first(message) for _ in range(samples)] for name, message in _CENTRES.items()}
    others = {
        f"other, {name}": [first(message) for message in ids[:samples]] for name, ids in _OTHERS.items()
    }
    return {name: _in_round_trips(seconds) for name, seconds in (again | others).items()}


def _in_round_trips(seconds: list[float]) -> list[float]:
    return sorted(time / _ROUND_TRIP for time in seconds)


def _row(name: str, ours: list[float], theirs: list[float] | None, most: float | None) -> Row:
    numbers = [""] * 4
    for place, times in ((0, ours), (2, theirs)):
        if times is not None:
            percentile = times[max(0, round(0.95 * len(times)) - 1)]
            numbers[place : place + 2] = f"{statistics.median(times):.2f}", f"{percentile:.2f}"
    if most is None:
        return (name, *numbers, "", "")
    return (name, *numbers, f"{most:.2f}", "yes" if statistics.median(ours) <= most else "NO")
