"""Connections by the thousand on one thread: a crowd, and the one of it."""

from __future__ import annotations

import heapq
import selectors
import socket
import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

_BUFFER: Final = bytearray(256 * 1024)
_ENDLESS: Final = 1 << 60
_SIP_BYTES: Final = 1024
_SIP_SECONDS: Final = 1.0
_STANDING_SECONDS: Final = 120.0  # a crowd that does not stand by then is shown as far as it came
_OPENED_AT_ONCE: Final = 100  # the listening queue is as long as the kernel lets it be (somaxconn)


class Peer:
    """One connection, and what it asks for, one after the other."""

    def __init__(self, crowd: Crowd, requests: list[bytes], *, most: int | None = None) -> None:
        """`most`: of each body, after which the connection is given up."""
        self.crowd = crowd
        self.requests = requests
        self.most = most
        self.cookie = b""
        self.status = 0
        self.gave_up = False
        self._head = b""
        self._missing = 0
        self._received = 0
        self.socket = socket.socket()
        if crowd.sips:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", crowd.port))
        self.socket.setblocking(False)
        crowd.open.add(self)
        crowd.selector.register(self.socket, selectors.EVENT_READ, self)
        self.ask()

    def ask(self) -> None:
        """Send the next request; without one, only listen."""
        self._head, self._received = b"", 0
        if self.requests:
            self.send(self.requests.pop(0).replace(b"COOKIE", self.cookie))

    def send(self, data: bytes) -> None:
        """Send it, unless the service has gone."""
        try:
            self.socket.send(data)
        except OSError:
            self.close("broken off")

    def read(self) -> None:
        """Take what there is; of a body that is sipped, no more than one sip."""
        try:
            size = self.socket.recv_into(_BUFFER, _SIP_BYTES if self.crowd.sips else len(_BUFFER))
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self.close("broken off")
            return
        self.crowd.told["bytes"] += size
        if self._head.endswith(b"\r\n\r\n"):
            self._took(size)
        else:
            self._take_head(bytes(_BUFFER[:size]))
        if self.crowd.sips and self in self.crowd.open:
            self.crowd.selector.unregister(self.socket)
            self.crowd.after(_SIP_SECONDS, self._sip_again)

    def close(self, why: str) -> None:
        """End it, and have the crowd know why."""
        if self in self.crowd.open:
            self.crowd.told[why] += 1
            self.crowd.open.discard(self)
            if self.socket in self.crowd.selector.get_map():
                self.crowd.selector.unregister(self.socket)
            self.socket.close()
            self.crowd.gone(self)

    def _sip_again(self) -> None:
        if self in self.crowd.open:
            self.crowd.selector.register(self.socket, selectors.EVENT_READ, self)

    def _take_head(self, data: bytes) -> None:
        head, end, body = (self._head + data).partition(b"\r\n\r\n")
        self._head = head + end
        if not end:
            return
        lines = head.split(b"\r\n")
        named = (line.partition(b":") for line in lines[1:])
        fields = {name.lower(): value.strip() for name, _, value in named}
        self.status = int(lines[0].split()[1])
        self.crowd.told[str(self.status)] += 1
        self.crowd.begun += 1
        self._missing = int(fields.get(b"content-length", _ENDLESS))
        if b"set-cookie" in fields:
            self.cookie = fields[b"set-cookie"].partition(b";")[0]
        self._took(len(body))

    def _took(self, size: int) -> None:
        self._missing -= size
        self._received += size
        if self._missing <= 0:
            self.crowd.answered(self)
        elif self.most is not None and self._received >= self.most:
            self.gave_up = True
            self.close("given up")


class Crowd:
    """Those of one kind."""

    sips = False
    rate = 1e6
    """So many are made a second, at most."""

    def __init__(self, port: int, size: int, cookies: list[str]) -> None:
        self.port, self.size, self.cookies = port, size, cookies
        self.selector = selectors.DefaultSelector()
        self.open: set[Peer] = set()
        self.told: Counter[str] = Counter()
        self.begun = 0
        """Answers that have begun."""
        self.made = 0
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    @property
    def stands(self) -> bool:
        """Whether all are there."""
        return self.made >= self.size

    def add(self) -> None:
        """Make one more of them."""
        Peer(self, [])

    def answered(self, peer: Peer) -> None:
        """Act on a whole answer: go on, or keep the connection idle."""
        if peer.requests:
            peer.ask()

    def gone(self, peer: Peer) -> None:
        """Act on a connection that has ended."""

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something later."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._numbers), act))

    def run(self, stands: threading.Event) -> None:
        """Go on for ever."""
        begun = time.monotonic()
        give_up = begun + _STANDING_SECONDS
        while True:
            due = min(self.size, int((time.monotonic() - begun) * self.rate)) - self.made
            for _ in range(min(_OPENED_AT_ONCE, due)):
                self.made += 1
                self.add()
            for key, _ in self.selector.select(self._pause()):
                key.data.read()
            while self._timers and self._timers[0][0] <= time.monotonic():
                heapq.heappop(self._timers)[2]()
            if self.stands or time.monotonic() > give_up:
                stands.set()

    def _pause(self) -> float:
        if self.made < self.size:
            return 0.01
        return max(0.0, min(0.1, self._timers[0][0] - time.monotonic())) if self._timers else 0.1

    def get(self, path: str, number: int) -> bytes:
        """Return a request of one of the accounts."""
        cookie = self.cookies[number % len(self.cookies)]
        return f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\n\r\n".encode()
