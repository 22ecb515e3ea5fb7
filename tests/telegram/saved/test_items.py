"""What a message holds, by the letter: types, names, sizes and thumbnails."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.saved import items as media
from tgbridge.telegram.saved.described import decoded_waveform

if TYPE_CHECKING:
    from tgbridge.models import MediaItem

DATE = datetime(2023, 10, 27, 10, 0, tzinfo=UTC)
ME = types.PeerUser(1)
STRIPPED = types.PhotoStrippedSize("i", b"\x01\x10\x20" + bytes(30))
OUTLINE = types.PhotoPathSize("j", b"\x00")


def message(held: Any = None, **fields: Any) -> types.Message:
    return types.Message(**{"id": 7, "peer_id": ME, "date": DATE, "message": "", "media": held, **fields})


def photo(*sizes: Any) -> types.MessageMediaPhoto:
    made = types.Photo(id=5, access_hash=6, file_reference=b"ref", date=DATE, sizes=list(sizes), dc_id=2)
    return types.MessageMediaPhoto(photo=made)


def document(
    *attributes: Any, mime_type: str = "", size: int = 9, thumbs: Any = None
) -> types.MessageMediaDocument:
    made = types.Document(
        id=5,
        access_hash=6,
        file_reference=b"ref",
        date=DATE,
        mime_type=mime_type,
        size=size,
        dc_id=2,
        attributes=list(attributes),
        thumbs=thumbs,
    )
    return types.MessageMediaDocument(document=made)


def item(held: Any, **fields: Any) -> MediaItem:
    found = media.media_item(message(held, **fields))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ([], "document"),
        ([types.DocumentAttributeImageSize(10, 10)], "document"),
        ([types.DocumentAttributeVideo(1, 2, 3)], "video"),
        ([types.DocumentAttributeVideo(1, 2, 3, round_message=True)], "video_note"),
        ([types.DocumentAttributeVideo(1, 2, 3), types.DocumentAttributeAnimated()], "animation"),
        ([types.DocumentAttributeAnimated()], "animation"),
        ([types.DocumentAttributeAudio(3)], "audio"),
        ([types.DocumentAttributeAudio(3, voice=True)], "voice"),
        ([types.DocumentAttributeSticker("x", types.InputStickerSetEmpty())], "sticker"),
        (
            [
                types.DocumentAttributeVideo(1, 2, 3),
                types.DocumentAttributeSticker("x", types.InputStickerSetEmpty()),
            ],
            "sticker",
        ),
    ],
)
def test_the_type_rules(attributes: list[Any], kind: str) -> None:
    """An image sent as a file is a document, a video sticker a sticker, a silent loop an animation."""
    assert item(document(*attributes)).type == kind


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("a\x00b\x7f.txt", "ab.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("..", "document_2023-10-27_10-00-00_7.pdf"),
        ("", "document_2023-10-27_10-00-00_7.pdf"),
        ("/", "document_2023-10-27_10-00-00_7.pdf"),
    ],
)
def test_names(given: str, name: str) -> None:
    """Free of separators and control characters, and never empty."""
    held = document(types.DocumentAttributeFilename(given), mime_type="application/pdf")
    assert item(held).name == media.remote_file(message(held)).name == name


@pytest.mark.parametrize(
    ("mime_type", "attributes", "name"),
    [
        ("audio/ogg", [types.DocumentAttributeAudio(3, voice=True)], "voice_2023-10-27_10-00-00_7.ogg"),
        ("video/mp4", [types.DocumentAttributeVideo(1, 2, 3)], "video_2023-10-27_10-00-00_7.mp4"),
        ("application/x-tgsticker", [], "document_2023-10-27_10-00-00_7.tgs"),
        ("application/octet-stream", [], "document_2023-10-27_10-00-00_7.bin"),
        ("", [], "document_2023-10-27_10-00-00_7.bin"),
        ("made/up", [], "document_2023-10-27_10-00-00_7"),
    ],
)
def test_names_that_are_made(mime_type: str, attributes: list[Any], name: str) -> None:
    """From type, date, message and extension, the same each time; no two of an album are called the same."""
    assert item(document(*attributes, mime_type=mime_type)).name == name


@pytest.mark.parametrize("claimed", ["", "text/html\r\nX: y", "nonsense", "video", "video/*", "é/é"])
def test_a_claimed_type_that_is_none(claimed: str) -> None:
    """What would not fit into a header is bytes of an unknown kind."""
    assert item(document(mime_type=claimed)).mime_type == "application/octet-stream"


@pytest.mark.parametrize(
    ("claimed", "name", "mime_type", "shown"),
    [
        ("audio/ogg; codecs=opus", "", "audio/ogg", "document_2023-10-27_10-00-00_7.ogg"),
        ("Video/MP4 ;codecs=avc1", "", "video/mp4", "document_2023-10-27_10-00-00_7.mp4"),
        ("application/octet-stream", "x.mp4", "video/mp4", "x.mp4"),
        ("", "bill.pdf", "application/pdf", "bill.pdf"),
        ("video", "x.mp4", "video/mp4", "x.mp4"),
        ("video/*", "x.MOV", "video/quicktime", "x.MOV"),
        ("binary/octet-stream", "song.mp3", "audio/mpeg", "song.mp3"),
        ("application/octet-stream", "a.html", "text/html", "a.html"),
        ("image/png", "x.mp4", "image/png", "x.mp4"),
    ],
)
def test_one_reading_of_a_files_type(claimed: str, name: str, mime_type: str, shown: str) -> None:
    """Without parameters; where the type says nothing the name does, for lists and streams alike."""
    attributes = [types.DocumentAttributeFilename(name)] if name else []
    held = document(*attributes, mime_type=claimed)
    file = media.remote_file(message(held))
    assert (item(held).mime_type, item(held).name) == (file.mime_type, file.name) == (mime_type, shown)
    assert not file.is_guessed


@pytest.mark.parametrize(("name", "is_guessed"), [("", True), ("scan", True), ("dump.bin", False)])
def test_a_type_that_neither_field_tells(name: str, is_guessed: bool) -> None:
    """The first bytes are to tell, and a made-up extension follows; a name that ends in .bin has told."""
    attributes = [types.DocumentAttributeFilename(name)] if name else []
    file = media.remote_file(message(document(*attributes)))
    assert (file.mime_type, file.is_guessed) == ("application/octet-stream", is_guessed)
    known = file.recognised(b"\xff\xd8\xff\xe0")
    assert (known.mime_type, known.is_guessed) == ("image/jpeg", False)
    assert known.name == (name or "document_2023-10-27_10-00-00_7.jpg")
    assert file.recognised(b"what?").mime_type == "application/octet-stream"


def test_a_photo_is_its_largest_size() -> None:
    """Of a progressive one the last step; cropped, stripped and outlined ones do not count."""
    held = photo(
        STRIPPED,
        OUTLINE,
        types.PhotoSize("m", 320, 240, 3000),
        types.PhotoSizeProgressive("y", 1280, 960, [100, 2000, 90000]),
        types.PhotoSize("d", 2000, 2000, 5),
    )
    assert (item(held).size, item(held).width, item(held).height) == (90000, 1280, 960)
    file = media.remote_file(message(held))
    assert (file.kind, file.thumb_size, file.size, file.mime_type) == ("photo", "y", 90000, "image/jpeg")
    assert (file.file_id, file.dc_id, file.file_reference) == (5, 2, b"ref")


@pytest.mark.parametrize(("size", "letter"), [("small", "s"), ("medium", "m"), ("large", "x")])
def test_a_photos_thumbnails_are_its_sizes(size: Any, letter: str) -> None:
    """The one whose longer side is nearest to 100, 320 and 800 pixels."""
    held = photo(
        types.PhotoSize("s", 67, 90, 1),
        types.PhotoSize("m", 240, 320, 2),
        types.PhotoSize("x", 600, 800, 3),
        types.PhotoSize("y", 960, 1280, 4),
    )
    assert media.remote_thumbnail(message(held), size).thumb_size == letter


def test_a_documents_thumbnail() -> None:
    """It is the document's, in one of its sizes, with a tag of its own."""
    held = document(
        types.DocumentAttributeFilename("clip.mp4"),
        mime_type="video/mp4",
        thumbs=[STRIPPED, types.PhotoSize("m", 320, 180, 4000), types.PhotoCachedSize("s", 90, 50, b"12345")],
    )
    thumbnail = media.remote_thumbnail(message(held))
    whole = media.remote_file(message(held))
    assert (thumbnail.kind, thumbnail.thumb_size, thumbnail.size) == ("document", "m", 4000)
    assert (thumbnail.mime_type, thumbnail.name) == ("image/jpeg", "clip_thumbnail.jpg")
    assert media.remote_thumbnail(message(held), "small").size == 5
    assert thumbnail.etag != whole.etag


