"""How far a resumable upload is: told to its owner, from its beginning to its end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.events import watching
from tests.web.routes.forms import item
from tests.web.routes.tus_client import GONE, ask, begin, create, delete, metadata, name_of, patch, path_of

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import SignedInTo
    from tgbridge.sandbox import Sandbox

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
NOISE = random.Random(14).randbytes(MIB)


async def test_a_resumable_upload(signed_in: ClientSession) -> None:
    """The stream outlasts the requests that the upload comes in."""
    path = await begin(signed_in, MIB)
    async with watching(signed_in, name_of(path)) as stream:
        assert await stream.until("progress") == {"received": 0, "stored": 0, "total": MIB}
        await patch(signed_in, path, 0, NOISE[: 600 * KIB])
        while (state := await stream.until("progress"))["stored"] != 512 * KIB:
            assert state["received"] <= 600 * KIB
        answer = await patch(signed_in, path, 600 * KIB, NOISE[600 * KIB :])
        assert answer.message_id is not None
        assert await stream.until("done") == await item(signed_in, answer.message_id)
        assert await stream.next() is None


async def test_an_item_that_cannot_be_fetched(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """Telegram's answer was lost; the message is there, and the end tells what is known without asking."""
    sandbox.faults.drop("messages.sendMedia", executed=True)
    sandbox.faults.error("messages.getMessages", 400, "INPUT_FETCH_FAIL", times=None)
    said = metadata(filename="a.bin", caption="a caption")
    answer = await create(signed_in, 1000, NOISE[:1000], Upload_Metadata=said)
    async with watching(signed_in, name_of(path_of(answer))) as stream:
        told = await stream.until("done")
    timestamp = told.pop("timestamp")
    assert told == {
        "id": answer.message_id,
        "name": "a.bin",
        "type": "document",
        "size": 1000,
        "caption": "a caption",
        "has_thumbnail": False,
        "url": f"stream_media/{answer.message_id}",
        "thumbnail_url": None,
        "mime_type": "application/octet-stream",
    }
    assert timestamp.endswith("Z")


async def test_a_resumable_upload_afterwards(signed_in: ClientSession) -> None:
    """It tells its end for as long as it is there."""
    answer = await create(signed_in, 1000, NOISE[:1000])
    path = path_of(answer)
    async with watching(signed_in, name_of(path)) as stream:
        assert (await stream.until("done"))["id"] == answer.message_id
    await delete(signed_in, path)


async def test_length_that_comes_later(signed_in: ClientSession) -> None:
    """The total is told once it is known."""
    path = await begin(signed_in)
    async with watching(signed_in, name_of(path)) as stream:
        assert (await stream.until("progress"))["total"] is None
        await patch(signed_in, path, 0, NOISE[:10], Upload_Length=100)
        while (state := await stream.until("progress"))["total"] is None:
            pass
        assert state["total"] == 100


async def test_waiting(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """A wait that is sat out is told, and one that is left to the client."""
    _, signed_in = await signed_in_to(telegram={"transfer_wait_seconds": 10})
    path = await begin(signed_in, MIB)
    async with watching(signed_in, name_of(path)) as stream:
        sandbox.faults.flood_wait(SMALL, 1)
        assert (await patch(signed_in, path, 0, NOISE[: 600 * KIB])).status == 204
        assert await stream.until("waiting") == {"retry_after": 1}
        sandbox.faults.flood_wait(SMALL, 33)
        assert (await patch(signed_in, path, 600 * KIB, NOISE[600 * KIB :])).status == 429
        assert 30 < (await stream.until("waiting"))["retry_after"] <= 33


async def test_waiting_at_the_end(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """A wait before the message is made is told as well."""
    path = await begin(signed_in, 1000)
    async with watching(signed_in, name_of(path)) as stream:
        sandbox.faults.flood_wait("messages.sendMedia", 1)
        sent = await patch(signed_in, path, 0, NOISE[:1000])
        assert sent.status == 204
        assert await stream.until("waiting") == {"retry_after": 1}
        assert await stream.until("done")


async def test_an_upload_that_ends_badly(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """Failures that pass are not its end; those that do not are."""
    path = await begin(signed_in, 1000)
    async with watching(signed_in, name_of(path)) as stream:
        sandbox.faults.error("messages.uploadMedia", 303, "FILE_MIGRATE_3")
        answer = await patch(signed_in, path, 0, NOISE[:1000])
        assert (answer.status, await stream.until("error")) == (500, answer.body)
        assert await stream.next() is None


@pytest.mark.parametrize("way", ["terminated", "expired"])
async def test_gone(signed_in_to: SignedInTo, way: str) -> None:
    """Who watches an upload that is forgotten is told so."""
    _, browser = await signed_in_to(upload={"resume_seconds": 0.3 if way == "expired" else 1000})
    path = await begin(browser, 1000)
    async with watching(browser, name_of(path)) as stream:
        if way == "terminated":
            await delete(browser, path)
        assert await stream.until("error") == GONE
        assert await stream.next() is None


async def test_gone_already(signed_in: ClientSession, signed_in_to: SignedInTo) -> None:
    """What another process has known answers 410, since nothing will come."""
    path = await begin(signed_in, 1000)
    _, browser = await signed_in_to()
    answer = await ask(browser, "GET", f"{path}/events")
    assert (answer.status, answer.body) == (410, GONE)
