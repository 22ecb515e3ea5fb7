"""What a message holds: photos and documents, as the contract's media items and as files to be read.

Sources: https://core.telegram.org/api/files, https://core.telegram.org/type/DocumentAttribute,
https://core.telegram.org/api/files#image-thumbnail-types. No I/O.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from telethon.tl import types
from telethon.utils import stripped_photo_to_jpg

from tgbridge.errors import MediaNotFound
from tgbridge.filenames import clean
from tgbridge.inspection import media_types as mediatypes
from tgbridge.models import MediaItem
from tgbridge.telegram.transfer.remote_file import RemoteFile
from tgbridge.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tgbridge.models import MediaType

ThumbnailSize = Literal["small", "medium", "large"]
Fit: TypeAlias = ThumbnailSize | int
"""Which thumbnail is wanted: the nearest to a named size, or the smallest at least so many pixels wide."""

THUMBNAIL_PIXELS: Final[Mapping[ThumbnailSize, int]] = MappingProxyType(
    {"small": 100, "medium": 320, "large": 800}
)
"""How long the longer side of a thumbnail should be."""

_CROPPED: Final = frozenset("abcd")
_JPEG: Final = "image/jpeg"
_WEBP: Final = "image/webp"


class _Size(NamedTuple):
    """One rendition of an image: Telegram's type letter, pixels, and bytes, of which 0 are unknown."""

    letter: str
    width: int
    height: int
    size: int
    content: bytes | None = None
    """The bytes themselves, where the message has them."""


def media_item(message: Any) -> MediaItem | None:
    """What the contract says of a message, or None if it holds no file (any more)."""
    media = _media(message)
    if media is None:
        return None
    if isinstance(media, types.Photo):
        kind: MediaType = "photo"
        main = _largest(media.sizes)
        size, width, height, duration = main.size, main.width, main.height, 0.0
    else:
        kind = _kind(media)
        size = max(media.size, 0)
        width, height, duration = _dimensions(media)
    has_thumbnail = bool(_sizes(_renditions(media)))
    version = remote_file(message).version
    return MediaItem(
        id=message.id,
        name=_name(message, media)[0],
        type=kind,
        timestamp=timestamp(_date(message)),
        size=size,
        caption=message.message or "",
        has_thumbnail=has_thumbnail,
        url=f"stream_media/{message.id}?v={version}",
        thumbnail_url=f"stream_thumbnail/{message.id}?v={version}" if has_thumbnail else None,
        mime_type=_mime_type(media),
        width=width or None,
        height=height or None,
        duration=duration or None,
        album_id=str(message.grouped_id) if message.grouped_id else None,
        blur_data_url=_blur(_renditions(media)),
    )


def remote_file(message: Any) -> RemoteFile:
    """The file that a message holds; of a photo its largest size. Raises MediaNotFound."""
    media = _media(message)
    if media is None:
        raise MediaNotFound
    name, stem = _name(message, media)
    if isinstance(media, types.Photo):
        return _remote(message, media, _largest(media.sizes), mime_type=_JPEG, name=name, stem=stem)
    mime_type = _mime_type(media)
    return _remote(
        message,
        media,
        _Size("", 0, 0, max(media.size, 0)),
        mime_type=mime_type,
        name=name,
        stem=stem,
        is_guessed=mediatypes.says_nothing(mime_type, _file_name(media)),
    )


def remote_thumbnail(message: Any, size: ThumbnailSize = "medium") -> RemoteFile:
    """The thumbnail whose longer side is nearest to ``size``; a photo's thumbnails are its sizes.

    Raises MediaNotFound if there is none but a stripped preview or an outline.
    """
    media = _media(message)
    found = [] if media is None else _sizes(_renditions(media))
    if not found:
        raise MediaNotFound
    wanted = THUMBNAIL_PIXELS[size]
    nearest = min(found, key=lambda one: (abs(max(one.width, one.height) - wanted), -one.size))
    name, stem = _name(message, media)
    stem = f"{stem or name.rpartition('.')[0] or name}_thumbnail"
    is_sticker = _is_sticker(media)
    mime_type = _WEBP if is_sticker else _JPEG
    thumbnail = _remote(
        message,
        media,
        nearest,
        mime_type=mime_type,
        name=clean(f"{stem}{mediatypes.extension(mime_type)}"),
        stem=stem,
        is_guessed=is_sticker,
    )
    return thumbnail if nearest.content is None else thumbnail.recognised(nearest.content)


