"""The poster of a resumable upload: PUT beside its bytes, until all of them are there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import item, photo
from tests.web.routes.test_upload_media import png
from tests.web.routes.tus_client import (
    GONE,
    UNKNOWN,
    Answer,
    Line,
    ask,
    begin,
    delete,
    head,
    metadata,
    patch,
    problem,
    until_offset,
)
from tests.web.routes.tus_faults import MAKE, NOISE, SEND, SMALL
from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

NOON, DUSK, TOO_LARGE = photo("noon", "m"), photo("dawn", "m"), photo("noon", "y")
FILM = DOCUMENTS["valley"].blob.read(0, DOCUMENTS["valley"].blob.size)
AS_FILM = metadata(filename="film.mp4", filetype="video/mp4")
FINISHED = problem("UPLOAD_FINISHED", "All of the file has come already.")
REFUSED = {
    "error": "Invalid file type or format.",
    "code": "INVALID_THUMBNAIL",
    "details": "A thumbnail is a JPEG of at most 200 kB and 320 pixels.",
}


async def put(browser: ClientSession, path: str, picture: bytes) -> Answer:
    """Give a picture, by a client that knows nothing of tus."""
    return await ask(
        browser, "PUT", f"{path}/thumbnail", picture, Content_Type="image/jpeg", Tus_Resumable=None
    )


async def poster(browser: ClientSession, message_id: int | None) -> bytes:
    async with browser.get(f"/stream_thumbnail/{message_id}") as response:
        assert response.status == 200
        return await response.read()


@pytest.mark.parametrize("at", [0, 100_000, len(FILM) - 1])
async def test_a_poster(signed_in: ClientSession, service: Service, at: int) -> None:
    """Before the first byte, in the middle or before the last one: it is the video's thumbnail."""
    path = await begin(signed_in, len(FILM), Upload_Metadata=AS_FILM)
    if at:
        assert (await patch(signed_in, path, 0, FILM[:at])).status == 204
    assert (await put(signed_in, path, NOON)).status == 204
    answer = await patch(signed_in, path, at, FILM[at:])
    assert answer.message_id is not None
    told = await item(signed_in, answer.message_id)
    assert (told["type"], told["has_thumbnail"]) == ("video", True)
    assert await poster(signed_in, answer.message_id) == NOON
    assert service.app[keys.UPLOADER].budget.streams == 0


async def test_another_one(signed_in: ClientSession) -> None:
    """The last one counts."""
    path = await begin(signed_in, len(FILM), Upload_Metadata=AS_FILM)
    for picture in (NOON, DUSK):
        assert (await put(signed_in, path, picture)).status == 204
    answer = await patch(signed_in, path, 0, FILM)
    assert await poster(signed_in, answer.message_id) == DUSK


async def test_while_bytes_come(service: Service, signed_in: ClientSession) -> None:
    """It need not wait for the request that sends the file."""
    path = await begin(signed_in, 100)
    line = await Line.patch(signed_in, service, path, 0, 100)
    await line.send(NOISE[:50])
    await until_offset(signed_in, path, 50)
    assert (await put(signed_in, path, NOON)).status == 204
    await line.send(NOISE[50:100])
    assert await line.status() == 204
    await line.close()
    assert await poster(signed_in, (await head(signed_in, path)).message_id) == NOON


@pytest.mark.parametrize("method", [MAKE, SEND])
async def test_too_late(sandbox: Sandbox, signed_in: ClientSession, method: str) -> None:
    """While the message is made, and when it is there, it is told that it is too late."""
    path = await begin(signed_in, 100)
    held_back = sandbox.faults.hold(method)
    sending = asyncio.create_task(patch(signed_in, path, 0, NOISE[:100]))
    await held_back.reached(1)
    assert (await put(signed_in, path, NOON)).body == FINISHED
    held_back.release()
    assert (await sending).message_id is not None
    answer = await put(signed_in, path, NOON)
    assert (answer.status, answer.body) == (409, FINISHED)
    assert sandbox.counters.of(SMALL) == 1  # the file's own part: no picture was sent for nothing


async def test_too_late_in_the_end(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """It was still on its way when the last byte came: the file is a message without it."""
    path = await begin(signed_in, 100)
    held_back = sandbox.faults.hold(SMALL, times=1)
    giving = asyncio.create_task(put(signed_in, path, NOON))
    await held_back.reached(1)
    answer = await patch(signed_in, path, 0, NOISE[:100])
    assert answer.message_id is not None
    held_back.release()
    assert (await giving).body == FINISHED
    assert (await item(signed_in, answer.message_id))["has_thumbnail"] is False


@pytest.mark.parametrize(
    "picture",
    [b"", b"no picture", TOO_LARGE, png(100, 100), NOON + bytes(200 * 1024), b"\xff\xd8\xff"],
    ids=["empty", "text", "too large", "PNG", "too heavy", "cut off"],
)
async def test_what_telegram_would_not_take(
    sandbox: Sandbox, signed_in: ClientSession, picture: bytes
) -> None:
    """It is refused before anything is sent to Telegram, and the upload goes on."""
    path = await begin(signed_in, 100)
    answer = await put(signed_in, path, picture)
    assert (answer.status, answer.body) == (400, REFUSED)
    assert sandbox.counters.of(SMALL) == 0
    assert (await patch(signed_in, path, 0, NOISE[:100])).message_id is not None


async def test_whose(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, signed_in_to: SignedInTo
) -> None:
    """Only an upload of one's own gets one, while there is such an upload."""
    path = await begin(signed_in, 100)
    stranger = new_browser()
    assert (await put(stranger, path, NOON)).status == 401
    await sign_in(stranger, "+9996610002")
    answer = await put(stranger, path, NOON)
    assert (answer.status, answer.body) == (404, UNKNOWN)
    await delete(signed_in, path)
    answer = await put(signed_in, path, NOON)
    assert (answer.status, answer.body) == (410, GONE)


async def test_telegram_asks_for_patience(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """A failure of the picture is told, and costs the upload nothing."""
    path = await begin(signed_in, 100)
    sandbox.faults.error(SMALL, 400, "FILE_PART_INVALID")
    assert (await put(signed_in, path, NOON)).status == 500
    assert (await put(signed_in, path, NOON)).status == 204
    assert await poster(signed_in, (await patch(signed_in, path, 0, NOISE[:100])).message_id) == NOON


async def test_preflight(signed_in_to: SignedInTo) -> None:
    """A page of an allowed origin may give one."""
    origin = "https://app.example"
    _, browser = await signed_in_to(cors={"allowed_origins": [origin]})
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    async with browser.options("/uploads/12345678/thumbnail", headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Methods"] == "PUT"
        assert "Content-Type" in response.headers["Access-Control-Allow-Headers"]
