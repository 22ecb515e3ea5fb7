"""Thumbnails over HTTP: which one, and what a browser may keep of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import ClientSession

    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.sandbox.world.builders import Variant

NOT_FOUND = {
    "error": "Thumbnail not found for this message or message ID is invalid.",
    "code": "THUMBNAIL_NOT_FOUND",
}
FAILED = "Failed to stream thumbnail."


def content(variants: Sequence[Variant], letter: str) -> bytes:
    """The bytes of one of a picture's sizes."""
    source: Any = next(variant.source for variant in variants if variant.letter == letter)
    return bytes(source.read(0, source.size))


async def test_sizes_of_a_photo(signed_in: ClientSession) -> None:
    """The size nearest to 100, 320 or 800 pixels is sent, of a photo in sizes of 100, 320, 800 and 1280."""
    for query, letter in (("", "m"), ("?size=small", "s"), ("?size=medium", "m"), ("?size=large", "x")):
        async with signed_in.get(f"/stream_thumbnail/{IDS['photo']}{query}") as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "image/jpeg"
            body = await response.read()
            assert response.headers["Content-Length"] == str(len(body))
            assert body == content(PHOTOS["sea"].sizes, letter), query


async def test_the_only_thumbnail_is_the_nearest(signed_in: ClientSession) -> None:
    """A document's one thumbnail serves every size."""
    for key, asset in (("video", "valley"), ("pdf", "field-notes"), ("audio", "tune")):
        for size in ("small", "medium", "large"):
            async with signed_in.get(f"/stream_thumbnail/{IDS[key]}?size={size}") as response:
                assert (response.status, response.headers["Content-Type"]) == (200, "image/jpeg")
                assert await response.read() == content(DOCUMENTS[asset].thumbs, "m"), (key, size)


async def test_server_timing(signed_in: ClientSession) -> None:
    """It tells how long Telegram took, and nothing of it where the thumbnail was known."""
    told = []
    for _ in range(2):
        async with signed_in.get(f"/stream_thumbnail/{IDS['photo']}") as response:
            told.append([part.partition(";")[0] for part in response.headers["Server-Timing"].split(", ")])
    assert told == [["lookup", "first"], ["lookup"]]


async def test_conditions(signed_in: ClientSession) -> None:
    """A thumbnail has a strong tag of its own, by which a browser asks whether its copy still holds."""
    path = f"/stream_thumbnail/{IDS['photo']}"
    async with signed_in.head(path) as response:
        tag = response.headers["ETag"]
        assert tag.startswith('"')
        assert "private" in response.headers["Cache-Control"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert await response.read() == b""
    others = [f"{path}?size=small", f"{path}?size=large", f"/stream_media/{IDS['photo']}"]
    for other in others:
        async with signed_in.head(other) as response:
            assert response.headers["ETag"] != tag
    async with signed_in.get(path, headers={"If-None-Match": f'"x", W/{tag}'}) as response:
        assert (response.status, await response.read()) == (304, b"")
        assert response.headers["ETag"] == tag
    async with signed_in.get(path, headers={"If-Match": '"x"'}) as response:
        assert response.status == 412
        assert (await response.json())["code"] == "PRECONDITION_FAILED"


async def test_thumbnails_come_whole(signed_in: ClientSession) -> None:
    """A Range is ignored, and that is announced."""
    headers = {"Range": "bytes=0-9"}
    async with signed_in.get(f"/stream_thumbnail/{IDS['photo']}", headers=headers) as response:
        assert (response.status, response.headers["Accept-Ranges"]) == (200, "none")
        assert await response.read() == content(PHOTOS["sea"].sizes, "m")


async def test_download(signed_in: ClientSession) -> None:
    """A thumbnail is shown, or saved under a name of its own."""
    path = f"/stream_thumbnail/{IDS['video']}"
    async with signed_in.head(path) as response:
        assert response.headers["Content-Disposition"] == 'inline; filename="valley_thumbnail.jpg"'
    async with signed_in.head(f"{path}?download=1") as response:
        assert response.headers["Content-Disposition"] == 'attachment; filename="valley_thumbnail.jpg"'


async def test_no_thumbnail(signed_in: ClientSession, account: Account) -> None:
    """No message, no file, no thumbnail, a stripped preview or an outline alone, or no id: 404."""
    document = account.document(b"x", mime_type="image/png", stripped=PHOTOS["sea"].stripped, outline=b"\x01")
    preview = account.add_message(media=types.MessageMediaDocument(document=document)).id
    keys = ("text", "nameless", "large", "html", "contact", "service", "link_preview", "expired_photo")
    for message_id in (preview, *(IDS[key] for key in keys), 99999, 0, -1, 2**31, "abc", "9" * 50):
        async with signed_in.get(f"/stream_thumbnail/{message_id}") as response:
            assert response.status == 404, message_id
            assert await response.json() == NOT_FOUND


async def test_unknown_size(signed_in: ClientSession) -> None:
    """A size that there is none of is a malformed request."""
    for size in ("", "huge", "MEDIUM", "320", "small,medium"):
        async with signed_in.get(f"/stream_thumbnail/{IDS['photo']}", params={"size": size}) as response:
            assert response.status == 400, size
            assert await response.json() == {
                "error": "Invalid size. Please use small, medium or large.",
                "code": "INVALID_SIZE",
            }


async def test_not_signed_in(browser: ClientSession) -> None:
    """Who is asking comes before what is asked."""
    async with browser.get("/stream_thumbnail/abc?size=huge") as response:
        assert response.status == 401
        assert await response.json() == {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"}


@pytest.mark.swift_time
async def test_refused_and_flooded(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """What Telegram refuses has the endpoint's own text, a long wait the common one."""
    path = f"/stream_thumbnail/{IDS['photo_abroad']}"
    sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID")
    async with signed_in.get(path) as response:
        assert response.status == 500
        body = {"error": FAILED, "code": "LOCATION_INVALID", "details": "LOCATION_INVALID"}
        assert await response.json() == body
    sandbox.faults.flood_wait("upload.getFile", seconds=33)
    async with signed_in.get(path) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "33")
    sandbox.faults.internal_error("messages.getMessages", times=None)
    async with signed_in.get(f"/stream_thumbnail/{IDS['photo']}") as response:
        assert response.status == 503
        assert (await response.json())["error"] == FAILED


async def test_expired_reference(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """A reference that expires between looking and reading is renewed, of photos and of documents."""
    for key, variants in (("photo_abroad", PHOTOS["city"].sizes), ("video", DOCUMENTS["valley"].thumbs)):
        sandbox.faults.error("upload.getFile", 400, "FILE_REFERENCE_EXPIRED")
        async with signed_in.get(f"/stream_thumbnail/{IDS[key]}") as response:
            assert response.status == 200
            assert await response.read() == content(variants, "m")