@pytest.mark.parametrize(
    ("head", "mime_type", "extension"),
    [(b"RIFF\x00\x00\x00\x00WEBP", "image/webp", "webp"), (b"\xff\xd8\xff", "image/jpeg", "jpg")],
)
@pytest.mark.parametrize("in_set", [types.InputStickerSetID(1, 2), types.InputStickerSetEmpty()])
@pytest.mark.parametrize("kind", [types.DocumentAttributeSticker, types.DocumentAttributeCustomEmoji])
def test_a_stickers_thumbnail_is_labelled_by_its_bytes(
    kind: Any, in_set: Any, head: bytes, mime_type: str, extension: str
) -> None:
    """They are WebP or JPEG, whether or not the sticker belongs to a set."""
    held = document(
        kind(alt="x", stickerset=in_set),
        mime_type="video/webm",
        thumbs=[types.PhotoSize("m", 128, 128, 9)],
    )
    thumbnail = media.remote_thumbnail(message(held))
    assert thumbnail.is_guessed
    known = thumbnail.recognised(head)
    assert (known.mime_type, known.name.rpartition(".")[2]) == (mime_type, extension)
    held = document(kind(alt="x", stickerset=in_set), thumbs=[types.PhotoCachedSize("m", 128, 128, head)])
    assert media.remote_thumbnail(message(held)).mime_type == mime_type


