"""Reading Saved Messages, as stock Telethon does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import errors, functions, types

from tgbridge.sandbox import seeds
from tgbridge.sandbox.seeds import IDS, SEEDS
from tgbridge.sandbox.world.history import MAX_PAGE, History, Window

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn
    from tgbridge.sandbox import Sandbox


def history_request(**fields: Any) -> functions.messages.GetHistoryRequest:
    defaults = {
        "peer": types.InputPeerSelf(),
        "offset_id": 0,
        "offset_date": None,
        "add_offset": 0,
        "limit": 100,
        "max_id": 0,
        "min_id": 0,
        "hash": 0,
    }
    return functions.messages.GetHistoryRequest(**{**defaults, **fields})


async def ids_of(client: TelegramClient, **options: Any) -> list[int]:
    return [message.id async for message in client.iter_messages("me", wait_time=0, **options)]


async def test_all_messages_newest_first(sign_in: SignIn) -> None:
    """The seeds, as whoever signs in finds them."""
    client = await sign_in()
    assert await ids_of(client) == list(range(len(SEEDS), 0, -1))
    assert await ids_of(client, reverse=True) == list(range(1, len(SEEDS) + 1))


async def test_pages_cover_a_long_history(sign_in: SignIn, sandbox: Sandbox) -> None:
    """Page after page, forwards and backwards, each message once."""
    client = await sign_in()
    account = sandbox.state.account_of("+9996620001")
    seeds.seed_many(account, 250)
    total = len(account.history)
    assert await ids_of(client) == list(range(total, 0, -1))
    assert await ids_of(client, reverse=True) == list(range(1, total + 1))
    page = await client(history_request(limit=3, offset_id=100, max_id=98, min_id=90))
    assert [message.id for message in page.messages] == [97, 96, 95]
    page = await client(history_request(limit=9, offset_id=98, add_offset=-3, max_id=100, min_id=95))
    assert [message.id for message in page.messages] == [99, 98, 97, 96]
    page = await client(history_request(limit=1000))
    assert (len(page.messages), page.count) == (MAX_PAGE, total)


async def test_a_date_is_an_offset_too(sign_in: SignIn) -> None:
    """offset_date begins at the messages before it."""
    client = await sign_in()
    album = next(seed for seed in SEEDS if seed.key == "album_1")
    assert (await ids_of(client, offset_date=album.sent, limit=1)) == [IDS["album_1"] - 1]
    assert await ids_of(client, offset_date=album.sent + timedelta(seconds=1), limit=1) == [IDS["album_3"]]


async def test_an_unchanged_page_is_not_sent_again(sign_in: SignIn) -> None:
    """A client that names the hash of what it has is told so."""
    client = await sign_in()
    value = 0
    for number in (3, 2, 1):
        value ^= value >> 21
        value ^= (value << 35) % 2**64
        value ^= value >> 4
        value = (value + number) % 2**64
    signed = value - 2**64 if value >= 2**63 else value
    answer = await client(history_request(max_id=4, hash=signed))
    assert isinstance(answer, types.messages.MessagesNotModified)
    assert isinstance(await client(history_request(max_id=5, hash=signed)), types.messages.MessagesSlice)


async def test_only_ones_own_chat_is_there(sign_in: SignIn) -> None:
    """Saved Messages by either name, and PEER_ID_INVALID for anybody else."""
    client, stranger = await sign_in(), await sign_in("+9996620002")
    me = await client.get_me()
    answer = await client(history_request(peer=types.InputPeerUser(me.id, me.access_hash), limit=1))
    assert answer.messages[0].id == len(SEEDS)
    for peer in (types.InputPeerUser(me.id, me.access_hash), types.InputPeerChat(1), types.InputPeerEmpty()):
        with pytest.raises(errors.PeerIdInvalidError):
            await stranger(history_request(peer=peer))


async def test_messages_by_id(sign_in: SignIn) -> None:
    """An empty message stands for each that is not there."""
    client = await sign_in()
    found = await client.get_messages("me", ids=[IDS["photo"], 10_000, IDS["text"]])
    assert [message and message.id for message in found] == [IDS["photo"], None, IDS["text"]]
    answer = await client(functions.messages.GetMessagesRequest([types.InputMessageID(10_000)]))
    assert isinstance(answer.messages[0], types.MessageEmpty)


@pytest.mark.parametrize(
    ("message_filter", "keys"),
    [
        (types.InputMessagesFilterPhotos, ["photo", "forwarded_photo", "album_3", "photo_abroad"]),
        (types.InputMessagesFilterVideo, ["video", "video_moov_last", "video_abroad"]),
        (types.InputMessagesFilterPhotoVideo, ["photo", "video"]),
        (types.InputMessagesFilterDocument, ["pdf", "nameless", "large", "image_file", "svg", "html"]),
        (types.InputMessagesFilterMusic, ["audio"]),
        (types.InputMessagesFilterVoice, ["voice"]),
        (types.InputMessagesFilterGif, ["animation"]),
        (types.InputMessagesFilterRoundVideo, ["video_note"]),
        (types.InputMessagesFilterRoundVoice, ["video_note", "voice"]),
        (types.InputMessagesFilterUrl, ["formatted", "link_preview"]),
        (types.InputMessagesFilterGeo, ["location"]),
        (types.InputMessagesFilterContacts, ["contact"]),
        (types.InputMessagesFilterPoll, ["poll_picture", "poll"]),
        (types.InputMessagesFilterMyMentions, []),
    ],
)
async def test_filters_find_their_kind(sign_in: SignIn, message_filter: type, keys: list[str]) -> None:
    """Each kind of media has its filter, and none finds what belongs to another."""
    client = await sign_in()
    found = await ids_of(client, filter=message_filter)
    assert found == sorted(found, reverse=True)
    assert {IDS[key] for key in keys} <= set(found)
    if len(keys) <= 1 or "poll" in keys or "link_preview" in keys:
        assert found == [IDS[key] for key in keys]
    foreign = {"text", "service", "sticker", "expired_photo"} & {k for k, v in IDS.items() if v in found}
    assert not foreign


async def test_filters_count(sign_in: SignIn) -> None:
    """messages.getSearchCounters counts what the filter finds."""
    client = await sign_in()
    counters = await client(
        functions.messages.GetSearchCountersRequest("me", [types.InputMessagesFilterPhotos()])
    )
    assert counters[0].count == len(await ids_of(client, filter=types.InputMessagesFilterPhotos))


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("beautiful", "photo"),
        ("BEAUT image", "photo"),
        ("valley.mp4", "video"),
        ("noon dusk", "album_1"),
        ("אורות", "photo_abroad"),
        ("🎸", "audio"),
    ],
)
async def test_words_are_found_in_captions_and_names(sign_in: SignIn, query: str, key: str) -> None:
    """Each word of the query begins a word of the message, of its file's name or title."""
    client = await sign_in()
    assert await ids_of(client, search=query) == [IDS[key]]
    assert await ids_of(client, search=f"{query} nowhere") == []


