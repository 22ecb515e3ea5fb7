"""Pictures whose size the message tells wrongly, or whose bytes it brings along."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientPayloadError
from telethon.tl import types

from tests.web.routes.forms import item
from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.sandbox.world.builders import Variant

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import Get
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

FOREIGN = 3
SMALL: Any = PHOTOS["sea"].sizes[0]
JPEG = SMALL.source.read(0, SMALL.source.size)
WEBP: Any = DOCUMENTS["cat"].thumbs[0]


def add_document(account: Account, *thumbs: Variant, **options: Any) -> tuple[int, types.Document]:
    held = account.document(b"x", mime_type="application/pdf", thumbs=thumbs, **options)
    return account.add_message(media=types.MessageMediaDocument(document=held)).id, held


def add_photo(account: Account, content: Any, size: int, dc: int = FOREIGN) -> int:
    """A photo in one size of which the message says how many bytes it has."""
    held = account.photo([Variant("m", content, 320, 240)], dc_id=dc)
    held.sizes[-1].size = size
    message_id: int = account.add_message(media=types.MessageMediaPhoto(photo=held)).id
    return message_id


async def test_bytes_that_are_in_the_message(sandbox: Sandbox, account: Account, get: Get) -> None:
    """A photoCachedSize is served from the message: Telegram has no file of it."""
    message_id, held = add_document(account, Variant("s", JPEG, 90, 50, cached=True))
    account.files.get(held.id).blobs.pop("s")  # type: ignore[union-attr]
    for size in ("small", "medium", "large"):
        answer = await get(f"/stream_thumbnail/{message_id}?size={size}")
        assert (answer.status, answer.body) == (200, JPEG)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Length"] == str(len(JPEG))
    head = await get(f"/stream_thumbnail/{message_id}", method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(JPEG)))
    tag = {"If-None-Match": head.headers["ETag"]}
    assert (await get(f"/stream_thumbnail/{message_id}", headers=tag)).status == 304
    assert sandbox.counters.of("upload.getFile") == 0


async def test_a_photo_that_is_in_the_message(signed_in: ClientSession, account: Account, get: Get) -> None:
    """So is a photo that has no other size, its ranges too."""
    held = account.photo([Variant("s", JPEG, 90, 50, cached=True)])
    message_id = account.add_message(media=types.MessageMediaPhoto(photo=held)).id
    assert (await get(f"/stream_media/{message_id}")).body == JPEG
    assert (await item(signed_in, message_id))["size"] == len(JPEG)
    part = await get(f"/stream_media/{message_id}", headers={"Range": "bytes=5-9"})
    assert (part.status, part.body) == (206, JPEG[5:10])


@pytest.mark.parametrize("told", [0, 1, len(JPEG) - 1, len(JPEG) + 1, 4096, 90_000, 3_000_000])
@pytest.mark.parametrize("expired", [False, True])
async def test_a_size_that_is_wrong(
    sandbox: Sandbox, account: Account, get: Get, told: int, expired: bool
) -> None:
    """0 or another number than there are: all the bytes come, under their true length."""
    message_id = add_photo(account, JPEG, told)
    if expired:
        sandbox.faults.error("upload.getFile", 400, "FILE_REFERENCE_EXPIRED", times=2)
    for path in (f"/stream_media/{message_id}", f"/stream_thumbnail/{message_id}"):
        answer = await get(path)
        assert (answer.status, answer.body) == (200, JPEG)
        assert answer.headers["Content-Length"] == str(len(JPEG))
        assert (await get(path, method="HEAD")).headers["Content-Length"] == str(len(JPEG))
    answer = await get(f"/stream_media/{message_id}", headers={"Range": "bytes=-4"})
    assert answer.headers["Content-Range"].endswith(f"/{len(JPEG)}")
    assert answer.body == JPEG[-4:]


async def test_a_large_picture_of_unknown_size(account: Account, get: Get) -> None:
    """Its bytes are counted piece by piece, also where they end at the border of one."""
    for size in (1 << 20, (1 << 21) + 4097):
        content = Synthetic(size, seed=size)
        answer = await get(f"/stream_media/{add_photo(account, content, 0)}")
        assert (answer.status, answer.body) == (200, content.read(0, size))


async def test_a_wrong_size_that_shows_late(account: Account, get: Get) -> None:
    """What has begun is broken off, and the next request gets all of it."""
    content = Synthetic(200_000, seed=1)
    message_id = add_photo(account, content, 260_000)
    with pytest.raises(ClientPayloadError):
        await get(f"/stream_media/{message_id}")
    answer = await get(f"/stream_media/{message_id}")
    assert (answer.status, answer.body) == (200, content.read(0, 200_000))


async def test_a_size_without_bytes(sandbox: Sandbox, account: Account, get: Get) -> None:
    """What is not there is not found; what does not exist at Telegram neither."""
    message_id = add_photo(account, b"", 0)
    assert (await get(f"/stream_media/{message_id}")).status == 404
    sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID", times=None)
    assert (await get(f"/stream_thumbnail/{add_photo(account, JPEG, 0)}")).status == 404


@pytest.mark.parametrize("keep", [None, 1, 0])
async def test_answers_that_are_cut_short_are_no_size(
    sandbox: Sandbox, account: Account, get: Get, keep: int | None
) -> None:
    """A part that comes too short each time, or empty, is an error: no picture that looks whole, no 404."""
    message_id = add_photo(account, JPEG, len(JPEG))
    sandbox.faults.short("upload.getFile", keep=keep, times=None)
    assert (await get(f"/stream_media/{message_id}")).status == 500
    sandbox.faults.clear()
    assert (await get(f"/stream_media/{message_id}")).body == JPEG


async def test_many_ask_for_a_picture_of_unknown_size(account: Account, get: Get) -> None:
    """Each gets it."""
    path = f"/stream_thumbnail/{add_photo(account, JPEG, 0)}"
    assert {answer.body for answer in await asyncio.gather(*(get(path) for _ in range(5)))} == {JPEG}


@pytest.mark.parametrize(("variant", "kind"), [(SMALL, "image/jpeg"), (WEBP, "image/webp")])
@pytest.mark.parametrize("in_set", [types.InputStickerSetEmpty(), types.InputStickerSetID(1, 2)])
async def test_a_stickers_thumbnail(account: Account, get: Get, variant: Any, kind: str, in_set: Any) -> None:
    """It is labelled by what it is, on HEAD too."""
    message_id, _ = add_document(account, variant, attributes=[types.DocumentAttributeSticker("x", in_set)])
    for method in ("GET", "HEAD"):
        answer = await get(f"/stream_thumbnail/{message_id}", method=method)
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
        extension = kind.rpartition("/")[2].replace("jpeg", "jpg")
        assert answer.headers["Content-Disposition"].endswith(f'_thumbnail.{extension}"')
