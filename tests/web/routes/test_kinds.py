"""Each kind of media that Telegram has: what its item says, and its files as Telethon downloads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from telethon.tl import types

from tests.devices import device
from tests.web.routes.conftest import PHONE
from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import ClientSession
    from telethon import TelegramClient

    from tests.web.routes.conftest import Get
    from tgbridge.sandbox import Sandbox

# Where the files of a message are that holds others than its media's `photo` or `document`.
FILES: Final[dict[str, Callable[[Any], list[Any]]]] = {
    "live_photo": lambda media: [media.photo, media.video],
    "invoice": lambda media: [media.extended_media.media.photo],
    "story": lambda media: [media.story.media.photo],
    "story_video": lambda media: [media.story.media.document],
    "poll_picture": lambda media: [
        media.attached_media.photo,
        *(answer.media.photo for answer in media.poll.answers if answer.media),
    ],
    "paid_bought": lambda media: [
        getattr(one.media, "photo", None) or one.media.document for one in media.extended_media
    ],
}
SIZES: Final = (types.PhotoSize, types.PhotoSizeProgressive, types.PhotoCachedSize)
LONG: Final = {"large", "video_moov_last"}


@pytest.fixture
async def telethon(sandbox: Sandbox) -> AsyncIterator[TelegramClient]:
    async with device(sandbox, PHONE) as client:
        yield client


async def items(browser: ClientSession) -> dict[str, dict[str, Any]]:
    """The items of the list, by the names of the seeds."""
    async with browser.get("/get-saved-messages-media") as response:
        listed = {item["id"]: item for item in await response.json()}
    return {key: listed[message_id] for key, message_id in IDS.items() if message_id in listed}


def files_of(key: str, media: Any) -> list[Any]:
    """The photos and documents of a message, in the order of the parts."""
    if key in FILES:
        return FILES[key](media)
    return [getattr(media, "photo", None) or media.document]


def parts_of(item: dict[str, Any]) -> list[dict[str, Any]]:
    """All parts of an item, of which one that has a single file names none."""
    parts: list[dict[str, Any]] = item.get("parts", [item])
    return parts


async def test_files_are_those_that_telethon_downloads(
    signed_in: ClientSession, get: Get, telethon: TelegramClient
) -> None:
    """Every part of every item, and every size of its thumbnail, by the address that the item names."""
    for key, item in (await items(signed_in)).items():
        message: Any = await telethon.get_messages("me", ids=item["id"])
        files, parts = files_of(key, message.media), parts_of(item)
        assert len(parts) == len(files), key
        for part, file in zip(parts, files, strict=True):
            if key in LONG:
                continue
            answer = await get(f"/{part['url']}")
            assert answer.status == 200, key
            assert answer.body == await telethon.download_media(file, bytes), key
            assert len(answer.body) == part["size"]
            assert answer.headers["Content-Type"] == part["mime_type"]
            await compare_thumbnails(get, telethon, part, getattr(message.media, "video_cover", None) or file)


async def compare_thumbnails(get: Get, telethon: TelegramClient, part: dict[str, Any], shown: Any) -> None:
    """Each size of a thumbnail, asked for by its width."""
    previews = shown.sizes if isinstance(shown, types.Photo) else shown.thumbs or []
    sizes = [one for one in previews if isinstance(one, SIZES)]
    assert (part["thumbnail_url"] is None) == (not sizes)
    for size in sizes:
        answer = await get(f"/{part['thumbnail_url']}&w={size.w}")
        assert answer.status == 200
        assert answer.body == await telethon.download_media(shown, bytes, thumb=size.type)


async def test_renditions_are_those_that_telethon_downloads(
    signed_in: ClientSession, get: Get, telethon: TelegramClient
) -> None:
    """The original is the item's own; what is smaller has an address of its own, the HLS playlist none."""
    item = (await items(signed_in))["video_renditions"]
    message: Any = await telethon.get_messages("me", ids=item["id"])
    (rendition,) = item["renditions"]
    smaller, playlist = message.media.alt_documents
    assert playlist.mime_type == "application/x-mpegurl"
    assert {key: value for key, value in rendition.items() if key != "url"} == {
        "mime_type": "video/mp4",
        "size": smaller.size,
        "width": 320,
        "height": 180,
        "codec": "h264",
    }
    answer = await get(f"/{rendition['url']}", headers={"Range": "bytes=100-199"})
    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes 100-199/{smaller.size}")
    whole: Any = await telethon.download_media(smaller, bytes)
    assert answer.body == whole[100:200]
    assert (await get(f"/{rendition['url']}")).body == whole


