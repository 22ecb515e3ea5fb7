"""Reading server-sent events as a browser's EventSource does."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import ClientTimeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from aiohttp import ClientResponse, ClientSession


class Events:
    """A stream of events that is being read."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response
        self.last_id = ""
        self.retry: int | None = None  # milliseconds

    async def next(self) -> tuple[str, Any] | None:
        """The next event's name and its data, which is JSON; None at the end. Comments are passed over."""
        name, data = "message", None
        async for line in self.response.content:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                self.last_id = value
            elif field == "retry":
                self.retry = int(value)
            elif field == "data":
                data = json.loads(value)
            elif not line.strip() and data is not None:
                return name, data
        return None

    async def one(self) -> tuple[str, Any]:
        """The next event, before the end."""
        event = await self.next()
        assert event is not None
        return event

    async def until(self, wanted: str) -> Any:
        """Read up to an event of a name, and return its data."""
        while (event := await self.next()) is not None:
            if event[0] == wanted:
                return event[1]
        raise AssertionError(f"the stream has ended without {wanted}")

    async def rest(self) -> list[tuple[str, Any]]:
        """All events up to the end."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def events(browser: ClientSession, path: str, since: str = "") -> AsyncIterator[Events]:
    """Open a stream, after the event `since`; leaving closes the connection, as a page that goes away."""
    headers = {"Last-Event-ID": since} if since else {}
    async with browser.get(path, headers=headers, timeout=ClientTimeout()) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        try:
            yield Events(response)
        finally:
            response.close()


def watching(browser: ClientSession, name: str) -> AbstractAsyncContextManager[Events]:
    """Watch an upload."""
    return events(browser, f"/uploads/{name}/events")
