"""A client of resumable uploads that does just what it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from yarl import URL

from tests.web.routes.forms import stored
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp import ClientSession
    from multidict import CIMultiDictProxy

    from tgbridge.app import Service

BODY_TYPE = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}
CREATE = "/uploads"


def problem(code: str, error: str) -> dict[str, str]:
    return {"error": error, "code": code}


GONE = problem("UPLOAD_GONE", "The upload can't be resumed any more. Please start again.")
UNKNOWN = problem("UPLOAD_NOT_FOUND", "There is no such upload.")
MISMATCH = problem("UPLOAD_OFFSET_MISMATCH", "The upload goes on at another offset.")
LOCKED = problem("UPLOAD_LOCKED", "Another request is sending bytes of this upload.")
EMPTY = problem("EMPTY_FILE", "Invalid file type or format.")
TOO_LARGE = problem("FILE_TOO_LARGE", "The file is too large.")


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def offset(self) -> int | None:
        value = self.headers.get("Upload-Offset")
        return None if value is None else int(value)

    @property
    def message_id(self) -> int | None:
        value = self.headers.get("X-Message-Id")
        return None if value is None else int(value)


async def ask(browser: ClientSession, method: str, path: str, data: Any = None, **headers: Any) -> Answer:
    """Make a request. Header fields are given with underscores for hyphens; None leaves one out."""
    fields = VERSION | {
        name.replace("_", "-"): str(value) for name, value in headers.items() if value is not None
    }
    for name in [name for name, value in headers.items() if value is None]:
        fields.pop(name.replace("_", "-"), None)
    skipped = () if "Content-Type" in fields else ("Content-Type",)
    body = io.BytesIO(data) if isinstance(data, bytes) else data
    async with browser.request(
        method, path, data=body, headers=fields, skip_auto_headers=skipped
    ) as response:
        content = await response.read()
        if not path.endswith("/events"):
            assert response.headers["Tus-Resumable"] == "1.0.0"
        retry_after = json.loads(content).get("retry_after") if response.status >= 400 and content else None
        assert response.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
        return Answer(response.status, response.headers, content)


async def create(
    browser: ClientSession, length: int | None = None, data: Any = None, **headers: Any
) -> Answer:
    """Create an upload; without a length, one whose length is deferred."""
    length_field = {"Upload_Defer_Length": 1} if length is None else {"Upload_Length": length}
    if data is not None:
        headers = {"Content_Type": BODY_TYPE} | headers
    return await ask(browser, "POST", CREATE, data, **length_field | headers)


async def begin(browser: ClientSession, length: int | None = None, **headers: Any) -> str:
    """Create an upload, and return its path."""
    answer = await create(browser, length, **headers)
    assert answer.status == 201, answer.body
    return path_of(answer)


def path_of(answer: Answer) -> str:
    """Resolve the Location of an answer as a client would."""
    return urljoin(CREATE, answer.headers["Location"])


def name_of(path: str) -> str:
    """Return the upload's id."""
    return path.rpartition("/")[2]


async def patch(browser: ClientSession, path: str, offset: int, data: Any = b"", **headers: Any) -> Answer:
    """Send bytes."""
    return await ask(
        browser, "PATCH", path, data, **{"Content_Type": BODY_TYPE, "Upload_Offset": offset} | headers
    )


async def head(browser: ClientSession, path: str, **headers: Any) -> Answer:
    """Ask where it goes on."""
    return await ask(browser, "HEAD", path, **headers)


async def delete(browser: ClientSession, path: str, **headers: Any) -> Answer:
    """Terminate it."""
    return await ask(browser, "DELETE", path, **headers)


def metadata(**values: str | bytes) -> str:
    """Write Upload-Metadata."""
    raw = {key: value.encode() if isinstance(value, str) else value for key, value in values.items()}
    return ",".join(f"{key} {base64.b64encode(value).decode()}".rstrip() for key, value in raw.items())


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    """Write Upload-Checksum."""
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


async def in_chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Give data piece by piece, so that it is sent without a length."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


def state(answer: Answer) -> Mapping[str, str]:
    """Return what an answer says of an upload, but for when it expires."""
    names = ("Upload-Offset", "Upload-Length", "Upload-Defer-Length", "Upload-Metadata", "X-Message-Id")
    return {name: answer.headers[name] for name in names if name in answer.headers}


class Line:
    """A connection of its own, over which a request is sent piece by piece, or not to its end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def patch(
        cls, browser: ClientSession, service: Service, path: str, offset: int, length: int, **more: str
    ) -> Self:
        """Begin a PATCH of so many bytes."""
        url = URL(service.url)
        line = cls(*await asyncio.open_connection(url.host, url.port))
        cookies = browser.cookie_jar.filter_cookies(url)
        fields = VERSION | {
            "Host": f"{url.host}:{url.port}",
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items()),
            "Content-Type": BODY_TYPE,
            "Content-Length": str(length),
            "Upload-Offset": str(offset),
        }
        fields |= {name.replace("_", "-"): value for name, value in more.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        line._writer.write(f"PATCH {path} HTTP/1.1\r\n{head}\r\n".encode())
        await line._writer.drain()
        return line

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def status(self) -> int:
        """Wait for the answer."""
        async with asyncio.timeout(10):
            head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    async def cut(self) -> None:
        """Break the connection off, as a phone does that changes its network."""
        self._writer.transport.abort()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def until_offset(browser: ClientSession, path: str, offset: int) -> None:
    """Ask where it goes on until it is there."""
    async with asyncio.timeout(10):
        while (await head(browser, path)).offset != offset:
            pass


async def finish(browser: ClientSession, path: str, data: bytes) -> None:
    """Go on where it says, and see that the file is whole."""
    offset = (await head(browser, path)).offset
    assert offset is not None
    answer = await patch(browser, path, offset, data[offset:])
    assert (answer.status, answer.offset) == (204, len(data))
    assert answer.message_id is not None
    assert await stored(browser, answer.message_id) == data


def held(service: Service) -> int:
    """Count the bytes that all uploads hold."""
    return service.app[keys.UPLOADER].budget.held
