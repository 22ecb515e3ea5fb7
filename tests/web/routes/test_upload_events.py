"""How far an upload is: told to its owner, of forms and of resumable uploads."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientError

from tests.web.routes.events import watching
from tests.web.routes.forms import CONTENT_TYPE, Form, item, send
from tests.web.routes.tus_client import UNKNOWN, Line, ask, begin, name_of
from tgbridge.uploads import progress as progress_module
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
NOISE = random.Random(14).randbytes(MIB)
NAME = "my-upload_1"
FAILED = "Failed to upload file to Telegram."


# Forms


async def test_a_form(signed_in: ClientSession) -> None:
    """Watched before it begins: every byte, and in the end the item as it is listed."""
    async with watching(signed_in, NAME) as stream:
        told = await send(signed_in, Form().file(NOISE, "noise.bin"), **{"X-Upload-Id": NAME})
        seen = await stream.rest()
    message_id = told.body["message_id"]
    assert seen[-1] == ("done", await item(signed_in, message_id))
    assert seen[-2] == ("progress", {"received": MIB, "stored": MIB, "total": MIB})
    assert {name for name, _ in seen[:-1]} == {"progress"}
    totals = [state["total"] for _, state in seen[:-1]]
    assert all(MIB <= total < MIB + 1000 for total in totals)
    assert [state["received"] for _, state in seen[:-1]] == sorted(
        state["received"] for _, state in seen[:-1]
    )


async def test_a_form_in_the_middle(sandbox: Sandbox, signed_in: ClientSession, service: Service) -> None:
    """Watched while it runs: what has come, and what Telegram has."""
    held_back = sandbox.faults.hold(SMALL, skip=1)
    sending = asyncio.create_task(send(signed_in, Form().file(NOISE), **{"X-Upload-Id": NAME}))
    await held_back.reached(1)
    async with watching(signed_in, NAME) as stream:
        assert (await stream.until("progress"))["stored"] < MIB
        held_back.release()
        assert (await stream.until("done"))["id"] == (await sending).body["message_id"]


async def test_a_form_shortly_after(signed_in: ClientSession) -> None:
    """Watched when it is over: how it has ended, as often as one asks."""
    told = await send(signed_in, Form().file(NOISE), **{"X-Upload-Id": NAME})
    for _ in range(2):
        async with watching(signed_in, NAME) as stream:
            (name, state), (end, sent) = await stream.rest()
            assert (name, state) == ("progress", {"received": MIB, "stored": MIB, "total": MIB})
            assert (end, sent["id"]) == ("done", told.body["message_id"])


@pytest.mark.parametrize("method", [SMALL, "messages.uploadMedia", "messages.sendMedia"])
async def test_a_form_that_waits(sandbox: Sandbox, signed_in: ClientSession, method: str) -> None:
    """A wait that Telegram asks for, with the parts or at the end, is told while it is sat out."""
    sandbox.faults.flood_wait(method, 1)
    async with watching(signed_in, NAME) as stream:
        sending = asyncio.create_task(send(signed_in, Form().file(NOISE), **{"X-Upload-Id": NAME}))
        assert await stream.until("waiting") == {"retry_after": 1}
        assert (await stream.until("done"))["id"] == (await sending).body["message_id"]


async def test_an_album(signed_in: ClientSession) -> None:
    """All files count together; the item is the first one's."""
    form = Form().file(NOISE[:1000]).file(NOISE[1000:3000])
    told = await send(signed_in, form, **{"X-Upload-Id": NAME})
    async with watching(signed_in, NAME) as stream:
        (_, state), (_, sent) = await stream.rest()
    assert state == {"received": 3000, "stored": 3000, "total": 3000}
    assert sent == await item(signed_in, told.body["message_ids"][0])


