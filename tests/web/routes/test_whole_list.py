"""The whole list at Telegram's pace: waits are sat out, nothing is asked for twice, one page is ahead."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

import pytest

from tgbridge.sandbox.seeds import seed_many
from tgbridge.web import keys
from tgbridge.web.routes.media import KEEP_ALIVE_SECONDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

PATH: Final = "/get-saved-messages-media"
HISTORY: Final = "messages.getHistory"


@pytest.fixture
def empty(account: Account) -> Account:
    """The account, with nothing in its Saved Messages."""
    account.history.delete(list(account.history.ids))
    return account


async def listed(browser: ClientSession, path: str = PATH) -> list[int]:
    async with browser.get(path) as response:
        assert response.status == 200
        return [item["id"] for item in json.loads(await response.read())]


@pytest.mark.swift_time
async def test_thirty_requests_and_a_wait(sandbox: Sandbox, signed_in: ClientSession, empty: Account) -> None:
    """Under "30 requests in 30 s, then FLOOD_WAIT_21" the list comes whole, each page was given once."""
    ids = seed_many(empty, 9000, photo_every=5)
    limit = sandbox.faults.limit(HISTORY, per_second=1, burst=30, wait=21)
    sandbox.counters.reset()
    found = await listed(signed_in)
    assert found == [one for one in reversed(ids) if (one - ids[0] + 1) % 5 == 0]
    assert limit.waits > 0
    # Who was told to wait slows down: few waits, and no request but those that were told to.
    assert limit.waits <= 4
    assert sandbox.counters.of(HISTORY) == 90 + 1 + limit.waits


@pytest.mark.swift_time
async def test_a_filtered_list_under_the_same_limit(
    sandbox: Sandbox, signed_in: ClientSession, empty: Account
) -> None:
    """So do the photos alone, which are found by messages.search."""
    ids = seed_many(empty, 3500, photo_every=1)
    limit = sandbox.faults.limit("messages.search", per_second=1, burst=30, wait=21)
    assert await listed(signed_in, f"{PATH}?type=photo&blur=0") == ids[::-1]
    assert limit.waits > 0


@pytest.mark.swift_time
@pytest.mark.parametrize("outage", ["refused", "silent"])
async def test_an_outage_in_the_middle(
    sandbox: Sandbox, signed_in: ClientSession, empty: Account, outage: str
) -> None:
    """Telegram out of reach for half a minute, or silent for one: the list stalls, and comes whole."""
    ids = seed_many(empty, 1000, photo_every=1)
    held = sandbox.faults.hold(HISTORY, skip=2)
    async with signed_in.get(PATH) as response:
        beginning = await response.content.readexactly(1)
        await held.reached(1)
        if outage == "refused":
            sandbox.faults.refuse_connections()
            sandbox.faults.drop_connections()
        else:
            sandbox.faults.silence_data_centre()
        held.release()
        await asyncio.sleep(30 if outage == "refused" else 60)
        sandbox.faults.refuse_connections(refusing=False)
        sandbox.faults.silence_data_centre(silent=False)
        body = beginning + await response.read()
    assert [item["id"] for item in json.loads(body)] == ids[::-1]


@pytest.mark.swift_time
async def test_white_space_while_telegram_makes_it_wait(
    sandbox: Sandbox, signed_in: ClientSession, empty: Account
) -> None:
    """A proxy hears something every 15 seconds, between two items, and the body is the same JSON."""
    ids = seed_many(empty, 300, photo_every=1)
    sandbox.faults.flood_wait(HISTORY, seconds=100, skip=1)
    async with signed_in.get(PATH) as response:
        body = await response.read()
    assert [item["id"] for item in json.loads(body)] == ids[::-1]
    assert body.count(b"}" + b" " * int(100 // KEEP_ALIVE_SECONDS) + b",{") == 1


@pytest.mark.swift_time
async def test_white_space_where_there_is_only_text(
    sandbox: Sandbox, signed_in: ClientSession, empty: Account
) -> None:
    """Also where pages come all the time, and hold no media."""
    (photo,) = seed_many(empty, 1, photo_every=1)
    seed_many(empty, 2000, photo_every=0)
    sandbox.faults.slow(HISTORY, 10, skip=1, times=None)
    async with signed_in.get(PATH) as response:
        body = await response.read()
    assert [item["id"] for item in json.loads(body)] == [photo]
    assert body.startswith(b"[" + b" " * 5)


async def test_the_first_item_needs_one_request(
    sandbox: Sandbox, signed_in: ClientSession, empty: Account
) -> None:
    """It is sent while the second page is on its way."""
    ids = seed_many(empty, 500, photo_every=1)
    held = sandbox.faults.hold("*", skip=1)
    sandbox.counters.reset()
    async with signed_in.get(PATH) as response:
        beginning = await response.content.readexactly(8)
        assert beginning.startswith(f'[{{"id":{ids[-1]}'[:8].encode())
        assert sum(sandbox.counters.calls.values()) <= 2
        held.release()
        await response.read()


async def test_one_page_ahead_of_a_reader_who_pauses(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, empty: Account, until: Until
) -> None:
    """Memory is flat: what the socket does not take, Telegram is not asked for, but for one page."""
    pages = 120
    seed_many(empty, 100 * pages, photo_every=1)
    async with signed_in.get(PATH) as response:
        await response.content.readexactly(100)
        asked = 0
        for _ in range(200):  # until it stands still: client and kernel take some megabytes
            await asyncio.sleep(0.01)
            if sandbox.counters.of(HISTORY) == asked and asked > 2:
                break
            asked = sandbox.counters.of(HISTORY)
        assert asked < pages
        assert len(service.app[keys.IN_FLIGHT]) == 1
        response.close()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    assert service.app[keys.POOL].stats.lent == 0


@pytest.mark.swift_time
async def test_who_waits_is_told_without_asking(
    sandbox: Sandbox, signed_in: ClientSession, empty: Account
) -> None:
    """While a list sits a wait out, the account's other first pages are a 429, and Telegram is not asked."""
    seed_many(empty, 500, photo_every=1)
    sandbox.faults.flood_wait(HISTORY, seconds=60, skip=1)
    async with signed_in.get(PATH) as response:
        await response.content.readexactly(100)
        while sandbox.counters.of(HISTORY) < 2:
            await asyncio.sleep(0)
        await asyncio.sleep(1)
        async with signed_in.get(f"{PATH}?limit=1") as refused:
            assert refused.status == 429
            assert 50 < int(refused.headers["Retry-After"]) <= 60
        assert sandbox.counters.of(HISTORY) == 2
        await response.read()
