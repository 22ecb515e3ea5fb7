"""Messages with whatever numbers and names an app may have sent: none breaks a list, and none is misread."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.tl import types

from tests.telegram.saved.test_layer import Host
from tgbridge.errors import MediaNotFound
from tgbridge.sandbox.seeds import SEEDS, seed
from tgbridge.sandbox.world.state import State
from tgbridge.telegram.saved.items import media_item
from tgbridge.telegram.saved.saved_media import SavedMedia

if TYPE_CHECKING:
    from pathlib import Path

DATE: Final = datetime(2023, 10, 27, 10, 0, tzinfo=UTC)
SMALL: Final = st.integers(-(2**31), 2**31 - 1)
LARGE: Final = st.integers(-(2**63), 2**63 - 1)
DATES: Final = st.one_of(st.none(), st.integers(0, 2**31 - 1).map(lambda at: datetime.fromtimestamp(at, UTC)))
TEXTS: Final = st.text(max_size=20)
LETTERS: Final = st.sampled_from(["", "s", "m", "x", "y", "w", "a", "i", "?"])
PREVIEWS: Final = st.lists(
    st.one_of(
        st.builds(types.PhotoSize, LETTERS, SMALL, SMALL, SMALL),
        st.builds(types.PhotoSizeProgressive, LETTERS, SMALL, SMALL, st.lists(SMALL, max_size=3)),
        st.builds(types.PhotoCachedSize, LETTERS, SMALL, SMALL, st.binary(max_size=9)),
        st.builds(types.PhotoStrippedSize, LETTERS, st.binary(max_size=9)),
        st.builds(types.PhotoPathSize, LETTERS, st.binary(max_size=9)),
        st.builds(types.PhotoSizeEmpty, LETTERS),
    ),
    max_size=4,
)
STICKER: Final = types.InputStickerSetEmpty()
ATTRIBUTES: Final = st.lists(
    st.one_of(
        st.builds(types.DocumentAttributeFilename, TEXTS),
        st.builds(types.DocumentAttributeVideo, st.floats(), SMALL, SMALL, video_codec=TEXTS),
        st.builds(
            types.DocumentAttributeAudio,
            SMALL,
            voice=st.booleans(),
            title=TEXTS,
            performer=TEXTS,
            waveform=st.none() | st.binary(max_size=70),
        ),
        st.builds(types.DocumentAttributeImageSize, SMALL, SMALL),
        st.builds(types.DocumentAttributeSticker, TEXTS, st.just(STICKER)),
        st.builds(types.DocumentAttributeAnimated),
    ),
    max_size=5,
)
PHOTOS: Final = st.builds(types.Photo, LARGE, LARGE, st.binary(max_size=9), DATES, PREVIEWS, SMALL)
DOCUMENTS: Final = st.builds(
    types.Document,
    LARGE,
    LARGE,
    st.binary(max_size=9),
    DATES,
    TEXTS,
    LARGE,
    SMALL,
    ATTRIBUTES,
    thumbs=st.none() | PREVIEWS,
)
MEDIA: Final = st.one_of(
    st.builds(types.MessageMediaPhoto, photo=PHOTOS, spoiler=st.booleans()),
    st.builds(types.MessageMediaPhoto, photo=PHOTOS, live_photo=st.just(True), video=DOCUMENTS),
    st.builds(
        types.MessageMediaDocument,
        document=DOCUMENTS,
        video_cover=st.none() | PHOTOS,
        alt_documents=st.none() | st.lists(DOCUMENTS, max_size=2),
    ),
)
MESSAGES: Final = st.builds(
    types.Message,
    id=st.integers(1, 2**31 - 1),
    peer_id=st.just(types.PeerUser(1)),
    date=DATES,
    message=TEXTS,
    media=st.one_of(
        MEDIA,
        st.builds(
            types.MessageMediaPaidMedia,
            LARGE,
            st.lists(st.builds(types.MessageExtendedMedia, MEDIA), max_size=3),
        ),
    ),
    edit_date=DATES,
    grouped_id=st.none() | LARGE,
)


@given(message=MESSAGES)
def test_whatever_a_message_says(message: types.Message) -> None:
    """Its item is valid JSON, and the files are there that it names."""
    found = SavedMedia.of(message)
    if found is None:
        assert media_item(message) is None
        return
    item = json.loads(found.item.model_dump_json())
    assert item["name"]
    parts = item.get("parts", [item])
    for number, part in enumerate(parts, 1):
        file = found.file(number)
        assert (file.size, file.name, file.mime_type) == (part["size"], part["name"], part["mime_type"])
        assert f"v={file.version}" in part["url"]
        if part["thumbnail_url"] is None:
            with pytest.raises(MediaNotFound):
                found.thumbnail("medium", number)
        else:
            for thumbnail in (found.thumbnail("large", number), found.thumbnail(640, number)):
                assert f"v={thumbnail.version}" in part["thumbnail_url"]
    for number, rendition in enumerate(item.get("renditions", []), 1):
        assert found.file(1, number).size == rendition["size"]


def test_what_is_kept_is_what_was_there(tmp_path: Path) -> None:
    """Of each kind in the sandbox, a kept message says what the message itself does."""
    state = State(Host(tmp_path), seed=seed)
    messages = list(state.account_of("+9996610001").history)
    state.close()
    assert len(messages) == len(SEEDS)
    for message in messages:
        found = SavedMedia.of(message)
        assert (found and found.item) == media_item(message)
