"""How streams of events end, and what they outlive: /events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError
from telethon.tl import types

from tests.devices import device
from tests.web.routes.events import events
from tgbridge.sandbox import telephone
from tgbridge.sandbox.seeds import IDS
from tgbridge.telegram.mtproto import connector
from tgbridge.telegram.saved.library import LIFETIME_SECONDS
from tgbridge.telegram.saved.live import Live
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tests.web.routes.events import Events
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE = "+9996610001"


async def added(tab: Events) -> int:
    """The id of the next event, which is of a new item."""
    name, data = await tab.one()
    assert name == "media_added"
    message_id: int = data["id"]
    return message_id


def save(sandbox: Sandbox) -> int:
    """Save something, as another device does."""
    return telephone.send(sandbox, PHONE, "photo")


# Losses


async def test_a_lost_connection(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """It is made again unasked, and what was missed meanwhile is told, in order."""
    async with events(signed_in, "/events") as tab:
        for _ in range(3):
            sandbox.faults.drop_connections()
            assert [save(sandbox), save(sandbox)] == [await added(tab), await added(tab)]


@pytest.mark.swift_time
async def test_a_long_outage(signed_in: ClientSession, sandbox: Sandbox, service: Service) -> None:
    """Telegram is asked again ever more slowly, for as long as somebody listens; memory is not trusted."""
    async with events(signed_in, "/events") as tab:
        library = service.app[keys.LIBRARY].account(sandbox.state.account_of(PHONE).id)
        followed = [library.live.is_followed]
        async with signed_in.get("/media") as response:
            assert response.status == 200
        await asyncio.sleep(2 * LIFETIME_SECONDS)
        assert library.known(IDS["photo"]) is not None
        sandbox.faults.refuse_connections()
        sandbox.faults.drop_connections()
        await asyncio.sleep(300)
        followed.append(library.live.is_followed)
        assert library.known(IDS["photo"]) is None
        sandbox.faults.clear()
        assert save(sandbox) == await added(tab)
        assert [*followed, library.live.is_followed] == [True, False, True]


async def test_an_answer_that_is_long_on_its_way(
    signed_in: ClientSession, sandbox: Sandbox, service: Service
) -> None:
    """What was missed is known as it is told, also where a list was read after it was asked for."""
    account = sandbox.state.account_of(PHONE)
    library = service.app[keys.LIBRARY].account(account.id)
    async with events(signed_in, "/events") as tab:
        held = sandbox.faults.hold("updates.getDifference")
        sandbox.faults.drop_connections()
        await held.reached(1)
        async with signed_in.get("/media") as response:
            assert response.status == 200
        telephone.edit(sandbox, PHONE, IDS["photo"], "second")
        held.release()
        name, data = await tab.one()
    assert (name, data["id"], data["caption"]) == ("media_edited", IDS["photo"], "second")
    known = library.known(IDS["photo"])
    assert known is not None
    assert known.item.caption == "second"


@pytest.mark.swift_time
async def test_a_lost_update(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """The next one shows that one is missing; half a second later it is asked for."""
    async with events(signed_in, "/events") as tab:
        sandbox.faults.lose_updates()
        first, second = save(sandbox), save(sandbox)
        assert [await added(tab), await added(tab)] == [first, second]


@pytest.mark.swift_time
async def test_silence(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Without any update Telegram is asked after five minutes, should the last one be lost."""
    async with events(signed_in, "/events") as tab:
        sandbox.faults.lose_updates()
        assert save(sandbox) == await added(tab)


@pytest.mark.parametrize(
    "updates",
    [
        types.UpdatesTooLong(),
        types.UpdateShort(types.UpdatePtsChanged(), None),
    ],
)
async def test_what_says_only_that_there_is_something(
    signed_in: ClientSession, sandbox: Sandbox, updates: Any
) -> None:
    """It is asked for; or, where states count anew, lists are to be read again."""
    account = sandbox.state.account_of(PHONE)
    async with events(signed_in, "/events") as tab:
        sandbox.faults.lose_updates()
        first = save(sandbox)
        sandbox.push(account, updates)
        if isinstance(updates, types.UpdatesTooLong):
            assert await added(tab) == first
        else:
            assert await tab.one() == ("reload", {})
        assert save(sandbox) == await added(tab)