async def test_a_form_that_fails(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """The error is the answer's body."""
    sandbox.faults.error(SMALL, 400, "FILE_PART_INVALID")
    told = await send(signed_in, Form().file(NOISE), **{"X-Upload-Id": NAME})
    async with watching(signed_in, NAME) as stream:
        assert await stream.until("error") == told.body
        assert await stream.next() is None


async def test_a_form_that_is_refused(signed_in: ClientSession) -> None:
    """Also where nothing was sent to Telegram."""
    told = await send(signed_in, Form().field("caption", "no file"), **{"X-Upload-Id": NAME})
    assert told.status == 400
    async with watching(signed_in, NAME) as stream:
        assert await stream.until("error") == told.body


async def test_a_form_that_is_broken_off(signed_in: ClientSession, service: Service) -> None:
    """Who watches learns that the sender has gone."""
    async with watching(signed_in, NAME) as stream:
        headers = {"Content-Type": CONTENT_TYPE, "X-Upload-Id": NAME}

        async def half() -> AsyncIterator[bytes]:
            yield Form().file(NOISE).body[: MIB // 2]
            assert (await stream.until("progress"))["total"] is None
            raise ConnectionError

        with pytest.raises(ClientError):
            await signed_in.post("/upload_file", data=half(), headers=headers)
        assert await stream.until("error") == {"error": FAILED, "code": "UPLOAD_BROKEN_OFF"}


async def test_names_in_use(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """While an upload has a name, no other may take it."""
    held_back = sandbox.faults.hold(SMALL)
    sending = asyncio.create_task(send(signed_in, Form().file(NOISE), **{"X-Upload-Id": NAME}))
    await held_back.reached(1)
    told = await send(signed_in, Form().file(NOISE), **{"X-Upload-Id": NAME})
    assert told == (
        409,
        {"error": "Another upload under way has this id.", "code": "UPLOAD_ID_IN_USE"},
    )
    held_back.release()
    assert (await sending).status == 200


@pytest.mark.parametrize("name", ["1234567", "a" * 65, "with space", "ümlautümlaut", ""])
async def test_malformed_names(signed_in: ClientSession, sandbox: Sandbox, name: str) -> None:
    """A name that can't be one is refused, before anything is sent and where it is watched."""
    error = "An upload's id is 8 to 64 letters, digits, hyphens and underscores."
    told = await send(signed_in, Form().file(NOISE), **{"X-Upload-Id": name})
    assert told == (400, {"error": error, "code": "INVALID_UPLOAD_ID"})
    assert sandbox.counters.of(SMALL) == 0
    if name:
        answer = await ask(signed_in, "GET", f"/uploads/{name}/events")
        assert (answer.status, answer.body) == (400, {"error": error, "code": "INVALID_UPLOAD_ID"})


# Who watches


async def test_another_account(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others see nothing of it, as if there was no such upload."""
    stranger = new_browser()
    await sign_in(stranger, "+9996610002")
    path = await begin(signed_in, 1000)
    watch = progress_module.Progress.watch
    monkeypatch.setattr(progress_module.Progress, "watch", lambda self: watch(self, begin_seconds=0.0))
    for name in (name_of(path), NAME):
        async with watching(stranger, name) as stream:
            assert await stream.rest() == [("error", UNKNOWN)]


async def test_nobody(browser: ClientSession) -> None:
    """Who is not signed in is told so."""
    answer = await ask(browser, "GET", f"/uploads/{NAME}/events")
    assert (answer.status, answer.body) == (
        401,
        {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"},
    )


async def test_head(signed_in: ClientSession) -> None:
    """HEAD tells what GET would begin with, and ends."""
    async with signed_in.head(f"/uploads/{NAME}/events") as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")


async def test_no_client_is_lent(service: Service, signed_in: ClientSession) -> None:
    """Watching keeps no connection to Telegram."""
    path = await begin(signed_in, 1000)
    async with watching(signed_in, name_of(path)) as stream:
        await stream.next()
        assert service.app[keys.POOL].stats.lent == 0


async def test_client_gone(service: Service, signed_in: ClientSession, until: Until) -> None:
    """Who stops watching leaves nothing behind."""
    async with watching(signed_in, NAME):
        await until(lambda: len(service.app[keys.PROGRESS]) == 1)
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    assert len(service.app[keys.PROGRESS]) == 0


async def test_shutdown(signed_in_to: SignedInTo) -> None:
    """A service that stops ends the stream at once, although the upload has not ended."""
    service, browser = await signed_in_to(server={"drain_seconds": 100})
    path = await begin(browser, 1000)
    async with watching(browser, name_of(path)) as stream:
        await stream.next()
        async with asyncio.timeout(10):
            await service.stop()


async def test_many_events_for_a_slow_reader(service: Service, signed_in: ClientSession) -> None:
    """Thousands of steps become a few events."""
    path = await begin(signed_in, MIB)
    async with watching(signed_in, name_of(path)) as stream:
        line = await Line.patch(signed_in, service, path, 0, MIB)
        for start in range(0, MIB, KIB):
            await line.send(NOISE[start : start + KIB])
        assert await line.status() == 204
        await line.close()
        assert len(await stream.rest()) < 100
