"""The sizes in which Telegram has a picture (https://core.telegram.org/api/files#image-thumbnail-types)."""

from __future__ import annotations

import base64
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from telethon.tl import types
from telethon.utils import stripped_photo_to_jpg

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ThumbnailSize = Literal["small", "medium", "large"]
Fit: TypeAlias = ThumbnailSize | int
"""Which size is wanted: the nearest to a named one, or the smallest at least so many pixels wide."""

THUMBNAIL_PIXELS: Final[Mapping[ThumbnailSize, int]] = MappingProxyType(
    {"small": 100, "medium": 320, "large": 800}
)
"""How long the longer side of a thumbnail should be."""

_CROPPED: Final = frozenset("abcd")


class Size(NamedTuple):
    """One size of a picture: Telegram's type letter, pixels, and bytes, of which 0 are unknown."""

    letter: str
    width: int
    height: int
    size: int
    content: bytes | None = None
    """The bytes themselves, where the message has them."""


def previews(media: Any) -> Sequence[Any]:
    """Return a photo's sizes as Telegram has them, or a document's thumbnails."""
    return (media.sizes if isinstance(media, types.Photo) else media.thumbs) or ()


def sizes(found: Iterable[Any]) -> list[Size]:
    """Those that are files: not stripped, no outlines; cropped ones and unknown sizes for want of others."""
    files = []
    for one in found:
        match one:
            case types.PhotoSize(type=letter) if letter:
                files.append(Size(letter, one.w, one.h, max(one.size, 0)))
            case types.PhotoSizeProgressive(type=letter) if letter:
                files.append(Size(letter, one.w, one.h, max(0, *one.sizes, 0)))
            case types.PhotoCachedSize(type=letter) if letter and one.bytes:
                files.append(Size(letter, one.w, one.h, len(one.bytes), one.bytes))
    files = [one for one in files if one.letter not in _CROPPED] or files
    return [one for one in files if one.size] or files


def largest(found: Iterable[Any]) -> Size:
    """Return the file with the most pixels; there is one."""
    return max(sizes(found), key=lambda one: (one.width * one.height, one.size))


def fitting(files: Sequence[Size], fit: Fit) -> Size:
    """Return the one of `files`, which are not none, that fits best. Too narrow ones: the widest."""
    if isinstance(fit, int):
        wide = [one for one in files if one.width >= fit]
        if wide:
            return min(wide, key=lambda one: (one.width, one.size))
        return max(files, key=lambda one: (one.width, one.size))
    wanted = THUMBNAIL_PIXELS[fit]
    return min(files, key=lambda one: (abs(max(one.width, one.height) - wanted), -one.size))


def blur(found: Iterable[Any]) -> str | None:
    """Return the stripped preview as the data URL of a JPEG; None if there is none, or it is broken."""
    for one in found:
        if isinstance(one, types.PhotoStrippedSize):
            jpeg = stripped_photo_to_jpg(one.bytes)
            if jpeg.startswith(b"\xff\xd8"):
                return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
    return None
