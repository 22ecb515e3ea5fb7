"""Who comes in crowds."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Final

from benchmarks.crowd.peers import Crowd, Peer
from benchmarks.report import MIB
from benchmarks.sandbox import SMALL_FILES, Ids, Numbers, phone

if TYPE_CHECKING:
    import threading

_NOBODYS: Final = 4900  # accounts from Numbers.empty on


class Users(Crowd):
    """Signed in, with two connections each, on both of which they have asked for something.

    They come as quickly as connections to Telegram are opened: 20 a second (mtproto/connector.py).
    """

    rate = 40.0

    @property
    def stands(self) -> bool:
        """Whether all have been answered."""
        return self.begun >= self.size

    def add(self) -> None:
        """Make a connection; each other one has Telegram asked."""
        Peer(self, [self.get("/session" if self.made % 2 else "/me", self.made // 2)])


class SlowSenders(Crowd):
    """Heads that come a byte a second, for ever."""

    def add(self) -> None:
        """Begin a request."""
        self._trickle(Peer(self, [b"GET /session HTTP/1.1\r\nHost: bench\r\nX: "]))

    def _trickle(self, peer: Peer) -> None:
        if peer in self.open:
            peer.send(b"x")
            self.after(1.0, lambda: self._trickle(peer))


class Streams(Crowd):
    """Files that are read, one after another by each."""

    most: int | None = None

    @property
    def stands(self) -> bool:
        """Whether all have begun to read."""
        return self.begun >= self.size

    def add(self) -> None:
        """Begin to read."""
        self._read(self.made)

    def answered(self, peer: Peer) -> None:
        """Read another file, on the same connection."""
        peer.requests.append(self._request(next(self._numbers)))
        peer.ask()

    def gone(self, peer: Peer) -> None:
        """Come back, on another one; after a while, where it was the service that ended this one."""
        pause = 0.0 if peer.gave_up else 1.0
        self.after(pause, lambda: self._read(next(self._numbers)))

    def _read(self, number: int) -> None:
        Peer(self, [self._request(number)], most=self.most if number % 2 else None)

    def _request(self, number: int) -> bytes:
        return self.get(f"/stream_media/{Ids.small[number % SMALL_FILES]}", number)


class FickleStreams(Streams):
    """The same, but each other one is given up after the beginning."""

    most = MIB


class SlowReaders(Streams):
    """Files of which hardly anything is taken."""

    sips = True


class Pages(Crowd):
    """Pages that follow, of an account each."""

    rate = 20.0

    @property
    def stands(self) -> bool:
        """Whether all have been answered."""
        return self.begun >= self.size

    def add(self) -> None:
        """Open one."""
        Peer(self, [self.get("/events", self.made)])


class Logins(Crowd):
    """So many that begin each second, of an account each."""

    @property
    def stands(self) -> bool:
        """Whether they have begun: at once."""
        return True

    def run(self, stands: threading.Event) -> None:
        """Have the rate be the size."""
        rate, self.size = self.size, 0
        self._begin(rate, count())
        super().run(stands)

    def answered(self, peer: Peer) -> None:
        """Go on with the code, or end."""
        if peer.status == 200 and peer.requests:
            peer.ask()
        else:
            peer.close("signed in" if peer.status == 200 else "turned away")

    def _begin(self, rate: int, numbers: count[int]) -> None:
        self.after(1 / rate, lambda: self._begin(rate, numbers))
        number = phone(Numbers.empty + next(numbers) % _NOBODYS)
        steps = [("/send-code", {"phone": number}), ("/sign-in", {"phone": number, "code": number[6] * 5})]
        Peer(self, [self._post(path, body) for path, body in steps])

    @staticmethod
    def _post(path: str, body: dict[str, str]) -> bytes:
        data = json.dumps(body).encode()
        fields = f"Content-Type: application/json\r\nContent-Length: {len(data)}"
        return f"POST {path} HTTP/1.1\r\nHost: bench\r\nCookie: COOKIE\r\n{fields}\r\n\r\n".encode() + data


KINDS: Final[dict[str, type[Crowd]]] = {
    "sockets": Crowd,
    "users": Users,
    "pages": Pages,
    "slow senders": SlowSenders,
    "slow readers": SlowReaders,
    "streams": Streams,
    "fickle streams": FickleStreams,
    "logins": Logins,
}
