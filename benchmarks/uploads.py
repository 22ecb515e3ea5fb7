"""The tables of uploads, beside Telethon's own send_file in a plain script."""

from __future__ import annotations

import itertools
import random
import time
from typing import TYPE_CHECKING

from benchmarks.http import Transfer, at_once
from benchmarks.report import GB, MB, MIB, mebibytes, print_table, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_ROUND_TRIPS = (0.0, 0.02, 0.04, 0.08)
_LEAST_FACTORS = {0.0: 3.0, 0.04: 20.0}
_BOUND_BYTES = (128 + 64) * MIB  # the process's window, and a part encrypted for each of many connections
_SLOW_COUNT = 50
_SLOW_BYTES = 4 * MB
_SLOW_RATE = MB // 2  # bytes in a second
_PIECES = [random.Random(number).randbytes(MB) for number in range(8)]


def one_upload(stage: Stage, *, quick: bool) -> None:
    """One large file at several round trip times; the baseline's is smaller, its rate is the same."""
    size = (50 if quick else 500) * MB
    service, plain = stage.service(), stage.plain()
    service.process.idle()
    plain.idle()
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
                f"{our_cost.cpu_seconds / size * GB:.1f} s",
                mebibytes(our_cost.growth_bytes),
                rate(baseline_size, their_seconds),
                f"{their_cost.cpu_seconds / baseline_size * GB:.1f} s",
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
    """Many uploads at once: of one account and of several, from quick clients and from slow ones."""
    size = (5 if quick else 25) * MB
    cases: list[tuple[str, int, Callable[[], Iterator[bytes]], int]] = [
        (f"20 of {size // MB} MB", 20, lambda: _content(size), size),
        (f"{_SLOW_COUNT} of {_SLOW_BYTES // MB} MB, slow clients", _SLOW_COUNT, _slow_content, _SLOW_BYTES),
    ]
    rows = []
    for name, count, content, each in cases:
        for accounts in (1, count):
            # A process of its own: memory that an earlier one needed would not show.
            service = stage.service(accounts)
            service.process.idle()
            rows.append(_at_once(service, name, count, accounts, content=content, size=each))
            stage.end(service.process)
    head = (
        "at once",
        "accounts",
        "together",
        "slowest to fastest",
        "processor per GB",
        "memory over idle",
        "of the bound",
    )
    print_table("Many uploads, no delay", head, rows)


def _at_once(
    service: Server,
    name: str,
    count: int,
    accounts: int,
    *,
    content: Callable[[], Iterator[bytes]],
    size: int,
) -> Row:
    def one(number: int) -> Callable[[], Transfer]:
        return lambda: _upload(service, size, number % accounts, content())

    with service.process.measured() as cost:
        transfers = at_once([one(number) for number in range(count)])
    times = [transfer.last_byte for transfer in transfers]
    return (
        name,
        str(accounts),
        rate(count * size, max(times)),
        f"{min(times) / max(times):.2f}",
        f"{cost.cpu_seconds / (count * size) * GB:.1f} s",
        mebibytes(cost.growth_bytes),
        f"{cost.growth_bytes / _BOUND_BYTES:.2f}",
    )


def _upload(service: Server, size: int, account: int = 0, content: Iterator[bytes] | None = None) -> Transfer:
    with service.client(account) as client:
        seconds, _ = client.upload("/upload_file", content or _content(size), size)
    return Transfer(0.0, seconds, size)


def _content(size: int) -> Iterator[bytes]:
    return itertools.islice(itertools.cycle(_PIECES), size // MB)


def _slow_content() -> Iterator[bytes]:
    """Give a tenth of a second's bytes ten times a second."""
    piece = _PIECES[0][: _SLOW_RATE // 10]
    for _ in range(_SLOW_BYTES // len(piece)):
        yield piece
        time.sleep(0.1)


def _write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        for piece in _content(size):
            file.write(piece)