async def test_a_search_has_bounds_of_time_and_pages(sign_in: SignIn, sandbox: Sandbox) -> None:
    """Dates exclude their own second, the count is of all that matches."""
    client = await sign_in()
    sent = {seed.key: seed.sent for seed in SEEDS}

    def request(**fields: Any) -> functions.messages.SearchRequest:
        defaults = {
            "peer": "me",
            "q": "",
            "filter": types.InputMessagesFilterPhotos(),
            "min_date": None,
            "max_date": None,
            "offset_id": 0,
            "add_offset": 0,
            "limit": 100,
            "max_id": 0,
            "min_id": 0,
            "hash": 0,
        }
        return functions.messages.SearchRequest(**{**defaults, **fields})

    answer = await client(request(min_date=sent["photo_abroad"], max_date=sent["live_photo"]))
    expected = ["forwarded_photo", "album_3", "album_2", "album_1"]
    assert [message.id for message in answer.messages] == [IDS[key] for key in expected]
    answer = await client(request(min_date=sent["photo_abroad"], max_date=sent["live_photo"], limit=2))
    assert (answer.count, len(answer.messages)) == (4, 2)
    answer = await client(request(offset_id=IDS["album_3"], limit=1))
    assert answer.messages[0].id == IDS["album_2"]
    with pytest.raises(errors.SearchQueryEmptyError):
        await client(request(filter=types.InputMessagesFilterEmpty()))


def naive(ids: list[int], window: Window) -> list[int]:
    kept = [i for i in ids if i > window.min_id and (window.max_id <= 0 or i < window.max_id)]
    newest_first = kept[::-1]
    start = sum(window.offset_id > 0 and i >= window.offset_id for i in newest_first) + window.add_offset
    return newest_first[max(start, 0) : max(start + window.limit, 0)]


@given(
    ids=st.sets(st.integers(1, 40)).map(sorted),
    window=st.builds(
        Window,
        st.integers(0, 45),
        st.integers(-20, 20),
        st.integers(0, 20),
        st.integers(0, 45),
        st.integers(0, 45),
    ),
)
def test_windows_against_a_naive_one(ids: list[int], window: Window) -> None:
    """The offsets of https://core.telegram.org/api/offsets, by a slower way."""
    assert window.select(ids) == naive(ids, window)


def test_a_history_keeps_its_order_when_messages_go() -> None:
    """Ids are never given twice, what is deleted is gone for iteration and lookup."""
    history = History(1)
    for number in range(5):
        history.add(str(number), date=datetime(2025, 1, 1, number, tzinfo=UTC))
    event = history.delete([2, 4, 2, 99])
    assert (event.ids, event.count) == ((2, 4), 2)
    assert [message.id for message in history] == [5, 3, 1]
    assert history.get(2) is None
    assert history.add("next").id == 6
    assert history.older_than(datetime(2025, 1, 1, 2, tzinfo=UTC)) == 1
    assert history.delete([2]).count == 0
