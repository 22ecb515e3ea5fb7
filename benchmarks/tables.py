"""The tables, one function each. All return rows for `print_table`."""

from __future__ import annotations

import os
import random
import socket
import statistics
import threading
from typing import TYPE_CHECKING

from benchmarks.http import at_once
from benchmarks.sandbox import LARGE_BYTES, MB, SMALL_BYTES, SMALL_FILES, Ids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.http import Transfer
    from benchmarks.stage import Server, Stage

Row = tuple[str, ...]

_MIB = 1 << 20
_GB = 1000 * MB
_ROUND_TRIPS = (0.0, 0.02, 0.04, 0.08)
_LEAST_FACTORS = {0.0: 1.3, 0.02: 6.0, 0.04: 12.0, 0.08: 20.0}
_FIRST_BYTE_ROUND_TRIP = 0.04
_FLOOR_PIECES = (128 * 1024, _MIB)


def print_table(title: str, head: Row, rows: Sequence[Row]) -> None:
    """Print it as Markdown, ready for the README."""
    print(f"\n### {title}\n", flush=True)
    for row in (head, ("---",) * len(head), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def rate(size: float, seconds: float) -> str:
    """Write a rate."""
    return f"{size / MB / seconds:.0f} MB/s"


def mebibytes(size: float) -> str:
    """Write a size."""
    return f"{size / _MIB:.0f} MiB"


def whole_file(stage: Stage, *, quick: bool) -> None:
    """Send and receive a file of 200 MB, beside Telethon's own methods in a plain script."""
    size = (20 if quick else 200) * MB
    plain, service = stage.plain(), stage.service()
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
    """One large file at several round trip times."""
    service, baseline = stage.service(), stage.baseline()
    size = (100 if quick else 500) * MB
    span = None if size == LARGE_BYTES else (0, size)
    rows = []
    for server in (service, baseline):
        server.get(Ids.home, span=(0, MB))  # warm
    for round_trip in _ROUND_TRIPS:
        stage.round_trip(round_trip)
        ours = size / service.get(Ids.home, span=span).last_byte
        theirs = size / baseline.get(Ids.home, span=span).last_byte
        factor, least = ours / theirs, _LEAST_FACTORS[round_trip]
        rows.append(
            (
                f"{round_trip * 1000:.0f} ms",
                rate(ours, 1),
                rate(theirs, 1),
                f"{factor:.1f}",
                f"{least:g}",
                "yes" if factor >= least else "NO",
            )
        )
    stage.round_trip(0)
    head = ("round trip", "tgbridge", "baseline", "times faster", "at least", "reached")
    print_table(f"One file of {size // MB} MB", head, rows)


def first_byte(stage: Stage, *, quick: bool) -> None:
    """How long until the first byte, in round trips."""
    samples = 5 if quick else 20
    ours, theirs = _first_bytes_of_service(stage, samples), _first_bytes_of_baseline(stage, samples)
    rows = [_compare(name, times, theirs[name]) for name, times in ours.items()]
    head = ("", "tgbridge median", "95th percentile", "baseline median", "95th percentile", "of baseline")
    title = f"First byte, in round trips of {_FIRST_BYTE_ROUND_TRIP * 1000:.0f} ms"
    print_table(f"{title}, the message's lookup included", head, rows)


def _first_bytes_of_service(stage: Stage, samples: int) -> dict[str, list[float]]:
    server = stage.service()
    stage.round_trip(_FIRST_BYTE_ROUND_TRIP)
    times = _warm(server, samples)
    stage.end(server.process)
    stage.round_trip(0)
    server = stage.service(TGBRIDGE_POOL__IDLE_SECONDS="0.3")
    stage.round_trip(_FIRST_BYTE_ROUND_TRIP)
    times |= _cold(server, samples, lambda: stage.wait_for_connections(0))
    stage.end(server.process)
    stage.round_trip(0)
    return times


def _first_bytes_of_baseline(stage: Stage, samples: int) -> dict[str, list[float]]:
    server = stage.baseline()
    stage.round_trip(_FIRST_BYTE_ROUND_TRIP)

    def disconnect() -> None:
        with server.client() as client:
            client.post("/disconnect")

    times = _warm(server, samples) | _cold(server, samples, disconnect)
    stage.end(server.process)
    stage.round_trip(0)
    return times


def _warm(server: Server, samples: int) -> dict[str, list[float]]:
    chance = random.Random(7)
    files = [Ids.small[number % SMALL_FILES] for number in range(samples + 1)]
    offsets = [chance.randrange(LARGE_BYTES - MB) for _ in range(samples)]
    for message in (files[0], Ids.home):
        server.get(message, span=(0, MB))
    return {
        # Another file each time, for no cache to help.
        "warm, another file": [server.get(message, span=(0, MB)).first_byte for message in files[1:]],
        "warm, the same again": [server.get(files[0], span=(0, MB)).first_byte for _ in range(samples)],
        "seek to a random place": [
            server.get(Ids.home, span=(offset, LARGE_BYTES), most=MB).first_byte for offset in offsets
        ],
    }


def _cold(server: Server, samples: int, cool: Callable[[], None]) -> dict[str, list[float]]:
    def first(message: int) -> float:
        cool()
        return server.get(message, span=(0, MB)).first_byte

    return {
        f"cold, {name} data centre": [first(message) for _ in range(samples)]
        for name, message in (("home", Ids.home), ("foreign", Ids.foreign))
    }


def _compare(name: str, ours: list[float], theirs: list[float]) -> Row:
    numbers = []
    for times in (ours, theirs):
        trips = sorted(seconds / _FIRST_BYTE_ROUND_TRIP for seconds in times)
        numbers += [statistics.median(trips), trips[max(0, round(0.95 * len(trips)) - 1)]]
    return (name, *(f"{number:.2f}" for number in numbers), f"{numbers[0] / numbers[2]:.2f}")


def many_streams(stage: Stage, *, quick: bool) -> None:
    """Many streams at once, of one account and of several."""
    counts = (1, 10) if quick else (1, 10, 50)
    most = max(counts)
    rows = []
    for name, start in (("tgbridge", stage.service), ("baseline", stage.baseline)):
        server = start(most)
        idle = server.process.resident_bytes()
        for account in range(most):
            server.get(Ids.small[0], account, span=(0, MB))
        for count in counts:
            rows += [_streams(name, server, idle, count, accounts) for accounts in sorted({1, count})]
        stage.end(server.process)
    head = ("", "streams", "accounts", "together", "slowest to fastest", "memory over idle", "of the bound")
    print_table(f"Streams of {SMALL_BYTES // MB} MB at once, no delay", head, rows)


def _streams(name: str, server: Server, idle: int, count: int, accounts: int) -> Row:
    def one(number: int) -> Callable[[], Transfer]:
        return lambda: server.get(Ids.small[number % SMALL_FILES], number % accounts)

    with server.process.measured() as cost:
        transfers = at_once([one(number) for number in range(count)])
    times = [transfer.last_byte for transfer in transfers]
    growth = cost.idle_bytes + cost.growth_bytes - idle
    bound = (128 + 64) * _MIB
    return (
        name,
        str(count),
        str(accounts),
        rate(count * SMALL_BYTES, max(times)),
        f"{min(times) / max(times):.2f}",
        mebibytes(growth),
        f"{growth / bound:.2f}",
    )


def processor(stage: Stage, *, quick: bool) -> None:
    """What a gigabyte costs in processor time."""
    size = (100 if quick else 500) * MB
    span = None if size == LARGE_BYTES else (0, size)
    seconds = {}
    for name, start in (("tgbridge", stage.service), ("baseline", stage.baseline)):
        server = start(1)
        server.get(Ids.home, span=(0, MB))
        with server.process.measured() as cost:
            server.get(Ids.home, span=span)
        seconds[name] = cost.cpu_seconds / size * _GB
        stage.end(server.process)
    for piece_bytes in _FLOOR_PIECES:
        seconds[f"bare loop, pieces of {piece_bytes // 1024} KiB"] = (
            _floor(stage, piece_bytes, size) / size * _GB
        )
    floor = min(value for name, value in seconds.items() if name.startswith("bare"))
    rows = [(name, f"{value:.2f} s", f"{value / floor:.2f}") for name, value in seconds.items()]
    print_table("Processor time for a gigabyte", ("", "seconds", "of the floor"), rows)


def _floor(stage: Stage, piece_bytes: int, size: int) -> float:
    process = stage.floor(piece_bytes)
    port = process.ready()["port"]
    piece = random.Random(0).randbytes(piece_bytes)
    with (
        socket.create_connection(("127.0.0.1", port)) as source,
        socket.create_connection(("127.0.0.1", port)) as sink,
    ):

        def drain() -> None:
            buffer = bytearray(_MIB)
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


def machine() -> str:
    """Say where the numbers come from."""
    model = ""
    with open("/proc/cpuinfo", encoding="ascii") as info:  # noqa: PTH123
        for line in info:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB of memory"
