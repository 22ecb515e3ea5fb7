"""Stock Telethon as a library of media, in a plain script: `python -m benchmarks.plain_library`.

Commands, each with the seconds as an answer: {"connect": session}; {"everything": true}, with the seconds to
the "first" item; {"page": id}, fifty media older than that; {"thumbnails": [id, ...]}, one after another;
{"listen": [session, ...]}, a client for each of them, which receives updates.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from telethon import TelegramClient
from telethon.sessions import StringSession

from benchmarks.baseline import API_HASH, API_ID
from benchmarks.processes import answer, main_loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_PAGE = 50
_CONNECTING = 50
"""Clients that connect at the same time."""


class Library:
    """One account's client, and those that listen."""

    def __init__(self) -> None:
        self.client: TelegramClient
        self.listening: list[TelegramClient] = []

    async def connect(self, session: str) -> dict[str, Any]:
        """Become the account that a session is of."""
        self.client = await _connected(session)
        return {}

    async def everything(self, _: bool) -> dict[str, Any]:
        """List all media."""
        begin = time.perf_counter()
        first, items = 0.0, []
        # By itself Telethon would sleep for a second after each hundred messages.
        async for message in self.client.iter_messages("me", wait_time=0):
            if message.file is not None:
                first = first or time.perf_counter() - begin
                items.append(message)
        return {"first": first, "count": len(items)}

    async def page(self, before: int) -> dict[str, Any]:
        """List fifty media."""
        items = []
        async for message in self.client.iter_messages("me", offset_id=before, wait_time=0):
            if message.file is not None:
                items.append(message)
                if len(items) == _PAGE:
                    break
        return {"count": len(items)}

    async def thumbnails(self, ids: list[int]) -> dict[str, Any]:
        """Fetch a thumbnail of each."""
        size = 0
        for message_id in ids:
            message = await self.client.get_messages("me", ids=message_id)
            size += len(await self.client.download_media(message, bytes, thumb=-1))
        return {"size": size}

    async def listen(self, sessions: list[str]) -> dict[str, Any]:
        """Receive the updates of all these sessions."""
        turns = asyncio.Semaphore(_CONNECTING)

        async def one(session: str) -> None:
            async with turns:
                client = await _connected(session)
                client.add_event_handler(lambda _update: None)
                await client.get_me()
                self.listening.append(client)

        await asyncio.gather(*map(one, sessions))
        return {}

    async def close(self) -> None:
        """Disconnect all."""
        await asyncio.gather(*(client.disconnect() for client in self.listening))


async def _connected(session: str) -> TelegramClient:
    client = TelegramClient(StringSession(session), API_ID, API_HASH)
    await client.connect()
    return client


async def main() -> None:
    """Work until the parent goes."""
    library, loop = Library(), asyncio.get_running_loop()

    async def timed(work: Awaitable[dict[str, Any]]) -> dict[str, Any]:
        begin = time.perf_counter()
        done = await work
        return {**done, "seconds": time.perf_counter() - begin}

    def handle(**command: Any) -> dict[str, Any]:
        ((name, argument),) = command.items()
        work: Callable[[Any], Awaitable[dict[str, Any]]] = getattr(library, name)
        return asyncio.run_coroutine_threadsafe(timed(work(argument)), loop).result()

    answer({})
    await asyncio.to_thread(main_loop, handle)
    await library.close()


if __name__ == "__main__":
    asyncio.run(main())