async def test_what_items_say(signed_in: ClientSession) -> None:
    """The fields of each kind that has some of its own."""
    found = await items(signed_in)

    def told(key: str, *fields: str) -> tuple[Any, ...]:
        return tuple(found[key].get(field) for field in fields)

    def parts(key: str, *fields: str) -> list[tuple[Any, ...]]:
        return [tuple(part.get(field) for field in fields) for part in found[key]["parts"]]

    assert told("sticker_animated", "type", "mime_type") == ("sticker", "application/x-tgsticker")
    assert told("sticker_video", "type", "mime_type", "duration") == ("sticker", "video/webm", 2.0)
    assert told("live_photo", "type", "caption", "width") == ("photo", "It moves", 1280)
    assert parts("live_photo", "part", "type", "duration") == [(1, "photo", None), (2, "video", 1.5)]
    assert told("video_cover", "type", "width", "has_thumbnail") == ("video", 640, True)
    assert told("formatted", "type", "spoiler", "edited") == ("photo", True, "2025-10-21T09:31:12Z")
    assert told("story", "type", "caption", "caption_html") == (
        "photo",
        "Seen tonight",
        "<i>Seen tonight</i>",
    )
    assert told("story_video", "type", "caption") == ("video", "On the way")
    assert parts("poll_picture", "part", "type") == [(1, "photo"), (2, "photo"), (3, "photo")]
    assert parts("paid_bought", "type", "width") == [("photo", 1280), ("video", 640), ("photo", 960)]
    assert told("paid_bought", "caption") == ("Worth every star ⭐",)
    assert told("topic_photo", "type", "caption") == ("photo", "Keep this one")
    assert told("audio", "title", "performer") == ("Morning over the valley", "The Sandbox Players")
    assert told("image_file", "type", "mime_type", "width") == ("document", "image/jpeg", 1280)
    assert found["nameless_video"]["name"] == f"video_2025-10-21_10-00-00_{IDS['nameless_video']}.mp4"
    waveform = found["voice"]["waveform"]
    assert len(waveform) == len(DOCUMENTS["voice"].waveform or b"") * 8 // 5
    assert set(waveform) <= set(range(32))
    assert {"parts", "renditions", "spoiler", "edited", "caption_html", "waveform"}.isdisjoint(found["photo"])


async def test_formatted_captions(signed_in: ClientSession) -> None:
    """Offsets count UTF-16 code units, and what the text holds stays text."""
    item = (await items(signed_in))["formatted"]
    assert item["caption_html"] == (
        "🌆 <b>Bold</b>, "
        '<a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow">the page</a>'
        " &lt;tag&gt; "
        '<span class="tg-spoiler">hidden</span> <pre><code class="language-python">x = 1</code></pre>\n'
        '<blockquote class="tg-collapsed">quoted\nlines</blockquote>'
    )


async def test_a_cover_is_the_thumbnail(signed_in: ClientSession, get: Get) -> None:
    """And no longer the video's own."""
    item = (await items(signed_in))["video_cover"]
    cover: Any = next(size.source for size in PHOTOS["sea"].sizes if size.letter == "m")
    assert (await get(f"/{item['thumbnail_url']}")).body == cover.read(0, cover.size)


async def test_what_holds_no_file_of_the_users(signed_in: ClientSession, get: Get) -> None:
    """Not listed, nor streamed: what was not bought, stories that are gone, pages' previews and the like."""
    found = await items(signed_in)
    for key in ("paid_preview", "story_gone", "dice", "todo", "poll", "link_preview", "expired_photo"):
        assert key not in found
        for path in ("stream_media", "stream_thumbnail"):
            assert (await get(f"/{path}/{IDS[key]}")).status == 404, key


async def test_parts_that_there_are_not(get: Get) -> None:
    """A number beyond the parts or renditions is a file that is not found."""
    for query in ("part=2", "part=99999999999999999999", "rendition=1", "part=1&rendition=2"):
        answer = await get(f"/stream_media/{IDS['photo']}?{query}")
        assert (answer.status, b"MEDIA_NOT_FOUND" in answer.body) == (404, True), query
    answer = await get(f"/stream_thumbnail/{IDS['photo']}?part=2")
    assert (answer.status, b"THUMBNAIL_NOT_FOUND" in answer.body) == (404, True)
    # The paid video has no thumbnail of its own, but a file.
    assert (await get(f"/stream_media/{IDS['paid_bought']}?part=02")).status == 200


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "x", "", "1 ", "٣", "1,2"])
async def test_numbers_that_are_none(get: Get, number: str) -> None:
    """A parameter that is no positive integer is named."""
    for path, names in (("stream_media", ("part", "rendition")), ("stream_thumbnail", ("part", "w"))):
        for name in names:
            answer = await get(f"/{path}/{IDS['photo']}?{name}={number}")
            assert answer.status == 400
            assert f"Invalid {name}. Please use a positive integer.".encode() in answer.body


@pytest.mark.parametrize(
    ("query", "letter"),
    [
        ("w=1", "s"),
        ("w=100", "s"),
        ("w=101", "m"),
        ("w=640", "x"),
        ("w=9000", "y"),
        ("w=320&size=large", "m"),
    ],
)
async def test_widths(get: Get, query: str, letter: str) -> None:
    """The smallest that is at least as wide, of a photo of 100, 320, 800 and 1280 pixels; or the widest."""
    wanted: Any = next(size.source for size in PHOTOS["sea"].sizes if size.letter == letter)
    answer = await get(f"/stream_thumbnail/{IDS['photo']}?{query}")
    assert (answer.status, answer.body) == (200, wanted.read(0, wanted.size))
