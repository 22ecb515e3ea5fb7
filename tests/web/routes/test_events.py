"""What changes in Saved Messages, as the pages of its user are told: /events."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.devices import device
from tests.web.routes.events import events
from tests.web.routes.forms import item
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession
    from telethon import TelegramClient

    from tests.conftest import NewBrowser, SignIn
    from tgbridge.sandbox import Sandbox

PHONE = "+9996610001"


@pytest.fixture
async def telephone(sandbox: Sandbox) -> AsyncIterator[TelegramClient]:
    """Another device of the user's."""
    async with device(sandbox, PHONE) as client:
        yield client


async def test_every_page_is_told_of_what_another_device_does(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, telephone: TelegramClient
) -> None:
    """An item saved, edited and deleted, on each tab of each browser, once and in order; texts are none."""
    other = new_browser()
    await sign_in(other)
    async with AsyncExitStack() as stack:
        tabs = [
            await stack.enter_async_context(events(one, "/events")) for one in (signed_in, signed_in, other)
        ]
        await telephone.send_message("me", "a text")
        sent = await telephone.send_file("me", b"hello", caption="new")
        added = await item(signed_in, sent.id)
        await telephone.edit_message("me", sent.id, "newer")
        edited = await item(signed_in, sent.id)
        await telephone.delete_messages("me", [sent.id, IDS["text"], IDS["photo"]])
        for tab in tabs:
            assert await tab.next() == ("media_added", added)
            assert await tab.next() == ("media_edited", edited)
            assert await tab.next() == ("media_deleted", {"ids": [sent.id, IDS["photo"]]})
    assert (added["caption"], edited["caption"]) == ("new", "newer")
