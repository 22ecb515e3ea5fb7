"""The tables of uploads, beside Telethon's own send_file in a plain script."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from benchmarks.http import Transfer, at_once
from benchmarks.sandbox import MB
from benchmarks.tables import mebibytes, print_table, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.stage import Server, Stage

_GB = 1000 * MB
_MIB = 1 << 20
_ROUND_TRIPS = (0.0, 0.02, 0.04, 0.08)
_LEAST_FACTORS = {0.0: 3.0, 0.04: 20.0}
_BOUND_BYTES = (128 + 32) * _MIB  # the process's window, and what Python itself needs
_PIECES = [random.Random(number).randbytes(MB) for number in range(8)]


def one_upload(stage: Stage, *, quick: bool) -> None:
    """One large file at several round trip times; the baseline's is smaller, its rate is the same."""
    size = (50 if quick else 500) * MB
    service, plain = stage.service(), stage.plain()
    _upload(service, MB)
    rows = []
    for round_trip in _ROUND_TRIPS:
        stage.round_trip(round_trip)
        baseline_size = size if not round_trip else size // 5
        path = stage.directory / "upload.bin"
        _write(path, baseline_size)
        with plain.measured() as their_cost:
            their_seconds = plain.tell(send=str(path))["seconds"]
        with service.process.measured() as our_cost:
            our_seconds = _upload(service, size).last_byte
        factor = (size / our_seconds) / (baseline_size / their_seconds)
        least = _LEAST_FACTORS.get(round_trip)
        rows.append(
            (
                f"{round_trip * 1000:.0f} ms",
                rate(size, our_seconds),
                f"{our_cost.cpu_seconds / size * _GB:.1f} s",
                mebibytes(our_cost.growth_bytes),
                rate(baseline_size, their_seconds),
                f"{their_cost.cpu_seconds / baseline_size * _GB:.1f} s",
                mebibytes(their_cost.growth_bytes),
                f"{factor:.1f}",
                "" if least is None else f"{least:g}",
                "" if least is None else "yes" if factor >= least else "NO",
            )
        )
    stage.round_trip(0)
    head = (
        "round trip",
        "tgbridge",
        "processor per GB",
        "memory over idle",
        "send_file",
        "processor per GB",
        "memory over idle",
        "times faster",
        "at least",
        "reached",
    )
    print_table(f"Upload of a file of {size // MB} MB", head, rows)


def many_uploads(stage: Stage, *, quick: bool) -> None:
    """Twenty uploads at once, of one account and of as many."""
    size, count = (5 if quick else 25) * MB, 20
    service = stage.service(count)
    _upload(service, MB)
    rows = []
    for accounts in (1, count):
        with service.process.measured() as cost:
            transfers = at_once([_one(service, size, number % accounts) for number in range(count)])
        times = [transfer.last_byte for transfer in transfers]
        rows.append(
            (
                str(accounts),
                rate(count * size, max(times)),
                f"{min(times) / max(times):.2f}",
                f"{cost.cpu_seconds / (count * size) * _GB:.1f} s",
                mebibytes(cost.growth_bytes),
                f"{cost.growth_bytes / _BOUND_BYTES:.2f}",
            )
        )
    head = (
        "accounts",
        "together",
        "slowest to fastest",
        "processor per GB",
        "memory over idle",
        "of the bound",
    )
    print_table(f"{count} uploads of {size // MB} MB at once, no delay", head, rows)


def _one(service: Server, size: int, account: int) -> Callable[[], Transfer]:
    return lambda: _upload(service, size, account)


def _upload(service: Server, size: int, account: int = 0) -> Transfer:
    with service.client(account) as client:
        seconds, _ = client.upload("/upload_file", _content(size), size)
    return Transfer(0.0, seconds, size)


def _content(size: int) -> Iterator[bytes]:
    return itertools.islice(itertools.cycle(_PIECES), size // MB)


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for piece in _content(size):
            file.write(piece)