def _remote(message: Any, media: Any, one: _Size, **described: Any) -> RemoteFile:
    return RemoteFile(
        message_id=message.id,
        kind="photo" if isinstance(media, types.Photo) else "document",
        file_id=media.id,
        dc_id=media.dc_id,
        access_hash=media.access_hash,
        file_reference=media.file_reference,
        thumb_size=one.letter,
        size=one.size,
        date=media.date or _date(message),
        content=one.content,
        **described,
    )


def _media(message: Any) -> Any:
    """The photo or document of a message; None for what has expired, previews, contacts and so on."""
    if not isinstance(message, types.Message):
        return None
    match message.media:
        case types.MessageMediaPhoto(photo=types.Photo() as photo):
            return photo if _sizes(photo.sizes) else None
        case types.MessageMediaDocument(document=types.Document() as document):
            return document
    return None


def _kind(document: types.Document) -> MediaType:
    kinds: set[MediaType] = set()
    for attribute in document.attributes:
        match attribute:
            case types.DocumentAttributeSticker() | types.DocumentAttributeCustomEmoji():
                kinds.add("sticker")
            case types.DocumentAttributeAnimated():
                kinds.add("animation")
            case types.DocumentAttributeVideo(round_message=is_round):
                kinds.add("video_note" if is_round else "video")
            case types.DocumentAttributeAudio(voice=is_voice):
                kinds.add("voice" if is_voice else "audio")
    # A video sticker is a video as well, and so is an animation.
    order: tuple[MediaType, ...] = ("sticker", "animation", "video_note", "video", "voice", "audio")
    return next((kind for kind in order if kind in kinds), "document")


def _dimensions(document: types.Document) -> tuple[int, int, float]:
    """Width and height in pixels, duration in seconds; 0 for what is not said."""
    width = height = 0
    duration = 0.0
    for attribute in document.attributes:
        match attribute:
            case types.DocumentAttributeVideo():
                width, height, duration = attribute.w, attribute.h, float(attribute.duration)
            case types.DocumentAttributeImageSize() if not width:
                width, height = attribute.w, attribute.h
            case types.DocumentAttributeAudio() if not duration:
                duration = float(attribute.duration)
    return width, height, duration


def _renditions(media: Any) -> Iterable[Any]:
    return (media.sizes if isinstance(media, types.Photo) else media.thumbs) or ()


def _sizes(renditions: Iterable[Any]) -> list[_Size]:
    """Those that are files: not stripped, no outlines; cropped ones and unknown sizes for want of others."""
    found = []
    for one in renditions:
        match one:
            case types.PhotoSize(type=letter) if letter:
                found.append(_Size(letter, one.w, one.h, max(one.size, 0)))
            case types.PhotoSizeProgressive(type=letter) if letter:
                found.append(_Size(letter, one.w, one.h, max(0, *one.sizes, 0)))
            case types.PhotoCachedSize(type=letter) if letter and one.bytes:
                found.append(_Size(letter, one.w, one.h, len(one.bytes), one.bytes))
    found = [one for one in found if one.letter not in _CROPPED] or found
    return [one for one in found if one.size] or found


def _largest(renditions: Iterable[Any]) -> _Size:
    return max(_sizes(renditions), key=lambda one: (one.width * one.height, one.size))


def _blur(renditions: Iterable[Any]) -> str | None:
    for one in renditions:
        if isinstance(one, types.PhotoStrippedSize):
            jpeg = stripped_photo_to_jpg(one.bytes)
            if jpeg.startswith(b"\xff\xd8"):
                return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
    return None


def _mime_type(media: Any) -> str:
    if isinstance(media, types.Photo):
        return _JPEG
    return mediatypes.claimed(media.mime_type or "", _file_name(media))


def _is_sticker(media: Any) -> bool:
    """Tell whether its thumbnail may be a WebP: by documentation nobody knows."""
    return isinstance(media, types.Document) and any(
        isinstance(attribute, types.DocumentAttributeSticker | types.DocumentAttributeCustomEmoji)
        for attribute in media.attributes
    )


def _file_name(document: types.Document) -> str:
    names = (one.file_name for one in document.attributes if isinstance(one, types.DocumentAttributeFilename))
    return next(filter(None, map(clean, names)), "")


def _name(message: Any, media: Any) -> tuple[str, str]:
    """Return its name, and what of it stands before an extension that was made up: "" if it has its own."""
    if isinstance(media, types.Photo):
        kind: MediaType = "photo"
    elif name := _file_name(media):
        return name, ""
    else:
        kind = _kind(media)
    # All of an album have one date.
    stem = f"{kind}_{_date(message):%Y-%m-%d_%H-%M-%S}_{message.id}"
    return f"{stem}{mediatypes.extension(_mime_type(media))}", stem


def _date(message: Any) -> datetime:
    date = message.date or datetime.fromtimestamp(0, UTC)
    return date.astimezone(UTC)
