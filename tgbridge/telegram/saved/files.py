"""The files of a message as they are read: the file itself, a rendition, a thumbnail. No I/O.

Source: https://core.telegram.org/api/files
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import types

from tgbridge.errors import MediaNotFound
from tgbridge.filenames import clean
from tgbridge.inspection import media_types as mediatypes
from tgbridge.telegram.saved.described import describe, is_sticker
from tgbridge.telegram.saved.held import held, kind_of
from tgbridge.telegram.saved.pictures import Fit, Size, fitting, largest, previews, sizes
from tgbridge.telegram.transfer.remote_file import RemoteFile

if TYPE_CHECKING:
    from tgbridge.telegram.saved.described import Described
    from tgbridge.telegram.saved.held import Held

FIRST: Final = 1
_JPEG: Final = "image/jpeg"
_WEBP: Final = "image/webp"


def part_of(message: Any, part: int = FIRST) -> Held:
    """Return one of a message's files, counted from 1. Raises MediaNotFound."""
    found = held(message)
    if not 0 < part <= len(found):
        raise MediaNotFound
    return found[part - 1]


def remote_file(message: Any, part: int = FIRST, rendition: int | None = None) -> RemoteFile:
    """Return the file itself, of a photo its largest size; or one of its renditions, counted from 1.

    Raises MediaNotFound.
    """
    found = part_of(message, part)
    if rendition is not None:
        return _remote_rendition(message, found, part, rendition)
    media, described = found.media, describe(found.media)
    name, stem = naming(message, described, part)
    if isinstance(media, types.Photo):
        main = largest(media.sizes)
        return _remote(message, media, main, mime_type=_JPEG, name=name, stem=stem)
    return _remote(
        message,
        media,
        Size("", 0, 0, described.size),
        mime_type=described.mime_type,
        name=name,
        stem=stem,
        is_guessed=mediatypes.says_nothing(described.mime_type, described.name),
    )


def _remote_rendition(message: Any, found: Held, part: int, rendition: int) -> RemoteFile:
    if not 0 < rendition <= len(found.renditions):
        raise MediaNotFound
    media = found.renditions[rendition - 1]
    described = describe(media)
    # Telegram names it by numbers, if at all.
    which = f"{described.height}p" if described.height else str(rendition)
    stem = f"{_stem(message, found, part)}_{which}"
    name = clean(f"{stem}{mediatypes.extension(described.mime_type)}")
    whole = Size("", 0, 0, described.size)
    return _remote(message, media, whole, mime_type=described.mime_type, name=name)


def remote_thumbnail(message: Any, fit: Fit = "medium", part: int = FIRST) -> RemoteFile:
    """Return the thumbnail that fits best; a photo's thumbnails are its sizes, a video's are its cover's.

    Raises MediaNotFound if there is none but a stripped preview or an outline.
    """
    found = part_of(message, part)
    files = sizes(previews(found.shown))
    if not files:
        raise MediaNotFound
    best = fitting(files, fit)
    stem = f"{_stem(message, found, part)}_thumbnail"
    guessed = is_sticker(found.shown)
    mime_type = _WEBP if guessed else _JPEG
    thumbnail = _remote(
        message,
        found.shown,
        best,
        mime_type=mime_type,
        name=clean(f"{stem}{mediatypes.extension(mime_type)}"),
        stem=stem,
        is_guessed=guessed,
    )
    return thumbnail if best.content is None else thumbnail.recognised(best.content)


def naming(message: Any, described: Described, part: int = FIRST) -> tuple[str, str]:
    """Return a file's name, and what of it stands before a made-up extension: "" if it has its own."""
    if described.name:
        return described.name, ""
    # All of an album have one date, and all parts one message.
    stem = f"{described.kind}_{date_of(message):%Y-%m-%d_%H-%M-%S}_{message.id}"
    if part != FIRST:
        stem += f"-{part}"
    return f"{stem}{mediatypes.extension(described.mime_type)}", stem


def _stem(message: Any, found: Held, part: int) -> str:
    name, stem = naming(message, describe(found.media), part)
    return stem or name.rpartition(".")[0] or name


def date_of(message: Any) -> datetime:
    """Return when a message was sent, in UTC."""
    date: datetime = message.date or datetime.fromtimestamp(0, UTC)
    return date.astimezone(UTC)


def _remote(message: Any, media: Any, one: Size, **described: Any) -> RemoteFile:
    return RemoteFile(
        message_id=message.id,
        kind=kind_of(media),
        file_id=media.id,
        dc_id=media.dc_id,
        access_hash=media.access_hash,
        file_reference=media.file_reference,
        thumb_size=one.letter,
        size=one.size,
        date=media.date or date_of(message),
        content=one.content,
        **described,
    )
