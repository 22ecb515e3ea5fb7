"""All by which somebody changes what there is, by chance: and what was promised by that."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from aiohttp import FormData

from benchmarks.chaos.account import Promise
from benchmarks.chaos.browser import Failed

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from benchmarks.chaos.account import Account
    from benchmarks.chaos.device import Device
    from benchmarks.chaos.ledger import Ledger

_MOST_BYTES = 3 << 20
_TRIES = 30
_TUS = {"Tus-Resumable": "1.0.0"}
_SENT_BY_TELEPHONE = ("photo", "pdf", "audio", "voice", "text_file")
_ALBUM = 0.2


class Changing:
    """What one does with a device, or with the telephone. Each raises Failed."""

    def __init__(
        self, account: Account, ledger: Ledger, *, truth: ClientSession, control: ClientSession
    ) -> None:
        self._account = account
        self._chance = account.chance
        self._ledger = ledger
        self._truth = truth
        self._control = control
        self._count = 0

    # Sending

    def _content(self) -> tuple[str, bytes]:
        self._count += 1
        size = self._chance.choice((self._chance.randint(1, 4096), self._chance.randint(4096, _MOST_BYTES)))
        name = f"chaos-{self._account.name}-{self._count}.bin"
        self._account.began[name] = self._ledger.now()
        return name, self._chance.randbytes(size)

    def _promised(self, name: str, message: int, content: bytes, caption: str) -> None:
        digest = hashlib.sha256(content).hexdigest()
        self._account.promises[name] = Promise(message, digest, {caption})
        self._ledger.acknowledged += 1
        self._ledger.note("acknowledged", who=self._account.name, name=name, id=message)

    async def upload(self, device: Device) -> None:
        """Send a form, an album now and then, again and again until it is acknowledged."""
        album = self._chance.random() < _ALBUM
        files = [self._content() for _ in range(self._chance.randint(2, 4) if album else 1)]
        first = files[0][0]
        for _ in range(_TRIES):
            form = FormData({"caption": first, "as": "document"})
            for name, content in files:
                form.add_field("file", content, filename=name, content_type="application/octet-stream")
            try:
                answer = await device.browser.ask(
                    "POST", "/upload_file", data=form, headers={"X-Upload-Id": first[:-4]}, fine=(409,)
                )
            except Failed as failed:
                if failed.status == 401:
                    return
                await asyncio.sleep(1)
                continue
            if answer.status == 200:
                ids = answer.body["message_ids"] if album else [answer.body["message_id"]]
                for (name, content), message in zip(files, ids, strict=True):
                    self._promised(name, message, content, first if name == first else "")
                await self._check_item(device, ids[0])
                return
            await asyncio.sleep(1)

    async def resumable(self, device: Device) -> None:
        """Send a file by tus, in pieces, going on where it was after each failure."""
        name, content = self._content()
        metadata = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}"
            for key, value in (("filename", name), ("caption", name), ("as", "document"))
        )
        headers = _TUS | {"Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        answer = await device.browser.ask("POST", "/uploads", headers=headers)
        path = urlsplit(urljoin("/uploads", answer.headers["Location"])).path
        offset = 0
        for _ in range(_TRIES):
            piece = content[offset : offset + self._chance.randint(1, len(content))]
            digest = base64.b64encode(hashlib.sha1(piece).digest()).decode()
            headers = _TUS | {
                "Upload-Offset": str(offset),
                "Upload-Checksum": f"sha1 {digest}",
                "Content-Type": "application/offset+octet-stream",
            }
            try:
                answer = await device.browser.ask("PATCH", path, data=piece, headers=headers, fine=(409, 423))
                if answer.status >= 400:
                    await asyncio.sleep(0.5)
                    answer = await device.browser.ask("HEAD", path, headers=_TUS)
            except Failed as failed:
                if failed.status in (401, 404, 410):
                    return
                await asyncio.sleep(1)
                answer = await device.browser.ask("HEAD", path, headers=_TUS)
            offset = int(answer.headers.get("Upload-Offset", offset))
            if "X-Message-Id" in answer.headers:
                self._promised(name, int(answer.headers["X-Message-Id"]), content, name)
                return

    # Changing

    async def edit(self, device: Device) -> None:
        """Change a caption, and look at it."""
        async with self._account.changing:
            if (promise := self._account.some_promise()) is None:
                return
            caption = f"edited {self._chance.random()}"
            in_doubt, by_telephone = len(promise.captions) > 1, promise.by_telephone
            promise.captions.add(caption)
            path = f"/media/{promise.id}"
            answer = await device.browser.ask("PATCH", path, json={"caption": caption})
            if not in_doubt and by_telephone == promise.by_telephone:
                promise.captions = {caption}
            if answer.body["caption"] not in promise.captions:
                self._ledger.is_wrong(
                    "an edit answers another caption", who=device.name, id=promise.id, asked=caption
                )
            await self._check_caption(device, promise)

    async def _check_caption(self, device: Device, promise: Promise) -> None:
        answer = await device.browser.ask("GET", f"/media/{promise.id}")
        if answer.body["caption"] not in promise.captions:
            self._ledger.is_wrong(
                "an edit is not seen",
                who=device.name,
                id=promise.id,
                right=sorted(promise.captions),
                shown=answer.body["caption"],
            )

    async def _check_item(self, device: Device, message: int) -> None:
        """Look at what was just acknowledged; somebody may have deleted it already."""
        answer = await device.browser.ask("GET", f"/media/{message}", fine=(404,))
        gone = {promise.id for promise in self._account.promises.values() if promise.is_gone is not False}
        if answer.status == 404 and message not in gone:
            self._ledger.is_wrong("acknowledged, but not found", who=device.name, id=message)

    async def delete(self, device: Device) -> None:
        """Delete one or two of one's own files."""
        async with self._account.changing:
            if (promise := self._account.some_promise()) is None:
                return
            other = self._account.some_promise()
            several = other is not None and other is not promise and self._chance.random() < 0.5
            chosen = [promise, *([other] if several and other is not None else [])]
            for one in chosen:
                one.is_gone = None
            if several:
                ids = [one.id for one in chosen]
                answer = await device.browser.ask("POST", "/media/delete", json={"ids": ids})
                if sorted(answer.body["deleted"]) != sorted(ids):
                    self._ledger.is_wrong("not all deleted", who=device.name, ids=ids, told=answer.body)
            else:
                await device.browser.ask("DELETE", f"/media/{promise.id}")
            for one in chosen:
                one.is_gone = True
            answer = await device.browser.ask("GET", f"/media/{promise.id}", fine=(404,))
            if answer.status != 404:
                self._ledger.is_wrong("deleted, but shown", who=device.name, id=promise.id)

    # By telephone

    async def telephone(self, _device: Device) -> None:
        """Do by telephone what pages have to show: send, edit, delete, and have others write."""
        act = self._chance.choice(
            (self._send, self._send, self._edit, self._edit, self._delete, self._receive)
        )
        for _ in range(self._chance.choice((1, 1, 1, 5))):
            await act()

    async def _send(self) -> None:
        media = self._chance.choice(_SENT_BY_TELEPHONE)
        body = {"phone": self._account.phone, "media": media, "caption": self._caption()}
        async with self._control.post("/messages", json=body) as response:
            response.raise_for_status()
            self._account.by_telephone.append((await response.json())["id"])

    async def _edit(self) -> None:
        caption, promise = self._caption(), self._account.some_promise()
        if promise is not None and self._chance.random() < 0.5:
            # A request may be under way, or have failed and come through later.
            in_doubt = len(promise.captions) > 1
            promise.captions = {*promise.captions, caption} if in_doubt else {caption}
            promise.by_telephone += 1
            await self._tell("edit", id=promise.id, caption=caption)
        elif self._account.by_telephone:
            await self._tell("edit", id=self._chance.choice(self._account.by_telephone), caption=caption)

    async def _delete(self) -> None:
        ids, others = self._account.by_telephone, self._account.elsewhere
        gone = [some.pop(self._chance.randrange(len(some))) for some in (ids, others) if some]
        await self._tell("delete", ids=gone)

    async def _receive(self) -> None:
        known = self._account.by_telephone
        told = await self._tell("receive", id=self._chance.choice(known) if known else 0)
        self._account.elsewhere.append(told["id"])

    async def _tell(self, what: str, **body: Any) -> Any:
        async with self._truth.post(f"/telephone/{self._account.phone}/{what}", json=body) as response:
            if response.status != 404:  # somebody has deleted it just now
                response.raise_for_status()
            return await response.json() if response.status == 200 else None

    def _caption(self) -> str:
        return f"by telephone {self._chance.random()}"
