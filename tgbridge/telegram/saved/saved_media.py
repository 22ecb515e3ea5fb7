"""What one message of Saved Messages holds, as a value that is kept for as long as the message is known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self

from telethon.extensions import BinaryReader
from telethon.tl import types

from tgbridge.telegram.saved.files import FIRST, remote_file, remote_thumbnail
from tgbridge.telegram.saved.held import held, kind_of
from tgbridge.telegram.saved.items import item_of
from tgbridge.telegram.transfer.remote_file import version_of

if TYPE_CHECKING:
    from tgbridge.models import MediaItem
    from tgbridge.telegram.saved.pictures import Fit
    from tgbridge.telegram.transfer.remote_file import RemoteFile

# Whose message it is has been looked at, and does not matter any more.
_NOBODY: Final = types.PeerUser(0)

_MOST_READ: Final = 1024  # files of each kind, 1 KB each


class SavedMedia:
    """The files of one message, and what the contract says of it. Immutable.

    Tens of thousands are kept, so that it holds the fields it needs as Telegram's own bytes: less than a
    kilobyte for a photo, of which half is its blurred preview. Reading them again takes a tenth of a
    millisecond.
    """

    __slots__ = ("_packed", "id", "version")

    id: int
    """The message's."""
    version: str
    """Names the bytes of its first file: another file, another version. Safe in a query string."""

    def __init__(self, message_id: int, version: str, packed: bytes) -> None:
        """Use `of`."""
        self.id = message_id
        self.version = version
        self._packed = packed

    @classmethod
    def of(cls, message: Any) -> Self | None:
        """Return what a message holds, or None for no file: text, expired media, a page's preview and so on.

        Whose message it is, nobody has looked at.
        """
        files = held(message)
        if not files:
            return None
        version = version_of(kind_of(files[0].media), files[0].media.id)
        return cls(message.id, version, _packed(message))

    @property
    def item(self) -> MediaItem:
        """What the contract says of it."""
        return self.described()

    def described(self, *, blur: bool = True) -> MediaItem:
        """Return the item; without its `blur_data_url`, which is not even made, for who does not want it."""
        message = _unpacked(self._packed)
        return item_of(message, held(message), with_blur=blur)

    def file(self, part: int = FIRST, rendition: int | None = None) -> RemoteFile:
        """Return a file: of the `part` counted from 1, and of that the `rendition`, counted from 1 as well.

        Raises MediaNotFound if the message has no such.
        """
        return _file(self._packed, part, rendition)

    def thumbnail(self, fit: Fit = "medium", part: int = FIRST) -> RemoteFile:
        """Return a part's thumbnail: nearest to a named size, or the smallest at least as wide in pixels.

        Raises MediaNotFound if there is none but a stripped preview or an outline.
        """
        return _thumbnail(self._packed, fit, part)


def _unpacked(packed: bytes) -> Any:
    with BinaryReader(packed) as reader:
        return reader.tgread_object()


# A player asks for many ranges of one file, and a page for the same pictures again and again.


@lru_cache(_MOST_READ)
def _file(packed: bytes, part: int, rendition: int | None) -> RemoteFile:
    return remote_file(_unpacked(packed), part, rendition)


@lru_cache(_MOST_READ)
def _thumbnail(packed: bytes, fit: Fit, part: int) -> RemoteFile:
    return remote_thumbnail(_unpacked(packed), fit, part)


def forget_read() -> None:
    """Keep nothing of the files that were read, whosever they are: they are read again in no time."""
    _file.cache_clear()
    _thumbnail.cache_clear()


def _packed(message: Any) -> bytes:
    """Return what of a message is needed, in Telegram's own serialisation."""
    return bytes(
        types.Message(
            id=message.id,
            peer_id=_NOBODY,
            date=message.date,
            message=message.message,
            media=message.media,
            entities=message.entities,
            edit_date=message.edit_date,
            edit_hide=message.edit_hide,
            grouped_id=message.grouped_id,
        )
    )
