"""Somebody who signs in and does all that one can do, by chance, and remembers what was promised."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from aiohttp import FormData

from benchmarks.chaos.browser import Browser, Failed
from benchmarks.chaos.page import Page

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import ClientSession

    from benchmarks.chaos.ledger import Ledger

_MOST_BYTES = 3 << 20
_TRIES = 30
_TUS = {"Tus-Resumable": "1.0.0"}
_SENT_BY_TELEPHONE = ("photo", "pdf", "audio", "voice", "text_file")


@dataclass(slots=True)
class Promise:
    """A file that was acknowledged."""

    id: int
    sha256: str
    captions: set[str]
    """Which it may have: more than one after a change of which nobody knows whether it came through."""
    is_gone: bool | None = False
    """None: nobody knows."""
    may_be_twice: bool = False
    """Whether the service was ended while it was sent, and with it the memory of its name."""


class Person:
    """One account, one browser, one page that is open most of the time."""

    def __init__(
        self,
        phone: str,
        *,
        seed: str,
        url: str,
        ledger: Ledger,
        truth: ClientSession,
        control: ClientSession,
        starts: list[float],
    ) -> None:
        self.phone = phone
        self.promises: dict[str, Promise] = {}
        self.chance = random.Random(seed)
        self._ledger = ledger
        self._truth = truth
        self._control = control
        self._starts = starts
        self.browser = Browser(url, ledger, phone[-4:])
        self.stranger = Browser(url, ledger, phone[-4:] + " ticket")
        self.page = Page(self.browser)
        self.user_id = 0
        self.seeds_to = 0
        """The last message that was there before anything happened."""
        self._count = 0
        self._signing_in = asyncio.Lock()
        self._editing = asyncio.Lock()

    async def sign_in(self) -> None:
        """Sign in, however long that takes."""
        async with self._signing_in:
            fault = self._ledger.fault(f"logout {self.phone[-4:]}")
            try:
                for _ in range(_TRIES):
                    try:
                        await self._try_to_sign_in()
                    except Failed:
                        await asyncio.sleep(1)
                    else:
                        return
            finally:
                self._ledger.over(fault)
            self._ledger.is_wrong("no login", who=self.phone[-4:])

    async def _try_to_sign_in(self) -> None:
        if (await self.browser.ask("GET", "/is-authenticated")).body["authenticated"]:
            return
        await self.browser.ask("POST", "/send-code", json={"phone": self.phone})
        body = {"phone": self.phone, "code": self.phone[6] * 5}
        self.user_id = (await self.browser.ask("POST", "/sign-in", json=body)).body["user"]["id"]

    async def live(self, seconds: float) -> None:
        """Do one thing after another until then."""
        kinds: dict[Callable[[], Awaitable[None]], int] = {
            self.stream: 30,
            self.list_pages: 8,
            self.list_all: 4,
            self.thumbnail: 8,
            self.upload: 10,
            self.resumable: 8,
            self.edit: 6,
            self.delete: 3,
            self.ticket: 5,
            self.telephone: 4,
            self.look: 8,
            self.turn_page: 3,
            self.sign_out: 1,
        }
        while self._ledger.now() < seconds:
            (act,) = self.chance.choices(list(kinds), list(kinds.values()))
            try:
                await act()
            except Failed as failed:
                await asyncio.sleep(0.3)
                if failed.status == 401:
                    await self.sign_in()
            await asyncio.sleep(self.chance.uniform(0, 0.3))

    # Looking

    async def look(self) -> None:
        """Ask for small things."""
        path = self.chance.choice(
            ("/me", "/session", "/media/counts", "/media/timeline", "/sessions", "/healthz")
        )
        await self.browser.ask("GET", path)

    async def list_pages(self) -> None:
        """Read one page after another: newest first, each once."""
        path: str | None = f"media?limit={self.chance.randint(5, 60)}"
        ids: list[int] = []
        while path:
            body = (await self.browser.ask("GET", "/" + path)).body
            ids += [item["id"] for item in body["items"]]
            path = body["next"]
        self._check_order(ids)

    async def list_all(self) -> None:
        """Read the whole list at once."""
        answer = await self.browser.ask("GET", "/get-saved-messages-media")
        self._check_order([item["id"] for item in answer.body])

    def _check_order(self, ids: list[int]) -> None:
        if ids != sorted(set(ids), reverse=True):
            self._ledger.is_wrong("list out of order", who=self.phone[-4:], ids=ids)

    async def stream(self) -> None:
        """Read a file, or a span of it: at once or slowly, to its end or not."""
        if (item := self._some_item()) is None:
            return
        start = self.chance.randrange(max(1, item["size"]))
        stop = min(item["size"], start + self.chance.randint(1, _MOST_BYTES))
        is_slow, leaves = self.chance.random() < 0.1, self.chance.random() < 0.15
        await self._read(
            self.browser, f"/stream_media/{item['id']}", item, (start, stop), is_slow=is_slow, leaves=leaves
        )

    async def _read(
        self,
        browser: Browser,
        path: str,
        item: dict[str, Any],
        span: tuple[int, int],
        *,
        is_slow: bool = False,
        leaves: bool = False,
    ) -> None:
        got = bytearray()
        headers = {"Range": f"bytes={span[0]}-{span[1] - 1}"}
        try:
            async with browser.opened("GET", path, headers=headers, fine=(404, 416)) as response:
                if response.status in (404, 416):
                    await self._check_gone(item["id"])
                    return
                async for piece in response.content.iter_chunked(1 << 18):
                    got += piece
                    if is_slow:
                        await asyncio.sleep(self.chance.uniform(0, 1))
                    if leaves and len(got) > (span[1] - span[0]) // 2:
                        response.close()
                        break
                else:
                    if len(got) != span[1] - span[0]:
                        self._ledger.is_wrong("wrong length", path=path, span=span, got=len(got))
        finally:
            await self._check_bytes(item["id"], span, bytes(got))

    async def _check_bytes(self, message: int, span: tuple[int, int], got: bytes) -> None:
        """Compare what has arrived, also of an answer that was broken off."""
        query = {"start": span[0], "stop": span[0] + len(got)}
        async with self._truth.get(f"/bytes/{self.phone}/{message}", params=query) as response:
            if response.status == 404:
                return  # deleted meanwhile
            right = await response.read()
        self._ledger.received += len(got)
        if got != right:
            at = next((place for place, (a, b) in enumerate(zip(got, right, strict=False)) if a != b), -1)
            self._ledger.is_wrong("wrong bytes", who=self.phone[-4:], id=message, span=span, first=at)

    async def _check_gone(self, message: int) -> None:
        async with self._truth.get(
            f"/bytes/{self.phone}/{message}", params={"start": 0, "stop": 1}
        ) as response:
            if response.status != 404:
                self._ledger.is_wrong("not found, but there", who=self.phone[-4:], id=message)

    async def thumbnail(self) -> None:
        """Look at a small picture: all of it is there, or nothing."""
        item = self._some_item()
        if item is not None and item["has_thumbnail"]:
            await self.browser.ask("GET", f"/stream_thumbnail/{item['id']}", fine=(404,))

    async def ticket(self) -> None:
        """Give one to somebody without a cookie, who reads with it."""
        if (item := self._some_item()) is None:
            return
        answer = await self.browser.ask("POST", f"/media/{item['id']}/ticket", json={}, fine=(404,))
        if answer.status != 404:
            span = (0, min(item["size"], 100_000))
            if span[1]:
                await self._read(self.stranger, "/" + answer.body["url"].lstrip("/"), item, span)

    # Changing

    def _content(self) -> tuple[str, bytes]:
        self._count += 1
        size = self.chance.choice((self.chance.randint(1, 4096), self.chance.randint(4096, _MOST_BYTES)))
        return f"chaos-{self.phone[-4:]}-{self._count}.bin", self.chance.randbytes(size)

    def _promised(self, name: str, message: int, content: bytes, caption: str, since: float) -> None:
        twice = any(start >= since for start in self._starts)
        digest = hashlib.sha256(content).hexdigest()
        self.promises[name] = Promise(message, digest, {caption}, may_be_twice=twice)
        self._ledger.note("acknowledged", who=self.phone[-4:], name=name, id=message)

    async def upload(self) -> None:
        """Send a form, again and again until it is acknowledged."""
        (name, content), since = self._content(), self._ledger.now()
        for _ in range(_TRIES):
            form = FormData({"caption": name, "as": "document"})
            form.add_field("file", content, filename=name, content_type="application/octet-stream")
            try:
                answer = await self.browser.ask(
                    "POST", "/upload_file", data=form, headers={"X-Upload-Id": name[:-4]}, fine=(409,)
                )
            except Failed as failed:
                if failed.status == 401:
                    return
                await asyncio.sleep(1)
                continue
            if answer.status == 200:
                self._promised(name, answer.body["message_id"], content, name, since)
                return
            await asyncio.sleep(1)

    async def resumable(self) -> None:
        """Send a file by tus, in pieces, going on where it was after each failure."""
        (name, content), since = self._content(), self._ledger.now()
        metadata = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}"
            for key, value in (("filename", name), ("caption", name), ("as", "document"))
        )
        headers = _TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        answer = await self.browser.ask("POST", "/uploads", headers=headers)
        path = urlsplit(urljoin("/uploads", answer.headers["Location"])).path
        offset = 0
        for _ in range(_TRIES):
            piece = content[offset : offset + self.chance.randint(1, len(content))]
            headers = _TUS | {
                "Upload-Offset": str(offset),
                "Content-Type": "application/offset+octet-stream",
            }
            try:
                answer = await self.browser.ask("PATCH", path, data=piece, headers=headers, fine=(409, 423))
                if answer.status >= 400:
                    await asyncio.sleep(0.5)
                    answer = await self.browser.ask("HEAD", path, headers=_TUS)
            except Failed as failed:
                if failed.status in (401, 404, 410):
                    return
                await asyncio.sleep(1)
                answer = await self.browser.ask("HEAD", path, headers=_TUS)
            offset = int(answer.headers.get("Upload-Offset", offset))
            if "X-Message-Id" in answer.headers:
                self._promised(name, int(answer.headers["X-Message-Id"]), content, name, since)
                return

    async def edit(self) -> None:
        """Change a caption."""
        async with self._editing:
            if (promise := self._some_promise()) is None:
                return
            caption = f"edited {self.chance.random()}"
            promise.captions.add(caption)
            await self.browser.ask("PATCH", f"/media/{promise.id}", json={"caption": caption})
            promise.captions = {caption}

    async def delete(self) -> None:
        """Delete one of one's own files."""
        async with self._editing:
            if (promise := self._some_promise()) is None:
                return
            promise.is_gone = None
            await self.browser.ask("DELETE", f"/media/{promise.id}")
            promise.is_gone = True

    async def telephone(self) -> None:
        """Send something by the telephone, which the page has to show."""
        media = self.chance.choice(_SENT_BY_TELEPHONE)
        body = {"phone": self.phone, "media": media, "caption": f"by telephone {self.chance.random()}"}
        async with self._control.post("/messages", json=body) as response:
            response.raise_for_status()

    async def turn_page(self) -> None:
        """Close the page and open it again."""
        await self.page.close()
        await asyncio.sleep(self.chance.uniform(0, 1))
        self.page.open()

    async def sign_out(self) -> None:
        """Log out and in again."""
        fault = self._ledger.fault(f"logout {self.phone[-4:]}")
        try:
            await self.browser.ask("POST", "/logout")
            await self.sign_in()
        finally:
            self._ledger.over(fault)

    def _some_item(self) -> dict[str, Any] | None:
        items = list(self.page.items.values())
        return self.chance.choice(items) if items else None

    def _some_promise(self) -> Promise | None:
        there = [promise for promise in self.promises.values() if promise.is_gone is False]
        return self.chance.choice(there) if there else None

    async def close(self) -> None:
        """Close page and browsers."""
        await self.page.close()
        await self.browser.close()
        await self.stranger.close()
