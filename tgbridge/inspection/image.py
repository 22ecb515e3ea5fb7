"""Images: their extent, by their beginning."""

from __future__ import annotations

import io
import struct
from typing import ClassVar, Final

import imagesize

from tgbridge.inspection.facts import Facts

IMAGE_TYPES: Final = frozenset(
    {
        "image/avif",
        "image/bmp",
        "image/gif",
        "image/heic",
        "image/heif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
    }
)

_HEAD_BYTES: Final = 128 * 1024  # a JPEG says it behind its Exif and colour profile


class ImageInspector:
    """Keeps the first bytes, and has them read by imagesize."""

    keeps: ClassVar[int] = _HEAD_BYTES

    def __init__(self) -> None:
        self._head = bytearray()

    def feed(self, data: memoryview) -> None:
        """Keep the first bytes."""
        self._head += data[: _HEAD_BYTES - len(self._head)]

    def facts(self) -> Facts:
        """Say what was found."""
        try:
            width, height = imagesize.get(io.BytesIO(self._head))
        except (ArithmeticError, LookupError, OSError, ValueError, struct.error):
            return Facts()
        return Facts(width=width, height=height) if width > 0 and height > 0 else Facts()
