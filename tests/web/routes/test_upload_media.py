"""What files appear as: as Telegram's own apps send them, by what their sender and they themselves say."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import imagesize
import pytest
from telethon.tl import types

from tests.web.routes.forms import Form, chunks, item, photo, send, stored
from tests.web.routes.tus_client import begin, metadata, patch
from tgbridge.sandbox.media import DOCUMENTS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

MIB = 1024 * 1024
INVALID = "Invalid file type or format."
NOON, SMALL = photo("noon", "y"), photo("noon", "m")
GIF = (
    b"GIF89a" + struct.pack("<HH", 40, 30) + b"\x00\x00\x00" + b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00;"
)


def content(name: str) -> bytes:
    """One of the sandbox's own files."""
    blob = DOCUMENTS[name].blob
    return blob.read(0, blob.size)


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


async def upload(browser: ClientSession, form: Form) -> dict[str, Any]:
    told = await send(browser, form)
    assert told.status == 200, told
    return await item(browser, told.body["message_id"])


def attributes(account: Account, message_id: int) -> dict[type, Any]:
    message = account.history.get(message_id)
    assert message is not None
    return {type(attribute): attribute for attribute in message.media.document.attributes}


@pytest.mark.parametrize(
    ("name", "kind"), [("IMG 0001.JPG", "image/jpeg"), ("no extension", "image/jpg"), ("a.jpeg", "")]
)
async def test_photos(signed_in: ClientSession, name: str, kind: str) -> None:
    """A JPEG becomes a photo, whatever its file is called."""
    found = await upload(signed_in, Form().file(NOON, name, kind))
    assert (found["type"], found["width"], found["height"]) == ("photo", 1280, 720)


async def test_what_a_frontend_sees_of_it(signed_in: ClientSession) -> None:
    """A photo has thumbnails of each size and a preview, a video its poster, a text nothing."""
    found = await upload(signed_in, Form().file(NOON, "a.jpg", "image/jpeg"))
    film = await upload(signed_in, Form().file(content("valley"), "a.mp4", "video/mp4"))
    text = await upload(signed_in, Form().file(b"text", "a.txt", "text/plain"))
    assert [one["has_thumbnail"] for one in (found, film, text)] == [True, True, False]
    assert [one.get("blur_data_url", "")[:10] for one in (found, film, text)] == [
        "data:image",
        "data:image",
        "",
    ]
    for message_id, size, extent in (
        (found["id"], "small", (100, 56)),
        (found["id"], "medium", (320, 180)),
        (found["id"], "large", (800, 450)),
        (film["id"], "medium", (320, 180)),
    ):
        async with signed_in.get(f"/stream_thumbnail/{message_id}?size={size}") as response:
            assert response.headers["Content-Type"] == "image/jpeg"
            assert imagesize.get(io.BytesIO(await response.read())) == extent


async def test_a_photo_of_unknown_length(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """A photo never goes the way of large files, of which Telegram makes none, whatever is known of it."""
    told = await send(signed_in, chunks(Form().file(NOON, "a.jpg", "image/jpeg").body, 10_000))
    assert (await item(signed_in, told.body["message_id"]))["type"] == "photo"
    assert sandbox.counters.of("upload.saveBigFilePart") == 0


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(300, 200), "photo"),
        (png(5000, 5000), "photo"),
        (png(5000, 5001), "document"),
        (png(2000, 100), "photo"),
        (png(2001, 100), "document"),
        (png(300, 200) + bytes(10 * MIB), "document"),
    ],
    ids=["usual", "largest", "too large", "longest", "too long", "too heavy"],
)
async def test_pictures_that_telegram_takes_for_photos(
    signed_in: ClientSession, data: bytes, kind: str
) -> None:
    """A PNG becomes a photo unless it is too large, too long or too heavy: then it stays as it is."""
    found = await upload(signed_in, Form().file(data, "a.png", "image/png"))
    assert found["type"] == kind
    width, height = struct.unpack(">II", data[16:24])
    # Telegram makes a photo no larger than this (core.telegram.org/api/files#image-thumbnail-types).
    scale = min(1, 2560 / max(width, height)) if kind == "photo" else 1
    assert (found["width"], found["height"]) == (width * scale, height * scale)
    if kind == "document":
        assert found["name"] == "a.png"
        assert await stored(signed_in, found["id"]) == data


