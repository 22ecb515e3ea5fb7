"""What changes in Saved Messages, as the pages of its user are told: /events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions

from tests.devices import device
from tests.web.routes.events import events
from tests.web.routes.forms import Form, item, send, send_file
from tests.web.routes.tus_client import begin, finish, name_of
from tgbridge.sandbox import telephone as phone_app
from tgbridge.sandbox.seeds import IDS
from tgbridge.telegram.saved import live as live_module
from tgbridge.telegram.saved.meaning import Position
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession
    from telethon import TelegramClient

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tests.web.routes.events import Events
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE = "+9996610001"


@pytest.fixture
async def telephone(sandbox: Sandbox) -> AsyncIterator[TelegramClient]:
    """Another device of the user's."""
    async with device(sandbox, PHONE) as client:
        yield client


async def closed(service: Service, until: Until) -> None:
    """Wait until the service knows that no page is open."""
    await until(lambda: len(service.app[keys.OPEN_STREAMS]) == 0)


async def listed(browser: ClientSession) -> str:
    """Where to go on from after a list."""
    async with browser.get("/media") as response:
        last_event_id: str = (await response.json())["last_event_id"]
        return last_event_id


# What is told


async def test_every_page_is_told_of_what_another_device_does(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, telephone: TelegramClient
) -> None:
    """An item saved, edited and deleted, on each tab of each browser, once and in order; texts are none."""
    other = new_browser()
    await sign_in(other)
    async with AsyncExitStack() as stack:
        browsers = (signed_in, signed_in, other)
        tabs = [await stack.enter_async_context(events(browser, "/events")) for browser in browsers]
        await telephone.send_message("me", "a text")
        sent = await telephone.send_file("me", b"hello", caption="new")
        added = await item(signed_in, sent.id)
        await telephone.edit_message("me", sent.id, "newer")
        edited = await item(signed_in, sent.id)
        await telephone.delete_messages("me", [sent.id, IDS["text"], IDS["photo"]])
        for tab in tabs:
            assert await tab.one() == ("media_added", added)
            assert await tab.one() == ("media_edited", edited)
            assert await tab.one() == ("media_deleted", {"ids": [sent.id, IDS["photo"]]})
    assert (added["caption"], edited["caption"]) == ("new", "newer")


