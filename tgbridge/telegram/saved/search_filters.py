"""Which of Telegram's search filters find which types of media, and which types none finds.

Source: https://core.telegram.org/type/MessagesFilter. What a filter finds beyond a type is filtered on by
whoever lists; docs/telegram.md says how sure each line is.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

from telethon.tl import types

from tgbridge.models import MediaType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Filter: TypeAlias = Any
"""A class of Telegram's InputMessagesFilter kinds."""

FILTERS: Final[Mapping[MediaType, Filter]] = MappingProxyType(
    {
        "photo": types.InputMessagesFilterPhotos,
        "video": types.InputMessagesFilterVideo,
        "animation": types.InputMessagesFilterGif,
        "audio": types.InputMessagesFilterMusic,
        "voice": types.InputMessagesFilterVoice,
        "video_note": types.InputMessagesFilterRoundVideo,
        "document": types.InputMessagesFilterDocument,
    }
)
"""Each type's own filter. Stickers have none, nor have forwarded stories and polls with a picture."""

ALL: Final[frozenset[MediaType]] = frozenset(get_args(MediaType))
FOUND: Final[frozenset[MediaType]] = frozenset(FILTERS)
"""The types that can be searched for."""

IN_ALBUMS: Final[frozenset[MediaType]] = frozenset({"photo", "video", "audio", "document"})
"""The types that albums are made of (https://core.telegram.org/method/messages.sendMultiMedia)."""

_PAIRS: Final[tuple[tuple[frozenset[MediaType], Filter], ...]] = (
    (frozenset({"photo", "video"}), types.InputMessagesFilterPhotoVideo),
    (frozenset({"voice", "video_note"}), types.InputMessagesFilterRoundVoice),
)


def filters_of(kinds: Iterable[MediaType]) -> tuple[Filter, ...]:
    """Return as few filters as find all of these types, but for those that none finds."""
    left = set(kinds) & FOUND
    chosen = []
    for pair, both in _PAIRS:
        if pair <= left:
            chosen.append(both)
            left -= pair
    return (*chosen, *(FILTERS[kind] for kind in sorted(left)))
