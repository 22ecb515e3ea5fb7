"""The same for whole requests: nobody's header field, path or body holds everybody else up.

So that it is also shown of what aiohttp, yarl and others make of them on the way.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp import ClientSession

    from tests.conftest import Exchange, MakeSettings
    from tgbridge.app import Service
    from tgbridge.settings import Settings

# What a request may take beside what a parser does, on a slow machine. A quadratic parser takes hundreds of
# milliseconds for the 8,000 bytes that aiohttp takes as a header field.
EASY_SECONDS: Final = 0.03
MOST_FOR_TWICE: Final = 3.0
FIELD_BYTES: Final = 8000
BODY_BYTES: Final = 60_000

RUNS_OF: Final = (
    b" ",
    b";",
    b",",
    b"=",
    b'"',
    b"\\",
    b"a",
    b"; ",
    b"a=",
    b';a="',
    b'\\"',
    b"a=b;",
    b"%2",
    b"/",
)
STARTS: Final = (b"", b"a/b", b'a="', b"for=1.1.1.1;", b"bytes=")
FIELDS: Final = {
    b"GET /healthz": (
        b"Forwarded",
        b"X-Forwarded-For",
        b"X-Forwarded-Host",
        b"Host",
        b"X-Request-Id",
        b"Origin",
    ),
    b"POST /send-code": (b"Content-Type", b"Cookie", b"Expect", b"Content-Encoding", b"Sec-Fetch-Site"),
    b"OPTIONS /send-code": (b"Access-Control-Request-Headers", b"Access-Control-Request-Method"),
    b"GET /stream_media/ID": (b"Range", b"If-None-Match", b"If-Match", b"If-Modified-Since", b"If-Range"),
    b"GET /session": (b"Accept", b"Accept-Encoding", b"Authorization", b"User-Agent"),
    b"POST /upload_file": (b"Content-Type", b"X-Upload-Id"),
    b"POST /uploads": (b"Upload-Metadata", b"Upload-Length", b"Upload-Checksum", b"X-HTTP-Method-Override"),
}
MULTIPART: Final = b"multipart/form-data; boundary=x"
BODIES: Final[dict[str, tuple[bytes, bytes, bytes, bytes]]] = {
    "JSON": (b"/send-code", b"application/json", b"", b""),
    "JSON text": (b"/send-code", b"application/json", b'{"phone": "', b'"}'),
    "JSON array": (b"/send-code", b"application/json", b"[", b"]"),
    "form head": (
        b"/upload_file",
        MULTIPART,
        b"--x\r\nContent-Disposition: form-data; name=",
        b"\r\n\r\n\r\n--x--",
    ),
    "form file name": (
        b"/upload_file",
        MULTIPART,
        b"--x\r\nContent-Disposition: form-data; name=file; filename*=utf-8''",
        b"\r\n\r\n\r\n--x--",
    ),
    "form without a part": (b"/upload_file", MULTIPART, b"", b""),
    "form field": (
        b"/upload_file",
        MULTIPART,
        b'--x\r\nContent-Disposition: form-data; name="caption"\r\n\r\n',
        b"\r\n--x--",
    ),
    "form dashes": (
        b"/upload_file",
        MULTIPART,
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\r\n--',
        b"\r\n--x--",
    ),
}


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(server={"trusted_proxies": ["127.0.0.1", "1.1.1.1"]})


@pytest.fixture
def cookie(signed_in: ClientSession) -> bytes:
    (morsel,) = signed_in.cookie_jar
    return f"tgbridge={morsel.value}".encode()


@pytest.fixture
async def file_id(signed_in: ClientSession) -> int:
    async with signed_in.get("/get-saved-messages-media") as response:
        found: int = next(item["id"] for item in await response.json() if item["size"] < FIELD_BYTES)
        return found


def runs(size: int) -> Iterator[bytes]:
    for start in STARTS:
        for run in RUNS_OF:
            yield start + run * (size // len(run)) + b"x"


class Costs:
    """The processor time, in seconds, of requests that hold a value, each a new one: no cache helps."""

    def __init__(self, exchange: Exchange, service: Service, request: Callable[[bytes], bytes]) -> None:
        self._exchange, self._service, self._request = exchange, service, request
        self._numbers = itertools.count()

    async def of(self, value: bytes, *, runs: int = 1) -> float:
        best = float("inf")
        for _ in range(runs):
            request = self._request(value + b"%d" % next(self._numbers))
            begun = time.process_time()
            answer = await self._exchange(self._service, request)
            best = min(best, time.process_time() - begun)
            assert answer.startswith(b"HTTP/1.1 ")
        return best

    async def is_linear(self, whole: bytes, half: bytes) -> bool:
        """Judge as in `test_linear.py`, with all that a request costs."""
        if await self.of(whole) < EASY_SECONDS:
            return True
        cost = await self.of(whole, runs=5)
        return cost < EASY_SECONDS or cost < MOST_FOR_TWICE * await self.of(half, runs=5)

    async def check(self, size: int) -> None:
        """Fail for the first value of so many bytes that takes more than linear time."""
        for whole, half in zip(runs(size), runs(size // 2), strict=True):
            assert await self.is_linear(whole, half), whole[:40]


@pytest.mark.parametrize(
    ("target", "field"), [(t, field) for t, fields in FIELDS.items() for field in fields]
)
async def test_fields(
    service: Service, exchange: Exchange, cookie: bytes, file_id: int, target: bytes, field: bytes
) -> None:
    """Every header field that is read, as large as it may be."""
    line = target.replace(b"ID", b"%d" % file_id)

    def request(value: bytes) -> bytes:
        head = line + b" HTTP/1.1\r\n" + field + b": " + value + b"\r\nContent-Length: 0\r\n"
        fields = {b"Host": b"x", b"Cookie": cookie, b"Tus-Resumable": b"1.0.0"}
        return head + b"".join(b"%b: %b\r\n" % each for each in fields.items() if each[0] != field) + b"\r\n"

    await Costs(exchange, service, request).check(FIELD_BYTES)


@pytest.mark.parametrize(
    "target", ["/stream_media/", "/nothing/", "/healthz?", "/get-saved-messages-media?a="]
)
async def test_paths(service: Service, exchange: Exchange, cookie: bytes, target: str) -> None:
    """Paths and queries."""

    def request(value: bytes) -> bytes:
        path = target.encode() + quote(value, safe="/;,=&").encode()
        return b"GET %b HTTP/1.1\r\nHost: x\r\nCookie: %b\r\n\r\n" % (path[:FIELD_BYTES], cookie)

    await Costs(exchange, service, request).check(FIELD_BYTES // 2)


@pytest.mark.parametrize(("path", "media_type", "head", "tail"), BODIES.values(), ids=BODIES.keys())
async def test_bodies(
    service: Service,
    exchange: Exchange,
    cookie: bytes,
    path: bytes,
    media_type: bytes,
    head: bytes,
    tail: bytes,
) -> None:
    """Bodies, and the heads of a form's parts."""

    def request(value: bytes) -> bytes:
        body = head + value + tail
        fields = {
            b"Host": b"x",
            b"Cookie": cookie,
            b"Content-Type": media_type,
            b"Content-Length": b"%d" % len(body),
        }
        return (
            b"POST %b HTTP/1.1\r\n" % path
            + b"".join(b"%b: %b\r\n" % each for each in fields.items())
            + b"\r\n"
            + body
        )

    await Costs(exchange, service, request).check(BODY_BYTES)
