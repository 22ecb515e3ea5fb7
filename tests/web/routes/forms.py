"""Multipart forms as browsers write them, and what comes of sending them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tgbridge.sandbox.media import PHOTOS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

OCTETS = "application/octet-stream"
BOUNDARY = b"----WebKitFormBoundaryTest"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY.decode()}"


class Form:
    """A form that is put together part by part."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def field(self, name: str, value: str) -> Self:
        return self.raw(f'Content-Disposition: form-data; name="{name}"', value.encode())

    def file(self, data: bytes, name: str = "file.bin", kind: str = OCTETS, *, field: str = "file") -> Self:
        disposition = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
        return self.raw(f"{disposition}\r\nContent-Type: {kind}", data)

    def raw(self, headers: str, data: bytes) -> Self:
        self._parts.append(b"--%b\r\n%b\r\n\r\n%b\r\n" % (BOUNDARY, headers.encode(), data))
        return self

    @property
    def body(self) -> bytes:
        return b"".join(self._parts) + b"--%b--\r\n" % BOUNDARY


class Told(NamedTuple):
    """What an upload was answered."""

    status: int
    body: dict[str, Any]


async def send(browser: ClientSession, form: Form | bytes | AsyncIterator[bytes], **headers: str) -> Told:
    """Upload a form; one that comes as an iterator is sent in chunks, without a length."""
    if isinstance(form, Form):
        form = form.body
    body = io.BytesIO(form) if isinstance(form, bytes) else form
    options = {"Content-Type": CONTENT_TYPE} | headers
    async with browser.post("/upload_file", data=body, headers=options) as response:
        answer = await response.json()
        retry_after = answer.get("retry_after")
        assert response.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
        return Told(response.status, answer)


async def send_file(browser: ClientSession, data: bytes, name: str = "file.bin", kind: str = OCTETS) -> int:
    """Upload one file, and return its message's id."""
    told = await send(browser, Form().file(data, name, kind))
    message_id: int = told.body.get("message_id", 0)
    assert told == Told(200, {"message": "File uploaded successfully.", "message_id": message_id})
    return message_id


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    """Give data in pieces."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def stored(browser: ClientSession, message_id: int) -> bytes:
    """Return a file's bytes as they are streamed back."""
    async with browser.get(f"/stream_media/{message_id}") as response:
        assert response.status == 200
        return await response.read()


async def item(browser: ClientSession, message_id: int) -> dict[str, Any]:
    """Return a message's media item, as it is listed."""
    async with browser.get("/get-saved-messages-media") as response:
        assert response.status == 200
        found: dict[str, Any] = next(one for one in await response.json() if one["id"] == message_id)
        return found


def photo(name: str, letter: str) -> bytes:
    """Return one of the sandbox's own pictures in one of its sizes."""
    source: Any = next(one.source for one in PHOTOS[name].sizes if one.letter == letter)
    data: bytes = source.read(0, 1 << 20)
    return data
