"""Photos and documents inside media, however deep: in paid media, stories, polls, previews of pages."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from telethon.tl import TLObject, types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FILES = (types.Photo, types.Document)
# The fields that lead to files, of whatever constructor.
_WAYS = (
    "photo",
    "document",
    "video",
    "video_cover",
    "alt_documents",
    "extended_media",
    "media",
    "story",
    "attached_media",
    "solution_media",
    "poll",
    "answers",
    "results",
    "webpage",
)


def files_in(media: Any) -> Iterator[Any]:
    """Give the photos and documents that media holds."""
    found: list[Any] = []

    def note(held: Any) -> Any:
        found.append(held)
        return held

    with_files(media, note)
    yield from found


def with_files(media: Any, change: Callable[[Any], Any]) -> Any:
    """Give a copy of media in which each photo and document is what ``change`` makes of it."""
    if isinstance(media, _FILES):
        return change(media)
    if isinstance(media, list):
        return [with_files(one, change) for one in media]
    if not isinstance(media, TLObject):
        return media
    fresh = copy.copy(media)
    for way in _WAYS:
        held = getattr(media, way, None)
        if isinstance(held, TLObject | list):
            setattr(fresh, way, with_files(held, change))
    return fresh