async def test_own_changes_are_told_once(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Telegram does not push them back to the session that makes them, but to the account's other one."""
    other = new_browser()
    await sign_in(other)
    async with events(signed_in, "/events") as own, events(other, "/events") as others:
        first = await send_file(signed_in, b"first")
        async with signed_in.patch(f"/media/{first}", json={"caption": "changed"}) as response:
            assert response.status == 200
        async with signed_in.delete(f"/media/{first}") as response:
            assert response.status == 204
        last = await send_file(other, b"last")
        for tab in (own, others):
            told = [await changed(tab) for _ in range(4)]
            assert [name for name, _ in told] == [
                "media_added",
                "media_edited",
                "media_deleted",
                "media_added",
            ]
            assert [data.get("id") for _, data in told] == [first, first, None, last]
            assert told[1][1]["caption"] == "changed"
            assert told[2][1] == {"ids": [first]}


async def changed(tab: Events) -> tuple[str, Any]:
    """The next event that is about the media."""
    while True:
        event = await tab.one()
        if event[0] != "upload":
            return event


async def test_a_caption_that_is_taken_back_by_a_page_that_has_gone(
    signed_in: ClientSession, sandbox: Sandbox, until: Until
) -> None:
    """A change whose answer nobody waits for any more is told all the same."""
    async with events(signed_in, "/events") as tab:
        held = sandbox.faults.hold("messages.deleteMessages", times=1)
        deleting = asyncio.create_task(signed_in.delete(f"/media/{IDS['photo']}").__aenter__())
        await held.reached(1)
        deleting.cancel()
        await asyncio.wait({deleting})
        held.release()
        assert await tab.one() == ("media_deleted", {"ids": [IDS["photo"]]})


@pytest.mark.swift_time
async def test_an_edit_that_is_answered_after_a_later_one(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """What another device has edited since is what is known, though the answer says how it was before."""
    async with events(signed_in, "/events") as tab:
        held = sandbox.faults.hold("messages.editMessage", executed=True)
        path = f"/media/{IDS['photo']}"
        editing = asyncio.create_task(signed_in.patch(path, json={"caption": "first"}).__aenter__())
        await held.reached(1)
        phone_app.edit(sandbox, PHONE, IDS["photo"], "second")
        while (await tab.one())[1]["caption"] != "second":
            pass
        held.release()
        async with await editing as response:
            assert (await response.json())["caption"] == "second"
        async with signed_in.get(path) as response:
            assert (await response.json())["caption"] == "second"


async def test_media_that_is_replaced(signed_in: ClientSession, telephone: TelegramClient) -> None:
    """Another file in the same message is an edit, with another version."""
    before = await item(signed_in, IDS["photo"])
    async with events(signed_in, "/events") as tab:
        await telephone.edit_message("me", IDS["photo"], "", file=b"another file")
        name, after = await tab.one()
        assert (name, after["id"]) == ("media_edited", IDS["photo"])
        assert after["url"] != before["url"]


async def test_other_chats_are_not_told_of(
    signed_in: ClientSession, sandbox: Sandbox, telephone: TelegramClient
) -> None:
    """Their messages and deletions, which have ids and states of the same sequence, and no peer."""
    old = sandbox.state.account_of(PHONE).history.add_elsewhere(77, "long ago").id
    media = getattr(sandbox.state.account_of(PHONE).history.get(IDS["photo"]), "media", None)
    async with events(signed_in, "/events") as tab:
        new = phone_app.receive(sandbox, PHONE, "look", media)
        await telephone(functions.messages.DeleteMessagesRequest([old, new, IDS["text"]], revoke=True))
        await telephone.delete_messages("me", [IDS["photo"]])
        assert await tab.one() == ("media_deleted", {"ids": [IDS["photo"]]})


# Going on from an event


async def test_a_page_that_was_away_is_told_what_it_missed(
    signed_in: ClientSession, telephone: TelegramClient, service: Service, until: Until
) -> None:
    """By the id of the last event, by header or query; by a list's; and each event once."""
    since = await listed(signed_in)
    sent = [(await telephone.send_file("me", b"x", caption=str(number))).id for number in range(3)]
    for path, header in ((f"/events?last_event_id={since}", ""), ("/events", since)):
        async with events(signed_in, path, header) as tab:
            assert [(await tab.one())[1]["id"] for _ in sent] == sent
            last = tab.last_id
        await closed(service, until)
    await telephone.delete_messages("me", sent[:1])
    async with events(signed_in, f"/events?last_event_id={since}", last) as tab:
        assert await tab.one() == ("media_deleted", {"ids": sent[:1]})


async def test_a_page_that_says_nothing_is_told_nothing_of_before(
    signed_in: ClientSession, telephone: TelegramClient
) -> None:
    """But it has an id to go on from at once."""
    await telephone.send_file("me", b"before")
    async with events(signed_in, "/events") as tab:
        sent = await telephone.send_file("me", b"after")
        assert (await tab.one())[1]["id"] == sent.id
    async with events(signed_in, "/events") as tab:
        line = await tab.response.content.readline()
        assert line.startswith((b"id: ", b"retry: "))


@pytest.mark.parametrize("text", ["x", "A" * 32, "0", "é", "A" * 5000])
async def test_an_id_that_is_none(signed_in: ClientSession, text: str) -> None:
    """Is answered by `reload`, with an id that is good."""
    async with signed_in.get("/events", params={"last_event_id": text}) as response:
        assert response.status == 200
        assert b"event: reload" in await response.content.readuntil(b"data: {}\n\n")
        response.close()


async def test_an_id_of_another_account(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """It is none here, and says nothing of the other account."""
    stranger = new_browser()
    await sign_in(stranger, "+9996610002")
    async with events(signed_in, "/events", await listed(stranger)) as tab:
        assert await tab.one() == ("reload", {})
        since = tab.last_id
    async with events(signed_in, "/events", since) as tab:
        sent = await send_file(signed_in, b"hello")
        assert (await changed(tab))[1]["id"] == sent


async def test_too_much_to_be_told(
    signed_in: ClientSession, telephone: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`reload`, instead of more than lists would cost."""
    since = await listed(signed_in)
    monkeypatch.setattr(live_module, "MOST_MISSED", 2)
    for _ in range(3):
        await telephone.send_message("me", "text")
    async with events(signed_in, "/events", since) as tab:
        assert await tab.one() == ("reload", {})


async def test_much_is_told_in_slices(
    signed_in: ClientSession, telephone: TelegramClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut within a slice costs a repetition, and no event."""
    monkeypatch.setattr(live_module, "_SLICE", 3)
    since = await listed(signed_in)
    sent = [(await telephone.send_file("me", b"x")).id for _ in range(8)]
    found: list[int] = []
    for most in (2, 5, 100):
        async with events(signed_in, "/events", since) as tab:
            while len(found) < most and found[-1:] != sent[-1:]:
                found.append((await tab.one())[1]["id"])
            since = tab.last_id
    assert list(dict.fromkeys(found)) == sent


async def test_deletions_that_nobody_can_tell_apart(
    signed_in: ClientSession, sandbox: Sandbox, telephone: TelegramClient, service: Service
) -> None:
    """After a restart nobody knows whose ids are gone: `reload`, once, and never an id of another chat."""
    account = sandbox.state.account_of(PHONE)
    elsewhere = account.history.add_elsewhere(77, "hello").id
    position = service.app[keys.CURSORS].read(account.id, await listed(signed_in))
    assert position is not None
    before = service.app[keys.CURSORS].write(account.id, Position(position.pts, 4711))  # of another process
    await telephone(functions.messages.DeleteMessagesRequest([elsewhere], revoke=True))
    async with events(signed_in, "/events", before) as tab:
        assert await tab.one() == ("reload", {})
        again = account.history.add_elsewhere(77, "hello again").id
        await telephone(functions.messages.DeleteMessagesRequest([again], revoke=True))
        await telephone.delete_messages("me", [IDS["photo"]])
        assert await tab.one() == ("media_deleted", {"ids": [IDS["photo"]]})


# What it costs


async def test_telegram_is_told_to_send_updates_only_while_a_page_is_open(
    signed_in_to: SignedInTo, sandbox: Sandbox, until: Until
) -> None:
    """The session that has listened is another one when nobody listens any more."""
    service, browser = await signed_in_to(events={"linger_seconds": 0})

    def listening() -> int:
        return sum(
            session.receives_updates and bool(session.connections)
            for key in sandbox.auth_keys
            for session in key.sessions.values()
        )

    assert listening() == 0
    async with events(browser, "/events"):
        assert listening() == 1
    await until(lambda: len(service.app[keys.LISTENING]) == 0 and listening() == 0)
    await listed(browser)
    assert listening() == 0


async def test_pages_share_one_subscription(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """The first page of an account costs three requests, the others none; a page that navigates none."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(events(signed_in, "/events"))
        sandbox.counters.reset()
        for _ in range(3):
            await stack.enter_async_context(events(signed_in, "/events"))
    async with events(signed_in, "/events"):
        assert sum(sandbox.counters.calls.values()) == 0


async def test_head(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """HEAD answers as GET, without a body and without asking Telegram."""
    sandbox.counters.reset()
    async with signed_in.head("/events") as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert response.content_type == "text/event-stream"
    assert sum(sandbox.counters.calls.values()) == 0


# Uploads


async def test_the_sessions_own_uploads(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Forms with a name and resumable uploads, up to the item; not those of other sessions."""
    other = new_browser()
    await sign_in(other)
    async with events(signed_in, "/events") as own, events(other, "/events") as others:
        await send(signed_in, Form().file(b"x" * 100_000, "a.bin"), **{"X-Upload-Id": "my-form-1"})
        path = await begin(signed_in, 100_000)
        await finish(signed_in, path, b"y" * 100_000)
        for upload_id in ("my-form-1", name_of(path)):
            while True:
                name, told = await own.one()
                if name != "upload":
                    continue
                assert told["id"] == upload_id
                if told["event"] == "done":
                    break
                assert told["event"] == "progress"
                assert told["data"].keys() == {"received", "stored", "total"}
            assert told["data"] == await item(signed_in, told["data"]["id"])
        assert [(await others.one())[0] for _ in range(2)] == ["media_added"] * 2
