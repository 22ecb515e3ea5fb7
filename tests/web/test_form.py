"""Forms that are broken, and forms that only look so: 400 and no message, or a message and 200."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.web.routes.forms import BOUNDARY, CONTENT_TYPE, Form, Told, chunks, send, stored
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import Exchange
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

pytestmark = pytest.mark.usefixtures("nothing_of_uploads_is_left")

MALFORMED = {"error": "The request's body is malformed.", "code": "INVALID_BODY"}
WHOLE = (
    Form().field("caption", "ü").file(b"the file's bytes\r\n--and more", "ü.bin").field("as", "document").body
)
PART = 'Content-Disposition: form-data; name="file"; filename="a.bin"'
FIELD = b'--%b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' % BOUNDARY

BROKEN = {
    "empty": b"",
    "no form": b"just bytes",
    "no closing boundary": WHOLE.removesuffix(b"--\r\n"),
    "another boundary": WHOLE.replace(BOUNDARY, b"other"),
    "line feeds alone": WHOLE.replace(b"\r\n", b"\n"),
    "nothing behind the boundary": b"--%b" % BOUNDARY,
    "junk behind a boundary": WHOLE.replace(BOUNDARY + b"\r\n", BOUNDARY + b"junk\r\n", 1),
    "no headers": b"--%b\r\n\r\nx\r\n--%b--\r\n" % (BOUNDARY, BOUNDARY),
    "no disposition": Form().raw("Content-Type: text/plain", b"x").body,
    "another disposition": Form().raw('Content-Disposition: attachment; filename="a.bin"', b"x").body,
    "a header that is none": Form().raw(f"{PART}\r\nnonsense", b"x").body,
    "a header name that is none": Form().raw(f"{PART}\r\nä b: c", b"x").body,
    "an endless header": Form().raw(f"{PART}\r\nX: {'x' * 100_000}", b"x").body,
    "too many headers": Form().raw(PART + "\r\nX: y" * 100, b"x").body,
    "a header name that is no ASCII": WHOLE.replace(b"Content-Type", b"Content-Typ\xff"),
    "a field that is no UTF-8": WHOLE.replace("ü\r\n".encode(), b"\xff\r\n"),
    "a form within a form": Form().raw(f"{PART}\r\nContent-Type: multipart/mixed; boundary=x", b"--x--").body,
    "an encoded part": Form().raw(f"{PART}\r\nContent-Transfer-Encoding: base64", b"eA==").body,
    "a length that is wrong": Form().raw(f"{PART}\r\nContent-Length: 5", b"x").body,
    "too many parts": WHOLE.replace(b"--" + BOUNDARY + b"--", FIELD * 500 + b"--" + BOUNDARY + b"--"),
}
WHOLE_ALL_THE_SAME = {
    "headers that are no UTF-8": WHOLE.replace("ü.bin".encode(), b"\xff\x85\xa0.bin"),
    "a preamble": b"This is a form.\r\n" + WHOLE,
    "an epilogue": WHOLE + b"That was a form." * 50_000,
    "no last line break": WHOLE.removesuffix(b"\r\n"),
    "headers in capitals": WHOLE.replace(b"Content-Disposition", b"CONTENT-DISPOSITION"),
    "other headers": WHOLE.replace(b"Content-Type", b"X-Other: y\r\nContent-Type"),
    "identity": WHOLE.replace(b"Content-Type", b"Content-Transfer-Encoding: BINARY\r\nContent-Type"),
}


@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
async def test_broken_forms(signed_in: ClientSession, account: Account, *, declared: bool) -> None:
    """Whatever is wrong, wherever it stands: 400, and never a message."""
    before = len(account.history)
    for shows, body in BROKEN.items():
        told = await send(signed_in, body if declared else chunks(body, 1000))
        assert told == (400, MALFORMED), shows
    assert len(account.history) == before


async def test_unusual_forms(signed_in: ClientSession) -> None:
    """What RFC 2046 allows around and inside a form is no reason to refuse it."""
    for shows, body in WHOLE_ALL_THE_SAME.items():
        told = await send(signed_in, body)
        assert told.status == 200, shows
        assert await stored(signed_in, told.body["message_id"]) == b"the file's bytes\r\n--and more"


async def test_boundaries(signed_in: ClientSession) -> None:
    """A boundary may be quoted; without one there is no form."""
    body = WHOLE.replace(BOUNDARY, b"a b'(c)")
    content_type = 'multipart/form-data; charset=utf-8; boundary="a b\'(c)"'
    assert (await send(signed_in, body, **{"Content-Type": content_type})).status == 200
    for bad in ("multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary=""'):
        assert await send(signed_in, body, **{"Content-Type": bad}) == (400, MALFORMED)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(end=st.integers(0, len(WHOLE) - 3), declared=st.booleans())
async def test_a_form_that_ends_too_early(
    signed_in: ClientSession, account: Account, end: int, *, declared: bool
) -> None:
    """Cut off at any byte before the closing boundary's end, a form is no form: 400, and never a message."""
    before = len(account.history)
    told = await send(signed_in, WHOLE[:end] if declared else chunks(WHOLE[:end], 7))
    assert told == (400, MALFORMED)
    assert len(account.history) == before


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(at=st.integers(0, len(WHOLE) - 1), junk=st.binary(min_size=1, max_size=4), replace=st.booleans())
async def test_a_form_with_an_error_anywhere(
    signed_in: ClientSession, at: int, junk: bytes, *, replace: bool
) -> None:
    """Bytes that were changed or added anywhere make another form or none: never anything but 200 or 400."""
    body = WHOLE[:at] + junk + WHOLE[at + (len(junk) if replace else 0) :]
    told = await send(signed_in, body)
    assert told.status in {200, 400}, told


