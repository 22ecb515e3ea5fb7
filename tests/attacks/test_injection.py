"""What somebody writes into a field, and what comes out in a header."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from aiohttp import FormData
from telethon.tl import types

from tgbridge.sandbox.world.blobs import Synthetic

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from tests.conftest import Exchange
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE: Final = "+9996610001"
EVIL: Final = {
    "CRLF": "a\r\nX-Injected: 1",
    "LF": "a\nX-Injected: 1",
    "CR": "a\rX-Injected: 1",
    "whole answer": "a\r\n\r\nHTTP/1.1 200 OK\r\nX-Injected: 1\r\n\r\n",
    "quotes": 'a"; filename="evil.html',
    "backslash": 'a\\"; X-Injected="1',
    "other line ends": "a\u2028X-Injected: 1\x85X-Injected: 1\u560d\u560aX-Injected: 1",
    "NUL": "a\x00b",
    "percent": "a%0d%0aX-Injected: 1",
    "path": "../../etc/passwd",
    "override": "exe.\u202egpj",
    "markup": "<script>alert(1)</script>.html",
}


def check(response: ClientResponse) -> None:
    """No header came of it, and none holds what does not belong into one."""
    assert "X-Injected" not in response.headers
    for name, value in response.raw_headers:
        assert not set(name + value) & set(b"\r\n\x00")
    disposition = response.headers.get("Content-Disposition", "")
    assert disposition.count('"') in {0, 2}


async def stream(browser: ClientSession, message_id: int) -> None:
    for path in (f"/stream_media/{message_id}", f"/stream_media/{message_id}?download=1"):
        async with browser.get(path) as response:
            assert response.status == 200
            check(response)
            await response.read()


async def test_uploaded(signed_in: ClientSession) -> None:
    """A file's name and its caption, as an upload brings them, stay what they are."""
    for text in EVIL.values():
        await upload_and_stream(signed_in, text)


async def upload_and_stream(signed_in: ClientSession, text: str) -> None:
    form = FormData(quote_fields=False)
    form.add_field("caption", text)
    safe = text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22").replace("\x00", "%00")
    form.add_field("file", b"Hello", filename=safe, content_type="text/plain")
    async with signed_in.post("/upload_file", data=form) as response:
        check(response)
        body = await response.json()
        assert response.status == 200, body
    await stream(signed_in, body["message_id"])
    async with signed_in.get("/get-saved-messages-media") as response:
        (item,) = [item for item in await response.json() if item["id"] == body["message_id"]]
    assert not set(item["name"]) & set("\r\n\x00/\\\u2028\u202e")


async def test_from_another_device(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """The same, and the type, where another app has sent the file, which may write whatever it likes."""
    account = sandbox.state.account_of(PHONE)
    for text in EVIL.values():
        attributes = [types.DocumentAttributeFilename(text)]
        document = account.document(
            Synthetic(10, seed=1), mime_type=f"text/plain; x={text}", dc_id=1, attributes=attributes
        )
        message = account.add_message(text, media=types.MessageMediaDocument(document=document))
        await stream(signed_in, message.id)


async def test_page_as_a_file(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A file that is a page never runs as one of ours: it is saved, sandboxed, and not guessed at."""
    account = sandbox.state.account_of(PHONE)
    for kind in ("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "x"):
        document = account.document(Synthetic(10, seed=1), mime_type=kind, dc_id=1, attributes=[])
        message = account.add_message(media=types.MessageMediaDocument(document=document))
        async with signed_in.get(f"/stream_media/{message.id}") as response:
            assert response.headers["Content-Disposition"].startswith("attachment;")
            policies = response.headers.getall("Content-Security-Policy")
            assert policies[0].startswith("sandbox; default-src 'none'")
            assert policies[1].startswith("frame-ancestors ")
            assert response.headers["X-Content-Type-Options"] == "nosniff"


FIELDS: Final = ["X-Request-Id", "X-Upload-Id", "Origin", "Range", "If-Range", "If-None-Match", "Accept"]


async def test_reflected_fields(service: Service, exchange: Exchange) -> None:
    """What a request's fields hold does not come back in an answer's."""
    values = (b"a\x0bX-Injected: 1", b'"><script>', b"a" * 5000, b"\xff\xfe", b"a\tb")
    for field, value in itertools.product(FIELDS, values):
        head = b"GET /is-authenticated HTTP/1.1\r\nHost: tg.example.com\r\n%b: %b\r\n\r\n"
        answer = await exchange(service, head % (field.encode(), value))
        assert value not in answer


async def test_folded_field(service: Service, exchange: Exchange) -> None:
    """A field that is continued on the next line, by which some see two, is refused."""
    head = b"GET /healthz HTTP/1.1\r\nHost: tg.example.com\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n"
    assert (await exchange(service, head)).split(b" ")[1] == b"400"


async def test_paths_in_answers(browser: ClientSession) -> None:
    """An unknown path is not repeated."""
    path: Any = "/<script>alert(1)</script>%0d%0aX-Injected:%201"
    async with browser.get(path) as response:
        check(response)
        assert await response.json() == {"error": "Not Found.", "code": "NOT_FOUND"}
