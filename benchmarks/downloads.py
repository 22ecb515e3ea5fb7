"""The tables of downloads: one file, at several round trip times, and what a gigabyte costs."""

from __future__ import annotations

import itertools
import random
import socket
import threading
from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.report import GB, MB, MIB, mebibytes, print_table, rate
from benchmarks.sandbox import LARGE_BYTES, Ids

if TYPE_CHECKING:
    from benchmarks.stage import Stage

_ROUND_TRIPS = (0.0, 0.02, 0.04, 0.08)
_LEAST_FACTORS = {0.0: 1.3, 0.02: 6.0, 0.04: 15.0, 0.08: 25.0}
_CENTRES = {"home": Ids.home, "foreign": Ids.foreign}
_FLOOR_PIECES = (128 * 1024, MIB)
_MOST_OF_FLOOR = 1.05
_PROCESSOR_ROUNDS = 5


def whole_file(stage: Stage, *, quick: bool) -> None:
    """Send and receive a file of 200 MB, beside Telethon's own methods in a plain script."""
    size = (20 if quick else 200) * MB
    plain, service = stage.plain(), stage.service()
    plain.idle()
    service.process.idle()
    path = stage.directory / "upload.bin"
    pieces = [random.Random(number).randbytes(MB) for number in range(8)]
    with path.open("wb") as file:
        for number in range(size // MB):
            file.write(pieces[number % len(pieces)])
    with plain.measured() as sent:
        message = plain.tell(send=str(path))
    with plain.measured() as received:
        seconds = plain.tell(receive=message["id"])["seconds"]
    with service.client() as client, service.process.measured() as uploaded:
        up_seconds, answer = client.upload(
            "/upload_file", (pieces[number % len(pieces)] for number in range(size // MB)), size
        )
    with service.process.measured() as downloaded:
        transfer = service.get(answer["message_id"])
    rows = [
        (
            "upload",
            rate(size, up_seconds),
            mebibytes(uploaded.growth_bytes),
            rate(size, message["seconds"]),
            mebibytes(sent.growth_bytes),
        ),
        (
            "download",
            rate(size, transfer.last_byte),
            mebibytes(downloaded.growth_bytes),
            rate(size, seconds),
            mebibytes(received.growth_bytes),
        ),
    ]
    head = ("", "tgbridge", "memory over idle", "Telethon alone", "memory over idle")
    print_table(f"A file of {size // MB} MB", head, rows)


def round_trips(stage: Stage, *, quick: bool) -> None:
    """A large file, at home and elsewhere, at several round trip times; the baseline reads less of it."""
    service, baseline = stage.service(), stage.baseline()
    size = (100 if quick else 500) * MB
    rows = []
    for server in (service, baseline):
        for message in _CENTRES.values():
            server.get(message, span=(0, MB))  # warm
    for round_trip, (centre, message) in itertools.product(_ROUND_TRIPS, _CENTRES.items()):
        stage.round_trip(round_trip)
        baseline_size = size if not round_trip else size // 5
        ours = size / service.get(message, span=(0, size)).last_byte
        theirs = baseline_size / baseline.get(message, span=(0, baseline_size)).last_byte
        factor, least = ours / theirs, _LEAST_FACTORS[round_trip]
        rows.append(
            (
                f"{round_trip * 1000:.0f} ms",
                centre,
                rate(ours, 1),
                rate(theirs, 1),
                f"{factor:.1f}",
                f"{least:g}",
                "yes" if factor >= least else "NO",
            )
        )
    stage.round_trip(0)
    head = ("round trip", "data centre", "tgbridge", "baseline", "times faster", "at least", "reached")
    print_table(f"One file of {size // MB} MB", head, rows)


def processor(stage: Stage, *, quick: bool) -> None:
    """What a gigabyte costs in processor time: medians of rounds, since machines change their pace."""
    size = (100 if quick else 500) * MB
    span = None if size == LARGE_BYTES else (0, size)
    servers = {"tgbridge": stage.service(), "baseline": stage.baseline()}
    for server in servers.values():
        server.get(Ids.home, span=(0, MB))
    rounds: dict[str, list[float]] = defaultdict(list)
    for _ in range(1 if quick else _PROCESSOR_ROUNDS):
        for name, server in servers.items():
            with server.process.measured() as cost:
                server.get(Ids.home, span=span)
            rounds[name].append(cost.cpu_seconds)
        for piece_bytes in _FLOOR_PIECES:
            name = f"bare loop, pieces of {piece_bytes // 1024} KiB"
            rounds[name].append(_floor(stage, piece_bytes, size))
    seconds = {name: median(costs) / size * GB for name, costs in rounds.items()}
    floor = min(value for name, value in seconds.items() if name.startswith("bare"))
    rows = []
    for name, value in seconds.items():
        row = (name, f"{value:.2f} s", f"{value / floor:.2f}")
        of_ours = (f"{_MOST_OF_FLOOR}", "yes" if value <= floor * _MOST_OF_FLOOR else "NO")
        rows.append((*row, *(of_ours if name == "tgbridge" else ("", ""))))
    print_table("Processor time for a gigabyte", ("", "seconds", "of the floor", "at most", "reached"), rows)


def _floor(stage: Stage, piece_bytes: int, size: int) -> float:
    process = stage.floor(piece_bytes)
    port = process.ready()["port"]
    piece = random.Random(0).randbytes(piece_bytes)
    with (
        socket.create_connection(("127.0.0.1", port)) as source,
        socket.create_connection(("127.0.0.1", port)) as sink,
    ):

        def drain() -> None:
            buffer = bytearray(MIB)
            while sink.recv_into(buffer):
                pass

        thread = threading.Thread(target=drain)
        thread.start()
        begin = process.cpu_seconds()
        for _ in range(size // piece_bytes):
            source.sendall(piece)
        source.shutdown(socket.SHUT_WR)
        process.ready()
        thread.join()
    spent = process.cpu_seconds() - begin
    stage.end(process)
    return spent
