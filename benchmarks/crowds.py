"""The tables of crowds: what others notice of them, and what each of a kind costs in memory."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.http import Client
from benchmarks.report import MIB, print_table
from benchmarks.sandbox import SMALL_FILES, Ids, Numbers, phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_SECONDS = 8.0
_SETTLE_SECONDS = 1.0
_ACCOUNTS = 20
_ASKED = ("/session", f"/stream_thumbnail/{Ids.photo}", "/me")
"""Without Telegram; what is kept, of a session that Telegram vouches for; what Telegram is asked for."""


def crowds(stage: Stage, *, quick: bool) -> None:
    """Each crowd in turn at one service, while somebody else asks for small things."""
    _raise_limit()
    share = 10 if quick else 1
    service = stage.service(_ACCOUNTS + 1)
    kinds: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        "nobody": contextlib.nullcontext,
        f"{5000 // share} idle sockets": lambda: _sockets(service, 5000 // share),
        f"{1000 // share} slow senders": lambda: _slow_senders(service, 1000 // share),
        f"{1000 // share} slow readers": lambda: _slow_readers(service, 1000 // share),
        f"{200 // share} streams, half of them given up": lambda: _streams(service, 200 // share),
        f"{100 // share} logins a second": lambda: _logins(service, 100 // share),
        "nobody, afterwards": contextlib.nullcontext,
    }
    rows = [_noticed(name, service, crowd) for name, crowd in kinds.items()]
    head = ("beside", *_ASKED, "not answered", "processor", "memory")
    print_table("Small answers to somebody else: median, 99 %", head, rows)


def _noticed(name: str, service: Server, crowd: Callable[[], contextlib.AbstractContextManager[None]]) -> Row:
    times: dict[str, list[float]] = {path: [] for path in _ASKED}
    with crowd():
        time.sleep(_SETTLE_SECONDS)
        spent, begin, failed = service.process.cpu_seconds(), time.perf_counter(), 0
        while time.perf_counter() - begin < _SECONDS:
            for path, taken in times.items():
                asked = time.perf_counter()
                try:
                    with service.client(_ACCOUNTS) as client:  # a new connection each time
                        client.get(path)
                except (OSError, RuntimeError):
                    failed += 1
                taken.append(time.perf_counter() - asked)
            time.sleep(0.02)
        used = (service.process.cpu_seconds() - spent) / (time.perf_counter() - begin)
        memory = service.process.resident_bytes()
    told = [sorted(taken) for taken in times.values()]
    return (
        name,
        *(f"{each[len(each) // 2] * 1000:.0f}, {each[len(each) * 99 // 100] * 1000:.0f} ms" for each in told),
        f"{failed} of {sum(map(len, told))}",
        f"{used:.0%}",
        f"{memory / MIB:.0f} MiB",
    )


def memory(stage: Stage, *, quick: bool) -> None:
    """What one more of each costs, from how the process grows."""
    _raise_limit()
    many, some = (200, 50) if quick else (2000, 300)
    numbers = range(Numbers.empty, Numbers.empty + some)
    rows = [_cost("idle connection", many, service := stage.service(), lambda: _sockets(service, many))]
    stage.end(service.process)
    others = stage.service(TGBRIDGE_POOL__MAX_CLIENTS=str(2 * some))
    stage.bring(others, numbers)
    rows.append(_cost("idle client in the pool", some, others, lambda: _each(others, numbers, "/me")))
    rows.append(_cost("event stream of a client in the pool", some, others, lambda: _pages(others, numbers)))
    stage.end(others.process)
    reading = stage.service(_ACCOUNTS)
    rows.append(_cost("stream of a reader that pauses", some, reading, lambda: _slow_readers(reading, some)))
    print_table("Memory of one more", ("", "how many", "each"), rows)


def _cost(
    name: str, count: int, service: Server, crowd: Callable[[], contextlib.AbstractContextManager[None]]
) -> Row:
    before = service.process.resident_bytes()
    with crowd():
        time.sleep(_SETTLE_SECONDS)
        each = (service.process.resident_bytes() - before) / count
    return (name, str(count), f"{each / 1024:.0f} KiB")


@contextlib.contextmanager
def _sockets(service: Server, count: int) -> Iterator[None]:
    """Connections on which nothing is asked."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port)))
        yield


@contextlib.contextmanager
def _background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def _slow_senders(service: Server, count: int) -> Iterator[None]:
    """Heads that come a byte a second, for ever."""
    with contextlib.ExitStack() as stack:
        senders = [
            stack.enter_context(socket.create_connection(("127.0.0.1", service.port))) for _ in range(count)
        ]
        for sender in senders:
            sender.sendall(b"GET /session HTTP/1.1\r\nHost: bench\r\nX: ")

        def trickle(stop: threading.Event) -> None:
            while not stop.wait(1.0):
                for sender in senders:
                    with contextlib.suppress(OSError):
                        sender.send(b"x")

        stack.enter_context(_background(trickle))
        yield


@contextlib.contextmanager
def _slow_readers(service: Server, count: int) -> Iterator[None]:
    """Streams of whose bytes hardly any are taken."""
    with contextlib.ExitStack() as stack:
        readers = []
        for number in range(count):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", service.port))
            reader.setblocking(False)
            path = f"/stream_media/{Ids.small[number % SMALL_FILES]}"
            cookie = service.cookies[number % _ACCOUNTS]
            reader.send(f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\n\r\n".encode())
            readers.append(reader)

        def sip(stop: threading.Event) -> None:
            while not stop.wait(1.0):
                for reader in readers:
                    with contextlib.suppress(OSError):
                        reader.recv(1024)

        stack.enter_context(_background(sip))
        yield


@contextlib.contextmanager
def _streams(service: Server, count: int) -> Iterator[None]:
    """Files that are read, one after another by each; of each other one only the beginning."""

    def read(stop: threading.Event) -> None:
        def one(number: int) -> None:
            while not stop.is_set():
                most = MIB if number % 2 else None
                service.get(Ids.small[number % SMALL_FILES], number % _ACCOUNTS, most=most)

        with ThreadPoolExecutor(count) as threads:
            for future in [threads.submit(one, number) for number in range(count)]:
                future.result()

    with _background(read):
        yield


@contextlib.contextmanager
def _logins(service: Server, rate: int) -> Iterator[None]:
    """So many that begin each second, of an account each, as long as the service keeps up."""

    def log_in(number: int) -> None:
        with contextlib.suppress(OSError, RuntimeError), Client(service.port) as client:
            client.post("/send-code", phone=phone(number))
            client.post("/sign-in", phone=phone(number), code="11111")

    def begin(stop: threading.Event) -> None:
        numbers = iter(range(Numbers.empty, Numbers.empty + 4000))
        with ThreadPoolExecutor(rate) as threads:
            while not stop.wait(1 / rate):
                threads.submit(log_in, next(numbers))

    with _background(begin):
        yield


@contextlib.contextmanager
def _each(service: Server, numbers: range, path: str) -> Iterator[None]:
    """Accounts that have asked once, so that each has its client."""
    for number in numbers:
        with service.client(number) as client:
            client.get(path)
    yield


@contextlib.contextmanager
def _pages(service: Server, numbers: range) -> Iterator[None]:
    """Pages that follow."""
    with contextlib.ExitStack() as stack:
        for number in numbers:
            client = stack.enter_context(service.client(number))
            client.ask("/events")
            client.stream_begins("/events")
        yield


def _raise_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
