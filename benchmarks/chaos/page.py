"""A gallery that lists once and then follows events: whatever state it is at, it shows what there was."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.chaos.browser import Failed
from benchmarks.chaos.mirror import SETTLED_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientResponse

    from benchmarks.chaos.account import Account
    from benchmarks.chaos.browser import Browser
    from benchmarks.chaos.ledger import Ledger

_RETRY_SECONDS = 0.5
_LOOK_SECONDS = 5.0


class Told(NamedTuple):
    """One server-sent event."""

    name: str
    data: str
    id: str


class Page:
    """One page of one browser."""

    def __init__(self, browser: Browser, account: Account, ledger: Ledger) -> None:
        self._browser = browser
        self._account = account
        self._ledger = ledger
        self._last_id = ""
        self._is_stale = True
        self._told_of: set[tuple[int, int]] = set()
        self.items: dict[int, dict[str, Any]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """The account's state that it is at, by its last event's id: only the harness can read that."""
        return self._account.position(self._last_id)

    def open(self) -> None:
        """Follow, for as long as it is open."""
        if self._task is None:
            self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        """Go away."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def load(self) -> None:
        """List all, and note from where to go on. Raises Failed."""
        items: dict[int, dict[str, Any]] = {}
        path: str | None = "media?limit=200"
        first_id = ""
        while path:
            body = (await self._browser.ask("GET", "/" + path)).body
            first_id = first_id or body["last_event_id"]
            items |= {item["id"]: item for item in body["items"]}
            path = body["next"]
        self.items, self._last_id, self._is_stale = items, first_id, False
        await self._compare("list")

    async def watch(self) -> None:
        """Look now and then whether it is told at all. To be cancelled."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._account.mirror.follow()
            position = self.position
            if self._task is not None and self._account.mirror.is_overdue(position, SETTLED_SECONDS):
                self._ledger.is_wrong(
                    "a page is told nothing",
                    who=self._browser.name,
                    at_state=position,
                    account_is_at=self._account.mirror.pts,
                )
                self._is_stale = True  # once is enough
                await self.close()
                self.open()

    async def _follow(self) -> None:
        while True:
            try:
                if self._is_stale:
                    await self.load()
                headers = {"Last-Event-ID": self._last_id}
                # It ends sometimes, which is no error: EventSource comes back.
                async with self._browser.opened("GET", "/events", headers=headers, timeout=None) as response:
                    async for told in events(response):
                        await self._take(told)
            except Failed:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _take(self, told: Told) -> None:
        self._last_id = told.id or self._last_id
        self._ledger.events[told.name or "place"] += 1
        data: Any = json.loads(told.data) if told.data else None
        match told.name:
            case "media_added" | "media_edited":
                self.items[data["id"]] = data
            case "media_deleted":
                for gone in data["ids"]:
                    self.items.pop(gone, None)
            case "upload" if data["event"] == "done":
                await self._account.mirror.follow()
                if data["data"]["id"] not in self._account.mirror.held:
                    self._ledger.is_wrong("an upload is told that never was", who=self._browser.name, **data)
            case "reload":
                self._is_stale = True
                await self.load()
                return
        if told.id:
            await self._compare(told.name or "place")

    async def _compare(self, after: str) -> None:
        """Whoever goes on from here is told nothing of before: so all of that has to be shown."""
        account = self._account
        await account.mirror.follow()
        for wrong in account.mirror.unlike(self.items, self.position, account.seeds_to):
            key = wrong["id"], wrong.get("pts", 0)
            if key not in self._told_of:
                self._told_of.add(key)
                self._ledger.is_wrong(
                    "a page shows what is not so",
                    who=self._browser.name,
                    after=after,
                    at_state=self.position,
                    **wrong,
                )


async def events(response: ClientResponse) -> AsyncIterator[Told]:
    """Read server-sent events as they come."""
    name, data, new_id = "", "", ""
    async for line in response.content:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        match field:
            case "id":
                new_id = value
            case "event":
                name = value
            case "data":
                data = value
            case "":
                yield Told(name, data, new_id)
                name, data, new_id = "", "", ""
