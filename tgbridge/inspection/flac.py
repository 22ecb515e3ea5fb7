"""FLAC: blocks that say all, and frames, of which the last tells how long it sounds where no block does.

Source: RFC 9639 (sections 8 and 9.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tgbridge.inspection.pulled import Strides, within
from tgbridge.inspection.tags import read_comments

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser
    from tgbridge.inspection.tags import Tags

MAGIC: Final = b"fLaC"

_MOST_BLOCKS: Final = 3_000
_STREAM_INFO, _COMMENTS = 0, 4
_SYNC: Final = re.compile(rb"\xff[\xf8\xf9]")  # the second: blocks of varying size, which count samples
_LOOK: Final = 16  # the longest header of a frame
_LEAST_FRAME: Final = 10  # bytes


class FlacSound:
    """Reads the blocks, and goes from frame to frame where they do not say how many samples there are."""

    def __init__(self, tags: Tags) -> None:
        self.strides = Strides(_LOOK, self._step)
        self._tags = tags
        self._rate = self._samples = self._block_size = 0

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        return self._samples / self._rate if self._rate else 0.0

    def read(self) -> Parser:
        """Read a file whose first four bytes were read."""
        for _ in range(_MOST_BLOCKS):
            head = yield 4
            kind, size = head[0] & 0x7F, int.from_bytes(head[1:], "big")
            if kind == _STREAM_INFO:
                info = yield 18
                self._block_size = int.from_bytes(info[:2], "big")
                self._rate = int.from_bytes(info[10:13], "big") >> 4
                self._samples = int.from_bytes(info[13:18], "big") & 0xFFFFFFFFF
                yield 18 - size
            elif kind == _COMMENTS:
                yield from within(read_comments(self._tags), size)
            else:
                yield -size
            if head[0] & 0x80:
                break
        if not self._samples:
            yield self.strides

    def _step(self, data: bytes, at: int) -> int:
        if _SYNC.match(data, at):
            samples = self._samples_until(data[at : at + _LOOK])
            if samples is not None:
                self._samples = samples
                return _LEAST_FRAME
        found = _SYNC.search(data, at + 1)
        return (found.start() if found else max(at + 1, len(data) - 1)) - at

    def _samples_until(self, head: bytes) -> int | None:
        """Return how many samples there are by the end of the frame with this header; None if it is none."""
        code, number, end = head[2] >> 4, head[4], 5
        length = 8 - (number ^ 0xFF).bit_length()  # as in UTF-8, up to seven bytes
        if not code or length in {1, 8}:
            return None
        if length:
            number &= 0x7F >> length
            for byte in head[5 : 4 + length]:
                number = number << 6 | byte & 0x3F
            end = 4 + length
        size = 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8 if code >= 8 else 0
        if not size:
            size = int.from_bytes(head[end : end + code - 5], "big") + 1
            end += code - 5
        end += {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
        if end >= len(head) or _crc(head[:end]) != head[end]:
            return None
        return (number if head[1] & 1 else number * self._block_size) + size


def _crc(data: bytes) -> int:
    """CRC-8 with the polynomial x^8 + x^2 + x + 1."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc
