"""What Telegram says of a photo or document: type, name, pixels, seconds, tags of music and so on.

Source: https://core.telegram.org/type/DocumentAttribute
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from telethon.tl import types

from tgbridge.filenames import clean
from tgbridge.inspection import media_types as mediatypes
from tgbridge.telegram.saved.pictures import largest

if TYPE_CHECKING:
    from tgbridge.models import MediaType

_JPEG: Final = "image/jpeg"
# A video sticker is a video as well, and so is an animation: the first of these that it is.
_ORDER: Final[tuple[MediaType, ...]] = ("sticker", "animation", "video_note", "video", "voice", "audio")


@dataclass(slots=True)
class Described:
    """A photo or document in words. Empty is what Telegram does not say; `name` is clean."""

    kind: MediaType = "document"
    mime_type: str = _JPEG
    size: int = 0
    width: int = 0
    height: int = 0
    duration: float = 0.0
    """Seconds."""
    name: str = ""
    title: str = ""
    performer: str = ""
    waveform: list[int] = field(default_factory=list)
    codec: str = ""


def describe(media: Any) -> Described:
    """Read a photo or document."""
    if isinstance(media, types.Photo):
        main = largest(media.sizes)
        return Described("photo", _JPEG, main.size, max(main.width, 0), max(main.height, 0))
    found = Described(size=max(media.size, 0))
    kinds: set[MediaType] = set()
    for attribute in media.attributes:
        kind = _read(attribute, found)
        if kind is not None:
            kinds.add(kind)
    found.kind = next((kind for kind in _ORDER if kind in kinds), "document")
    if found.kind != "voice":
        found.waveform = []
    found.mime_type = mediatypes.claimed(media.mime_type or "", found.name)
    return found


def is_sticker(media: Any) -> bool:
    """Tell whether its thumbnail may be a WebP: by documentation nobody knows."""
    return isinstance(media, types.Document) and any(
        isinstance(attribute, types.DocumentAttributeSticker | types.DocumentAttributeCustomEmoji)
        for attribute in media.attributes
    )


def decoded_waveform(packed: bytes) -> list[int]:
    """Return loudness as numbers of 0 to 31, of 5 bits each, the lowest bits first.

    Source: https://core.telegram.org/constructor/documentAttributeAudio. Telethon's own decoder gets the last
    one wrong.
    """
    values = []
    for number in range(len(packed) * 8 // 5):
        byte, bit = divmod(number * 5, 8)
        values.append(int.from_bytes(packed[byte : byte + 2], "little") >> bit & 0b11111)
    return values


def _read(attribute: Any, found: Described) -> MediaType | None:
    """Take what an attribute says of a document, and return what it makes of it."""
    match attribute:
        case types.DocumentAttributeSticker() | types.DocumentAttributeCustomEmoji():
            return "sticker"
        case types.DocumentAttributeAnimated():
            return "animation"
        case types.DocumentAttributeVideo():
            found.width, found.height = max(attribute.w, 0), max(attribute.h, 0)
            found.duration = _seconds(attribute.duration)
            found.codec = attribute.video_codec or ""
            return "video_note" if attribute.round_message else "video"
        case types.DocumentAttributeAudio():
            found.duration = found.duration or _seconds(attribute.duration)
            found.title, found.performer = attribute.title or "", attribute.performer or ""
            found.waveform = decoded_waveform(attribute.waveform or b"")
            return "voice" if attribute.voice else "audio"
        case types.DocumentAttributeImageSize() if not found.width:
            found.width, found.height = max(attribute.w, 0), max(attribute.h, 0)
        case types.DocumentAttributeFilename() if not found.name:
            found.name = clean(attribute.file_name)
    return None


def _seconds(duration: float) -> float:
    """Return a duration; 0 for what is none, which JSON could not say."""
    return float(duration) if math.isfinite(duration) and duration > 0 else 0.0
