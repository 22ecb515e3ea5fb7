"""The table of small answers: what the way of a request costs, beside a bare handler of aiohttp."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.http import Client
from benchmarks.report import print_table
from benchmarks.sandbox import Ids

if TYPE_CHECKING:
    from benchmarks.processes import Process
    from benchmarks.stage import Stage

_CONNECTIONS = 16
_ROUNDS = 7
_LEAST = {"/healthz": 0.40, "a cached thumbnail, with a session": 0.25}


def small_answers(stage: Stage, *, quick: bool) -> None:
    """/healthz, sessions, a cached thumbnail, with each line of the log, in turns with the bare handler."""
    service = stage.service(TGBRIDGE_LOG__LEVEL="info", TGBRIDGE_LOG__FORMAT="json")
    bare = stage.bare()
    asked: dict[str, tuple[Process, int, str, str]] = {
        "bare handler": (bare, bare.ready()["port"], "/healthz", ""),
        "/healthz": (service.process, service.port, "/healthz", ""),
        "/session": (service.process, service.port, "/session", service.cookies[0]),
        "/is-authenticated": (service.process, service.port, "/is-authenticated", service.cookies[0]),
        "a cached thumbnail, with a session": (
            service.process,
            service.port,
            f"/stream_thumbnail/{Ids.photo}",
            service.cookies[0],
        ),
    }
    rates: dict[str, list[float]] = {name: [] for name in asked}
    costs: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(_ROUNDS):
        for name, (process, port, path, cookie) in asked.items():
            spent = process.cpu_seconds()
            count, seconds = _ask(port, path, cookie, seconds=0.5 if quick else 2.0)
            rates[name].append(count / seconds)
            costs[name].append((process.cpu_seconds() - spent) / count)
    rows = []
    for name in asked:
        # Each round beside its own bare handler: other work of the machine comes and goes.
        share = statistics.median(
            ours / least for ours, least in zip(rates[name], rates["bare handler"], strict=True)
        )
        bound = _LEAST.get(name)
        rows.append(
            (
                name,
                f"{statistics.median(rates[name]):.0f}",
                f"{statistics.median(costs[name]) * 1e6:.0f} µs",
                f"{share:.0%}",
                "" if bound is None else f"{bound:.0%}",
                "" if bound is None else "yes" if share >= bound else "NO",
            )
        )
    head = ("", "answers a second", "processor time of one", "of the bare rate", "at least", "reached")
    print_table(f"Small answers, {_CONNECTIONS} connections", head, rows)


def _ask(port: int, path: str, cookie: str, *, seconds: float) -> tuple[int, float]:
    """Ask over several connections for so long; how many answers came, and in how many seconds."""
    clients = [Client(port, cookie) for _ in range(_CONNECTIONS)]
    try:
        count, begin = 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            for client in clients:
                client.ask(path)
            for client in clients:
                client.answer(path)
            count += len(clients)
        return count, time.perf_counter() - begin
    finally:
        for client in clients:
            client.__exit__()
