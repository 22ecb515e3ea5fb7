"""A JPEG of one grey, of any size, without a library: what Telegram makes of pictures shows by it.

Source: ITU T.81. Baseline, one component; both Huffman tables have one code of one bit, so that each block of
8 x 8 is two bits of zeros: "no difference", "end of block".
"""

from __future__ import annotations

import struct
from typing import Final

_QUANTISATION: Final = b"\x00" + bytes([16] * 64)
_ONE_CODE: Final = bytes([1] + [0] * 15) + b"\x00"  # one code of length 1, for the value 0


def grey_jpeg(width: int, height: int) -> bytes:
    """Return a picture of so many pixels, each at most 65535."""
    blocks = -(-width // 8) * -(-height // 8)
    bits = 2 * blocks
    data = bytearray(-(-bits // 8))
    if bits % 8:
        data[-1] |= (1 << (8 - bits % 8)) - 1  # filled up with ones
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            _segment(0xDB, _QUANTISATION),
            _segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"),
            _segment(0xC4, b"\x00" + _ONE_CODE),
            _segment(0xC4, b"\x10" + _ONE_CODE),
            _segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            bytes(data),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
