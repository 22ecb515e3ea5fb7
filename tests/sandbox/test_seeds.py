"""What a new account finds in its Saved Messages."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from tgbridge.sandbox import seeds
from tgbridge.sandbox.media import DOCUMENTS, LARGE_BYTES, PHOTOS, STRETCHED_BYTES
from tgbridge.sandbox.world.makers import abroad
from tgbridge.sandbox.world.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tgbridge.sandbox.world.accounts import Account


class Host:
    """As much of a sandbox as its state needs."""

    def __init__(self, state_dir: Path | None) -> None:
        self.state_dir = state_dir

    def now(self) -> float:
        return time.time()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(Host(tmp_path), seed=seeds.seed)
    yield state
    state.close()


@pytest.fixture
def account(state: State) -> Account:
    return state.account_of("+9996610001")


def message(account: Account, key: str) -> Any:
    return account.history.get(seeds.IDS[key])


def document(account: Account, key: str) -> types.Document:
    held: types.Document = message(account, key).media.document
    return held


def attribute(account: Account, key: str, kind: type) -> Any:
    return next(found for found in document(account, key).attributes if isinstance(found, kind))


def held_file(message: Any) -> types.Photo | types.Document | None:
    media = getattr(message, "media", None)
    media = getattr(media, "webpage", media)
    return getattr(media, "photo", None) or getattr(media, "document", None)


def test_ids_count_from_one_and_dates_never_go_back(account: Account) -> None:
    """Messages have the documented ids, newest last, over several months."""
    messages = list(reversed(list(account.history)))
    assert [m.id for m in messages] == list(seeds.IDS.values()) == list(range(1, len(seeds.SEEDS) + 1))
    dates = [m.date for m in messages]
    assert dates == sorted(dates)
    assert (dates[-1] - dates[0]).days > 180
    assert dates[-1] == datetime(2025, 10, 27, 10, tzinfo=UTC)
    assert message(account, "photo").message == "A beautiful image"


def test_every_message_survives_the_wire(account: Account) -> None:
    """All of them can be serialised, which shows that no field has a wrong type."""
    assert all(bytes(account.files.stamp(m)) for m in account.history)


def test_accounts_share_bytes_but_not_files(state: State, account: Account) -> None:
    """Two accounts see the same messages, with files of their own, and nothing is copied."""
    other = state.account_of("+9996610002")
    for mine, theirs in zip(account.history, other.history, strict=True):
        assert (mine.id, mine.date, getattr(mine, "message", None)) == (
            theirs.id,
            theirs.date,
            getattr(theirs, "message", None),
        )
        my_file, their_file = held_file(mine), held_file(theirs)
        if my_file is None:
            continue
        assert their_file is not None
        assert my_file.id != their_file.id
        assert my_file.access_hash != their_file.access_hash
        here, there = state.files.get(my_file.id), state.files.get(their_file.id)
        assert here is not None
        assert there is not None
        assert here.blobs == there.blobs
        assert here.owner == account.id
        assert there.owner == other.id
    assert not list((state.directory / "files").iterdir())


@pytest.mark.parametrize(("phone", "foreign"), [("+9996610001", 3), ("+9996620001", 3), ("+9996630001", 1)])
def test_some_files_live_abroad(state: State, phone: str, foreign: int) -> None:
    """The large file, two videos and a photo are at another data centre, all else is at home."""
    account = state.account_of(phone)
    assert abroad(account.home_dc) == foreign
    keys = {number: key for key, number in seeds.IDS.items()}
    places = {keys[m.id]: held.dc_id for m in account.history if (held := held_file(m)) is not None}
    away = {key for key, dc_id in places.items() if dc_id == foreign}
    assert away == {"large", "video_moov_last", "video_abroad", "photo_abroad"}
    assert set(places.values()) == {account.home_dc, foreign}
    for m in account.history:
        if (held := held_file(m)) is not None:
            stored = state.files.get(held.id)
            assert stored is not None
            assert stored.dc_id == held.dc_id


def test_photos_have_previews_and_sizes(account: Account) -> None:
    """A photo carries its stripped preview and all sizes in ascending order, the newest a progressive one."""
    photo = message(account, "photo").media.photo
    kinds = [(size.type, type(size)) for size in photo.sizes]
    assert kinds == [
        ("i", types.PhotoStrippedSize),
        ("s", types.PhotoSize),
        ("m", types.PhotoSize),
        ("x", types.PhotoSize),
        ("y", types.PhotoSizeProgressive),
    ]
    assert [(size.w, size.h) for size in photo.sizes[1:]] == [(100, 75), (320, 240), (800, 600), (1280, 960)]
    assert photo.sizes[-1].sizes == list(PHOTOS["sea"].largest.progressive)


def test_album_is_three_photos_of_one_group(account: Account) -> None:
    """The album's messages share a group that no other message has."""
    groups = [m.grouped_id for m in account.history if getattr(m, "grouped_id", None)]
    assert len(groups) == 3
    assert len(set(groups)) == 1
    assert message(account, "album_1").message
    assert not message(account, "album_2").message


