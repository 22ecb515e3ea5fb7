"""What an inspector finds out, and what of it can be true."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Protocol

_MOST: Final = 2**31 - 1  # what TL's `int` holds, as which Telegram takes pixels, and the seconds of sound
_MOST_TEXT: Final = 256  # characters of a title


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of itself; None and "" for what it does not say.

    `width` and `height` are in pixels as shown, `duration` is in seconds. `video_codec` is the format's own
    name for it. `streamable` tells whether a player can begin with the file's beginning; `is_opus` whether it
    is Opus in Ogg, which voice messages are made of.
    """

    width: int | None = None
    height: int | None = None
    duration: float | None = None
    title: str = ""
    performer: str = ""
    has_video: bool | None = None
    has_sound: bool | None = None
    video_codec: str = ""
    streamable: bool = False
    is_opus: bool = False


class Inspector(Protocol):
    """Reads one file as it passes by."""

    @property
    def keeps(self) -> int:
        """The most bytes of the file that it holds."""

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes, and hold no reference to them."""

    def facts(self) -> Facts:
        """Say what was found, once the file has passed. May take milliseconds: not for the event loop."""


class Nothing:
    """Knows nothing of files of an unknown type."""

    keeps: ClassVar[int] = 0

    def feed(self, data: memoryview) -> None:
        """Let the bytes pass."""

    def facts(self) -> Facts:
        """Say nothing."""
        return Facts()


def seconds(value: float | None) -> float | None:
    """Return a duration that can be one: finite, above 0, at most 2^31 - 1; else None."""
    if value is None or not math.isfinite(value) or not 0 < value <= _MOST:
        return None
    return float(value)


def pixels(value: float | None) -> int | None:
    """Return a width or height that can be one, rounded: from 1 to 2^31 - 1; else None."""
    if value is None or not math.isfinite(value) or not 0.5 <= value <= _MOST:
        return None
    return int(value + 0.5) if isinstance(value, float) else value


def sane(facts: Facts) -> Facts:
    """Return what can be true of what a file says of itself: for the rest it has said nothing."""
    return replace(
        facts,
        width=pixels(facts.width),
        height=pixels(facts.height),
        duration=seconds(facts.duration),
        title=_text(facts.title),
        performer=_text(facts.performer),
    )


def _text(value: str) -> str:
    """Return one line of text, cut to its first 256 characters."""
    shown = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in value[:_MOST_TEXT])
    return "".join(shown).encode(errors="ignore").decode().strip()
