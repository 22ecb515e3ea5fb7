"""The account as the checks see it: a client that is signed in, and what was made with it."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import functions, types

from tgbridge.errors import TelegramFailure, TelegramRefused
from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.settings import Settings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

KIB: Final = 1024
MIB: Final = 1024 * KIB
PART_BYTES: Final = 512 * KIB
ME: Final = types.InputPeerSelf()
_LOOK_BACK: Final = 100


@dataclass(eq=False)
class Traces:
    """What a run leaves in the account until it is removed: messages whose texts begin with ``marker``."""

    marker: str = field(default_factory=lambda: f"tgbridge doctor {secrets.token_hex(4)}")
    made: set[int] = field(default_factory=set)
    """The messages' ids."""


@dataclass(eq=False)
class Live:
    """A client of an account, and what was made with it."""

    pool: ClientPool
    client: BridgeClient
    settings: Settings
    premium: bool
    traces: Traces
    notes: dict[str, Any] = field(default_factory=dict)
    """What one check leaves for another: media that were made, messages that were sent."""

    @property
    def marker(self) -> str:
        """What all texts begin with."""
        return self.traces.marker

    @property
    def made(self) -> set[int]:
        """The ids of the messages that were made."""
        return self.traces.made

    async def ask(self, request: TLRequest) -> Any:
        """Ask Telegram, as patiently as the middle of a body is waited for. Raises TelegramFailure kinds."""
        return await self.client.call(request, Patience.of_transfer(self.settings.telegram))

    async def refused(self, request: TLRequest) -> str:
        """Ask; return the name of the error, "" where it was not refused. Raises other TelegramFailures."""
        try:
            await self.ask(request)
        except TelegramRefused as error:
            return error.name
        return ""

    async def ask_files(self, dc_id: int, request: TLRequest) -> Any:
        """Ask on connections for files. Raises TelegramFailure kinds."""
        return await self.client.files.call(dc_id, request, Patience.of_transfer(self.settings.telegram))

    # What is made

    async def store(self, content: bytes, name: str) -> types.InputFile:
        """Upload a file of at most 10 MB, in parts; return how to refer to it."""
        file_id, parts = secrets.randbits(63), range(0, len(content), PART_BYTES)
        for number, start in enumerate(parts):
            part = content[start : start + PART_BYTES]
            request = functions.upload.SaveFilePartRequest(file_id, number, part)
            await self.ask_files(self.client.home_dc_id, request)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return types.InputFile(file_id, len(parts), name, md5)

    async def make_document(
        self, file: types.InputFile | types.InputFileBig, mime_type: str, name: str
    ) -> types.Document:
        """Have Telegram make a document, without a message."""
        attributes = [types.DocumentAttributeFilename(name)]
        media = types.InputMediaUploadedDocument(file, mime_type, attributes, force_file=True)
        made = await self.ask(functions.messages.UploadMediaRequest(ME, media))
        document: types.Document = made.document
        return document

    async def send(self, media: Any, caption: str = "", *, random_id: int | None = None) -> int:
        """Make a message of media; return its id. Raises TelegramRefused as Telegram does."""
        request = functions.messages.SendMediaRequest(
            ME,
            media,
            message=self.text(caption),
            random_id=random_id or secrets.randbits(63),
        )
        updates = await self.ask(request)
        message_id = next(
            (one.id for one in getattr(updates, "updates", ()) if isinstance(one, types.UpdateMessageID)),
            getattr(updates, "id", 0),
        )
        self.made.add(message_id)
        return int(message_id)

    def text(self, caption: str) -> str:
        """Return a caption that shows whose it is, should we not come to delete it."""
        return f"{self.marker} {caption}".rstrip(" ")

    async def message(self, message_id: int) -> Any:
        """Return a message of ours as it is now."""
        found = await self.ask(functions.messages.GetMessagesRequest([types.InputMessageID(message_id)]))
        return found.messages[0]

    async def latest(self) -> list[Any]:
        """Return the latest messages, newest first."""
        found = await self.ask(
            functions.messages.GetHistoryRequest(ME, 0, None, 0, _LOOK_BACK, max_id=0, min_id=0, hash=0)
        )
        messages: list[Any] = found.messages
        return messages

    async def remove_all(self) -> int:
        """Delete all that was made, also that whose answer was lost; return how many messages that were."""
        with suppress(TelegramFailure):
            latest = await self.latest()
            self.made.update(one.id for one in latest if text_of(one).startswith(self.marker))
        made = sorted(one for one in self.made if one)
        if made:
            await self.ask(functions.messages.DeleteMessagesRequest(made, revoke=True))
        self.made.clear()
        return len(made)


def text_of(message: Any) -> str:
    """Return a message's text or caption; "" where there is none."""
    return getattr(message, "message", None) or ""


def input_document(document: types.Document) -> types.InputMediaDocument:
    """Return what sends a document that is there already."""
    return types.InputMediaDocument(
        types.InputDocument(document.id, document.access_hash, document.file_reference)
    )


def location(document: types.Document, *, reference: bytes | None = None) -> types.InputDocumentFileLocation:
    """Return where a document's bytes are."""
    told = document.file_reference if reference is None else reference
    return types.InputDocumentFileLocation(document.id, document.access_hash, told, thumb_size="")
