"""What a message holds, as the contract's media items. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tgbridge.models import MediaItem, Part, Rendition
from tgbridge.telegram.saved.caption_html import caption_html
from tgbridge.telegram.saved.described import describe
from tgbridge.telegram.saved.files import FIRST, date_of, naming, remote_file, remote_thumbnail
from tgbridge.telegram.saved.held import caption, held, kind_of
from tgbridge.telegram.saved.pictures import THUMBNAIL_PIXELS, Fit, ThumbnailSize, blur, previews, sizes
from tgbridge.telegram.transfer.remote_file import version_of
from tgbridge.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.telegram.saved.held import Held

__all__ = (
    "THUMBNAIL_PIXELS",
    "Fit",
    "ThumbnailSize",
    "item_of",
    "media_item",
    "remote_file",
    "remote_thumbnail",
)


def media_item(message: Any, *, with_blur: bool = True) -> MediaItem | None:
    """What the contract says of a message, or None if it holds no file (any more)."""
    files = held(message)
    return item_of(message, files, with_blur=with_blur) if files else None


def item_of(message: Any, files: Sequence[Held], *, with_blur: bool = True) -> MediaItem:
    """What the contract says of a message that holds these files, of which there is one at least."""
    first = files[0]
    own = describe(first.media)
    text, entities = caption(message)
    thumbnail_url = _thumbnail_url(message, first, FIRST)
    edited = message.edit_date if not message.edit_hide else None
    return MediaItem(
        id=message.id,
        name=naming(message, own)[0],
        type=own.kind,
        timestamp=timestamp(date_of(message)),
        size=own.size,
        caption=text,
        has_thumbnail=thumbnail_url is not None,
        url=_url(message, first.media, FIRST),
        thumbnail_url=thumbnail_url,
        mime_type=own.mime_type,
        width=own.width or None,
        height=own.height or None,
        duration=own.duration or None,
        album_id=str(message.grouped_id) if message.grouped_id else None,
        edited=timestamp(edited) if edited else None,
        caption_html=caption_html(text, entities) if text and entities else None,
        title=own.title or None,
        performer=own.performer or None,
        waveform=own.waveform or None,
        spoiler=True if first.spoiler else None,
        parts=_parts(message, files) if len(files) > FIRST else None,
        renditions=_renditions(message, first) or None,
        blur_data_url=_blur(first) if with_blur else None,
    )


def _parts(message: Any, files: Sequence[Held]) -> list[Part]:
    parts = []
    for number, one in enumerate(files, FIRST):
        own = describe(one.media)
        parts.append(
            Part(
                part=number,
                name=naming(message, own, number)[0],
                type=own.kind,
                size=own.size,
                url=_url(message, one.media, number),
                thumbnail_url=_thumbnail_url(message, one, number),
                mime_type=own.mime_type,
                width=own.width or None,
                height=own.height or None,
                duration=own.duration or None,
            )
        )
    return parts


def _renditions(message: Any, first: Held) -> list[Rendition]:
    renditions = []
    for number, document in enumerate(first.renditions, 1):
        own = describe(document)
        renditions.append(
            Rendition(
                url=f"{_url(message, document, FIRST)}&rendition={number}",
                mime_type=own.mime_type,
                size=own.size,
                width=own.width or None,
                height=own.height or None,
                codec=own.codec or None,
            )
        )
    return renditions


def _url(message: Any, media: Any, part: int) -> str:
    return f"stream_media/{_address(message, media, part)}"


def _thumbnail_url(message: Any, one: Held, part: int) -> str | None:
    if not sizes(previews(one.shown)):
        return None
    return f"stream_thumbnail/{_address(message, one.shown, part)}"


def _address(message: Any, media: Any, part: int) -> str:
    version = version_of(kind_of(media), media.id)
    return f"{message.id}?v={version}" + (f"&part={part}" if part != FIRST else "")


def _blur(one: Held) -> str | None:
    return blur(previews(one.shown)) or blur(previews(one.media))
