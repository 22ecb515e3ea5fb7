"""The processes that a benchmark needs, with everybody signed in."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cryptography.fernet import Fernet

from benchmarks.baseline import API_HASH, API_ID
from benchmarks.cookies import cookie_of
from benchmarks.http import Client, Transfer, sign_in
from benchmarks.processes import Process
from benchmarks.sandbox import phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CLOSED_SECONDS = 30
# As in `make run` and in deploy/tgbridge.service.
_MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
}


class Server:
    """The service or the baseline: a process, and how one account asks it for a message's file."""

    def __init__(
        self, process: Process, port: int, *, path: Callable[[int, int], str], cookies: dict[int, str]
    ) -> None:
        self.process = process
        self.port = port
        self._path = path
        self.cookies = cookies

    def client(self, account: int = 0) -> Client:
        """Open a connection as one of the accounts."""
        return Client(self.port, self.cookies.get(account, ""))

    def get(self, message: int, account: int = 0, **options: Any) -> Transfer:
        """Read a message's file over a new connection."""
        with self.client(account) as client:
            return self.get_by(client, message, account, **options)

    def head(self, message: int, account: int = 0) -> float:
        """Look a message's file up, without reading it; the seconds that takes."""
        with self.client(account) as client:
            return client.head(self._path(account, message))

    def get_by(self, client: Client, message: int, account: int = 0, **options: Any) -> Transfer:
        """Read a message's file over a connection that is open."""
        return client.get(self._path(account, message), **options)


class Stage:
    """A sandbox, and what runs beside it."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.directory = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tgbridge-bench-"))
        )
        self.log = self.directory / "log"
        self._secret_key = Fernet.generate_key().decode()
        self.sandbox = self._process("-m", "benchmarks.sandbox", str(self.directory))
        place = self.sandbox.ready()
        self._telegram_port, self._key = str(place["port"]), str(place["key"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.__exit__(*details)  # type: ignore[arg-type]

    def round_trip(self, seconds: float) -> None:
        """Have every packet to and from Telegram take half of this."""
        self.sandbox.tell(round_trip=seconds)

    def connections(self) -> int:
        """Count the connections that are open at the sandbox."""
        return int(self.sandbox.tell(connections=True)["connections"])

    def wait_for_connections(self, most: int) -> None:
        """Wait until no more are open."""
        give_up = time.monotonic() + _CLOSED_SECONDS
        while self.connections() > most:
            if time.monotonic() > give_up:
                raise RuntimeError("connections stay open")
            time.sleep(0.05)

    def service(
        self, accounts: int = 1, after: Server | None = None, *, watched: bool = False, **settings: str
    ) -> Server:
        """Start the service, with default settings but for those given, and sign accounts in.

        Or start it anew `after` one that has ended, whose accounts are signed in still. `watched`: it can be
        told to `look`.
        """
        environment = {
            "TELEGRAM_API_ID": str(API_ID),
            "TELEGRAM_API_HASH": API_HASH,
            "TELEGRAM_DC_ID": "1",
            "TELEGRAM_DC_HOST": "127.0.0.1",
            "TELEGRAM_DC_PORT": self._telegram_port,
            "TELEGRAM_DC_PUBLIC_KEY": self._key,
            "TGBRIDGE_SECRET_KEYS": self._secret_key,
            "TGBRIDGE_SESSION__SECURE": "false",
            "TGBRIDGE_LIMITS__ENABLED": "false",  # fifty accounts log in from one address
            "TGBRIDGE_LOG__LEVEL": "warning",
            **_MALLOC,
            **settings,
        }
        module = "benchmarks.watched" if watched else "tgbridge"
        process = self._process("-m", module, "serve", "--port", "0", env=environment)
        port = int(process.line().decode().rstrip().rpartition(":")[2])
        cookies = (
            {account: sign_in(port, phone(account)) for account in range(accounts)}
            if after is None
            else after.cookies
        )
        return Server(
            process, port, path=lambda _account, message: f"/stream_media/{message}", cookies=cookies
        )

    def baseline(self, accounts: int = 1) -> Server:
        """Start the baseline, with accounts signed in."""
        return self.baseline_of([phone(account) for account in range(accounts)])

    def baseline_of(self, phones: list[str]) -> Server:
        """Start the baseline, with these accounts signed in."""
        process = self._process("-m", "benchmarks.baseline", self._telegram_port, self._key, *phones)
        return Server(
            process,
            process.ready()["port"],
            path=lambda account, message: f"/{account}/{message}",
            cookies={},
        )

    def sessions(self, numbers: Iterable[int]) -> list[tuple[str, int]]:
        """Sign accounts in, without the way there: their session strings, and whose they are."""
        return [(text, owner) for text, owner in self.sandbox.tell(sessions=list(numbers))["sessions"]]

    def calls(self) -> dict[str, int]:
        """Tell how often each method was called at the sandbox since this was asked last."""
        return self.sandbox.tell(calls=True)

    def bring(self, server: Server, numbers: Iterable[int]) -> None:
        """Give accounts a browser that is signed in at the service."""
        numbers = list(numbers)
        for number, (session, owner) in zip(numbers, self.sessions(numbers), strict=True):
            server.cookies[number] = cookie_of(self._secret_key, session, owner)

    @contextlib.contextmanager
    def crowd(self, server: Server, kind: str, size: int, cookies: list[str]) -> Iterator[Process | None]:
        """Have a crowd at the service, as soon as it stands; none where no kind is given."""
        if not kind:
            yield None
            return
        with Process("-m", "benchmarks.crowd", str(server.port), log=self.log) as process:
            process.ready()
            process.tell(begin=[kind, size, cookies])
            yield process

    @contextlib.contextmanager
    def crowds_of(self, server: Server, mix: Iterable[tuple[str, int, int]]) -> Iterator[None]:
        """Have several: kinds, how many of each, and of how many accounts, the first ones."""
        with contextlib.ExitStack() as stack:
            for kind, size, accounts in mix:
                cookies = [server.cookies[number] for number in range(accounts)]
                stack.enter_context(self.crowd(server, kind, size, cookies))
            yield

    def library(self) -> Process:
        """Start the plain script for lists, thumbnails and updates, which nobody is signed in to."""
        process = self._process("-m", "benchmarks.plain_library")
        process.ready()
        return process

    def plain(self) -> Process:
        """Start the plain script, signed in."""
        process = self._process("-m", "benchmarks.plain", self._telegram_port, self._key, phone(0))
        process.ready()
        return process

    def floor(self, piece_bytes: int) -> Process:
        """Start the bare loop."""
        return self._process("-m", "benchmarks.floor", str(piece_bytes))

    def bare(self) -> Process:
        """Start the bare handler."""
        return self._process("-m", "benchmarks.bare")

    def end(self, process: Process) -> None:
        """End one process before the others."""
        process.__exit__()

    def _process(self, *arguments: str, env: dict[str, str] | None = None) -> Process:
        return self._stack.enter_context(Process(*arguments, env=env, log=self.log))
