"""What an upload's form says beside its files, checked field by field as it comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import INVALID_FILE, HTTPFailure, TelegramRefused
from tgbridge.inspection import inspector_for
from tgbridge.inspection.facts import pixels, seconds
from tgbridge.telegram.saved.captions import CAPTION_TOO_LONG, normalised
from tgbridge.telegram.saved.outgoing import Hints
from tgbridge.web.form import TooLong

if TYPE_CHECKING:
    from tgbridge.web.form import FormPart

FIELDS: Final = ("caption", "as", "duration", "width", "height")
WAYS: Final = frozenset({"auto", "document"})

MAX_THUMBNAIL_BYTES: Final = 200 * 1024
"""https://core.telegram.org/api/files#uploading-files"""

_MAX_THUMBNAIL_PIXELS: Final = 320
_JPEG: Final = b"\xff\xd8\xff"
_MAX_CAPTION_BYTES: Final = 64 * 1024  # several times what Telegram takes with Premium
_MAX_FIELD_BYTES: Final = 64


class UploadForm:
    """The fields of an upload. Those that speak of one file belong to the file that has their place."""

    def __init__(self) -> None:
        self.caption = ""
        self.as_document = False
        self._hints: dict[str, list[Any]] = {"duration": [], "width": [], "height": []}

    async def read(self, part: FormPart) -> None:
        """Take a field; what is none of ours is passed over. Raises HTTPFailure 400, and TelegramRefused."""
        if part.name == "caption":
            self.take(part.name, await _caption(part))
        elif part.name in FIELDS:
            self.take(part.name, await _field(part))

    def take(self, name: str, text: str) -> None:
        """Take one of `FIELDS`, "" where nothing was said. Raises HTTPFailure 400."""
        match name:
            case "caption":
                self.caption = normalised(text)
            case "as":
                if text and text not in WAYS:
                    raise _invalid(name, "auto or document")
                self.as_document = text == "document"
            case "duration":
                self._hints[name].append(seconds(_number(text)))
            case "width" | "height":
                self._hints[name].append(pixels(_number(text)))

    def hints(self, index: int) -> Hints:
        """Return what was said of one of the files."""
        values = {name: found[index] for name, found in self._hints.items() if index < len(found)}
        return Hints(**values)


async def read_thumbnail(part: FormPart) -> bytes:
    """Return a thumbnail that Telegram will take. Raises HTTPFailure 400."""
    try:
        picture = await part.read(MAX_THUMBNAIL_BYTES)
    except TooLong:
        picture = b""
    await check_thumbnail(picture)
    return picture


async def check_thumbnail(picture: bytes) -> None:
    """Raise HTTPFailure 400 for what Telegram would pass over in silence."""
    # Its first bytes tell what is none, whatever reading the rest would cost; that can be milliseconds.
    is_jpeg = len(picture) <= MAX_THUMBNAIL_BYTES and picture.startswith(_JPEG)
    extent = await asyncio.to_thread(_extent, picture) if is_jpeg else 0
    if not 0 < extent <= _MAX_THUMBNAIL_PIXELS:
        raise HTTPFailure(
            400,
            INVALID_FILE,
            code="INVALID_THUMBNAIL",
            details="A thumbnail is a JPEG of at most 200 kB and 320 pixels.",
        )


def _extent(picture: bytes) -> int:
    """Return the longer side in pixels, 0 if it is not known."""
    inspector = inspector_for("image/jpeg")
    inspector.feed(memoryview(picture))
    facts = inspector.facts()
    return max(facts.width or 0, facts.height or 0)


async def _caption(part: FormPart) -> str:
    try:
        return await part.text(_MAX_CAPTION_BYTES)
    except TooLong:
        raise TelegramRefused(CAPTION_TOO_LONG) from None


async def _field(part: FormPart) -> str:
    try:
        return (await part.read(_MAX_FIELD_BYTES)).decode(errors="replace").strip()
    except TooLong:
        return "?"  # which says nothing


def _number(text: str) -> float | None:
    """Return a number, None for what is none: a hint never costs an upload."""
    # Python takes the digits of any script, and underscores between them.
    if not text.isascii() or "_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _invalid(name: str, wanted: str) -> HTTPFailure:
    return HTTPFailure(400, f"The field {name!r} takes {wanted}.", code=f"INVALID_{name.upper()}")


INVALID_FIELDS: Final = (
    _invalid("as", "auto or document"),
    *(_invalid(name, "a number") for name in ("duration", "width", "height")),
)
"""What is said of fields that say nothing sensible."""
