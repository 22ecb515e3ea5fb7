"""What a message holds: photos and documents, as the contract's media items and as files to be read.

Sources: https://core.telegram.org/api/files, https://core.telegram.org/type/DocumentAttribute,
https://core.telegram.org/api/files#image-thumbnail-types. No I/O.
"""

from __future__ import annotations

import base64
import mimetypes
import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from telethon.tl import types
from telethon.utils import stripped_photo_to_jpg

from tgbridge.errors import MediaNotFound
from tgbridge.filenames import clean
from tgbridge.models import MediaItem
from tgbridge.telegram.files.remote import RemoteFile
from tgbridge.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tgbridge.models import MediaType

ThumbnailSize = Literal["small", "medium", "large"]

THUMBNAIL_PIXELS: Final[Mapping[ThumbnailSize, int]] = MappingProxyType(
    {"small": 100, "medium": 320, "large": 800}
)
"""How long the longer side of a thumbnail should be."""

_CROPPED: Final = frozenset("abcd")
_UNKNOWN_TYPE: Final = "application/octet-stream"
# What a user claims ends up in a header.
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
# Python's own table only: the system's differs from machine to machine, and a name shall always be the same.
_EXTENSIONS: Final = mimetypes.MimeTypes()
_EXTENSIONS_OF_TELEGRAM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "application/x-tgsticker": ".tgs",
        "audio/flac": ".flac",
        "audio/mp4": ".m4a",
        "audio/mpeg": ".mp3",
        "audio/ogg": ".ogg",
        "image/jpeg": ".jpg",
        "image/webp": ".webp",
        "video/mp4": ".mp4",
        "video/quicktime": ".mov",
        "video/webm": ".webm",
        "video/x-matroska": ".mkv",
    }
)


class _Size(NamedTuple):
    """One rendition of an image: Telegram's type letter, pixels, and bytes."""

    letter: str
    width: int
    height: int
    size: int


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
        size = media.size
        width, height, duration = _dimensions(media)
    return MediaItem(
        id=message.id,
        name=_name(message, media),
        type=kind,
        timestamp=timestamp(_date(message)),
        size=size,
        caption=message.message or "",
        has_thumbnail=bool(_sizes(_renditions(media))),
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
    if isinstance(media, types.Photo):
        return _remote(message, media, _largest(media.sizes), _mime_type(media), _name(message, media))
    whole = _Size("", 0, 0, media.size)
    return _remote(message, media, whole, _mime_type(media), _name(message, media))


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
    mime_type = "image/webp" if _has_webp_thumbnails(media) else "image/jpeg"
    stem = _name(message, media).rpartition(".")[0] or _name(message, media)
    return _remote(message, media, nearest, mime_type, clean(f"{stem}_thumbnail{_extension(mime_type)}"))


def _remote(message: Any, media: Any, one: _Size, mime_type: str, name: str) -> RemoteFile:
    return RemoteFile(
        message_id=message.id,
        kind="photo" if isinstance(media, types.Photo) else "document",
        file_id=media.id,
        dc_id=media.dc_id,
        access_hash=media.access_hash,
        file_reference=media.file_reference,
        thumb_size=one.letter,
        size=one.size,
        mime_type=mime_type,
        name=name,
        date=media.date or _date(message),
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
    """Those that upload.getFile serves: not stripped, no outlines; cropped ones if there are no others."""
    found = []
    for one in renditions:
        match one:
            case types.PhotoSize():
                found.append(_Size(one.type, one.w, one.h, one.size))
            case types.PhotoSizeProgressive():
                found.append(_Size(one.type, one.w, one.h, max(one.sizes, default=0)))
            case types.PhotoCachedSize():
                found.append(_Size(one.type, one.w, one.h, len(one.bytes)))
    return [one for one in found if one.letter not in _CROPPED] or found


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
        return "image/jpeg"
    claimed = (media.mime_type or "").lower()
    return claimed if _MEDIA_TYPE.fullmatch(claimed) else _UNKNOWN_TYPE


def _has_webp_thumbnails(media: Any) -> bool:
    # Stickers of a set have, as in TDLib; others are files like any other.
    return isinstance(media, types.Document) and any(
        isinstance(attribute, types.DocumentAttributeSticker)
        and not isinstance(attribute.stickerset, types.InputStickerSetEmpty)
        for attribute in media.attributes
    )


def _name(message: Any, media: Any) -> str:
    if isinstance(media, types.Photo):
        kind: MediaType = "photo"
    else:
        for attribute in media.attributes:
            if isinstance(attribute, types.DocumentAttributeFilename) and (
                name := clean(attribute.file_name)
            ):
                return name
        kind = _kind(media)
    return f"{kind}_{_date(message):%Y-%m-%d_%H-%M-%S}{_extension(_mime_type(media))}"


def _extension(mime_type: str) -> str:
    known = _EXTENSIONS_OF_TELEGRAM.get(mime_type)
    return known if known is not None else (_EXTENSIONS.guess_extension(mime_type) or "")


def _date(message: Any) -> datetime:
    date = message.date or datetime.fromtimestamp(0, UTC)
    return date.astimezone(UTC)