def test_bytes_in_the_message() -> None:
    """A photoCachedSize is the thumbnail itself, of a document and of a photo."""
    cached = types.PhotoCachedSize("s", 90, 50, b"\xff\xd8\xff and so on")
    for held in (document(thumbs=[cached]), photo(cached)):
        assert item(held).has_thumbnail
        thumbnail = media.remote_thumbnail(message(held))
        assert (thumbnail.content, thumbnail.size) == (cached.bytes, len(cached.bytes))
    assert media.remote_file(message(photo(cached))).content == cached.bytes


def test_sizes_that_can_be_none() -> None:
    """A size of unknown bytes is taken for want of others; what is impossible breaks nothing."""
    unknown = types.PhotoSize("y", 1280, 960, 0)
    known = types.PhotoSize("m", 320, 240, 3000)
    assert media.remote_file(message(photo(known, unknown))).thumb_size == "m"
    assert media.remote_file(message(photo(unknown))).size == 0
    for bad in (types.PhotoSize("", 9, 9, 5), types.PhotoCachedSize("s", 9, 9, b"")):
        assert media.media_item(message(photo(bad))) is None
    assert item(photo(types.PhotoSize("m", 320, 240, -5))).size == 0
    assert item(photo(types.PhotoSizeProgressive("m", 320, 240, []))).size == 0
    assert item(document(size=-1)).size == media.remote_file(message(document(size=-1))).size == 0


@pytest.mark.parametrize(
    "thumbs", [None, [], [STRIPPED], [OUTLINE], [STRIPPED, OUTLINE, types.PhotoSizeEmpty("s")]]
)
def test_previews_alone_are_no_thumbnail(thumbs: list[Any] | None) -> None:
    """Stripped ones and outlines are no files."""
    held = document(thumbs=thumbs)
    assert not item(held).has_thumbnail
    with pytest.raises(MediaNotFound):
        media.remote_thumbnail(message(held))


@pytest.mark.parametrize(
    ("preview", "shown"), [(STRIPPED, 5), (types.PhotoSize("m", 320, 180, 4), 99)], ids=["none", "picture"]
)
def test_a_videos_cover(preview: Any, shown: int) -> None:
    """It is the thumbnail if it is a picture; what it lacks, the video's own previews have."""
    held = document(
        types.DocumentAttributeVideo(1, 2, 3), thumbs=[STRIPPED, types.PhotoSize("m", 320, 180, 3)]
    )
    held.video_cover = photo(preview).photo
    held.video_cover.id = 99
    assert media.remote_thumbnail(message(held)).file_id == shown
    assert (item(held).blur_data_url or "").startswith("data:image/jpeg;base64,")


