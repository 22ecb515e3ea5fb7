"""The table of many streams at once, of one account and of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.http import at_once
from benchmarks.report import MB, MIB, mebibytes, print_table, rate
from benchmarks.sandbox import SMALL_BYTES, SMALL_FILES, Ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.http import Transfer
    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_BOUND_BYTES = (128 + 64) * MIB
"""The process's window, and what Python itself needs."""


def many_streams(stage: Stage, *, quick: bool) -> None:
    """Many streams at once, of one account and of several."""
    counts = (1, 10) if quick else (1, 10, 50)
    most = max(counts)
    rows = []
    for name, start in (("tgbridge", stage.service), ("baseline", stage.baseline)):
        server = start(most)
        server.process.idle()
        for account in range(most):
            server.get(Ids.small[0], account, span=(0, MB))
        for count in counts:
            rows += [_streams(name, server, count, accounts) for accounts in sorted({1, count})]
        stage.end(server.process)
    head = ("", "streams", "accounts", "together", "slowest to fastest", "memory over idle", "of the bound")
    print_table(f"Streams of {SMALL_BYTES // MB} MB at once, no delay", head, rows)


def _streams(name: str, server: Server, count: int, accounts: int) -> Row:
    def one(number: int) -> Callable[[], Transfer]:
        return lambda: server.get(Ids.small[number % SMALL_FILES], number % accounts)

    with server.process.measured() as cost:
        transfers = at_once([one(number) for number in range(count)])
    times = [transfer.last_byte for transfer in transfers]
    return (
        name,
        str(count),
        str(accounts),
        rate(count * SMALL_BYTES, max(times)),
        f"{min(times) / max(times):.2f}",
        mebibytes(cost.growth_bytes),
        f"{cost.growth_bytes / _BOUND_BYTES:.2f}",
    )
