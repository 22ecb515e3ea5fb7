"""What an upload's form says beside its files, checked field by field as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import ANSWERS, INVALID_FILE, HTTPFailure
from tgbridge.inspection import inspector_for
from tgbridge.inspection.facts import pixels, seconds
from tgbridge.routes.form import TooLong
from tgbridge.telegram.outgoing import Hints

if TYPE_CHECKING:
    from tgbridge.routes.form import FormPart

FIELDS: Final = ("caption", "as", "duration", "width", "height")
WAYS: Final = frozenset({"auto", "document"})

MAX_THUMBNAIL_BYTES: Final = 200 * 1024
"""https://core.telegram.org/api/files#uploading-files"""

_MAX_THUMBNAIL_PIXELS: Final = 320
_JPEG: Final = b"\xff\xd8\xff"
_MAX_CAPTION: Final = 4096  # UTF-16 code units, with Premium; Telegram refuses what is too long without
_MAX_CAPTION_BYTES: Final = 4 * _MAX_CAPTION
_MAX_FIELD_BYTES: Final = 64


class UploadForm:
    """The fields of an upload. Those that speak of one file belong to the file that has their place."""

    def __init__(self) -> None:
        self.caption = ""
        self.as_document = False
        self._hints: dict[str, list[Any]] = {"duration": [], "width": [], "height": []}

    async def read(self, part: FormPart) -> None:
        """Take a field; what is none of ours is passed over. Raises HTTPFailure 400."""
        if part.name == "caption":
            self.take(part.name, await _caption(part))
        elif part.name in FIELDS:
            self.take(part.name, await _field(part))

    def take(self, name: str, text: str) -> None:
        """Take one of `FIELDS`, "" where nothing was said. Raises HTTPFailure 400."""
        match name:
            case "caption":
                if len(text.encode("utf-16-le")) > 2 * _MAX_CAPTION:
                    raise _caption_too_long()
                self.caption = text
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
    """Return a thumbnail that Telegram will take: Telegram itself would pass over any other in silence.

    Raises HTTPFailure 400.
    """
    try:
        picture = await part.read(MAX_THUMBNAIL_BYTES)
    except TooLong:
        picture = b""
    inspector = inspector_for("image/jpeg")
    inspector.feed(memoryview(picture))
    facts = inspector.facts()
    extent = max(facts.width or 0, facts.height or 0)
    if not picture.startswith(_JPEG) or not 0 < extent <= _MAX_THUMBNAIL_PIXELS:
        raise HTTPFailure(
            400,
            INVALID_FILE,
            code="INVALID_THUMBNAIL",
            details="A thumbnail is a JPEG of at most 200 kB and 320 pixels.",
        )
    return picture


async def _caption(part: FormPart) -> str:
    try:
        return await part.text(_MAX_CAPTION_BYTES)
    except TooLong:
        raise _caption_too_long() from None


def _caption_too_long() -> HTTPFailure:
    answer = ANSWERS["MEDIA_CAPTION_TOO_LONG"]
    return HTTPFailure(answer.status, answer.text, code="MEDIA_CAPTION_TOO_LONG")


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