def test_videos_tell_what_they_are(account: Account) -> None:
    """Video, loop and round note differ by their attributes, as Telegram's apps tell them apart."""
    plain, last, loop, note = (
        attribute(account, key, types.DocumentAttributeVideo)
        for key in ("video", "video_moov_last", "animation", "video_note")
    )
    assert (plain.w, plain.h, plain.supports_streaming) == (640, 360, True)
    assert 5 <= plain.duration < 5.1
    assert last.supports_streaming is None
    assert 30 <= last.duration < 30.1
    assert loop.nosound
    assert attribute(account, "animation", types.DocumentAttributeAnimated)
    assert note.round_message
    assert note.w == note.h
    for key in ("video", "video_moov_last", "video_abroad", "animation", "video_note"):
        assert [size.type for size in document(account, key).thumbs] == ["i", "m"]
        assert document(account, key).mime_type == "video/mp4"


def test_audio_voice_and_sticker_tell_what_they_are(account: Account) -> None:
    """Music has its tags and cover, a voice message its waveform, a sticker its emoji and outline."""
    music = attribute(account, "audio", types.DocumentAttributeAudio)
    assert (music.voice, music.duration, music.title, music.performer) == (
        None,
        12,
        "Morning over the valley",
        "The Sandbox Players",
    )
    assert [size.type for size in document(account, "audio").thumbs] == ["i", "m"]
    voice = attribute(account, "voice", types.DocumentAttributeAudio)
    assert voice.voice
    assert voice.waveform == DOCUMENTS["voice"].waveform
    assert document(account, "voice").thumbs is None
    assert attribute(account, "sticker", types.DocumentAttributeSticker).alt == "😺"
    outline, thumb = document(account, "sticker").thumbs
    assert isinstance(outline, types.PhotoPathSize)
    assert (thumb.type, thumb.w, thumb.h) == ("m", 128, 128)


def test_names_of_all_kinds(account: Account) -> None:
    """There are plain names, names in other scripts, with quotes and emoji, and files without any name."""
    names = {
        keyed.key: [
            found.file_name for found in held.attributes if isinstance(found, types.DocumentAttributeFilename)
        ]
        for keyed in seeds.SEEDS
        if isinstance(held := held_file(message(account, keyed.key)), types.Document)
    }
    assert names["japanese_name"] == ["写真と費用 2025年.zip"]
    assert names["quoted_name"] == ['Расходы на "отпуск" 🏖️.csv']
    assert [key for key, name in names.items() if not name] == [
        "nameless",
        "voice",
        "video_note",
        "nameless_video",
    ]
    assert document(account, "nameless").attributes == []
    assert document(account, "nameless").mime_type == "application/octet-stream"


def test_sizes_are_those_of_the_bytes(account: Account) -> None:
    """What a document or thumbnail says of its size is how many bytes there are."""
    for m in account.history:
        held = held_file(m)
        if held is None:
            continue
        stored = account.files.get(held.id)
        assert stored is not None
        if isinstance(held, types.Document):
            assert held.size == stored.blobs[""].size
        sizes = (held.thumbs or []) if isinstance(held, types.Document) else held.sizes
        for size in sizes:
            if isinstance(size, types.PhotoSize):
                assert size.size == stored.blobs[size.type].size
            if isinstance(size, types.PhotoSizeProgressive):
                assert max(size.sizes) == stored.blobs[size.type].size
    assert document(account, "large").size == LARGE_BYTES
    assert document(account, "video_moov_last").size == STRETCHED_BYTES


def test_messages_without_a_file(account: Account) -> None:
    """Text, link preview, contact, location, poll, a service message and expired media are there too."""
    kinds = {
        "contact": types.MessageMediaContact,
        "location": types.MessageMediaGeo,
        "poll": types.MessageMediaPoll,
        "link_preview": types.MessageMediaWebPage,
        "expired_photo": types.MessageMediaPhoto,
        "expired_video": types.MessageMediaDocument,
    }
    for key, kind in kinds.items():
        assert isinstance(message(account, key).media, kind)
    assert message(account, "expired_photo").media.photo is None
    assert message(account, "expired_video").media.document is None
    assert message(account, "link_preview").media.webpage.photo.sizes
    assert message(account, "text").media is None
    assert isinstance(message(account, "service"), types.MessageService)


def test_many_messages_follow_the_newest(account: Account) -> None:
    """Thousands can be added, every second with a photo of its own, each newer than the one before."""
    ids = seeds.seed_many(account, 3000)
    assert ids == list(range(len(seeds.SEEDS) + 1, len(seeds.SEEDS) + 3001))
    added: list[Any] = [account.history.get(number) for number in ids]
    photos = [held.id for m in added if (held := held_file(m)) is not None]
    assert len(set(photos)) == 1500
    assert [m.date for m in added] == sorted(m.date for m in added)
    assert added[0].date > message(account, "photo").date


def test_many_messages_in_an_empty_account(tmp_path: Path) -> None:
    """An account that holds nothing can be filled as well, with text alone."""
    state = State(Host(tmp_path))
    account = state.account_of("+9996610001")
    assert seeds.seed_many(account, 3, photo_every=0) == [1, 2, 3]
    assert all(m.media is None for m in account.history)
