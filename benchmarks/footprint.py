"""The table of memory: what one more of each kind costs, from how the process grows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.report import print_table
from benchmarks.sandbox import Numbers

if TYPE_CHECKING:
    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_SETTLE_SECONDS = 1.0
_ACCOUNTS = 20


def memory(stage: Stage, *, quick: bool) -> None:
    """What one more of each costs."""
    many, some = (200, 50) if quick else (2000, 300)
    numbers = range(Numbers.empty, Numbers.empty + some)
    rows = []
    for name, kind, count, each, accounts in (
        ("idle connection", "sockets", many, many, range(0)),
        ("signed-in user: idle client in the pool, two connections", "users", 2 * some, some, numbers),
        ("event stream, with its client in the pool", "pages", some, some, numbers),
        ("stream of a reader that pauses", "slow readers", some, some, range(_ACCOUNTS)),
    ):
        service = stage.service(0, TGBRIDGE_POOL__MAX_CLIENTS=str(2 * some))
        stage.bring(service, accounts)
        rows.append(_cost(stage, service, name, (kind, count), each))
        stage.end(service.process)
    print_table("Memory of one more", ("", "how many", "each"), rows)


def _cost(stage: Stage, service: Server, name: str, crowd: tuple[str, int], count: int) -> Row:
    with service.client() as client:
        client.get("/healthz")
    before = service.process.resident_bytes()
    with stage.crowd(service, *crowd, list(service.cookies.values())):
        time.sleep(_SETTLE_SECONDS)
        each = (service.process.resident_bytes() - before) / count
    return (name, str(count), f"{each / 1024:.0f} KiB")
