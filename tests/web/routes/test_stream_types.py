"""What a file is, for browsers that play or save it: one reading, for the list and for the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from tests.web.routes.forms import item
from tgbridge.sandbox.media import DOCUMENTS, PHOTOS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import Get
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

VOICE, FILM, PAPER = (DOCUMENTS[name].blob for name in ("voice", "valley", "field-notes"))
PHOTO: Any = PHOTOS["sea"].largest.source


def add(account: Account, content: Any, mime_type: str, name: str = "", **options: Any) -> int:
    attributes = [types.DocumentAttributeFilename(name)] if name else []
    made = account.document(content, mime_type=mime_type, attributes=attributes, **options)
    message_id: int = account.add_message(media=types.MessageMediaDocument(document=made)).id
    return message_id


@pytest.mark.parametrize(
    ("content", "claimed", "name", "mime_type", "extension"),
    [
        (VOICE, "audio/ogg; codecs=opus", "", "audio/ogg", "ogg"),
        (FILM, "application/octet-stream", "x.mp4", "video/mp4", "mp4"),
        (FILM, "", "x.mp4", "video/mp4", "mp4"),
        (FILM, "video", "x.mp4", "video/mp4", "mp4"),
        (FILM, "video/*", "x.mp4", "video/mp4", "mp4"),
        (PAPER, "application/octet-stream", "bill.pdf", "application/pdf", "pdf"),
    ],
)
async def test_by_type_and_name(
    signed_in: ClientSession,
    account: Account,
    get: Get,
    content: Any,
    claimed: str,
    name: str,
    mime_type: str,
    extension: str,
) -> None:
    """Parameters do not count; where the type says nothing, the name does. It is shown in place."""
    message_id = add(account, content, claimed, name)
    answer = await get(f"/stream_media/{message_id}")
    listed = await item(signed_in, message_id)
    assert answer.headers["Content-Type"] == listed["mime_type"] == mime_type
    assert listed["name"].endswith(f".{extension}")
    assert answer.headers["Content-Disposition"] == f'inline; filename="{listed["name"]}"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("content", "mime_type", "extension"),
    [(FILM, "video/mp4", "mp4"), (PHOTO, "image/jpeg", "jpg"), (VOICE, "audio/ogg", "ogg")],
)
async def test_by_the_first_bytes(
    sandbox: Sandbox, account: Account, get: Get, content: Any, mime_type: str, extension: str
) -> None:
    """Where neither type nor name says anything, the bytes do: the same for GET, HEAD, a range and a 304."""
    message_id = add(account, content, "application/octet-stream", dc_id=3)
    path, whole = f"/stream_media/{message_id}", content.read(0, content.size)
    head = await get(path, method="HEAD")
    asked = sandbox.counters.of("upload.getFile")
    part = await get(path, headers={"Range": "bytes=5000-5009"})
    full = await get(path)
    for answer in (head, part, full):
        assert answer.headers["Content-Type"] == mime_type
        assert answer.headers["Content-Disposition"].startswith("inline; ")
        assert answer.headers["Content-Disposition"].endswith(f'_{message_id}.{extension}"')
    assert (part.body, full.body) == (whole[5000:5010], whole)
    same = await get(path, headers={"If-None-Match": full.headers["ETag"]})
    assert same.status == 304
    assert same.headers["Content-Security-Policy"] == full.headers["Content-Security-Policy"]
    before = sandbox.counters.of("upload.getFile")
    assert (await get(path, method="HEAD")).headers["Content-Type"] == mime_type
    assert sandbox.counters.of("upload.getFile") == before >= asked > 0  # it is remembered


async def test_bytes_that_tell_nothing(account: Account, get: Get) -> None:
    """Markup is never guessed at, and what has told what it is is not looked at."""
    for content, name in ((b"<!doctype html><script>", ""), (b"GIF89a", "dump.bin"), (b"", "")):
        answer = await get(f"/stream_media/{add(account, content, 'application/octet-stream', name)}")
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment;")


async def test_an_album_has_a_name_for_each(signed_in: ClientSession, account: Account) -> None:
    """Four photos of one moment are four names."""
    size = PHOTOS["noon"].sizes[:1]
    ids = []
    for _ in range(4):
        media = types.MessageMediaPhoto(photo=account.photo(size))
        date = account.history.get(1).date  # type: ignore[union-attr]
        ids.append(account.add_message(media=media, date=date, grouped_id=5).id)
    assert len({(await item(signed_in, message_id))["name"] for message_id in ids}) == 4
