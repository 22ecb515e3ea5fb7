"""The table of open streams of events: what one that waits costs."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from benchmarks.report import print_table
from benchmarks.sandbox import Numbers

if TYPE_CHECKING:
    from benchmarks.processes import Process
    from benchmarks.stage import Stage

_FEW, _MANY = 100, 1000
_AT_ONCE = 20
"""The service opens so many connections to a data centre at once, and 20 a second beyond that."""


def open_streams(stage: Stage, *, quick: bool) -> None:
    """A thousand people who each have a page open, beside a thousand Telethon clients that listen."""
    count = _FEW if quick else _MANY
    numbers = range(Numbers.empty, Numbers.empty + count)
    service = stage.service(0, TGBRIDGE_POOL__MAX_CLIENTS=str(count))
    stage.bring(service, numbers)
    before, begin = service.process.resident_bytes(), time.perf_counter()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(service.client(number)) for number in numbers]
        for some in (clients[place : place + _AT_ONCE] for place in range(0, count, _AT_ONCE)):
            for client in some:
                client.ask("/events")
            for client in some:
                client.stream_begins("/events")
        ours = _row("tgbridge", service.process, before, count, time.perf_counter() - begin)
    stage.end(service.process)
    plain = stage.library()
    sessions = [session for session, _ in stage.sessions(numbers)]
    before = plain.resident_bytes()
    seconds = plain.tell(listen=sessions)["seconds"]
    rows = [ours, _row("Telethon alone", plain, before, count, seconds)]
    print_table(
        f"{count} open streams of events of {count} accounts", ("", "memory each", "until all are open"), rows
    )


def _row(name: str, process: Process, before: int, count: int, seconds: float) -> tuple[str, ...]:
    each = (process.resident_bytes() - before) / count
    return (name, f"{each / 1024:.0f} KiB", f"{seconds:.1f} s")