async def test_texts_in_short(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A text that is told in the short form moves the state, and is no event."""
    account = sandbox.state.account_of(PHONE)
    async with events(signed_in, "/events") as tab:
        message = account.history.add_elsewhere(77, "hello")
        short = types.UpdateShortMessage(message.id, 77, "hello", account.history.pts, 1, message.date)
        sandbox.counters.reset()
        sandbox.push(account, short)
        assert save(sandbox) == await added(tab)
        assert sum(sandbox.counters.calls.values()) == 0


# Sessions that end


@pytest.mark.parametrize("error", ["SESSION_REVOKED", "USER_DEACTIVATED"])
async def test_a_session_that_telegram_ends(
    signed_in: ClientSession, sandbox: Sandbox, error: str, until: Until, service: Service
) -> None:
    """All its pages are told by which error, the streams end, and the next request clears the cookie."""
    async with events(signed_in, "/events") as tab, events(signed_in, "/events") as other:
        sandbox.faults.revoke(account=sandbox.state.account_of(PHONE).id, error=error)
        for each in (tab, other):
            assert await each.rest() == [("session_ended", {"code": error})]
    async with signed_in.get("/events") as response:
        assert response.status == 401
        assert (await response.json())["code"] == error
        assert response.cookies["tgbridge"]["max-age"] == "0"
    await until(lambda: len(service.app[keys.LISTENING]) == 0)


async def test_a_logout(signed_in: ClientSession) -> None:
    """Logging out in one tab is told to the others."""
    async with events(signed_in, "/events") as tab:
        async with signed_in.post("/logout") as response:
            assert response.status == 200
        assert await tab.rest() == [("session_ended", {"code": "AUTH_KEY_UNREGISTERED"})]


async def test_following_that_fails(
    service: Service, signed_in: ClientSession, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an error of our own, even: the page is told to connect again, and would else wait for ever."""

    async def fail(_live: Live, _client: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Live, "fill_gap", fail)
    async with events(signed_in, "/events") as tab:
        [listening] = service.app[keys.LISTENING]._listeners.values()
        listening._stirred.set()
        assert await tab.rest() == []
        with pytest.raises(ZeroDivisionError):
            await listening.task


async def test_a_logout_while_a_page_begins(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """It is told that it is signed out, and not that Telegram is away."""
    held = sandbox.faults.hold("updates.getState")
    opening = asyncio.create_task(signed_in.get("/events"))
    await held.reached(1)
    async with signed_in.post("/logout") as response:
        assert response.status == 200
    async with await opening as response:
        assert (response.status, (await response.json())["code"]) == (401, "AUTH_KEY_UNREGISTERED")


async def test_a_session_that_another_one_ends(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """The account's other browser goes on to be told."""
    other = new_browser()
    await sign_in(other)
    async with events(signed_in, "/events") as ended, events(other, "/events") as lives:
        async with signed_in.get("/sessions") as response:
            mine = next(one["hash"] for one in await response.json() if not one["current"])
        async with signed_in.delete(f"/sessions/{mine}") as response:
            assert response.status == 204
        assert (await lives.rest())[0][0] == "session_ended"
        async with signed_in.delete(f"/media/{IDS['photo']}") as response:
            assert response.status == 204
        assert await ended.one() == ("media_deleted", {"ids": [IDS["photo"]]})


@pytest.mark.swift_time
@pytest.mark.parametrize("others_listen", [False, True])
async def test_a_session_that_ends_without_a_word(
    signed_in: ClientSession,
    new_browser: NewBrowser,
    sign_in: SignIn,
    sandbox: Sandbox,
    *,
    others_listen: bool,
) -> None:
    """It is found out by asking: within a minute where it is told what the account's other sessions hear."""
    other = new_browser()
    await sign_in(other)
    async with AsyncExitStack() as stack:
        ended = await stack.enter_async_context(events(signed_in, "/events"))
        if others_listen:
            await stack.enter_async_context(events(other, "/events"))
        async with other.get("/sessions") as response:
            its = next(one["hash"] for one in await response.json() if not one["current"])
        begun = asyncio.get_running_loop().time()
        authorization = sandbox.state.account_of(PHONE).authorizations[int(its)]
        sandbox.state.end(authorization, "SESSION_REVOKED", quietly=True)
        assert await ended.rest() == [("session_ended", {"code": "SESSION_REVOKED"})]
        took = asyncio.get_running_loop().time() - begun
        assert 1 < took <= (61 if others_listen else 301)


# Bounds


async def test_how_many_are_open(
    signed_in_to: SignedInTo, new_browser: NewBrowser, sign_in: SignIn, until: Until
) -> None:
    """Of a session, and in all; a place is free again when a page has gone."""
    bounds = {"streams_per_session": 2, "streams_per_process": 3}
    service, browser = await signed_in_to(events=bounds)
    other = new_browser(service)
    await sign_in(other)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(events(browser, "/events"))
        async with browser.get("/events") as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "15")
            assert (await response.json())["code"] == "TOO_MANY_STREAMS"
        await stack.enter_async_context(events(other, "/events"))
        async with other.get("/events") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "15")
            assert (await response.json())["code"] == "TOO_MANY_STREAMS"
    await until(lambda: len(service.app[keys.OPEN_STREAMS]) == 0)
    async with events(browser, "/events"):
        pass


async def test_others_need_the_client(
    signed_in_to: SignedInTo, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """A session that only listens gives way when the pool is full, and is told to come back later."""
    service, browser = await signed_in_to(pool={"max_clients": 1, "max_code_logins": 1, "max_qr_logins": 0})
    async with events(browser, "/events") as tab:
        other = new_browser(service)
        await sign_in(other, "+9996610002")
        assert await tab.rest() == []
        assert tab.retry is not None
        assert 15_000 <= tab.retry <= 45_000


async def test_listeners_take_no_place_from_each_other(
    signed_in_to: SignedInTo, new_browser: NewBrowser, sign_in: SignIn, sandbox: Sandbox
) -> None:
    """A second account that wants to listen is told to come later: else they would drive each other out."""
    pool = {"max_clients": 1, "max_code_logins": 1, "max_qr_logins": 0}
    service, browser = await signed_in_to(pool=pool)
    other = new_browser(service)
    await sign_in(other, "+9996610002")
    async with events(browser, "/events") as tab:
        async with other.get("/events") as response:
            assert response.status == 503
            assert (await response.json())["code"] == "POOL_EXHAUSTED"
        assert save(sandbox) == await added(tab)


async def test_who_does_not_read_is_cut_off(signed_in_to: SignedInTo, sandbox: Sandbox, until: Until) -> None:
    """By the bytes that are left unread, however short the time; whoever reads is told everything."""
    service, browser = await signed_in_to(events={"behind_bytes": 64 * 1024})
    async with events(browser, "/events") as slow, events(browser, "/events") as quick:
        assert slow.response.connection is not None
        transport = slow.response.connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        while len(service.app[keys.OPEN_STREAMS]) == 2:
            for _ in range(20):
                save(sandbox)
            for _ in range(20):
                await added(quick)
        transport.resume_reading()
        with pytest.raises(ClientError):
            await slow.rest()
        assert save(sandbox) == await added(quick)


@pytest.mark.swift_time
async def test_who_takes_nothing_is_cut_off(signed_in_to: SignedInTo, sandbox: Sandbox) -> None:
    """By time, too, also while it is told what it has missed."""
    _, browser = await signed_in_to(events={"behind_bytes": 1 << 30, "behind_seconds": 20})
    async with browser.get("/media") as response:
        since = (await response.json())["last_event_id"]
    for _ in range(4000):
        save(sandbox)
    async with events(browser, "/events", since) as slow:
        assert slow.response.connection is not None
        transport = slow.response.connection.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        await asyncio.sleep(60)
        transport.resume_reading()
        with pytest.raises(ClientError):
            await slow.rest()


@pytest.mark.swift_time
async def test_the_end_of_a_stream(signed_in_to: SignedInTo) -> None:
    """It ends at a time of its own, with when to come back; until then comments show that it lives."""
    _, browser = await signed_in_to(events={"longest_seconds": 100, "heartbeat_seconds": 10})
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with browser.get("/events") as response:
        body = await response.read()
    assert 50 <= loop.time() - begun <= 101
    assert 4 <= body.count(b":\n\n") <= 10
    assert body.startswith(b"retry: ")
    assert body.endswith(b"\n\n")


async def test_a_service_that_stops(signed_in: ClientSession, service: Service) -> None:
    """The streams end at once, each with a time of its own at which to connect again."""
    async with events(signed_in, "/events") as one, events(signed_in, "/events") as two:
        before = one.retry
        await service.stop()
        assert await one.rest() == []
        assert await two.rest() == []
        assert one.retry is not None
        assert two.retry is not None
        assert one.retry != before
        assert 1000 <= one.retry != two.retry <= 5000


async def test_telegram_does_not_answer(signed_in_to: SignedInTo, sandbox: Sandbox) -> None:
    """Errors have their status while there is none yet."""
    service, browser = await signed_in_to()
    sandbox.faults.flood_wait("updates.getState", 60)
    async with browser.get("/events") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "60")
    sandbox.faults.internal_error("updates.getState", times=None)
    sandbox.faults.clear()
    async with device(sandbox, PHONE), events(browser, "/events"):
        assert len(service.app[keys.LISTENING]) == 1


@pytest.mark.swift_time
async def test_many_connect_at_once(
    signed_in: ClientSession, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a restart: who can't be connected in time is told to come back, by what EventSource heeds."""
    monkeypatch.setattr(connector, "AT_ONCE", 1)
    monkeypatch.setattr(connector, "PER_SECOND", 1 / 200)
    sandbox.faults.drop_connections()
    async with signed_in.get("/media/counts") as response:
        assert response.status == 200
    sandbox.faults.drop_connections()
    async with events(signed_in, "/events") as tab:  # whose turn is too far away
        assert await tab.rest() == []
        assert tab.retry is not None
        assert 15_000 <= tab.retry <= 45_000
    await asyncio.sleep(200)
    async with events(signed_in, "/events") as tab:
        assert save(sandbox) == await added(tab)


@pytest.mark.swift_time
async def test_telegram_is_down(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """That is no matter of waiting for one's turn."""
    sandbox.faults.refuse_connections()
    sandbox.faults.drop_connections()
    for _ in range(2):
        async with signed_in.get("/events") as response:
            assert response.status == 503
