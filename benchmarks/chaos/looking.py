"""All that somebody looks at, by chance: and whether what arrives is what there is."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from benchmarks.chaos.mirror import SETTLED_SECONDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from benchmarks.chaos.account import Account
    from benchmarks.chaos.browser import Browser
    from benchmarks.chaos.device import Device
    from benchmarks.chaos.ledger import Ledger
    from benchmarks.chaos.mirror import Mirror

_MOST_BYTES = 3 << 20
_SMALL_THINGS = ("/me", "/session", "/media/counts", "/media/timeline", "/sessions", "/healthz")


async def check_item(
    device: Device, ledger: Ledger, number: int, caption: str | None, mirror: Mirror
) -> None:
    """Ask for a message that should have that caption, or None if it should not be there. Raises Failed."""
    answer = await device.browser.ask("GET", f"/media/{number}", fine=(404,))
    shown = None if answer.status == 404 else answer.body["caption"]
    await mirror.follow()
    # It may have been changed while it was asked for.
    if shown != caption and mirror.held[number].caption == caption:
        ledger.is_wrong("a message is not what it is", who=device.name, id=number, right=caption, shown=shown)


class Looking:
    """What one does with a device that changes nothing. Each raises Failed."""

    def __init__(self, account: Account, ledger: Ledger, truth: ClientSession) -> None:
        self._account = account
        self._chance = account.chance
        self._ledger = ledger
        self._truth = truth

    async def small_thing(self, device: Device) -> None:
        """Ask for something small."""
        await device.browser.ask("GET", self._chance.choice(_SMALL_THINGS))

    async def pages(self, device: Device) -> None:
        """Read one page of the list after another."""
        before = await self._account.mirror.follow()
        path: str | None = f"media?limit={self._chance.randint(5, 60)}"
        items: list[dict[str, Any]] = []
        while path:
            body = (await device.browser.ask("GET", "/" + path)).body
            items += body["items"]
            path = body["next"]
        await self._check_list(device, items, before)

    async def item(self, device: Device) -> None:
        """Look at one message that has been as it is for a while."""
        mirror = self._account.mirror
        await mirror.follow()
        settled = mirror.settled(SETTLED_SECONDS)
        ids = [number for number in settled if number > self._account.seeds_to]
        if ids:
            number = self._chance.choice(ids)
            await check_item(device, self._ledger, number, settled[number].caption, mirror)

    async def whole_list(self, device: Device) -> None:
        """Read the whole list at once."""
        before = await self._account.mirror.follow()
        answer = await device.browser.ask("GET", "/get-saved-messages-media")
        await self._check_list(device, answer.body, before)

    async def _check_list(self, device: Device, items: list[dict[str, Any]], before: int) -> None:
        """Newest first, each once, and as it was when the list was asked for, or later."""
        ids = [item["id"] for item in items]
        if ids != sorted(set(ids), reverse=True):
            self._ledger.is_wrong("list out of order", who=device.name, ids=ids)
        await self._account.mirror.follow()
        shown = {item["id"]: item for item in items}
        for wrong in self._account.mirror.unlike(shown, before, self._account.seeds_to):
            self._ledger.is_wrong("the list is not what there is", who=device.name, asked_at=before, **wrong)

    async def stream(self, device: Device) -> None:
        """Read a span of a file: at once or slowly, to its end or not."""
        if (item := self._some_item(device)) is None:
            return
        start = self._chance.randrange(max(1, item["size"]))
        stop = min(item["size"], start + self._chance.randint(1, _MOST_BYTES))
        is_slow, leaves = self._chance.random() < 0.1, self._chance.random() < 0.15
        path = f"/stream_media/{item['id']}"
        await self._read(device.browser, path, item["id"], (start, stop), is_slow=is_slow, leaves=leaves)

    async def thumbnail(self, device: Device) -> None:
        """Look at a small picture: it is one of those that the file has, whole."""
        item = self._some_item(device)
        if item is None or not item["has_thumbnail"]:
            return
        size = self._chance.choice(("small", "medium", "large"))
        path = f"/stream_thumbnail/{item['id']}?size={size}"
        answer = await device.browser.ask("GET", path, fine=(404,))
        if answer.status == 404:
            await self._check_gone(item["id"])
            return
        async with self._truth.get(f"/digests/{self._account.phone}/{item['id']}") as response:
            right = await response.json() if response.status == 200 else None
        self._ledger.received += len(answer.content)
        if right is not None and hashlib.sha256(answer.content).hexdigest() not in right:
            self._ledger.is_wrong("wrong thumbnail", who=device.name, id=item["id"], size=size)

    async def ticket(self, device: Device) -> None:
        """Give one to somebody without a cookie, who reads with it."""
        if (item := self._some_item(device)) is None:
            return
        answer = await device.browser.ask("POST", f"/media/{item['id']}/ticket", json={}, fine=(404,))
        if answer.status == 404:
            await self._check_gone(item["id"])
            return
        device.ticket = "/" + answer.body["url"].lstrip("/")
        span = (0, min(item["size"], 100_000))
        if span[1]:
            await self._read(device.stranger, device.ticket, item["id"], span)

    async def _read(
        self,
        browser: Browser,
        path: str,
        message: int,
        span: tuple[int, int],
        *,
        is_slow: bool = False,
        leaves: bool = False,
    ) -> None:
        got = bytearray()
        headers = {"Range": f"bytes={span[0]}-{span[1] - 1}"}
        try:
            async with browser.opened("GET", path, headers=headers, fine=(404,)) as response:
                if response.status == 404:
                    await self._check_gone(message)
                    return
                async for piece in response.content.iter_chunked(1 << 18):
                    got += piece
                    if is_slow:
                        await asyncio.sleep(self._chance.uniform(0, 1))
                    if leaves and len(got) > (span[1] - span[0]) // 2:
                        response.close()
                        break
                else:
                    if len(got) != span[1] - span[0]:
                        self._ledger.is_wrong("wrong length", path=path, span=span, got=len(got))
        finally:
            await self._check_bytes(message, span, bytes(got))

    async def _check_bytes(self, message: int, span: tuple[int, int], got: bytes) -> None:
        """Compare what has arrived, also of an answer that was broken off."""
        query = {"start": span[0], "stop": span[0] + len(got)}
        async with self._truth.get(f"/bytes/{self._account.phone}/{message}", params=query) as response:
            if response.status == 404:
                return  # deleted meanwhile
            right = await response.read()
        self._ledger.received += len(got)
        if got != right:
            at = next((place for place, (a, b) in enumerate(zip(got, right, strict=False)) if a != b), -1)
            self._ledger.is_wrong("wrong bytes", who=self._account.name, id=message, span=span, first=at)

    async def _check_gone(self, message: int) -> None:
        query = {"start": 0, "stop": 1}
        async with self._truth.get(f"/bytes/{self._account.phone}/{message}", params=query) as response:
            if response.status != 404:
                self._ledger.is_wrong("not found, but there", who=self._account.name, id=message)

    def _some_item(self, device: Device) -> dict[str, Any] | None:
        items = list(device.page.items.values())
        return self._chance.choice(items) if items else None
