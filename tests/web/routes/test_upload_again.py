"""A form that is sent again under its name (X-Upload-Id): one message, however often and however late."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError
from yarl import URL

from tests.web.routes.events import watching
from tests.web.routes.forms import CONTENT_TYPE, Form, Told, photo, send, stored
from tests.web.routes.tus_faults import FAILED, MAKE, NOISE, SEND, SMALL
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import Exchange, NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

NAME = "my-upload_1"
NAMED = {"X-Upload-Id": NAME}
ALBUM = "messages.sendMultiMedia"
SENT = "File uploaded successfully."
IN_USE = {"error": "Another upload under way has this id.", "code": "UPLOAD_ID_IN_USE"}


def form() -> Form:
    return Form().file(NOISE, "noise.bin").field("caption", "once")


async def test_again(sandbox: Sandbox, signed_in: ClientSession, account: Account) -> None:
    """It is answered as the first time, byte for byte, and nothing is sent to Telegram."""
    before = len(account.history)
    first = await send(signed_in, form(), **NAMED)
    assert first.status == 200
    parts = sandbox.counters.of(SMALL)
    for _ in range(2):
        assert await send(signed_in, form(), **NAMED) == first
    assert len(account.history) == before + 1
    assert sandbox.counters.of(SMALL) == parts


async def test_an_album_again(signed_in: ClientSession, account: Account) -> None:
    """All its messages are named again, in the files' order, also those that share no album."""
    before = len(account.history)
    files = Form().file(b"one").file(photo("noon", "m"), "a.jpg", "image/jpeg").file(b"two").file(b"three")
    first = await send(signed_in, files, **NAMED)
    assert len(first.body["message_ids"]) == 4
    assert await send(signed_in, files, **NAMED) == first
    assert len(account.history) == before + 4


async def test_a_name_means_a_session(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, account: Account
) -> None:
    """Another browser's upload of the same name is another one, of the same account too."""
    before = len(account.history)
    first = await send(signed_in, form(), **NAMED)
    other = new_browser()
    await sign_in(other)
    second = await send(other, form(), **NAMED)
    assert (second.status, len(account.history)) == (200, before + 2)
    assert second != first


async def test_while_the_first_is_under_way(
    sandbox: Sandbox, signed_in: ClientSession, account: Account
) -> None:
    """It is told so, at each stage, and answered once the first one is there."""
    before = len(account.history)
    for number, method in enumerate((SMALL, MAKE, SEND)):
        held_back = sandbox.faults.hold(method)
        named = {"X-Upload-Id": f"upload-{number}"}
        sending = asyncio.create_task(send(signed_in, form(), **named))
        await held_back.reached(1)
        assert await send(signed_in, form(), **named) == (409, IN_USE)
        held_back.release()
        first = await sending
        assert await send(signed_in, form(), **named) == first
    assert len(account.history) == before + 3


async def test_a_proxy_that_has_given_up(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, account: Account, until: Until
) -> None:
    """The first request is cut when all bytes are here: it goes on, and whoever watches sees how it ends."""
    before = len(account.history)
    held_back = sandbox.faults.hold(SEND)
    async with watching(signed_in, NAME) as stream:
        sending = asyncio.create_task(send(signed_in, form(), **NAMED))
        await held_back.reached(1)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        await until(lambda: len(service.app[keys.IN_FLIGHT]) == 1)  # the one that watches
        assert await send(signed_in, form(), **NAMED) == (409, IN_USE)
        held_back.release()
        done = await stream.until("done")
    told = await send(signed_in, form(), **NAMED)
    assert told == (200, {"message": SENT, "message_id": done["id"]})
    assert len(account.history) == before + 1


async def test_cut_within_the_body(signed_in: ClientSession, account: Account, until: Until) -> None:
    """A first request that did not come to its end leaves the name free."""
    before = len(account.history)

    async def half() -> AsyncIterator[bytes]:
        yield form().body[:100_000]
        raise ConnectionError

    with pytest.raises(ClientError):
        await signed_in.post("/upload_file", data=half(), headers={"Content-Type": CONTENT_TYPE} | NAMED)
    async with watching(signed_in, NAME) as stream:
        await stream.until("error")
    assert (await send(signed_in, form(), **NAMED)).status == 200
    assert len(account.history) == before + 1


