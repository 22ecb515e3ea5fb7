"""Captions of uploads: the same by each way, and told to be too long before anything is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from tests.web.routes.forms import BOUNDARY, CONTENT_TYPE, Form, item, send
from tests.web.routes.tus_client import begin, create, head, metadata, patch, path_of, problem
from tests.web.routes.tus_faults import MAKE, NOISE, SEND, SETTINGS, SIZE, SMALL, in_three
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, SignIn
    from tests.web.routes.conftest import SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

TOO_LONG = problem("MEDIA_CAPTION_TOO_LONG", "The caption is too long.")
# As typed into a textarea: 1000 characters and 24 line breaks, as many as anybody may write.
LINES = "\r\n".join(["x" * 40] * 25)
PREMIUM = "+9996619009"


async def by_form(browser: ClientSession, caption: str) -> int:
    told = await send(browser, Form().file(b"data").field("caption", caption))
    assert told.status == 200, told
    message_id: int = told.body["message_id"]
    return message_id


async def by_creation(browser: ClientSession, caption: str) -> int | None:
    answer = await create(browser, 4, b"data", Upload_Metadata=metadata(caption=caption))
    assert answer.status == 201, answer.body
    return answer.message_id


async def by_patch(browser: ClientSession, caption: str) -> int | None:
    path = await begin(browser, 4, Upload_Metadata=metadata(caption="another"))
    answer = await patch(browser, path, 0, b"data", Upload_Metadata=metadata(caption=caption))
    assert answer.status == 204, answer.body
    return answer.message_id


@pytest.mark.parametrize("way", [by_form, by_creation, by_patch])
@pytest.mark.parametrize(
    ("typed", "caption"),
    [(LINES, LINES.replace("\r\n", "\n")), ("a\rb", "a\nb"), ("a\nb", "a\nb")],
    ids=["CRLF", "CR", "LF"],
)
async def test_line_breaks(signed_in: ClientSession, way: Any, typed: str, caption: str) -> None:
    """The same text is the same caption, however it comes, and each line break is one character."""
    assert (await item(signed_in, await way(signed_in, typed)))["caption"] == caption


async def test_too_long_for_a_form(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, exchange: Exchange
) -> None:
    """A caption that stands before the file is refused while the file's bytes are still to come."""
    url = URL(service.url)
    cookie = "; ".join(f"{one.key}={one.value}" for one in signed_in.cookie_jar.filter_cookies(url).values())
    begun = (
        Form().field("caption", "x" * 1025).file(b"x" * 1000).body.removesuffix(b"\r\n--%b--\r\n" % BOUNDARY)
    )
    fields = f"Host: {url.host}:{url.port}\r\nCookie: {cookie}\r\nContent-Type: {CONTENT_TYPE}\r\n"
    told = await exchange(
        service, f"POST /upload_file HTTP/1.1\r\n{fields}Content-Length: 60000000\r\n\r\n".encode() + begun
    )
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b'"MEDIA_CAPTION_TOO_LONG"' in told
    assert sandbox.counters.of(SMALL) == sandbox.counters.of("upload.saveBigFilePart") == 0


async def test_too_long_at_the_end_of_a_form(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """One that comes last is refused before Telegram makes anything of the file."""
    assert await send(signed_in, Form().file(b"x").field("caption", "x" * 1025)) == (400, TOO_LONG)
    assert sandbox.counters.of(MAKE) == 0


async def test_too_long_at_creation(service: Service, signed_in: ClientSession) -> None:
    """By tus it is told before a byte is sent, and nothing is begun."""
    answer = await create(signed_in, 4, Upload_Metadata=metadata(caption="x" * 1025))
    assert (answer.status, answer.body) == (400, TOO_LONG)
    assert len(service.app[keys.UPLOADS]) == len(service.app[keys.PROGRESS]) == 0


@pytest.mark.parametrize("way", [by_form, by_creation, by_patch])
async def test_the_longest(browser: ClientSession, sign_in: SignIn, way: Any) -> None:
    """With Premium 4096 UTF-16 code units fit, whatever they take in bytes and in Base64."""
    await sign_in(browser, PREMIUM)
    caption = "я" * 4094 + "👩"
    assert (await item(browser, await way(browser, caption)))["caption"] == caption


async def test_another_caption_at_the_end(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account
) -> None:
    """Where Telegram finds it too long in the end, the file stays: a PATCH without bytes brings another."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    sandbox.faults.error(SEND, 400, "MEDIA_CAPTION_TOO_LONG")
    path = await begin(browser, SIZE, Upload_Metadata=metadata(filename="a.bin", caption="long"))
    answer = await in_three(browser, path)
    assert (answer.status, answer.body) == (400, TOO_LONG)
    assert ((await head(browser, path)).status, len(account.history)) == (200, before)
    sent = sandbox.counters.of(SMALL)

    # One that is too long again costs nothing.
    answer = await patch(browser, path, SIZE, Upload_Metadata=metadata(caption="x" * 1025))
    assert (answer.status, answer.body) == (400, TOO_LONG)

    answer = await patch(browser, path, SIZE, Upload_Metadata=metadata(caption="short"))
    assert (answer.status, answer.offset) == (204, SIZE)
    assert answer.message_id is not None
    assert (await item(browser, answer.message_id))["caption"] == "short"
    assert (sandbox.counters.of(SMALL), sandbox.counters.of(MAKE)) == (sent, 1)
    assert len(account.history) == before + 1
    assert service.app[keys.UPLOADER].budget.streams == 0


async def test_another_caption_with_the_last_byte(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """A client that goes on where HEAD says sends its last byte again; only the caption can be changed."""
    sandbox.faults.error(SEND, 400, "MEDIA_CAPTION_TOO_LONG", times=2)
    path = await begin(signed_in, 100, Upload_Metadata=metadata(filename="a.bin", caption="long"))
    assert (await patch(signed_in, path, 0, NOISE[:100])).body == TOO_LONG
    assert (await head(signed_in, path)).offset == 99
    renamed = metadata(filename="b.bin")
    assert (await patch(signed_in, path, 99, NOISE[99:100], Upload_Metadata=renamed)).body == TOO_LONG
    answer = await patch(signed_in, path, 99, NOISE[99:100], Upload_Metadata=metadata(caption=""))
    assert answer.message_id is not None
    told = await item(signed_in, answer.message_id)
    assert (told["caption"], told["name"]) == ("", "a.bin")


async def test_too_long_for_a_whole_file_at_once(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """A creation with all bytes tells where the upload is, so that its caption can be changed."""
    sandbox.faults.error(SEND, 400, "MEDIA_CAPTION_TOO_LONG")
    answer = await create(signed_in, 4, b"data", Upload_Metadata=metadata(caption="long"))
    assert (answer.status, answer.offset) == (201, 3)
    answer = await patch(signed_in, path_of(answer), 4, Upload_Metadata=metadata(caption="short"))
    assert (answer.status, answer.offset) == (204, 4)


async def test_malformed_caption(signed_in: ClientSession) -> None:
    """What is no metadata is told, and the upload goes on."""
    path = await begin(signed_in, 4)
    answer = await patch(signed_in, path, 0, b"data", Upload_Metadata="caption ?")
    assert (answer.status, answer.body["code"]) == (400, "INVALID_UPLOAD_METADATA")
    assert (await patch(signed_in, path, 0, b"data")).status == 204
