"""What one message holds, as a value: its files, renditions, cover and version, and the memory it takes."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from telethon.tl import types

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.saved.saved_media import SavedMedia

DATE: Final = datetime(2023, 10, 27, 10, 0, tzinfo=UTC)
SIZES: Final = (
    types.PhotoSize("s", 67, 90, 1),
    types.PhotoSize("m", 240, 320, 2),
    types.PhotoSize("x", 600, 800, 3),
)
STRIPPED: Final = types.PhotoStrippedSize("i", b"\x01\x10\x20" + bytes(30))


def message(media: Any = None, **fields: Any) -> types.Message:
    return types.Message(
        **{"id": 7, "peer_id": types.PeerUser(1), "date": DATE, "message": "", "media": media, **fields}
    )


def photo(number: int = 5, sizes: Any = SIZES) -> types.Photo:
    return types.Photo(id=number, access_hash=6, file_reference=b"ref", date=DATE, sizes=list(sizes), dc_id=2)


def document(
    number: int = 8, *attributes: Any, thumbs: Any = None, mime_type: str = "video/mp4"
) -> types.Document:
    return types.Document(
        id=number,
        access_hash=6,
        file_reference=b"ref",
        date=DATE,
        mime_type=mime_type,
        size=number * 100,
        dc_id=2,
        attributes=list(attributes),
        thumbs=thumbs,
    )


def film(number: int = 8, height: int = 720, codec: str | None = None, **fields: Any) -> types.Document:
    return document(
        number, types.DocumentAttributeVideo(9.5, height * 16 // 9, height, video_codec=codec), **fields
    )


def of(media: Any, **fields: Any) -> SavedMedia:
    found = SavedMedia.of(message(media, **fields))
    assert found is not None
    return found


def ids(found: SavedMedia) -> list[int]:
    """The files' ids, by the numbers of the parts."""
    listed = found.item.parts
    return [found.file(part).file_id for part in range(1, 1 + (len(listed) if listed else 1))]


def test_one_file() -> None:
    """The item names it with its version, and has no parts."""
    found = of(types.MessageMediaPhoto(photo=photo()))
    item = found.item
    assert (item.parts, item.renditions, item.spoiler, item.edited) == (None,) * 4
    assert item.url == f"stream_media/7?v={found.version}"
    assert item.thumbnail_url == f"stream_thumbnail/7?v={found.version}"
    assert found.version == found.file().version == found.thumbnail().version
    with pytest.raises(MediaNotFound):
        found.file(2)
    with pytest.raises(MediaNotFound):
        found.file(0)
    with pytest.raises(MediaNotFound):
        found.file(1, 1)


def test_versions() -> None:
    """Another file has another one; the same one in another message, or fetched again, has the same."""
    one = of(types.MessageMediaPhoto(photo=photo(5)))
    other = of(types.MessageMediaPhoto(photo=photo(6)))
    again = of(types.MessageMediaPhoto(photo=photo(5), spoiler=True), id=9, message="caption")
    of_a_document = of(types.MessageMediaDocument(document=document(5)))
    assert one.version == again.version
    assert len({one.version, other.version, of_a_document.version}) == 3
    assert one.version.replace("-", "").replace("_", "").isalnum()


def test_what_a_message_says_of_its_file() -> None:
    """Spoiler, the time of the last edit, and the caption's entities."""
    item = of(
        types.MessageMediaPhoto(photo=photo(), spoiler=True),
        message="a caption",
        entities=[types.MessageEntityBold(0, 1)],
        edit_date=DATE + timedelta(hours=1),
        grouped_id=12,
    ).item
    assert (item.spoiler, item.edited, item.album_id) == (True, "2023-10-27T11:00:00Z", "12")
    assert (item.caption, item.caption_html) == ("a caption", "<b>a</b> caption")


def test_an_edit_that_is_not_to_be_shown() -> None:
    """Telegram sets the date for a reaction too, and says that nothing was edited."""
    hidden = of(types.MessageMediaPhoto(photo=photo()), edit_date=DATE, edit_hide=True)
    assert hidden.item.edited is None