REFUSED: dict[str, tuple[Form, str]] = {
    "caption": (Form().file(b"x").field("caption", "x" * 1025), "MEDIA_CAPTION_TOO_LONG"),
    "type": (Form().file(b"text", "a.png"), "FILE_TYPE_MISMATCH"),
    "picture": (Form().file(b"\xff\xd8\xff no picture", "a.jpg", "image/jpeg"), "IMAGE_PROCESS_FAILED"),
}


@pytest.mark.parametrize("why", REFUSED)
async def test_a_first_one_that_was_refused(signed_in: ClientSession, why: str) -> None:
    """The name is free for one that is better."""
    refused, code = REFUSED[why]
    told = await send(signed_in, refused, **NAMED)
    assert (told.status, told.body["code"]) == (400, code)
    told = await send(signed_in, form(), **NAMED)
    assert await stored(signed_in, told.body["message_id"]) == NOISE


@pytest.mark.swift_time
@pytest.mark.parametrize("method", [SEND, ALBUM])
async def test_a_first_one_that_nobody_knows_of(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, method: str
) -> None:
    """Where no answer has told of the message that is there, it is found, and not made again."""
    _, browser = await signed_in_to()
    before, count = len(account.history), 1 if method == SEND else 2
    files = form() if method == SEND else form().file(b"another")
    sandbox.faults.drop(method, executed=True)
    failing = sandbox.faults.internal_error(method, times=None)
    told = await send(browser, files, **NAMED)
    assert (told.status, told.body["code"], told.body["error"]) == (503, "TELEGRAM_UNAVAILABLE", FAILED)
    assert len(account.history) == before + count
    again = await send(browser, files, **NAMED)
    assert again == told
    sandbox.faults.remove(failing)
    parts = sandbox.counters.of(SMALL)
    told = await send(browser, files, **NAMED)
    assert (told.status, told.body["message_id"]) == (200, account.history.ids[-count])
    assert len(account.history) == before + count
    assert sandbox.counters.of(SMALL) == parts
    assert await stored(browser, told.body["message_id"]) == NOISE


@pytest.mark.swift_time
async def test_half_of_a_first_one(sandbox: Sandbox, signed_in_to: SignedInTo, account: Account) -> None:
    """What was sent of it before the failure was taken back, and is sent anew: all is there, once."""
    _, browser = await signed_in_to()
    before = len(account.history)
    # A photo stands beside the documents, so that these are two messages.
    files = Form().file(photo("noon", "m"), "a.jpg", "image/jpeg").file(NOISE, "noise.bin")
    sandbox.faults.drop(SEND, executed=True, skip=1)
    failing = sandbox.faults.internal_error(SEND, times=None, skip=1)
    assert (await send(browser, files, **NAMED)).status == 503
    assert len(account.history) == before + 1
    sandbox.faults.remove(failing)
    told = await send(browser, files, **NAMED)
    assert told.status == 200
    assert sorted(told.body["message_ids"]) == sorted(account.history.ids[-2:])
    assert len(account.history) == before + 2


async def test_who_waits_to_be_asked_for_the_body(
    service: Service, signed_in: ClientSession, exchange: Exchange
) -> None:
    """A client that expects 100 Continue need not send its file again."""
    first = await send(signed_in, form(), **NAMED)
    url = URL(service.url)
    cookie = "; ".join(f"{one.key}={one.value}" for one in signed_in.cookie_jar.filter_cookies(url).values())
    fields = {
        "Host": f"{url.host}:{url.port}",
        "Cookie": cookie,
        "Content-Type": CONTENT_TYPE,
        "Content-Length": str(len(form().body)),
        "Expect": "100-continue",
    } | NAMED
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    told = await exchange(service, f"POST /upload_file HTTP/1.1\r\n{head}\r\n".encode())
    assert told.startswith(b"HTTP/1.1 200 ")
    assert b"%d" % first.body["message_id"] in told


async def test_without_a_name(signed_in: ClientSession, account: Account) -> None:
    """Who gives none means two uploads."""
    before = len(account.history)
    answers: list[Told] = [await send(signed_in, form()) for _ in range(2)]
    assert answers[0] != answers[1]
    assert len(account.history) == before + 2


async def test_memory(service: Service, signed_in: ClientSession) -> None:
    """Nothing but ids is kept of an upload that is there."""
    told: Any = await send(signed_in, form(), **NAMED)
    (entry,) = service.app[keys.NAMED_UPLOADS]._entries.values()
    assert entry.end == (told.body["message_id"],)
