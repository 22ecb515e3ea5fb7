"""One file on its way from a sender to Telegram: checked, inspected and bounded as its bytes come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from tgbridge.errors import FileTooLarge
from tgbridge.inspection import Facts, Nothing, inspector_for
from tgbridge.inspection import media_types as mediatypes
from tgbridge.telegram.account import login
from tgbridge.telegram.saved.outgoing import Hints, OutgoingFile

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from tgbridge.settings import UploadSettings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.transfer.upload.upload import Observer
    from tgbridge.telegram.transfer.upload.uploader import Uploader
    from tgbridge.telegram.transfer.upload.ways import Buffer, StoredFile

# https://core.telegram.org/api/config#upload-max-fileparts-default and #upload-max-fileparts-premium
MAX_PARTS: Final = 4000
MAX_PARTS_PREMIUM: Final = 8000


class Sending:
    """A file that is written here as it comes, and is an `OutgoingFile` when it is whole.

    Use it as a context manager: leaving it gives up what is in flight. As `FileUpload`, it may be used by one
    task after another, over a long time, with `pause` in between.
    """

    def __init__(
        self,
        client: BridgeClient,
        uploader: Uploader,
        account: Hashable,
        settings: UploadSettings,
        *,
        name: str,
        mime_type: str,
        check: Callable[[bytes], str],
        head_bytes: int,
        size: int | None = None,
        at_most: int | None = None,
        observer: Observer | None = None,
    ) -> None:
        """`name` may be empty, or that of no file: the type gives one then, or an extension.

        `mime_type` is in lower case, without parameters. `check` is given the first `head_bytes`, or all
        there are, before anything is sent, and raises what is wrong with them, or returns their type.
        `size` is the exact one where it is known, else `at_most` may bound it, in bytes.
        """
        canonical = mediatypes.canonical(mime_type)
        self.mime_type = mime_type
        self._name = name
        self._client = client
        self._max_bytes = settings.max_bytes
        self._part_bytes = int(settings.part_bytes)
        self._limit = min(self._max_bytes, MAX_PARTS * self._part_bytes)
        self._asked_for_premium = False
        self._check: Callable[[bytes], str] | None = check
        self._head = bytearray()
        self._head_bytes = head_bytes
        self._inspector = inspector_for(canonical)
        self._facts: Facts | None = None
        self._inspected = 0
        self._size = size
        self._upload = uploader.open(
            client,
            account,
            size=size,
            at_most=at_most,
            # Large pictures are rare.
            likely_big=at_most is not None and not canonical.startswith("image/"),
            beside=self._inspector.keeps,
            observer=observer,
        )

    @property
    def client(self) -> BridgeClient:
        """What it travels by; may be set to another client of the same account."""
        return self._client

    @client.setter
    def client(self, client: BridgeClient) -> None:
        self._client = self._upload.client = client

    @property
    def name(self) -> str:
        """What the file is called."""
        # The second is what browsers call what scripts have made.
        if self._name in {"", "blob"}:
            return (self._name or "file") + mediatypes.extension(self.mime_type)
        return self._name

    @property
    def received(self) -> int:
        """Bytes written, exactly, also after a `write` that was cancelled."""
        return self._upload.received + len(self._head)

    @property
    def certain(self) -> int:
        """As many of them as no failure can take back."""
        return self._upload.certain + len(self._head)

    @property
    def stored(self) -> int:
        """Bytes that Telegram has confirmed."""
        return self._upload.stored

    @property
    def held(self) -> int:
        """Bytes of memory that count as this file's."""
        return self._upload.held

    async def __aenter__(self) -> Self:
        """Begin. Raises FileTooLarge as `write` does. Nothing is held before the first bytes."""
        if self._size is not None:
            await self.allow(self._size)
        await self._upload.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is in flight."""
        await self.aclose()

    async def aclose(self) -> None:
        """Give up what is in flight, and all memory. Idempotent."""
        await self._upload.aclose()

    async def allow(self, size: int) -> None:
        """Raise FileTooLarge if a file of so many bytes can't be sent; asks Telegram, if it may be one."""
        if self._limit < size and self._limit < self._max_bytes and not self._asked_for_premium:
            user = await login.get_me(self._client)
            self._asked_for_premium = True
            parts = MAX_PARTS_PREMIUM if user.is_premium else MAX_PARTS
            self._limit = min(self._max_bytes, parts * self._part_bytes)
        if size > self._limit:
            raise FileTooLarge(self._limit)

    async def write(self, data: Buffer) -> None:
        """Take the next bytes; return when there is room for more.

        Raises FileTooLarge, whatever the check raises, and what `FileUpload.write` does.
        """
        view = memoryview(data)
        await self.allow(self.received + len(view))
        if self._check is not None:
            missing = self._head_bytes - len(self._head)
            self._head += view[:missing]
            view = view[missing:]
            if len(self._head) < self._head_bytes:
                return
            await self._begin()
        await self._pass_on(view)

    async def pause(self) -> None:
        """Wait until Telegram has all whole parts, and hold no more than is short of one."""
        await self._upload.pause()

    async def recover(self) -> None:
        """After a TelegramFailure: go back to what Telegram has, which `received` tells then."""
        await self._upload.recover()

    async def end(self) -> None:
        """Say that the file is whole. Raises as `write` does."""
        await self._begin()
        self._upload.end()
        if self._facts is None:
            # Reading what was kept takes a few milliseconds, and would hold up everybody else's bytes.
            self._facts = await asyncio.to_thread(self._inspector.facts)
            self._inspector = Nothing()
            self._upload.release_beside()

    async def finish(
        self, *, hints: Hints, thumbnail: StoredFile | None = None, as_document: bool = False
    ) -> OutgoingFile:
        """End, and wait until Telegram has it all. Raises as `write` does."""
        await self.end()
        stored = await self._upload.finish()
        facts = self._facts or Facts()
        return OutgoingFile(stored, self.name, self.mime_type, facts, hints, thumbnail, as_document)

    async def _begin(self) -> None:
        if self._check is not None:
            if self._head:
                await self._upload.admit()  # if that fails, the head is still here
            check, self._check = self._check, None
            head, self._head = self._head, bytearray()
            found = check(bytes(head))
            if found != self.mime_type:
                self.mime_type = found
                self._inspector = inspector_for(mediatypes.canonical(found))
            await self._pass_on(memoryview(head))

    async def _pass_on(self, view: memoryview) -> None:
        before = self._upload.received
        try:
            await self._upload.write(view)
        finally:
            # After `recover` bytes come again that the inspector has seen.
            new = view[max(0, self._inspected - before) : self._upload.received - before]
            self._inspector.feed(new)
            self._inspected += len(new)