def test_a_caption_without_entities() -> None:
    """It is the same as HTML and as text, but for the escaping: it is told once."""
    assert of(types.MessageMediaPhoto(photo=photo()), message="a < b").item.caption_html is None


def test_the_preview_can_be_left_out() -> None:
    """Half of an item's bytes, for who shows no pictures."""
    found = of(types.MessageMediaPhoto(photo=photo(sizes=[STRIPPED, *SIZES])))
    assert found.item.blur_data_url is not None
    assert found.described(blur=False) == found.item.model_copy(update={"blur_data_url": None})


def test_a_live_photo() -> None:
    """The photo is the item, its motion the second part."""
    found = of(types.MessageMediaPhoto(photo=photo(), live_photo=True, video=film(thumbs=list(SIZES))))
    assert (found.item.type, found.item.width, found.item.duration) == ("photo", 600, None)
    assert found.item.parts is not None
    still, motion = found.item.parts
    assert (still.part, still.type, still.url) == (1, "photo", found.item.url)
    assert (motion.part, motion.type, motion.duration, motion.size) == (2, "video", 9.5, 800)
    version = found.file(2).version
    assert (motion.url, motion.thumbnail_url) == (
        f"stream_media/7?v={version}&part=2",
        f"stream_thumbnail/7?v={version}&part=2",
    )
    assert motion.name == found.file(2).name == "video_2023-10-27_10-00-00_7-2.mp4"
    assert found.thumbnail(100, 2).file_id == 8


def test_paid_media() -> None:
    """Each file that was bought is a part; what was not is none, and all of it no item."""
    bought = [
        types.MessageExtendedMedia(types.MessageMediaPhoto(photo=photo(5))),
        types.MessageExtendedMedia(types.MessageMediaDocument(document=film(8))),
    ]
    preview = types.MessageExtendedMediaPreview(w=9, h=9, thumb=STRIPPED)
    found = of(types.MessageMediaPaidMedia(5, [*bought, preview]))
    assert ids(found) == [5, 8]
    assert found.item.parts is not None
    assert [part.type for part in found.item.parts] == ["photo", "video"]
    assert found.item.parts[1].thumbnail_url is None
    assert SavedMedia.of(message(types.MessageMediaPaidMedia(5, [preview]))) is None
    invoice = {"title": "", "description": "", "currency": "XTR", "total_amount": 1, "start_param": ""}
    assert ids(of(types.MessageMediaInvoice(**invoice, extended_media=bought[0]))) == [5]
    assert SavedMedia.of(message(types.MessageMediaInvoice(**invoice))) is None


def test_a_poll() -> None:
    """Its own picture, those of its answers, and that of its solution."""

    def poll(attached: Any, solution: Any, *answers: Any) -> types.MessageMediaPoll:
        options = [
            types.PollAnswer(types.TextWithEntities("a", []), b"%d" % number, media=media)
            for number, media in enumerate(answers)
        ]
        asked = types.Poll(id=1, question=types.TextWithEntities("?", []), answers=options, hash=0)
        return types.MessageMediaPoll(asked, types.PollResults(solution_media=solution), attached)

    pictures = [types.MessageMediaPhoto(photo=photo(number)) for number in (1, 2, 3)]
    assert ids(of(poll(*pictures, None))) == [1, 3, 2]
    assert ids(of(poll(None, None, None, pictures[2]))) == [3]
    assert SavedMedia.of(message(poll(None, None, None))) is None


def test_a_forwarded_story() -> None:
    """Its photo or video, with its caption; where the story is gone there is nothing."""
    peer = types.PeerUser(9)
    story = types.StoryItem(
        id=3,
        date=DATE,
        expire_date=DATE,
        media=types.MessageMediaDocument(document=film()),
        caption="told",
        entities=[types.MessageEntityItalic(0, 4)],
    )
    item = of(types.MessageMediaStory(peer, 3, story=story)).item
    assert (item.type, item.caption, item.caption_html) == ("video", "told", "<i>told</i>")
    assert item.timestamp == "2023-10-27T10:00:00Z"
    for gone in (None, types.StoryItemDeleted(3)):
        assert SavedMedia.of(message(types.MessageMediaStory(peer, 3, story=gone))) is None


