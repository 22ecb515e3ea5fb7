"""The table of a film whose index stands at its end: until a player can begin."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.report import print_table
from benchmarks.sandbox import Ids, Numbers, phone
from tgbridge.sandbox.media import DOCUMENTS

if TYPE_CHECKING:
    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_ROUND_TRIP = 0.04
_HEAD_BYTES = 32 * 1024
_LEAST_SAMPLES, _SAMPLES = 3, 10


def film(stage: Stage, *, quick: bool) -> None:
    """What a player asks for: the head, the index, the beginning. Once at once, once from 40 ms away."""
    samples = _LEAST_SAMPLES if quick else _SAMPLES
    rows = []
    for away in (0.0, _ROUND_TRIP):
        ours = [_start(_service(stage), stage, away) for _ in range(samples)]
        theirs = [_start(_baseline(stage), stage, away) for _ in range(samples)]
        place = "a player beside it" if not away else f"a player {away * 1000:.0f} ms away"
        rows += [_row(f"tgbridge, {place}", ours), _row(f"baseline, {place}", theirs)]
    head = ("", "head", "index", "beginning", "together")
    title = f"A film with its index at the end, in round trips of {_ROUND_TRIP * 1000:.0f} ms: medians"
    print_table(title, head, rows)


def _service(stage: Stage) -> Server:
    server = stage.service(0)
    stage.bring(server, [Numbers.film])
    with server.client(Numbers.film) as client:
        client.ask("/me")
        client.answer("/me")
    return server


def _baseline(stage: Stage) -> Server:
    return stage.baseline_of([phone(Numbers.film)])


def _start(server: Server, stage: Stage, away: float) -> tuple[float, ...]:
    """Begin the film on a fresh process: the seconds of each request, without the way to the player."""
    account = Numbers.film if server.cookies else 0
    size = DOCUMENTS["sea-stretched"].blob.size
    index = size - 40_000
    stage.round_trip(_ROUND_TRIP)
    times = []
    for span, most in (((0, size), _HEAD_BYTES), ((index, size), None), ((0, size), _HEAD_BYTES)):
        times.append(server.get(Ids.film, account, span=span, most=most).last_byte)
        time.sleep(away)
    stage.round_trip(0)
    stage.end(server.process)
    return (*times, sum(times))


def _row(name: str, samples: list[tuple[float, ...]]) -> Row:
    medians = (statistics.median(times) / _ROUND_TRIP for times in zip(*samples, strict=True))
    return (name, *(f"{median:.1f}" for median in medians))
