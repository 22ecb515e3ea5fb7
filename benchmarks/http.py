"""A client that costs next to nothing: blocking sockets, bytes thrown away. Several at once are threads."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_BUFFER_BYTES = 1 << 20
_TIMEOUT_SECONDS = 600


class Refused(RuntimeError):
    """An answer of another status than was wanted."""

    def __init__(self, path: str, status: int, body: bytes = b"") -> None:
        super().__init__(f"{path}: {status} {body[:300]!r}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Transfer:
    """A response's body: when its first and its last byte came, in seconds after the request was sent."""

    first_byte: float
    last_byte: float
    size: int


class Client:
    """One kept connection, with the cookie that it was given."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cookie = cookie

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def get(
        self,
        path: str,
        *,
        span: tuple[int, int] | None = None,
        most: int | None = None,
        give_up_after: float | None = None,
    ) -> Transfer:
        """Read a body, at most its first `most` bytes, or what comes of it in so many seconds.

        Where that is not all, the connection is of no use any more.
        """
        extra = f"Range: bytes={span[0]}-{span[1] - 1}\r\n" if span else ""
        begin = time.perf_counter()
        self._send("GET", path, extra)
        status, headers, body = self._head()
        if status not in (200, 206):
            raise Refused(path, status, body)
        size = int(headers["content-length"])
        wanted = size if most is None else min(size, most)
        if not body:
            body = self._socket.recv(_BUFFER_BYTES)
        first_byte = time.perf_counter() - begin
        received = len(body)
        buffer = bytearray(_BUFFER_BYTES)
        while received < wanted:
            if give_up_after is not None:
                left = begin + give_up_after - time.perf_counter()
                if left <= 0:
                    break
                self._socket.settimeout(left)
            try:
                count = self._socket.recv_into(buffer)
            except TimeoutError:
                if give_up_after is None:
                    raise
                break
            if not count:
                raise RuntimeError(f"{path}: broken off after {received} bytes")
            received += count
        return Transfer(first_byte, time.perf_counter() - begin, received)

    def head(self, path: str) -> float:
        """Ask for the head alone; the seconds until it came."""
        begin = time.perf_counter()
        self._send("HEAD", path, "")
        status, _, _ = self._head()
        if status != 200:
            raise Refused(path, status)
        return time.perf_counter() - begin

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """Send a JSON object, and return the answer."""
        data = json.dumps(body).encode()
        self._send("POST", path, f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n")
        self._socket.sendall(data)
        return self._json(path)

    def upload(self, path: str, pieces: Iterable[bytes], size: int) -> tuple[float, dict[str, Any]]:
        """Send a file as a form; the seconds until the answer, and the answer."""
        head = (
            b'--bench\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n"
        )
        tail = b"\r\n--bench--\r\n"
        begin = time.perf_counter()
        length = len(head) + size + len(tail)
        self._send(
            "POST", path, f"Content-Type: multipart/form-data; boundary=bench\r\nContent-Length: {length}\r\n"
        )
        self._socket.sendall(head)
        for piece in pieces:
            self._socket.sendall(piece)
        self._socket.sendall(tail)
        answer = self._json(path)
        return time.perf_counter() - begin, answer

    def stream_begins(self, path: str) -> None:
        """Read the beginning of an endless body that `ask` asked for."""
        status, _, body = self._head()
        if status != 200:
            raise Refused(path, status, body)
        if not body:
            self._more(path)

    def ask(self, path: str) -> None:
        """Ask for a small body, without waiting for it."""
        self._send("GET", path, "")

    def answer(self, path: str) -> None:
        """Read what `ask` asked for. It costs little, so that it is not the client that is measured."""
        data = self._socket.recv(_BUFFER_BYTES)
        end = data.find(b"\r\n\r\n")
        while end < 0:
            data += self._more(path)
            end = data.find(b"\r\n\r\n")
        if not data.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"{path}: {data[:300]!r}")
        length = data.index(b"\r\nContent-Length: ") + len(b"\r\nContent-Length: ")
        missing = end + 4 + int(data[length : data.index(b"\r", length)]) - len(data)
        while missing > 0:
            missing -= len(self._more(path))

    def _more(self, path: str) -> bytes:
        piece = self._socket.recv(_BUFFER_BYTES)
        if not piece:
            raise RuntimeError(f"{path}: closed before its end")
        return piece

    def _send(self, method: str, path: str, extra: str) -> None:
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{cookie}{extra}\r\n".encode())

    def _head(self) -> tuple[int, dict[str, str], bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._socket.recv(_BUFFER_BYTES)
            if not piece:
                raise RuntimeError("closed before an answer")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].partition(";")[0]
        return int(first.split()[1]), headers, body

    def _json(self, path: str) -> dict[str, Any]:
        status, headers, body = self._head()
        while len(body) < int(headers["content-length"]):
            body += self._socket.recv(_BUFFER_BYTES)
        if status != 200:
            raise Refused(path, status, body)
        answer: dict[str, Any] = json.loads(body)
        return answer


def at_once(work: Sequence[Callable[[], Transfer]]) -> list[Transfer]:
    """Do all of it at the same time."""
    with ThreadPoolExecutor(len(work)) as threads:
        return [future.result() for future in [threads.submit(item) for item in work]]


def sign_in(port: int, phone: str) -> str:
    """Log in at the service; return the cookie."""
    with Client(port) as client:
        client.post("/send-code", phone=phone)
        client.post("/sign-in", phone=phone, code=phone[6] * 5)
        return client.cookie