def test_a_cover() -> None:
    """It stands for the video, whose own thumbnail nobody asks for any more."""
    own = [types.PhotoSize("m", 320, 180, 9)]
    found = of(
        types.MessageMediaDocument(document=film(thumbs=own), video_cover=photo(5, [STRIPPED, *SIZES]))
    )
    thumbnail = found.thumbnail("large")
    assert (thumbnail.kind, thumbnail.file_id, thumbnail.thumb_size) == ("photo", 5, "x")
    assert found.item.thumbnail_url == f"stream_thumbnail/7?v={thumbnail.version}"
    assert thumbnail.version != found.version
    assert found.item.blur_data_url is not None
    without = of(types.MessageMediaDocument(document=film(thumbs=own), video_cover=types.PhotoEmpty(5)))
    assert without.thumbnail().file_id == 8


def test_renditions() -> None:
    """Other encodings of a video; HLS playlists name addresses that no browser knows."""
    playlist = document(30, types.DocumentAttributeFilename("mtproto:20"), mime_type="application/x-mpegurl")
    found = of(
        types.MessageMediaDocument(
            document=film(8), alt_documents=[film(20, 480, "h264"), playlist, film(21, 360, "av01")]
        )
    )
    assert found.item.renditions is not None
    assert [
        (one.width, one.height, one.codec, one.size, one.mime_type, one.url) for one in found.item.renditions
    ] == [
        (853, 480, "h264", 2000, "video/mp4", f"stream_media/7?v={found.file(1, 1).version}&rendition=1"),
        (640, 360, "av01", 2100, "video/mp4", f"stream_media/7?v={found.file(1, 2).version}&rendition=2"),
    ]
    assert [found.file(1, number).file_id for number in (1, 2)] == [20, 21]
    assert found.file(1, 2).name == "video_2023-10-27_10-00-00_7_360p.mp4"
    assert found.file().file_id == 8
    with pytest.raises(MediaNotFound):
        found.file(1, 3)
    named = document(8, types.DocumentAttributeFilename("ridge.mov"), types.DocumentAttributeVideo(9, 9, 9))
    smaller = of(types.MessageMediaDocument(document=named, alt_documents=[film(20, 480)])).file(1, 1)
    assert smaller.name == "ridge_480p.mp4"


@pytest.mark.parametrize(
    ("pixels", "letter"), [(1, "s"), (67, "s"), (68, "m"), (240, "m"), (241, "x"), (9999, "x")]
)
def test_a_width_in_pixels(pixels: int, letter: str) -> None:
    """The smallest that is at least as wide; if none is, the widest."""
    assert of(types.MessageMediaPhoto(photo=photo())).thumbnail(pixels).thumb_size == letter


@pytest.mark.parametrize(
    "media",
    [
        types.MessageMediaToDo(types.TodoList(types.TextWithEntities("", []), [])),
        types.MessageMediaGame(types.Game(1, 2, "", "", "", photo())),
        types.MessageMediaWebPage(types.WebPage(1, "", "", 0, photo=photo(), document=film())),
        types.MessageMediaStory(types.PeerUser(1), 3),
        None,
    ],
    ids=lambda media: type(media).__name__,
)
def test_what_holds_no_file_of_the_users(media: Any) -> None:
    """A page's or a game's pictures are not the user's."""
    assert SavedMedia.of(message(media)) is None
    assert SavedMedia.of(types.MessageEmpty(7, None)) is None


def test_the_memory_it_takes() -> None:
    """Tens of thousands are kept: a photo takes less than a kilobyte, half of which is its preview."""
    stripped = types.PhotoStrippedSize("i", b"\x01\x1e\x28" + bytes(450))
    media = [
        message(types.MessageMediaPhoto(photo=photo(number, [stripped, *SIZES])), id=number + 1000)
        for number in range(200)
    ]
    tracemalloc.start()
    try:
        kept = [SavedMedia.of(one) for one in media]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(kept) < 1024