@pytest.mark.parametrize(
    ("name", "kind", "width"),
    [("a.webp", "image/webp", 512), ("a.svg", "image/svg+xml", None), ("a.bmp", "image/bmp", None)],
)
async def test_other_pictures(signed_in: ClientSession, name: str, kind: str, width: int | None) -> None:
    """No other picture becomes a photo, and none a sticker; what it says of its size is told."""
    data = {"a.webp": content("cat"), "a.svg": b"<svg/>", "a.bmp": b"BM"}[name]
    found = await upload(signed_in, Form().file(data, name, kind))
    assert (found["type"], found["mime_type"], found.get("width")) == ("document", kind, width)


async def test_as_a_document_nothing_is_touched(signed_in: ClientSession, account: Account) -> None:
    """A picture, a film and a song are files then, byte for byte, and say no more than their names."""
    for data, name, kind in (
        (NOON, "a.jpg", "image/jpeg"),
        (content("valley"), "a.mp4", "video/mp4"),
        (content("tune"), "a.mp3", "audio/mpeg"),
        (GIF, "a.gif", "image/gif"),
    ):
        found = await upload(signed_in, Form().field("as", "document").file(data, name, kind))
        assert (found["type"], found["name"], found["mime_type"]) == ("document", name, kind)
        assert await stored(signed_in, found["id"]) == data
        told = set(attributes(account, found["id"]))
        assert told <= {types.DocumentAttributeFilename, types.DocumentAttributeImageSize}


async def test_videos(signed_in: ClientSession, account: Account) -> None:
    """A video says how long and large it is, wherever its index stands, and whether it can be streamed."""
    for name, streamable, size, duration in (
        ("valley", True, (640, 360), 5.016),
        ("sea-moov-last", False, (640, 360), 30.0),
    ):
        found = await upload(signed_in, Form().file(content(name), "film.mp4", "video/mp4"))
        assert (found["type"], found["width"], found["height"]) == ("video", *size)
        assert found["duration"] == pytest.approx(duration)
        video = attributes(account, found["id"])[types.DocumentAttributeVideo]
        assert bool(video.supports_streaming) is streamable


async def test_what_the_browser_says_counts_more(signed_in: ClientSession) -> None:
    """Duration and extent that are sent along are used; what is not sent comes from the file."""
    form = Form().file(content("valley"), "film.mp4", "video/mp4")
    found = await upload(signed_in, form.field("duration", "7.25").field("width", "320"))
    assert (found["duration"], found["width"], found["height"]) == (7.25, 320, 360)
    unreadable = Form().field("height", "48").field("width", "64").field("duration", "3").field("as", "auto")
    found = await upload(signed_in, unreadable.file(b"\x1a\x45\xdf\xa3", "film.webm", "video/webm"))
    assert (found["type"], found["duration"], found["width"], found["height"]) == ("video", 3.0, 64, 48)


async def test_a_video_that_says_nothing(signed_in: ClientSession) -> None:
    """A film that can't be read is a film all the same."""
    found = await upload(signed_in, Form().file(b"\0\0\0\x14ftypisom" + bytes(100), "a.mp4", "video/mp4"))
    assert found["type"] == "video"
    assert not {"width", "height", "duration"} & found.keys()


NOTHING = [
    *("Infinity", "-Infinity", "NaN", "nan", "null", "undefined", "None", "", " ", "0", "0.0", "-1", "1e400"),
    *("1_0", "٣", "0x10", "9" * 60, "9" * 100, "1,5", "long", "2147483648", "ü"),
]


@pytest.mark.parametrize("name", ["duration", "width", "height"])
async def test_hints_that_say_nothing(signed_in: ClientSession, name: str) -> None:
    """What is no number, or none that a film has, is passed over: the film's own is told then."""
    ids = []
    for start in range(0, len(NOTHING), 8):
        form, hints = Form(), NOTHING[start : start + 8]
        for hint in hints:
            form.field(name, hint).file(content("valley"), "film.mp4", "video/mp4")
        told = await send(signed_in, form)
        assert told.status == 200, (hints, told)
        ids += told.body.get("message_ids", [told.body["message_id"]])
    for hint, message_id in zip(NOTHING, ids, strict=True):
        found = await item(signed_in, message_id)
        assert (found["duration"], found["width"], found["height"]) == (pytest.approx(5.016), 640, 360), hint