# HTTP around the form


async def test_compressed_bodies(signed_in: ClientSession) -> None:
    """A body may be compressed; its Content-Length says nothing of the file then. Damaged, it is a 400."""
    data = bytes(11 * 1024 * 1024)
    body = gzip.compress(Form().file(data).body)
    headers = {"Content-Encoding": "gzip"}
    told = await send(signed_in, body, **headers)
    assert told.status == 200, told
    assert await stored(signed_in, told.body["message_id"]) == data
    for damaged in (body[:-20], b"no gzip"):
        assert await send(signed_in, damaged, **headers) == (400, MALFORMED)


def request(cookie: str, headers: str, body: bytes) -> bytes:
    head = f"POST /upload_file HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Type: {CONTENT_TYPE}\r\n"
    return f"{head}{headers}\r\n\r\n".encode() + body


def answer(received: bytes) -> Told:
    head, _, body = received.partition(b"\r\n\r\n")
    return Told(int(head.split()[1]), json.loads(body))


@pytest.fixture
def cookie(signed_in: ClientSession) -> str:
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in signed_in.cookie_jar)


@pytest.mark.parametrize("body", [b"zz\r\n", b"5\r\nabcdefgh\r\n", b"-1\r\n"])
async def test_broken_chunks(
    signed_in_to: SignedInTo, account: Account, cookie: str, until: Until, body: bytes
) -> None:
    """A transfer coding that breaks within a form is never a message. aiohttp only lets us see silence."""
    service, _ = await signed_in_to(upload={"idle_seconds": 0.1})
    before = len(account.history)
    address = URL(service.url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    start = b"%x\r\n%b\r\n" % (len(WHOLE) - 40, WHOLE[:-40])
    writer.write(request(cookie, "Transfer-Encoding: chunked", start))
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 1)
    writer.write(body)
    assert answer(await reader.readuntil(b"}")).status in {400, 408}
    assert len(account.history) == before
    writer.close()
    await writer.wait_closed()


async def test_an_expectation_is_met_once_it_is_known_who_asks(
    service: Service, cookie: str, exchange: Exchange
) -> None:
    """100 Continue goes to those who are signed in; others get their 401 without having sent a byte."""
    expecting = f"Expect: 100-continue\r\nContent-Length: {len(WHOLE)}"
    refused = await exchange(service, request("tgbridge=x", expecting, b""))
    assert refused.startswith(b"HTTP/1.1 401 ")
    accepted = await exchange(service, request(cookie, expecting, WHOLE))
    interim, _, final = accepted.partition(b"\r\n\r\n")
    assert interim == b"HTTP/1.1 100 Continue"
    assert answer(final).status == 200
    other = await exchange(service, request(cookie, f"Expect: magic\r\nContent-Length: {len(WHOLE)}", b""))
    assert answer(other).status == 417


async def test_the_connection_serves_on_after_a_refusal(signed_in_to: SignedInTo) -> None:
    """A form that is refused before its end does not confuse what comes after it on the same connection."""
    _, browser = await signed_in_to(upload={"allowed_types": ["text/*"]})
    for _ in range(3):
        assert (await send(browser, Form().file(b"x" * 100_000, "a.bin"))).status == 400
        assert (await send(browser, Form().file(b"x", "a.txt"))).status == 200


async def test_a_form_in_no_hurry(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Byte by byte is as good as any other way."""

    async def slowly() -> AsyncIterator[bytes]:
        for byte in WHOLE:
            yield bytes((byte,))
            await asyncio.sleep(0)

    told = await send(signed_in, slowly())
    assert told.status == 200
    assert sandbox.counters.of("upload.saveFilePart") == 1
