"""A stock Telethon finds the seeded messages and downloads their files byte for byte."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from tgbridge.sandbox import seeds
from tgbridge.sandbox.world.blobs import chunks

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.files import StoredFile

PHONE = "+9996620001"
# All but the two large ones.
HELD_WHOLE = [
    "text_file",
    "nameless",
    "html",
    "svg",
    "japanese_name",
    "quoted_name",
    "pdf",
    "audio",
    "voice",
    "animation",
    "video_note",
    "sticker",
    "image_file",
    "video_abroad",
    "video",
    "photo_abroad",
    "album_1",
    "album_2",
    "album_3",
    "forwarded_photo",
    "photo",
]


async def fetch(client: TelegramClient, *keys: str) -> list[Any]:
    found: list[Any] = await client.get_messages("me", ids=[seeds.IDS[key] for key in keys])
    return found


def stored(sandbox: Sandbox, held: types.Photo | types.Document) -> StoredFile:
    found = sandbox.state.files.get(held.id)
    assert found is not None
    return found


@pytest.mark.parametrize("phone", ["+9996620001", "+9996630001"])
async def test_history_is_as_it_was_seeded(sandbox: Sandbox, sign_in: SignIn, phone: str) -> None:
    """All messages arrive, newest first, with the dates, texts, groups and kinds of media they were given."""
    client = await sign_in(phone)
    got = [message async for message in client.iter_messages("me", wait_time=0)]
    account = sandbox.state.account_of(phone)
    seeded = list(account.history)
    assert [message.id for message in got] == [message.id for message in seeded]
    for mine, theirs in zip(got, seeded, strict=True):
        assert mine.date == theirs.date
        assert mine.message == getattr(theirs, "message", None)
        assert mine.grouped_id == getattr(theirs, "grouped_id", None)
        assert type(mine.media) is type(getattr(theirs, "media", None))


async def test_files_come_back_byte_for_byte(sandbox: Sandbox, sign_in: SignIn) -> None:
    """Photos and documents, at home and abroad, are downloaded as they were stored."""
    client = await sign_in(PHONE)
    for key, message in zip(HELD_WHOLE, await fetch(client, *HELD_WHOLE), strict=True):
        held = message.photo or message.document
        letter = held.sizes[-1].type if isinstance(held, types.Photo) else ""
        expected = b"".join(chunks(stored(sandbox, held).blobs[letter]))
        got = await client.download_media(message, file=bytes)
        assert got == expected, key


async def test_thumbnails_come_back_byte_for_byte(sandbox: Sandbox, sign_in: SignIn) -> None:
    """Every size of photos and documents is downloaded as it was stored."""
    client = await sign_in(PHONE)
    keys = ("photo", "photo_abroad", "video", "video_abroad", "audio", "pdf", "sticker", "image_file")
    for key, message in zip(keys, await fetch(client, *keys), strict=True):
        held = message.photo or message.document
        sizes = held.sizes if isinstance(held, types.Photo) else held.thumbs
        for size in sizes:
            if isinstance(size, types.PhotoStrippedSize | types.PhotoPathSize):
                continue
            expected = b"".join(chunks(stored(sandbox, held).blobs[size.type]))
            got = await client.download_media(message, file=bytes, thumb=size.type)
            assert got == expected, (key, size.type)


async def test_film_with_its_index_at_the_end(sandbox: Sandbox, sign_in: SignIn) -> None:
    """A film whose bytes are mostly made up is the same over the wire, at its ends and in the middle."""
    client = await sign_in(PHONE)
    (message,) = await fetch(client, "video_moov_last")
    blob = stored(sandbox, message.document).blobs[""]
    for offset in (0, 12 << 20, blob.size // 4096 * 4096 - (1 << 20)):
        got = io.BytesIO()
        async for part in client.iter_download(
            message.document, offset=offset, limit=3, request_size=1 << 17
        ):
            got.write(part)
        assert got.getvalue() == blob.read(offset, 3 << 17)


async def test_any_place_of_the_large_file(sandbox: Sandbox, sign_in: SignIn) -> None:
    """The synthetic 300 MB can be read anywhere, and its last part is short."""
    client = await sign_in(PHONE)
    (message,) = await fetch(client, "large")
    blob = stored(sandbox, message.document).blobs[""]
    assert message.document.size == blob.size == 300_000_000
    last = blob.size // (1 << 19) * (1 << 19)
    for offset in (0, 150 << 20, last):
        got = [
            part
            async for part in client.iter_download(
                message.document, offset=offset, limit=1, request_size=1 << 19
            )
        ]
        assert got == [blob.read(offset, 1 << 19)]


async def test_photo_of_a_link_preview(sandbox: Sandbox, sign_in: SignIn) -> None:
    """The photo in a link preview belongs to a page, and can be downloaded all the same."""
    client = await sign_in(PHONE)
    (message,) = await fetch(client, "link_preview")
    photo = message.media.webpage.photo
    expected = b"".join(chunks(stored(sandbox, photo).blobs["x"]))
    assert await client.download_media(photo, file=bytes) == expected
