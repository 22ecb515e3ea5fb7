"""Makers of Telegram's photo and document objects, with their bytes put into the file store.

Sources: https://core.telegram.org/constructor/photo, https://core.telegram.org/constructor/document,
https://core.telegram.org/api/files#image-thumbnail-types
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tgbridge.sandbox.world.files import FileStore, Source


@dataclass(frozen=True, slots=True)
class Variant:
    """One size of a picture: its letter, bytes and extent in pixels.

    With ``progressive`` (byte counts at which a progressive JPEG can be shown, ascending, the last its whole
    size) it becomes a photoSizeProgressive. ``cached`` sends the bytes inside the object, a photoCachedSize.
    """

    letter: str
    source: Source | Path
    width: int
    height: int
    progressive: tuple[int, ...] = ()
    cached: bool = False


def photo(
    files: FileStore,
    owner: int,
    variants: Sequence[Variant],
    *,
    dc_id: int,
    date: datetime | None = None,
    stripped: bytes | None = None,
    outline: bytes | None = None,
    cdn: bool = False,
) -> types.Photo:
    """Make a photo in several sizes, ascending; ``stripped`` is the content of a photoStrippedSize."""
    stored = files.add(
        owner,
        "photo",
        {variant.letter: variant.source for variant in variants},
        dc_id=dc_id,
        mime_type="image/jpeg",
        cdn=cdn,
    )
    made_at = date or datetime.now(UTC)
    stored.mtime = int(made_at.timestamp())
    stored.media = made = types.Photo(
        id=stored.id,
        access_hash=stored.access_hash,
        file_reference=b"",
        date=made_at,
        sizes=[*_previews(stripped, outline), *(_size(files, variant) for variant in variants)],
        dc_id=dc_id,
    )
    return made


def document(
    files: FileStore,
    owner: int,
    content: Source | Path,
    *,
    dc_id: int,
    mime_type: str,
    attributes: Sequence[Any] = (),
    thumbs: Sequence[Variant] = (),
    date: datetime | None = None,
    stripped: bytes | None = None,
    outline: bytes | None = None,
    cdn: bool = False,
) -> types.Document:
    """Make a document, its attributes as they are, with thumbnails where there are any."""
    blob = files.blob(content)
    stored = files.add(
        owner,
        "document",
        {"": blob, **{thumb.letter: thumb.source for thumb in thumbs}},
        dc_id=dc_id,
        mime_type=mime_type,
        cdn=cdn,
    )
    made_at = date or datetime.now(UTC)
    stored.mtime = int(made_at.timestamp())
    sizes = [*_previews(stripped, outline), *(_size(files, thumb) for thumb in thumbs)]
    stored.media = made = types.Document(
        id=stored.id,
        access_hash=stored.access_hash,
        file_reference=b"",
        date=made_at,
        mime_type=mime_type,
        size=blob.size,
        dc_id=dc_id,
        attributes=list(attributes),
        thumbs=sizes or None,
    )
    return made


def _previews(stripped: bytes | None, outline: bytes | None) -> list[Any]:
    previews: list[Any] = []
    if stripped is not None:
        previews.append(types.PhotoStrippedSize("i", stripped))
    if outline is not None:
        previews.append(types.PhotoPathSize("j", outline))
    return previews


def _size(files: FileStore, variant: Variant) -> Any:
    blob = files.blob(variant.source)
    if variant.cached:
        return types.PhotoCachedSize(variant.letter, variant.width, variant.height, blob.read(0, blob.size))
    if variant.progressive:
        return types.PhotoSizeProgressive(
            variant.letter, variant.width, variant.height, list(variant.progressive)
        )
    return types.PhotoSize(variant.letter, variant.width, variant.height, blob.size)
