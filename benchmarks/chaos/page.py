"""A gallery that lists once and then follows events: in the end it has to hold what there is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from benchmarks.chaos.browser import Failed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientResponse

    from benchmarks.chaos.browser import Browser

_RETRY_SECONDS = 0.5


class Page:
    """One page of one browser."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._last_id = ""
        self._is_stale = True
        self.items: dict[int, dict[str, Any]] = {}
        self.events = 0
        self.reloads = 0
        self._task: asyncio.Task[None] | None = None

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

    async def _follow(self) -> None:
        while True:
            try:
                if self._is_stale:
                    await self.load()
                headers = {"Last-Event-ID": self._last_id}
                # It ends sometimes, which is no error: EventSource comes back.
                async with self._browser.opened("GET", "/events", headers=headers, timeout=None) as response:
                    await self._read(response)
            except Failed:
                await asyncio.sleep(_RETRY_SECONDS)

    async def _read(self, response: ClientResponse) -> None:
        async for name, data, new_id in _events(response):
            if new_id:
                self._last_id = new_id
            if data:
                await self._take(name, json.loads(data))

    async def _take(self, name: str, data: Any) -> None:
        self.events += 1
        match name:
            case "media_added" | "media_edited":
                self.items[data["id"]] = data
            case "media_deleted":
                for gone in data["ids"]:
                    self.items.pop(gone, None)
            case "reload":
                self.reloads += 1
                self._is_stale = True
                await self.load()


async def _events(response: ClientResponse) -> AsyncIterator[tuple[str, str, str]]:
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
                yield name, data, new_id
                name, data, new_id = "", "", ""
