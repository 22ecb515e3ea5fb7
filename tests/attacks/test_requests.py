"""Requests that no honest client sends: two in one, too much, too deep, too slow."""

from __future__ import annotations

import asyncio
import json
import threading
import zlib
from typing import TYPE_CHECKING, Final

import pytest
from yarl import URL

from tests.web.routes.forms import Form, send
from tgbridge.inspection import Facts, Nothing
from tgbridge.web.routes import upload_form

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, MakeSettings, Serve, SignIn
    from tgbridge.app import Service

HOST: Final = b"Host: tg.example.com\r\n"
POST: Final = b"POST /send-code HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
HIDDEN: Final = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"

SMUGGLING: Final[dict[str, bytes]] = {
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "a list of lengths": POST + b"Content-Length: 0, 5\r\n\r\n",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n",
    "a signed length": POST + b"Content-Length: +5\r\n\r\n12345",
    "a hexadecimal length": POST + b"Content-Length: 0x5\r\n\r\n12345",
    "an unknown encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks that are not last": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a space in a name": POST + b"Content Length: 5\r\n\r\n",
    "a bare LF": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n",
    "a bare CR": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "NUL in a field": POST + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "no such version": POST.replace(b"HTTP/1.1", b"HTTP/1.1.1") + b"Content-Length: 0\r\n\r\n",
    "HTTP/2's preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


async def test_smuggling(service: Service, exchange: Exchange) -> None:
    """A message of which two readers could make two things is refused, and what follows it is not read."""
    answers = {name: await exchange(service, sent + HIDDEN) for name, sent in SMUGGLING.items()}
    assert {name: answer.split(b" ")[1] for name, answer in answers.items()} == dict.fromkeys(
        SMUGGLING, b"400"
    )
    assert [name for name, answer in answers.items() if b'"status":"ok"' in answer] == []


CHUNKS: Final[dict[str, bytes]] = {
    "no number": b"zz\r\n{}\r\n0\r\n\r\n",
    "an endless number": b"f" * 100 + b"\r\n{}\r\n0\r\n\r\n",
    "a signed number": b"+2\r\n{}\r\n0\r\n\r\n",
    "longer than told": b"1\r\n{}\r\n0\r\n\r\n",
    "without an end": b"2\r\n{}0\r\n\r\n",
}


async def test_chunks(service: Service, exchange: Exchange) -> None:
    """A body whose chunks are not what they say is refused, and ends the connection."""
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    answers = {name: await exchange(service, head + chunks + HIDDEN) for name, chunks in CHUNKS.items()}
    assert {name: answer.split(b" ")[1] for name, answer in answers.items()} == dict.fromkeys(CHUNKS, b"400")
    assert [name for name, answer in answers.items() if b'"status":"ok"' in answer] == []


async def test_request_in_a_body(service: Service, exchange: Exchange) -> None:
    """A body that nobody wanted is not taken for the next request."""
    head = b"POST /nothing HTTP/1.1\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n" % (
        HOST,
        len(HIDDEN),
    )
    answer = await exchange(service, head + HIDDEN)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.count(b"HTTP/1.1 ") == 1


async def test_oversized_json(browser: ClientSession) -> None:
    """A body beyond 64 KiB is refused before it is read, or as soon as it is that long."""

    async def endless() -> object:
        for _ in range(1000):
            yield b'{"phone":' + b" " * 65536

    headers = {"Content-Type": "application/json"}
    for path in ("/send-code", "/sign-in", "/sign-in-password", "/qr-login/claim"):
        for body in (b'{"phone": "' + b"1" * 100_000 + b'"}', endless()):
            async with browser.post(path, data=body, headers=headers) as response:
                assert response.status == 413


DEEP: Final[dict[str, bytes]] = {
    "arrays": b"[" * 30_000 + b"]" * 30_000,
    "objects": b'{"phone":' * 6_000 + b"1" + b"}" * 6_000,
    "an array as a field": b'{"phone": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "many fields": json.dumps({f"phone{number}": number for number in range(3_000)}).encode(),
    "the same field": b'{"phone": "x"' + b', "phone": "x"' * 4_000 + b"}",
    "an endless number": b'{"phone": ' + b"9" * 60_000 + b"}",
    "half a surrogate": b'{"phone": "+999661000\\ud800", "password": "\\ud800"}',
    "NaN": b'{"phone": NaN, "password": Infinity}',
}


async def test_json_that_bites(browser: ClientSession) -> None:
    """JSON that is deep, wide or odd is a 400 like any other."""
    headers = {"Content-Type": "application/json"}
    for path in ("/send-code", "/sign-in", "/sign-in-password"):
        told = {}
        for name, body in DEEP.items():
            async with browser.post(path, data=body, headers=headers) as response:
                told[name] = response.status
        assert told == dict.fromkeys(DEEP, 400)


async def test_compressed_bomb(browser: ClientSession) -> None:
    """A small body that unpacks to a large one is as large as it unpacks to."""
    bomb = zlib.compress(b" " * 10_000_000)
    headers = {"Content-Type": "application/json", "Content-Encoding": "deflate"}
    async with browser.post("/send-code", data=bomb, headers=headers) as response:
        assert response.status in {400, 413}


@pytest.fixture
async def impatient(serve: Serve, make_settings: MakeSettings) -> Service:
    """A service that gives bodies little time."""
    return await serve(make_settings(server={"body_timeout_seconds": 0.1}))


async def test_slow_body(impatient: Service, exchange: Exchange) -> None:
    """A body that does not come in time is given up, and so is the connection."""
    answer = await exchange(impatient, POST + b'Content-Length: 100\r\n\r\n{"phone"')
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nConnection: close\r\n" in answer


async def test_body_that_never_ends(impatient: Service) -> None:
    """Nor does a trickle of it keep the connection."""
    address = URL(impatient.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")

    async def trickle() -> None:
        while not writer.is_closing():
            writer.write(b"1\r\n \r\n")
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    trickling.cancel()
    await asyncio.wait({trickling})
    writer.close()


async def test_thumbnail_that_is_none(
    service: Service, browser: ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not begin as a JPEG is not read at all, and what does not on the event loop."""
    await sign_in(browser)
    threads: list[int] = []

    class Inspector(Nothing):
        def facts(self) -> Facts:
            threads.append(threading.get_ident())
            return Facts()

    monkeypatch.setattr(upload_form, "inspector_for", lambda _type: Inspector())
    for beginning, read in ((b"BM", 0), (b"<svg", 0), (b"\xff\xd8", 0), (b"\xff\xd8\xff", 1)):
        form = Form().file(beginning + bytes(100_000), "1.jpg", "image/jpeg", field="thumbnail").file(b"x")
        told = await send(browser, form)
        assert (told.status, told.body["code"], len(threads)) == (400, "INVALID_THUMBNAIL", read)
    assert threads[0] != threading.get_ident()