async def test_hints_with_fractions(signed_in: ClientSession) -> None:
    """Browsers measure in pixels of CSS, which may be halves."""
    form = Form().field("width", "320.5").field("height", "239.51").field("duration", "1.25e0")
    found = await upload(signed_in, form.file(content("valley"), "film.mp4", "video/mp4"))
    assert (found["duration"], found["width"], found["height"]) == (1.25, 321, 240)
    form = Form().raw('Content-Disposition: form-data; name="width"', b"\xff").field("height", "x" * 5000)
    assert (await upload(signed_in, form.file(content("valley"), "a.mp4", "video/mp4")))["width"] == 640


LIES = {
    "duration": (b"\x44\x89\x88", struct.pack(">d", float("inf"))),
    "no number": (b"\x44\x89\x88", struct.pack(">d", float("nan"))),
    "width": (b"\xb0\x84", struct.pack(">I", 2**31)),
    "scale": (b"\x2a\xd7\xb1\x40\xc8", b"\xff" * 200),
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_film_that_lies(signed_in: ClientSession, lie: str) -> None:
    """What can't be true of a film is not known of it, and costs nothing: neither by a form nor by tus."""
    track = b"\x83\x81\1\xe0\x80" if lie != "width" else b"\x83\x81\1\xe0\x86" + b"".join(LIES[lie])
    info = b"" if lie == "width" else b"".join(LIES[lie]) + b"\x44\x89\x84" + struct.pack(">f", 1000)
    film = b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7
    film += b"\x15\x49\xa9\x66" + struct.pack(">H", len(info) | 0x4000) + info
    film += b"\x16\x54\xae\x6b" + bytes((len(track) + 2 | 0x80, 0xAE, len(track) | 0x80)) + track
    found = await upload(signed_in, Form().file(film, "film.webm", "video/webm"))
    assert found["type"] == "video"
    assert "width" not in found
    path = await begin(signed_in, len(film), Upload_Metadata=metadata(filename="film.webm"))
    last = await patch(signed_in, path, 0, film)
    assert (last.status, last.offset) == (204, len(film))


async def test_sound_of_2_to_the_40_seconds(signed_in: ClientSession) -> None:
    """Telegram takes seconds in 32 bits."""
    header = struct.pack(">II4xI4xIQ", 32 + 8, 0x6D766864, 1 << 24, 1, 2**40) + bytes(4)
    data = b"\0\0\0\x10ftypM4A \0\0\0\0" + struct.pack(">I", 8 + len(header)) + b"moov" + header
    found = await upload(signed_in, Form().file(data, "a.m4a", "audio/mp4"))
    assert (found["type"], found.get("duration", 0)) == ("audio", 0)


async def test_a_picture_under_another_ones_name(signed_in: ClientSession) -> None:
    """A WebP named .jpg is shown by all who show pictures: it is sent as what it is."""
    found = await upload(signed_in, Form().file(content("cat"), "cat.jpg", "image/jpeg"))
    assert (found["type"], found["mime_type"], found["name"]) == ("document", "image/webp", "cat.jpg")
    assert found["width"] == 512
    found = await upload(signed_in, Form().file(png(300, 200), "a.jpg", "image/jpeg"))
    assert (found["type"], found["width"]) == ("photo", 300)


async def test_as_a_document_nothing_is_checked(signed_in: ClientSession) -> None:
    """The bytes are taken for what they claim to be, whatever they are, also by tus."""
    form = Form().field("as", "document").file(b"no picture", "a.jpg", "image/jpeg")
    found = await upload(signed_in, form)
    assert (found["type"], found["mime_type"], found["name"]) == ("document", "image/jpeg", "a.jpg")
    assert await stored(signed_in, found["id"]) == b"no picture"
    fields = metadata(**{"filename": "a.jpg", "as": "document"})
    path = await begin(signed_in, 10, Upload_Metadata=fields)
    assert (await patch(signed_in, path, 0, b"no picture")).status == 204


async def test_blobs(signed_in: ClientSession) -> None:
    """What scripts have made is called blob by browsers, and gets the extension of its type."""
    found = await upload(signed_in, Form().file(content("valley"), "blob", "video/mp4"))
    assert (found["type"], found["name"]) == ("video", "blob.mp4")
    found = await upload(signed_in, Form().file(b"RIFF\x24\0\0\0WAVEfmt ", "blob", "audio/wav"))
    assert (found["type"], found["name"]) == ("audio", "blob.wav")


@pytest.mark.parametrize("way", ["auto", "document"])
@pytest.mark.parametrize(
    ("name", "kind", "mime_type", "called"),
    [
        ("blob", "", "video/mp4", "blob.mp4"),
        ("blob", "application/octet-stream", "video/mp4", "blob.mp4"),
        ("film", "video/*", "video/mp4", "film"),
        ("film.part", "application/mp4", "video/mp4", "film.part"),
        ("film.bin", "", "application/octet-stream", "film.bin"),
    ],
)
async def test_what_says_nothing_is_what_its_bytes_say(
    signed_in: ClientSession, way: str, name: str, kind: str, mime_type: str, called: str
) -> None:
    """The list has the type that the stream has: a film of no type is sent as a film, by tus too."""
    film = content("valley")
    found = await upload(signed_in, Form().field("as", way).file(film, name, kind))
    is_film = mime_type == "video/mp4" and way == "auto"
    assert (found["type"], found["mime_type"]) == ("video" if is_film else "document", mime_type)
    assert found["name"] == called
    assert bool(found.get("width")) is is_film
    async with signed_in.get(f"/stream_media/{found['id']}") as response:
        assert response.headers["Content-Type"] == mime_type
    fields = metadata(**{"filename": name, "filetype": kind, "as": way})
    path = await begin(signed_in, len(film), Upload_Metadata=fields)
    last = await patch(signed_in, path, 0, film)
    again = await item(signed_in, int(last.headers["X-Message-Id"]))
    own = dict.fromkeys(("id", "timestamp", "url", "thumbnail_url"))
    assert again | own == found | own


async def test_thumbnails(signed_in: ClientSession) -> None:
    """A picture that is sent along becomes the thumbnail, before the file or after it."""
    file = (content("valley"), "film.mp4", "video/mp4")
    picture = (SMALL, "thumb.jpg", "image/jpeg")
    for form in (
        Form().file(*file).file(*picture, field="thumbnail"),
        Form().file(*picture, field="thumbnail").file(*file),
    ):
        found = await upload(signed_in, form)
        assert found["has_thumbnail"] is True
        async with signed_in.get(f"/stream_thumbnail/{found['id']}") as response:
            assert await response.read() == SMALL


@pytest.mark.parametrize(
    "picture",
    [b"", b"no picture", NOON, png(100, 100), SMALL + bytes(200 * 1024), b"\xff\xd8\xff"],
    ids=["empty", "text", "too large", "PNG", "too heavy", "cut off"],
)
async def test_thumbnails_that_telegram_would_not_take(
    sandbox: Sandbox, signed_in: ClientSession, account: Account, picture: bytes
) -> None:
    """A thumbnail is a JPEG of at most 200 kB and 320 pixels; Telegram passes over others in silence."""
    before = len(account.history)
    form = Form().file(picture, "thumb.jpg", "image/jpeg", field="thumbnail").file(b"x")
    told = await send(signed_in, form)
    assert (told.status, told.body["error"], told.body["code"]) == (400, INVALID, "INVALID_THUMBNAIL")
    assert len(account.history) == before
    assert sandbox.counters.of("upload.saveFilePart") == 0


async def test_more_thumbnails_than_files(signed_in: ClientSession) -> None:
    """It is not clear what such a form means."""
    form = Form().file(b"x").file(SMALL, "1.jpg", field="thumbnail").file(SMALL, "2.jpg", field="thumbnail")
    assert (await send(signed_in, form)).body["code"] == "INVALID_THUMBNAIL"


async def test_music(signed_in: ClientSession, account: Account) -> None:
    """A song says who plays what, and for how long."""
    found = await upload(signed_in, Form().file(content("tune"), "song.mp3", "audio/mpeg"))
    assert (found["type"], found["duration"], found["name"]) == ("audio", 12.0, "song.mp3")
    audio = attributes(account, found["id"])[types.DocumentAttributeAudio]
    assert (audio.title, audio.performer) == ("Morning over the valley", "The Sandbox Players")
    assert not audio.voice


async def test_voice_messages(signed_in: ClientSession) -> None:
    """Opus in Ogg without a title is what microphones record; under .opus, or another type, it is music."""
    for name, kind, expected in (
        ("voice.ogg", "audio/ogg", "voice"),
        ("blob", "audio/ogg; codecs=opus", "voice"),
        ("song.opus", "audio/ogg", "audio"),
    ):
        found = await upload(signed_in, Form().file(content("voice"), name, kind))
        called = "blob.ogg" if name == "blob" else name
        assert (found["type"], found["duration"], found["name"]) == (expected, 7.0, called)


async def test_animations(signed_in: ClientSession, account: Account) -> None:
    """A GIF and a short film without sound are animations; a film with sound is not, nor is one of 10 MB."""
    found = await upload(signed_in, Form().file(GIF, "a.gif", "image/gif"))
    assert (found["type"], found["width"], found["height"]) == ("animation", 40, 30)
    found = await upload(signed_in, Form().file(content("dots"), "a.mp4", "video/mp4"))
    assert (found["type"], found["width"], found["duration"]) == ("animation", 320, 2.0)
    assert types.DocumentAttributeAnimated in attributes(account, found["id"])
    long = content("dots") + struct.pack(">I4s", 10 * MIB, b"free") + bytes(10 * MIB - 8)
    found = await upload(signed_in, Form().file(long, "a.mp4", "video/mp4"))
    assert found["type"] == "video"


async def test_albums(signed_in: ClientSession) -> None:
    """Several files are an album, the caption with its first; each has a thumbnail and hints of its own."""
    form = Form().field("caption", "all of it").field("duration", "").field("duration", "9")
    form.file(SMALL, "1.jpg", "image/jpeg").file(content("valley"), "2.mp4", "video/mp4")
    told = await send(signed_in, form)
    first, second = told.body["message_ids"]
    assert told == (
        200,
        {"message": "File uploaded successfully.", "message_id": first, "message_ids": [first, second]},
    )
    photo, video = await item(signed_in, first), await item(signed_in, second)
    assert (photo["type"], photo["caption"]) == ("photo", "all of it")
    assert (video["type"], video["caption"], video["duration"]) == ("video", "", 9.0)
    assert photo["album_id"] == video["album_id"]


async def test_what_cannot_share_an_album_does_not(signed_in: ClientSession) -> None:
    """Neighbours of one kind stay together, others begin a new group, animations stand alone."""
    form = Form().field("caption", "mixed")
    files = [
        (SMALL, "1.jpg", "image/jpeg"),
        (content("valley"), "2.mp4", "video/mp4"),
        (b"text", "3.txt", "text/plain"),
        (b"text", "4.txt", "text/plain"),
        (content("tune"), "5.mp3", "audio/mpeg"),
        (content("dots"), "6.mp4", "video/mp4"),
        (SMALL, "7.jpg", "image/jpeg"),
    ]
    for file in files:
        form.file(*file)
    ids = (await send(signed_in, form)).body["message_ids"]
    found = [await item(signed_in, message_id) for message_id in ids]
    assert ids == sorted(ids)
    assert [one["caption"] for one in found] == ["mixed"] + [""] * 6
    albums = [one.get("album_id") for one in found]
    assert albums == [albums[0], albums[0], albums[2], albums[2], None, None, None]
    assert albums[0] != albums[2]


async def test_ten_files_are_an_album_and_eleven_too_many(
    sandbox: Sandbox, signed_in: ClientSession, account: Account
) -> None:
    """Telegram's groups have ten places."""
    form = Form()
    for number in range(10):
        form.file(b"%d" % number, f"{number}.txt", "text/plain")
    ids = (await send(signed_in, form)).body["message_ids"]
    assert [await stored(signed_in, message_id) for message_id in ids] == [b"%d" % n for n in range(10)]
    assert len({(await item(signed_in, message_id))["album_id"] for message_id in ids}) == 1
    before = len(account.history)
    told = await send(signed_in, form.file(b"10"))
    assert told == (400, {"error": "At most 10 files can be sent at once.", "code": "TOO_MANY_FILES"})
    assert len(account.history) == before
    assert sandbox.failures == []
