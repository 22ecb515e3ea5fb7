"""What an upload ends in: a message, made once however often it is tried, or an error that is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tgbridge.errors import BridgeError
from tgbridge.models import MediaItem
from tgbridge.telegram.saved.delivery import Delivery
from tgbridge.timestamps import timestamp

if TYPE_CHECKING:
    from tgbridge.telegram.saved.delivery import Borrow, OnWait
    from tgbridge.telegram.saved.library import Library
    from tgbridge.telegram.saved.outgoing import Hints
    from tgbridge.telegram.saved.sending import Sending
    from tgbridge.telegram.transfer.upload.ways import StoredFile


@dataclass(frozen=True, slots=True)
class Purpose:
    """What the sender wants to become of a file."""

    caption: str = field(repr=False)
    as_document: bool
    hints: Hints


class Outcome:
    """The message that a file becomes when all of it has come."""

    def __init__(self, sending: Sending, purpose: Purpose, library: Library) -> None:
        self.message_id: int | None = None
        self.caption = purpose.caption
        """May be changed until the message is there."""
        self.thumbnail: StoredFile | None = None
        """May be given until all bytes are at Telegram."""
        self._sending = sending
        self._purpose = purpose
        self._library = library
        self._delivery: Delivery | None = None

    @property
    def decided(self) -> bool:
        """Whether it is certain what is sent, but for the caption."""
        return self._delivery is not None

    async def reach(self, borrow: Borrow, on_wait: OnWait) -> MediaItem:
        """End the file, and send the message. After an error it can be tried again, and goes on from there.

        `on_wait` is told the seconds of each wait that is sat out.
        Raises HTTPFailure for a file that is not what it claims to be, TelegramFailure and PoolExhausted.
        """
        if self._delivery is None:
            purpose = self._purpose
            async with borrow() as client:
                self._sending.client = client
                file = await self._sending.finish(
                    hints=purpose.hints, thumbnail=self.thumbnail, as_document=purpose.as_document
                )
            await self._sending.aclose()
            self._delivery = Delivery([file], self.caption, client.files.telegram, self._library)
        self._delivery.caption = self.caption
        (self.message_id,) = await self._delivery.send(borrow, on_wait)
        return await sent_item(borrow, self._library, self.message_id, self._delivery)


async def sent_item(borrow: Borrow, library: Library, message_id: int, delivery: Delivery) -> MediaItem:
    """Return the item that the first file has become. Never raises for Telegram: the message is there."""
    try:
        async with borrow() as client:
            return (await library.of(client).get(client, message_id)).item
    except BridgeError:
        pass
    file = delivery.files[0]
    return MediaItem(
        id=message_id,
        name=file.name,
        type=file.kind,
        timestamp=timestamp(datetime.now(UTC)),
        size=file.stored.size,
        caption=delivery.caption,
        has_thumbnail=False,
        # Of which version, only Telegram could tell.
        url=f"stream_media/{message_id}",
        thumbnail_url=None,
        mime_type=file.mime_type,
    )
