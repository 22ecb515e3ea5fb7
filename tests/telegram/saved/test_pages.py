"""Pages of what is wanted of Saved Messages, by Telegram's filters and by history."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from tgbridge.errors import FloodWait
from tgbridge.sandbox.seeds import seed_many
from tgbridge.sandbox.world import makers
from tgbridge.settings.files import FilesSettings
from tgbridge.telegram.saved.library import Library
from tgbridge.telegram.saved.lists import MediaList, Query
from tgbridge.telegram.saved.search_filters import ALL, FOUND, filters_of

if TYPE_CHECKING:
    from tgbridge.models import MediaItem
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.telegram.client import BridgeClient

MAKERS: Final = {
    "photo": makers.photo("noon"),
    "video": makers.video("valley", "valley.mp4"),
    "animation": makers.animation("dots", "dots.gif.mp4"),
    "audio": makers.audio("tune", "tune.mp3"),
    "voice": makers.voice("voice"),
    "video_note": makers.video_note("planet"),
    "sticker": makers.sticker("cat", "😺"),
    "document": makers.document("notes", file_name="notes.txt"),
}


@pytest.fixture
def account(client: BridgeClient, sandbox: Sandbox) -> Account:
    """That account, at the sandbox, with nothing in its Saved Messages."""
    account = sandbox.state.account_of("+9996610001")
    account.history.delete(list(account.history.ids))
    return account


class Shelf:
    """Saved Messages of random kinds, of which it is known what they are."""

    def __init__(self, account: Account, seed: int = 0) -> None:
        self.account = account
        self.random = random.Random(seed)
        self.kinds: dict[int, str] = {}
        self._date = datetime(2026, 1, 1, tzinfo=UTC)
        self._made = {kind: make(account, self._date) for kind, make in MAKERS.items()}

    def add(self, kind: str, **fields: Any) -> int:
        self._date += timedelta(minutes=self.random.randint(0, 300))
        text = fields.pop("text", "")
        media = self._made.get(kind)
        message_id: int = self.account.add_message(text, media=media, date=self._date, **fields).id
        self.kinds[message_id] = kind
        return message_id

    def add_any(self, count: int, texts: int = 3) -> None:
        for kind in self.random.choices([*MAKERS, *["text"] * texts], k=count):
            self.add(kind)

    def delete_any(self, count: int) -> set[int]:
        gone = set(self.random.sample(sorted(self.account.history.ids), count))
        self.account.history.delete(gone)
        return gone


def listed(client: BridgeClient, **wanted: Any) -> MediaList:
    return MediaList(client, Library(FilesSettings()).of(client), Query(**wanted))


async def walk(client: BridgeClient, limit: int = 7, **wanted: Any) -> list[MediaItem]:
    """All pages, one after the other."""
    items: list[MediaItem] = []
    following: int | None = wanted.pop("before", 0)
    while following is not None:
        page = await listed(client, before=following, **wanted).page(limit)
        assert len(page.items) <= limit
        items += page.items
        following = page.next
    return items


def calls(sandbox: Sandbox) -> int:
    """How often Telegram was asked for anything."""
    return sum(sandbox.counters.calls.values())


def ids(items: list[MediaItem]) -> list[int]:
    return [item.id for item in items]


@pytest.mark.parametrize("seed", range(40))
async def test_nothing_is_lost_or_told_twice(client: BridgeClient, account: Account, seed: int) -> None:
    """While messages come and go between pages, each that stays is listed once, whatever is asked for."""
    shelf = Shelf(account, seed)
    shelf.add_any(shelf.random.randint(0, 260), texts=shelf.random.choice((0, 3, 40)))
    kinds = frozenset(shelf.random.sample(sorted(ALL), shelf.random.randint(0, 4)))
    wanted, there, gone = kinds or ALL, set(account.history.ids), set[int]()
    found: list[int] = []
    following: int | None = 0
    while following is not None:
        page = await listed(client, kinds=kinds, before=following).page(shelf.random.randint(1, 40))
        found += [item.id for item in page.items]
        following = page.next
        if shelf.random.random() < 0.7:
            shelf.add_any(shelf.random.randint(0, 5))
            gone |= shelf.delete_any(min(len(account.history.ids), shelf.random.randint(0, 9)))
    assert found == sorted(set(found), reverse=True)
    assert {shelf.kinds[found_id] for found_id in found} <= wanted
    assert {one for one in there - gone if shelf.kinds[one] in wanted} <= set(found) <= there


@pytest.mark.parametrize("kinds", [{"photo"}, {"audio", "photo"}, {"sticker"}, {"sticker", "voice"}, set()])
async def test_a_whole_list_of_some_types(client: BridgeClient, account: Account, kinds: set[str]) -> None:
    """It has all that pages have, in the same order."""
    shelf = Shelf(account)
    shelf.add_any(450)
    whole = [item async for page in _flat(listed(client, kinds=frozenset(kinds))) for item in page]
    expected = [one for one, kind in shelf.kinds.items() if kind in (kinds or ALL)]
    assert ids(whole) == sorted(expected, reverse=True)


async def test_lists_of_unlike_lengths_are_one(client: BridgeClient, account: Account) -> None:
    """What one filter has found waits until the others have come as far."""
    shelf = Shelf(account)
    for kind in shelf.random.choices(("photo", "audio", "document"), weights=(12, 1, 4), k=500):
        shelf.add(kind)
    wanted = listed(client, kinds=frozenset({"photo", "audio", "document"}))
    whole = [item async for page in _flat(wanted) for item in page]
    assert ids(whole) == sorted(shelf.kinds, reverse=True)


async def _flat(wanted: MediaList) -> Any:
    async for page in wanted.pages():
        yield page


async def test_filtered_pages_read_only_what_they_list(
    client: BridgeClient, account: Account, sandbox: Sandbox
) -> None:
    """Of 20,000 messages that hold 200 photos: one request a page, two where more filters are asked."""
    photos = seed_many(account, 20_000, photo_every=100)[99::100]
    sandbox.counters.reset()
    page = await listed(client, kinds=frozenset({"photo"})).page(50)
    assert ids(list(page.items)) == photos[:-51:-1]
    assert calls(sandbox) == sandbox.counters.of("messages.search") == 1
    assert page.next == photos[-50]

    sandbox.counters.reset()
    several = frozenset({"photo", "video", "document", "audio", "voice", "animation"})
    page = await listed(client, kinds=several, before=photos[100]).page(50)
    assert ids(list(page.items)) == photos[50:100][::-1]
    assert (sandbox.counters.of("messages.search"), calls(sandbox)) == (1, 2)


async def test_where_files_are_many_history_is_read(
    client: BridgeClient, account: Account, sandbox: Sandbox
) -> None:
    """All types are then listed, stickers too, by one request for a hundred messages."""
    shelf = Shelf(account)
    shelf.add_any(2000, texts=3)
    sandbox.counters.reset()
    page = await listed(client).page(50)
    assert {item.type for item in page.items} == ALL
    assert sandbox.counters.of("messages.getHistory") == calls(sandbox) == 1


async def test_all_types_among_much_text(client: BridgeClient, account: Account, sandbox: Sandbox) -> None:
    """None is left out that no filter finds: a page may be short instead, and says where the next begins."""
    shelf = Shelf(account)
    for _ in range(2):
        shelf.add_any(30, texts=1)
        seed_many(account, 1500, photo_every=0)
        shelf.account.history.delete([shelf.add("text")])  # ids are not without gaps
    made = [one for one, kind in shelf.kinds.items() if kind != "text"]
    assert {shelf.kinds[one] for one in made} == ALL
    sandbox.counters.reset()
    page = await listed(client).page(50)
    assert page.next is not None
    assert sandbox.counters.of("messages.getHistory") == calls(sandbox) <= 11
    assert ids(await walk(client, 50)) == made[::-1]


async def test_as_many_requests_at_once_as_a_page_is_known_to_need(
    client: BridgeClient, account: Account, sandbox: Sandbox
) -> None:
    """Where each tenth message holds a photo, a page of 50 takes two round trips."""
    made = seed_many(account, 2000, photo_every=10)[9::10]
    sandbox.counters.reset()
    held = sandbox.faults.hold("messages.getHistory", skip=1)
    reading = asyncio.create_task(listed(client).page(50))
    await held.reached(5)
    held.release()
    page = await reading
    assert (ids(list(page.items)), page.next) == (list(made)[:-51:-1], made[-50])
    assert calls(sandbox) == 6


@pytest.mark.parametrize("answered", range(5))
async def test_deleted_between_requests_that_are_made_at_once(
    client: BridgeClient, account: Account, sandbox: Sandbox, answered: int
) -> None:
    """What has moved up since is not passed over, whichever answers were given before it did."""
    made = seed_many(account, 2000, photo_every=10)[9::10]
    held = sandbox.faults.hold("messages.getHistory", skip=1 + answered)
    reading = asyncio.create_task(listed(client).page(60))
    await held.reached(5 - answered)
    account.history.delete([one for one in account.history.ids[-350:] if one not in made][::7])
    held.release()
    page = await reading
    assert ids(list(page.items)) == list(made)[: -len(page.items) - 1 : -1]
    assert page.next == page.items[-1].id


@pytest.mark.parametrize("answered", [1, 2, 4])
async def test_a_wait_in_the_middle_of_a_page(
    client: BridgeClient, account: Account, sandbox: Sandbox, answered: int
) -> None:
    """What was read until then is the page, and the next one has nothing to read before it is a wait."""
    made = seed_many(account, 2000, photo_every=100)[99::100]
    sandbox.faults.flood_wait("messages.getHistory", seconds=60, skip=answered, times=None)
    page = await listed(client).page(50)
    assert ids(list(page.items)) == list(made)[: -answered - 1 : -1]
    assert page.next is not None
    with pytest.raises(FloodWait):
        await listed(client, before=page.next).page(50)


async def test_stickers_among_much_text(client: BridgeClient, account: Account, sandbox: Sandbox) -> None:
    """No filter finds them: a page reads a bounded number of messages, and says where the next one begins."""
    shelf = Shelf(account)
    first = shelf.add("sticker")
    seed_many(account, 3000, photo_every=0)
    second = shelf.add("sticker")
    sandbox.counters.reset()
    page = await listed(client, kinds=frozenset({"sticker"})).page(50)
    assert ids(list(page.items)) == [second]
    assert page.next is not None
    assert calls(sandbox) <= 12
    assert ids(await walk(client, 50, kinds=frozenset({"sticker"}))) == [second, first]


async def test_album(client: BridgeClient, account: Account, sandbox: Sandbox) -> None:
    """Its messages, and no search through all that is older than them."""
    shelf = Shelf(account)
    shelf.add_any(1500, texts=0)
    album = [shelf.add(kind, grouped_id=-77) for kind in ("photo", "video", "photo")]
    other = [shelf.add("document", grouped_id=78) for _ in range(2)]
    shelf.add_any(30)
    sandbox.counters.reset()
    assert ids(await walk(client, album="-77")) == album[::-1]
    assert calls(sandbox) < 20
    assert ids(await walk(client, 1, album="78", kinds=frozenset({"document"}))) == other[::-1]
    assert await walk(client, album="79") == []


async def test_words(client: BridgeClient, account: Account) -> None:
    """Of captions and names; texts that have them are no media."""
    shelf = Shelf(account)
    shelf.add_any(200)
    found = [shelf.add("photo", text="Sunset over the Harbour"), shelf.add("video", text="harbour at night")]
    shelf.add("text", text="harbour")
    assert ids(await walk(client, 1, text="harbour")) == found[::-1]
    assert ids(await walk(client, text="harbour", kinds=frozenset({"video"}))) == found[1:]
    documents = [one for one, kind in shelf.kinds.items() if kind == "document"]
    assert ids(await walk(client, text="notes.txt")) == sorted(documents, reverse=True)


@pytest.mark.parametrize("kinds", [frozenset(), frozenset({"photo", "audio"}), frozenset({"sticker"})])
async def test_dates(client: BridgeClient, account: Account, kinds: frozenset[Any]) -> None:
    """From the first second to before the last, whichever way is taken."""
    shelf = Shelf(account)
    shelf.add_any(300)
    dates = {message.id: message.date for message in account.history}
    # To the second, those of messages that are wanted.
    moments = sorted(date for one, date in dates.items() if shelf.kinds[one] in (kinds or ALL))
    since, until = moments[len(moments) // 3], moments[-len(moments) // 3]
    inside = {one for one, date in dates.items() if since <= date < until}
    wanted = sorted((one for one in inside if shelf.kinds[one] in (kinds or ALL)), reverse=True)
    assert ids(await walk(client, kinds=kinds, since=since, until=until)) == wanted
    assert ids(await walk(client, kinds=kinds, since=since, until=until, before=max(inside) + 50)) == wanted
    half = wanted[len(wanted) // 2]
    older = [one for one in wanted if one < half]
    assert ids(await walk(client, kinds=kinds, since=since, until=until, before=half)) == older


@pytest.mark.parametrize("limit", [1, 99, 100, 101, 200])
async def test_the_last_page_has_no_next_one(client: BridgeClient, account: Account, limit: int) -> None:
    """At every number of messages around the size of a page, by filters and by history."""
    account.history.delete(list(account.history.ids))
    made = seed_many(account, limit, photo_every=1)
    for kinds in (frozenset[Any](), frozenset[Any]({"photo"})):
        page = await listed(client, kinds=kinds).page(limit)
        assert (ids(list(page.items)), page.next) == (list(made)[::-1], None)


def test_each_type_has_its_filter_or_none() -> None:
    """All of the contract's types but stickers; two pairs have one filter together."""
    assert {"sticker"} == ALL - FOUND
    assert len(filters_of(ALL)) == 5
    assert len(filters_of({"voice", "photo"})) == 2
    assert filters_of({"sticker"}) == ()
