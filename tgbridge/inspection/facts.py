"""What an inspector finds out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol


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

    keeps: ClassVar[int]
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