def test_a_stripped_thumbnail_is_a_jpeg() -> None:
    """Complete, as a data URL for next/image."""
    url = item(photo(STRIPPED, types.PhotoSize("m", 320, 240, 3000))).blur_data_url
    assert url is not None
    kind, _, data = url.partition(",")
    assert kind == "data:image/jpeg;base64"
    jpeg = base64.b64decode(data, validate=True)
    assert jpeg.startswith(b"\xff\xd8\xff")
    assert jpeg.endswith(b"\xff\xd9")
    broken = types.PhotoStrippedSize("i", b"\x02")
    assert item(photo(broken, types.PhotoSize("m", 320, 240, 3000))).blur_data_url is None


@pytest.mark.parametrize(
    "held",
    [
        None,
        types.MessageMediaPhoto(ttl_seconds=5),
        types.MessageMediaPhoto(photo=types.PhotoEmpty(1)),
        photo(),
        photo(STRIPPED),
        types.MessageMediaDocument(ttl_seconds=5),
        types.MessageMediaDocument(document=types.DocumentEmpty(1)),
        types.MessageMediaUnsupported(),
        types.MessageMediaWebPage(types.WebPageEmpty(1)),
        types.MessageMediaDice(3, "x"),
    ],
    ids=lambda held: type(held).__name__,
)
def test_what_is_no_media(held: Any) -> None:
    """Nothing there, nothing left, or nothing that is a file."""
    assert media.media_item(message(held)) is None
    with pytest.raises(MediaNotFound):
        media.remote_file(message(held))


@pytest.mark.parametrize(
    ("packed", "values"),
    [
        (b"", []),
        (b"\x1f", [31]),
        (b"\xff\x03", [31, 31, 0]),
        (bytes.fromhex("4188d17c05"), [1, 2, 2, 3, 13, 30, 21, 0]),
    ],
)
def test_a_waveform(packed: bytes, values: list[int]) -> None:
    """Five bits a value, the lowest first, down to the last one, which Telethon gets wrong."""
    assert decoded_waveform(packed) == values
    audio = types.DocumentAttributeAudio(3, voice=True, waveform=packed)
    assert item(document(audio)).waveform == (values or None)
    assert item(document(types.DocumentAttributeAudio(3, waveform=packed))).waveform is None


@given(st.lists(st.integers(0, 31), max_size=100))
def test_a_waveform_comes_back(values: list[int]) -> None:
    """What was packed is read, whatever its length."""
    packed = sum(value << 5 * place for place, value in enumerate(values))
    read = decoded_waveform(packed.to_bytes(-(-len(values) * 5 // 8), "little"))
    assert read[: len(values)] == values
    assert len(read) - len(values) <= 1


def test_music_has_its_tags() -> None:
    """Where there are any."""
    tagged = item(document(types.DocumentAttributeAudio(3, title="Dawn", performer="Ada")))
    assert (tagged.title, tagged.performer, tagged.duration) == ("Dawn", "Ada", 3.0)
    bare = item(document(types.DocumentAttributeAudio(3, title="", performer="")))
    assert (bare.title, bare.performer, bare.waveform) == (None, None, None)


@pytest.mark.parametrize("duration", [float("nan"), float("inf"), -1.0, 0.0])
def test_a_duration_that_is_none(duration: float) -> None:
    """What JSON could not say, or no film lasts, is not said."""
    assert (
        item(document(types.DocumentAttributeVideo(duration, -2, -3))).model_dump(
            include={"duration", "width", "height"}
        )
        == {}
    )


def test_what_is_not_said_is_left_out() -> None:
    """No width, height, duration or album where Telegram has none."""
    bare = item(document())
    assert (bare.width, bare.height, bare.duration, bare.album_id, bare.blur_data_url) == (None,) * 5
    full = item(document(types.DocumentAttributeVideo(2.5, 640, 360)), grouped_id=12, message="caption")
    assert (full.width, full.height, full.duration, full.album_id) == (640, 360, 2.5, "12")
    assert full.caption == "caption"


def test_secrets_of_a_file_are_not_shown() -> None:
    """Access hash and file reference open the file to anybody of this account."""
    shown = repr(media.remote_file(message(document())))
    assert "b'ref'" not in shown
    assert "access_hash" not in shown
