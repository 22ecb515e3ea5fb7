"""Pages that come and go, against what Saved Messages really hold: a thousand random changes and cuts."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError
from telethon.tl import types

from tgbridge.sandbox import telephone
from tgbridge.sandbox.seeds import SEEDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

PHONE = "+9996610001"
CHANGES = 1000


class Page:
    """A gallery: it lists, follows, and reads anew when it is told to."""

    def __init__(self, browser: ClientSession) -> None:
        self._browser = browser
        self._last_id = ""
        self._stale = True
        self.items: dict[int, Any] = {}
        self.reloads = 0
        self.events = 0
        self.foreign: set[int] = set()
        self._task: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """List all, and note from where to go on."""
        items: dict[int, Any] = {}
        path: str | None = "media?limit=200"
        first_id = ""
        while path:
            async with self._browser.get("/" + path) as response:
                body: dict[str, Any] = await response.json()
            first_id = first_id or body["last_event_id"]
            items |= {item["id"]: item for item in body["items"]}
            path = body["next"]
        self.items, self._last_id, self._stale = items, first_id, False

    def open(self) -> None:
        """Connect, as EventSource does again and again."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Go away."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _follow(self) -> None:
        while True:
            try:
                if self._stale:
                    await self.load()
                await self._read()
            except (ClientError, ConnectionError):
                await asyncio.sleep(0)

    async def _read(self) -> None:
        async with self._browser.get("/events", headers={"Last-Event-ID": self._last_id}) as response:
            if response.status != 200:
                return
            try:
                name, data, new_id = "", "", None
                async for line in response.content:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "id":
                        new_id = value
                    elif field == "event":
                        name = value
                    elif field == "data":
                        data = value
                    elif not field:
                        if new_id is not None:
                            self._last_id = new_id
                        if data:
                            await self._take(name, json.loads(data))
                        name, data, new_id = "", "", None
            finally:
                response.close()

    async def _take(self, name: str, data: Any) -> None:
        self.events += 1
        match name:
            case "media_added" | "media_edited":
                self.items[data["id"]] = data
            case "media_deleted":
                for gone in data["ids"]:
                    self.items.pop(gone, None)
                    self.foreign.add(gone)
            case "reload":
                self.reloads += 1
                self._stale = True
                await self.load()


class World:
    """The account, and whatever may happen to it, by chance."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.account: Account = sandbox.state.account_of(PHONE)
        self.chance = random.Random(seed)
        self.elsewhere: set[int] = set()
        self.texts: set[int] = set()
        self._media = [seed for seed in SEEDS if seed.key in telephone.SENDABLE and seed.make is not None]

    def _push(self, *updates: Any) -> None:
        date = datetime.fromtimestamp(int(self.sandbox.now()), UTC)
        users = [self.account.user()]
        self.sandbox.push(self.account, types.Updates(list(updates), users, [], date, 0))

    def save(self) -> None:
        telephone.send(self.sandbox, PHONE, self.chance.choice(self._media).key, str(self.chance.random()))

    def write(self) -> None:
        message = self.account.add_message("a text")
        self.texts.add(message.id)
        self._push(types.UpdateNewMessage(message, self.account.history.pts, 1))

    def receive(self) -> None:
        message = self.account.history.get(self.chance.choice(self.account.history.ids))
        media = getattr(message, "media", None)
        self.elsewhere.add(telephone.receive(self.sandbox, PHONE, "hello", media))

    def edit(self) -> None:
        message = self.account.history.get(self.chance.choice(self.account.history.ids))
        if isinstance(message, types.Message):
            telephone.edit(self.sandbox, PHONE, message.id, str(self.chance.random()))

    def delete(self) -> None:
        ids = [*self.account.history.ids, *self.elsewhere]
        gone = self.chance.sample(ids, min(len(ids), self.chance.randint(1, 3)))
        telephone.delete(self.sandbox, PHONE, gone)

    def cut(self) -> None:
        self.sandbox.faults.drop_connections()

    def lose(self) -> None:
        self.sandbox.faults.lose_updates(self.chance.randint(1, 3))

    def captions(self) -> dict[int, str]:
        """What the account's messages say, but for the story, whose caption is its own."""
        messages = (self.account.history.get(number) for number in self.account.history.ids)
        return {
            message.id: message.message
            for message in messages
            if isinstance(message, types.Message) and not isinstance(message.media, types.MessageMediaStory)
        }

    def happen(self) -> None:
        kinds = (self.save, self.write, self.receive, self.edit, self.delete, self.cut, self.lose)
        self.chance.choices(kinds, (30, 5, 10, 20, 15, 2, 2))[0]()


@pytest.mark.parametrize("seed", [1])
async def test_no_page_misses_anything(
    sandbox: Sandbox, signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, seed: int
) -> None:
    """Three pages of two sessions, away now and then, hold in the end what there is, and nothing else."""
    other = new_browser()
    await sign_in(other)
    world = World(sandbox, seed)
    for number in range(150):  # so that not all is known at once
        world.save() if number % 3 else world.write()
    pages = [Page(signed_in), Page(signed_in), Page(other)]
    for page in pages:
        await page.load()
        page.open()
    for _ in range(CHANGES):
        world.happen()
        if world.chance.random() < 0.05:
            page = world.chance.choice(pages)
            await page.close()
        if world.chance.random() < 0.1:
            world.chance.choice(pages).open()
        if world.chance.random() < 0.3:
            await asyncio.sleep(0.002)
    sandbox.faults.clear()
    for page in pages:
        page.open()
    world.save()
    there = Page(signed_in)
    with suppress(TimeoutError):
        async with asyncio.timeout(10):
            while not there.items or any(page.items != there.items for page in pages):
                await there.load()  # anew each time: a list may be as old as what this process was told last
                await asyncio.sleep(0.01)
    captions = {number: item["caption"] for number, item in there.items.items()}
    assert captions.items() >= {pair for pair in world.captions().items() if pair[0] in captions}
    for page in pages:
        await page.close()
        assert page.items.keys() == there.items.keys()
        assert page.items == there.items
        assert not page.foreign & (world.elsewhere | world.texts)
        assert page.reloads == 0
