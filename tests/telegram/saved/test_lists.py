"""Saved Messages as lists, through the sandbox: the whole, and pages of what is wanted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.telegram.messages import get_message
from tgbridge.errors import FloodWait, MediaNotFound, TelegramUnavailable
from tgbridge.sandbox.rare_seeds import WITHOUT_FILE
from tgbridge.sandbox.seeds import IDS, SEEDS, seed_many
from tgbridge.sandbox.world.phone import PhoneNumber
from tgbridge.settings.files import FilesSettings
from tgbridge.telegram.saved import items as media
from tgbridge.telegram.saved.library import Library
from tgbridge.telegram.saved.lists import MediaList, Query

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from tgbridge.models import MediaItem
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account
    from tgbridge.telegram.client import BridgeClient

NO_FILE = {
    "text",
    "contact",
    "location",
    "poll",
    "service",
    "link_preview",
    "expired_photo",
    "expired_video",
    "text_newest",
    *WITHOUT_FILE,
}


@pytest.fixture
def account(client: BridgeClient, sandbox: Sandbox) -> Account:
    """That account, at the sandbox."""
    phone = PhoneNumber.parse("+9996610001")
    assert phone is not None
    return sandbox.state.account_of(phone)


def listed(client: BridgeClient, **wanted: Any) -> MediaList:
    return MediaList(client, Library(FilesSettings()).of(client), Query(**wanted))


def whole(client: BridgeClient) -> AsyncGenerator[Sequence[MediaItem], None]:
    return listed(client).pages()


async def pages(client: BridgeClient) -> list[Sequence[MediaItem]]:
    return [page async for page in whole(client)]


async def listing(client: BridgeClient) -> list[MediaItem]:
    return [item for page in await pages(client) for item in page]


# The whole list


async def test_all_that_holds_a_file_is_listed(client: BridgeClient) -> None:
    """Newest first; text, previews, contacts, polls, service messages and expired media are not media."""
    expected = [IDS[seed.key] for seed in reversed(SEEDS) if seed.key not in NO_FILE]
    assert [one.id for one in await listing(client)] == expected


async def test_each_kind_has_its_type(client: BridgeClient) -> None:
    """The contract's eight types, with what Telegram knows of each."""
    items = {one.id: one for one in await listing(client)}
    types_of = {
        "photo": "photo",
        "video": "video",
        "animation": "animation",
        "audio": "audio",
        "voice": "voice",
        "video_note": "video_note",
        "sticker": "sticker",
        "pdf": "document",
        "image_file": "document",
    }
    assert {key: items[IDS[key]].type for key in types_of} == types_of
    assert items[IDS["photo"]].model_dump(exclude={"blur_data_url", "size", "url", "thumbnail_url"}) == {
        "id": IDS["photo"],
        "name": f"photo_2025-10-27_10-00-00_{IDS['photo']}.jpg",
        "type": "photo",
        "timestamp": "2025-10-27T10:00:00Z",
        "caption": "A beautiful image",
        "has_thumbnail": True,
        "mime_type": "image/jpeg",
        "width": 1280,
        "height": 960,
    }
    assert {items[IDS[f"album_{number}"]].album_id for number in (1, 2, 3)} == {"13800000000000001"}
    assert items[IDS["large"]].size == 300_000_000
    assert items[IDS["japanese_name"]].name == "写真と費用 2025年.zip"


async def test_a_long_history_comes_page_by_page(
    client: BridgeClient, account: Account, sandbox: Sandbox
) -> None:
    """100 messages a request, one page in memory, each item once."""
    ids = seed_many(account, 950, photo_every=2)
    sandbox.counters.reset()
    found = await pages(client)
    assert [one.id for page in found for one in page][:475] == [i for i in reversed(ids) if (i - ids[0]) % 2]
    assert max(map(len, found)) <= 100
    assert sandbox.counters.of("messages.getHistory") == -(-len(account.history) // 100)


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 201])
async def test_it_ends(client: BridgeClient, account: Account, count: int) -> None:
    """At every number of messages around the size of a page."""
    account.history.delete(list(account.history.ids))
    ids = seed_many(account, count, photo_every=1) if count else []
    assert [one.id for one in await listing(client)] == list(reversed(ids))


async def test_what_comes_in_meanwhile_repeats_nothing(client: BridgeClient, account: Account) -> None:
    """A message that arrives between two pages is newer than all of them."""
    ids = seed_many(account, 250, photo_every=1)
    seen = []
    async for page in whole(client):
        seen += [one.id for one in page]
        seed_many(account, 30, photo_every=1)
    assert len(seen) == len(set(seen))
    assert set(ids) <= set(seen)
    assert max(seen) == ids[-1]


async def test_what_goes_away_meanwhile_hides_nothing(client: BridgeClient, account: Account) -> None:
    """Messages that are deleted between two pages, seen or not, take no others with them."""
    ids = seed_many(account, 450, photo_every=1)
    gone = {ids[-1 - number] for number in (*range(100), 150, 199, 200)}
    seen: list[int] = []
    async for page in whole(client):
        seen += [one.id for one in page]
        account.history.delete(gone)
    assert set(ids) - gone <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_page_cut_short_is_not_the_end(client: BridgeClient, account: Account) -> None:
    """A deletion of all that was seen must not look like the end, however the count stands."""
    ids = seed_many(account, 230, photo_every=1)
    seen: list[int] = []
    async for page in whole(client):
        seen += [one.id for one in page]
        account.history.delete([one.id for one in page])
    assert set(ids) <= set(seen)


async def test_a_short_flood_wait_is_sat_out(client: BridgeClient, sandbox: Sandbox) -> None:
    """Reading waits for a moment, and raises a longer wait."""
    sandbox.faults.flood_wait("messages.getHistory", seconds=1)
    assert await listing(client)
    sandbox.faults.flood_wait("messages.getHistory", seconds=60)
    with pytest.raises(FloodWait):
        await listing(client)


@pytest.mark.swift_time
async def test_a_reader_who_pauses(client: BridgeClient, account: Account, sandbox: Sandbox) -> None:
    """For longer than a transfer waits for Telegram, which may then make it wait all the same."""
    ids = seed_many(account, 300, photo_every=1)
    sandbox.faults.flood_wait("messages.getHistory", seconds=100, skip=2)
    seen: list[int] = []
    async for page in whole(client):
        seen += [one.id for one in page]
        await asyncio.sleep(1000)
    assert seen[:300] == list(reversed(ids))


@pytest.mark.swift_time
async def test_a_failure_in_the_middle_is_raised(
    client: BridgeClient, account: Account, sandbox: Sandbox
) -> None:
    """Half a list is never taken for the whole."""
    seed_many(account, 250)
    sandbox.faults.internal_error("messages.getHistory", times=None, skip=1)
    with pytest.raises(TelegramUnavailable):
        await listing(client)


async def test_has_thumbnail_tells_the_truth(client: BridgeClient) -> None:
    """It says of each item whether there will be one."""
    for listed in await listing(client):
        found = await get_message(client, listed.id)
        if listed.has_thumbnail:
            assert media.remote_thumbnail(found)
        else:
            with pytest.raises(MediaNotFound):
                media.remote_thumbnail(found)
