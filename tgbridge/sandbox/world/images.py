"""What a picture's bytes tell about it, without decoding it.

Sources: ITU-T T.81 (JPEG) B.2, https://www.w3.org/TR/png-3/#5DataRep, GIF89a 18, RFC 9649 (WebP) 2
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN = 0xDA
# The markers that carry the extent: SOF0 to SOF15 but for DHT, JPG and DAC, which are numbered among them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's type and its extent in pixels."""

    mime_type: str
    width: int
    height: int


def probe(content: bytes) -> Picture | None:
    """Read the header of a JPEG, PNG, GIF or WebP picture; None for anything else, cut short or broken."""
    try:
        if content.startswith(b"\xff\xd8\xff"):
            picture = _jpeg(content)
        elif content.startswith(_PNG):
            picture = _png(content)
        elif content[:6] in {b"GIF87a", b"GIF89a"}:
            picture = (
                Picture("image/gif", *struct.unpack_from("<HH", content, 6)) if b";" in content[13:] else None
            )
        elif content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            picture = _webp(content)
        else:
            picture = None
    except (struct.error, IndexError):
        return None
    return picture if picture is not None and picture.width and picture.height else None


def _jpeg(content: bytes) -> Picture | None:
    position, extent = 2, None
    while True:
        if content[position] != 0xFF:
            return None
        marker = content[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            extent = Picture("image/jpeg", width, height)
        if marker == _START_OF_SCAN:
            return extent if content.rfind(b"\xff\xd9") > position else None
        position += 2 + struct.unpack_from(">H", content, position + 2)[0]


def _png(content: bytes) -> Picture | None:
    position, extent, data = len(_PNG), None, False
    while True:
        length, kind = struct.unpack_from(">I4s", content, position)
        body = content[position + 8 : position + 8 + length]
        if zlib.crc32(kind + body) != struct.unpack_from(">I", content, position + 8 + length)[0]:
            return None
        if kind == b"IHDR":
            extent = Picture("image/png", *struct.unpack_from(">II", body))
        data = data or kind == b"IDAT"
        if kind == b"IEND":
            return extent if data else None
        position += 12 + length


def _webp(content: bytes) -> Picture | None:
    if len(content) < 8 + struct.unpack_from("<I", content, 4)[0]:
        return None
    kind = content[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        height = int.from_bytes(content[27:30], "little") + 1
        return Picture("image/webp", width, height)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return Picture("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return Picture("image/webp", width & 0x3FFF, height & 0x3FFF)
    return None
