"""A page of a hundred pictures: what it costs at Telegram, the first time and every time after it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.routes.conftest import PHONE
from tests.web.routes.forms import Form, send, send_file
from tgbridge.sandbox.media import PHOTOS
from tgbridge.sandbox.seeds import IDS, seed_many
from tgbridge.telegram.client import VOUCHED_SECONDS
from tgbridge.telegram.saved.library import LIFETIME_SECONDS
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import AddFile, SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

pytestmark = pytest.mark.swift_time

GET_FILE, GET_MESSAGES = "upload.getFile", "messages.getMessages"
MIB = 1024 * 1024


@pytest.fixture
def pictures(account: Account) -> Sequence[int]:
    """A hundred photos, the oldest first."""
    return seed_many(account, 100, photo_every=1)


def content(name: str) -> bytes:
    """A picture's thumbnail of medium size."""
    source: Any = next(variant.source for variant in PHOTOS[name].sizes if variant.letter == "m")
    return bytes(source.read(0, source.size))


async def look(browser: ClientSession, ids: Sequence[int], *, apart: float = 0) -> list[bytes]:
    """All their thumbnails, at once, or each so many seconds after the one before it."""

    async def read(message_id: int) -> bytes:
        await asyncio.sleep(apart * (message_id - ids[0]))
        async with browser.get(f"/stream_thumbnail/{message_id}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    return await asyncio.gather(*map(read, ids))


async def list_all(browser: ClientSession) -> list[dict[str, Any]]:
    async with browser.get("/get-saved-messages-media") as answer:
        items: list[dict[str, Any]] = await answer.json()
        return items


def asked(sandbox: Sandbox) -> Counter[str]:
    """What was asked of Telegram since the last time, by methods."""
    calls: Counter[str] = Counter()
    for (_, method), count in sandbox.counters.calls.items():
        calls[method] += count
    sandbox.counters.reset()
    return calls


async def test_a_page_that_was_listed(
    sandbox: Sandbox, signed_in: ClientSession, pictures: Sequence[int]
) -> None:
    """Its messages are known, each picture is read once, and at the second visit Telegram is not asked."""
    assert len(await list_all(signed_in)) >= len(pictures)
    asked(sandbox)
    bodies = await look(signed_in, pictures)
    assert set(bodies) == {content("noon")}
    calls = asked(sandbox)
    assert (calls[GET_MESSAGES], calls[GET_FILE]) == (0, 100)
    for _ in range(2):
        assert await look(signed_in, pictures) == bodies
    assert not asked(sandbox)


async def test_a_page_that_was_not_listed(
    sandbox: Sandbox, signed_in: ClientSession, pictures: Sequence[int]
) -> None:
    """One request for the first message, one for all others, whenever they are wanted; a visit later none."""
    sandbox.faults.delay(0.02)
    asked(sandbox)
    await look(signed_in, pictures, apart=0.0003)
    calls = asked(sandbox)
    assert (calls[GET_MESSAGES] <= 2, calls[GET_FILE]) == (True, 100)
    await look(signed_in, pictures)
    assert not asked(sandbox)


async def test_all_at_once_is_ten_times_faster_than_one_by_one(
    sandbox: Sandbox, signed_in: ClientSession, pictures: Sequence[int]
) -> None:
    """At a data centre that is 40 ms away: seconds there, a few round trips here."""
    await list_all(signed_in)
    sandbox.faults.delay(0.02)
    now = asyncio.get_running_loop().time
    began = now()
    await look(signed_in, pictures)
    took = now() - began
    assert took * 10 < 100 * 0.04


@pytest.mark.parametrize("wait", [1, 3, 5])
async def test_a_data_centre_that_allows_twenty_a_second(
    sandbox: Sandbox, signed_in: ClientSession, pictures: Sequence[int], wait: int
) -> None:
    """Its waits are sat out: every picture comes, none as 429 or 503."""
    await list_all(signed_in)
    limit = sandbox.faults.limit(GET_FILE, per_second=20, burst=20, wait=wait)
    await look(signed_in, pictures)
    assert limit.waits >= 1
    asked(sandbox)
    await look(signed_in, pictures)
    assert not asked(sandbox)


@pytest.mark.parametrize("wait", [1, 3, 5])
async def test_its_limit_after_much_was_read(
    sandbox: Sandbox, signed_in: ClientSession, account: Account, wait: int
) -> None:
    """What went well before the first wait is no reason to go on so fast that a longer one follows."""
    ids = seed_many(account, 400, photo_every=1)
    await list_all(signed_in)
    await look(signed_in, ids[:300])
    limit = sandbox.faults.limit(GET_FILE, per_second=20, burst=20, wait=wait)
    await look(signed_in, ids[300:])
    assert limit.waits == 1


async def test_references_that_have_expired(
    sandbox: Sandbox, signed_in: ClientSession, pictures: Sequence[int]
) -> None:
    """Those of a whole page are renewed by a few requests, and not by one each."""
    await list_all(signed_in)
    sandbox.faults.delay(0.02)
    sandbox.faults.expire_file_references()
    asked(sandbox)
    await look(signed_in, pictures, apart=0.0003)
    calls = asked(sandbox)
    assert (0 < calls[GET_MESSAGES] <= 3, calls[GET_FILE]) == (True, 200)


async def test_streams_of_one_file_renew_its_reference_once(
    sandbox: Sandbox, signed_in: ClientSession, add_file: AddFile
) -> None:
    """Several parts and several readers: one request."""
    file = add_file(3 * MIB)
    await list_all(signed_in)
    sandbox.faults.expire_file_references()
    asked(sandbox)

    async def read() -> bytes:
        async with signed_in.get(file.path) as answer:
            return await answer.read()

    assert await asyncio.gather(*(read() for _ in range(5))) == [file.content] * 5
    assert sandbox.counters.of(GET_MESSAGES) == 1


# Without a client


async def test_memory_needs_no_connection(
    sandbox: Sandbox, signed_in: ClientSession, pictures: Sequence[int], service: Service
) -> None:
    """Neither does a thumbnail that is kept, nor a question whether a copy still holds, nor HEAD."""
    path = f"/stream_thumbnail/{pictures[0]}"
    async with signed_in.get(path) as answer:
        body, tag = await answer.read(), answer.headers["ETag"]
    sandbox.faults.refuse_connections()
    sandbox.faults.drop_connections()
    await asyncio.sleep(1)
    async with signed_in.get(path) as answer:
        assert (answer.status, await answer.read()) == (200, body)
    async with signed_in.get(path, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    for what in (path, f"/stream_media/{pictures[0]}"):
        async with signed_in.head(what) as answer:
            assert answer.status == 200
    assert service.app[keys.POOL].stats.lent == 0
    sandbox.faults.refuse_connections(refusing=False)


@pytest.mark.parametrize("path", ["/stream_thumbnail/{}", "/stream_media/{}"])
async def test_a_session_that_was_ended_elsewhere(
    sandbox: Sandbox, signed_in: ClientSession, service: Service, pictures: Sequence[int], path: str
) -> None:
    """It gets nothing from memory but for a minute after Telegram's last answer, whatever is known."""
    service.app[keys.LIBRARY].account(sandbox.state.account_of(PHONE).id).trust()
    path = path.format(pictures[0])
    async with signed_in.get(path) as answer:
        assert answer.status == 200
        tag = answer.headers["ETag"]
    sandbox.faults.revoke(error="SESSION_REVOKED")
    await asyncio.sleep(VOUCHED_SECONDS)
    async with signed_in.get(path, headers={"If-None-Match": tag}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, "SESSION_REVOKED")


async def test_a_stolen_session_is_ended_here(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, pictures: Sequence[int]
) -> None:
    """Then it gets nothing from memory at all, not even for a minute."""
    thief = new_browser()
    await sign_in(thief)
    await look(thief, pictures[:1])
    async with signed_in.delete("/sessions") as answer:
        assert answer.status == 204
    async with thief.get(f"/stream_thumbnail/{pictures[0]}") as answer:
        assert answer.status == 401


async def test_the_first_request_of_a_session_asks(
    sandbox: Sandbox,
    signed_in: ClientSession,
    service: Service,
    new_browser: NewBrowser,
    sign_in: SignIn,
    pictures: Sequence[int],
) -> None:
    """Though all is known by another session of the account: this one may have ended long ago."""
    await look(signed_in, pictures)
    other = new_browser()
    await sign_in(other)
    service.app[keys.POOL].doubt(sandbox.state.account_of(PHONE).id)
    asked(sandbox)
    await look(other, pictures)
    assert asked(sandbox) == {"users.getUsers": 1}
    await look(other, pictures)
    assert not asked(sandbox)


# Changes


async def test_another_picture_under_the_same_number(
    signed_in: ClientSession, account: Account, pictures: Sequence[int]
) -> None:
    """An edit on another device is seen after a minute, by another tag and other bytes."""
    before = await look(signed_in, pictures[:1])
    message, other = account.history.get(pictures[0]), account.history.get(IDS["photo"])
    assert message
    assert other
    message.media = other.media
    assert await look(signed_in, pictures[:1]) == before
    await asyncio.sleep(LIFETIME_SECONDS)
    assert await look(signed_in, pictures[:1]) == await look(signed_in, [IDS["photo"]]) != before


async def test_an_upload_is_known(sandbox: Sandbox, signed_in: ClientSession) -> None:
    """By the answer that makes its message: Telegram is not asked what it holds."""
    message_id = await send_file(signed_in, b"known")
    sandbox.faults.error(GET_MESSAGES, 400, "INPUT_FETCH_FAIL", times=None)
    async with signed_in.get(f"/stream_media/{message_id}") as answer:
        assert (answer.status, await answer.read()) == (200, b"known")
    status, album = await send(signed_in, Form().file(b"one").file(b"two"))
    assert status == 200
    for number, content in zip(album["message_ids"], (b"one", b"two"), strict=True):
        async with signed_in.get(f"/stream_media/{number}") as answer:
            assert (answer.status, await answer.read()) == (200, content)


# How much


async def test_memory_is_bounded(sandbox: Sandbox, signed_in_to: SignedInTo, pictures: Sequence[int]) -> None:
    """By a setting of bytes: what was looked at last is there, what was before is read again."""
    one = len(content("noon"))
    service, browser = await signed_in_to(
        files={"thumbnail_bytes_per_account": 10 * one, "cache_bytes_per_account": 0}
    )
    await look(browser, pictures)
    assert service.app[keys.THUMBNAILS].held == 10 * one
    asked(sandbox)
    for message_id in (*pictures[:5], *pictures[:5]):
        await look(browser, [message_id])
    assert sandbox.counters.of(GET_FILE) <= 5


async def test_the_whole_of_a_large_photo_is_not_kept(signed_in: ClientSession, service: Service) -> None:
    """Only thumbnails are, and nothing of what is sent piece by piece."""
    async with signed_in.get(f"/stream_media/{IDS['photo']}") as answer:
        await answer.read()
    assert service.app[keys.THUMBNAILS].held == 0
    await look(signed_in, [IDS["photo"]])
    assert service.app[keys.THUMBNAILS].held == len(content("sea"))


async def test_nothing_is_kept_of_who_has_signed_out(
    signed_in: ClientSession, service: Service, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """As long as another session of the account is in use, what is known stays for that."""
    other = new_browser()
    await sign_in(other)
    await list_all(signed_in)
    await look(signed_in, [IDS["photo"]])
    for browser, kept in ((signed_in, True), (other, False)):
        async with browser.post("/logout") as answer:
            assert answer.status == 200
        assert bool(service.app[keys.THUMBNAILS].held) is bool(service.app[keys.LIBRARY]) is kept
