"""What one message of Saved Messages holds, as a value that is kept for as long as the message is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.saved.items import media_item, remote_file, remote_thumbnail

if TYPE_CHECKING:
    from tgbridge.models import MediaItem
    from tgbridge.telegram.saved.items import Fit
    from tgbridge.telegram.transfer.remote_file import RemoteFile

_FIRST: Final = 1


class SavedMedia:
    """The files of one message, and what the contract says of it. Immutable.

    Tens of thousands are kept: what lists and streams want of it is made when they ask.
    """

    __slots__ = ("_message", "id", "version")

    id: int
    """The message's."""
    version: str
    """Names the bytes of its first file: another file, another version. Safe in a query string."""

    def __init__(self, message: Any, version: str) -> None:
        """Use `of`."""
        self._message = message
        self.id = message.id
        self.version = version

    @classmethod
    def of(cls, message: Any) -> Self | None:
        """Return what a message holds, or None for no file: text, expired media, a page's preview and so on.

        Whose message it is, nobody has looked at.
        """
        try:
            return cls(message, remote_file(message).version)
        except MediaNotFound:
            return None

    @property
    def item(self) -> MediaItem:
        """What the contract says of it."""
        return self.described()

    def described(self, *, blur: bool = True) -> MediaItem:
        """Return the item; without `blur` its `blur_data_url` is left out, and not made."""
        item = media_item(self._message)
        if item is None:
            raise MediaNotFound
        return item if blur else item.model_copy(update={"blur_data_url": None})

    def file(self, part: int = _FIRST, rendition: int | None = None) -> RemoteFile:
        """Return a file: of the `part` counted from 1, and of that the `rendition`, counted from 1 as well.

        Raises MediaNotFound if the message has no such.
        """
        if part != _FIRST or rendition is not None:
            raise MediaNotFound
        return remote_file(self._message)

    def thumbnail(self, fit: Fit = "medium", part: int = _FIRST) -> RemoteFile:
        """Return a part's thumbnail: nearest to a named size, or the smallest at least as wide in pixels.

        Raises MediaNotFound if there is none but a stripped preview or an outline.
        """
        if part != _FIRST:
            raise MediaNotFound
        return remote_thumbnail(self._message, "medium" if isinstance(fit, int) else fit)
