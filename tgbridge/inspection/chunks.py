"""Sound in chunks that say their size: WAVE, AIFF, Windows Media.

Sources: Microsoft's Multimedia Programming Interface and Data Specifications 1.0 (RIFF, WAVE, INFO), EBU Tech
3306 (RF64), Apple's Audio Interchange File Format 1.3, Microsoft's Advanced Systems Format 01.20.03 (sections
3.1, 3.2, 3.10).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

from tgbridge.inspection.charsets import readable
from tgbridge.inspection.pulled import within
from tgbridge.inspection.tags import ID3_HEAD_BYTES, Tags, read_id3

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser, Pulled

_RIFF: Final = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64"})
_AIFF: Final = b"FORM"
_ASF: Final = bytes.fromhex("3026b275")
MAGICS: Final = _RIFF | {_AIFF, _ASF}
"""The first four bytes of such files."""

_MOST_CHUNKS: Final = 3_000
_MOST_TEXT: Final = 1024  # bytes
_ENDLESS: Final = frozenset({0, 2**32 - 1})  # what a writer says who could not come back to say it
_TITLES: Final = frozenset({b"INAM", b"NAME"})
_PERFORMERS: Final = frozenset({b"IART", b"AUTH"})
_ASF_FILE: Final = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_CONTENT: Final = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")


class ChunkedSound:
    """Reads how long the sound in a file of chunks is, and what it is called."""

    def __init__(self, tags: Tags) -> None:
        self._tags = tags
        self._seconds = 0.0
        self._bytes_a_second = 0
        self._endless_from: int | None = None

    def read(self, magic: bytes, pulled: Pulled) -> Parser:
        """Read a file whose first four bytes were read, by a parser that `pulled` feeds."""
        if magic in _RIFF:
            yield from self._riff(magic, pulled)
        elif magic == _AIFF:
            yield from self._aiff()
        else:
            yield from self._asf()

    def lasts(self, size: int) -> float:
        """Return how long a file of so many bytes sounds."""
        if self._endless_from is not None and self._bytes_a_second:
            return (size - self._endless_from) / self._bytes_a_second
        return self._seconds

    def _riff(self, magic: bytes, pulled: Pulled) -> Parser:
        """Read RIFF, RF64 or, the other way round, RIFX."""
        order: Literal["big", "little"] = "big" if magic == b"RIFX" else "little"
        yield 8
        large = 0
        for _ in range(_MOST_CHUNKS):
            head = yield 8
            kind, size = head[:4], int.from_bytes(head[4:], order)
            if kind == b"ds64":
                large = int.from_bytes((yield 24)[8:16], order)
                yield 24 - size
            elif kind == b"fmt ":
                self._bytes_a_second = int.from_bytes((yield 12)[8:12], order)
                yield 12 - size
            elif kind == b"data":
                size = large if large and size in _ENDLESS else size
                if size in _ENDLESS:
                    self._endless_from = pulled.at
                    return
                self._seconds = size / self._bytes_a_second
                yield -size
            elif kind == b"LIST":
                yield from within(self._info(order), size)
            else:
                yield from self._any(kind, size)
            yield -(size & 1)

    def _aiff(self) -> Parser:
        """Read AIFF or AIFF-C."""
        yield 8
        for _ in range(_MOST_CHUNKS):
            head = yield 8
            kind, size = head[:4], int.from_bytes(head[4:], "big")
            if kind == b"COMM":
                body = yield 18
                exponent = int.from_bytes(body[8:10], "big") & 0x7FFF  # of 80 bits, IEEE 754's extended
                rate = math.ldexp(int.from_bytes(body[10:18], "big"), exponent - 16383 - 63)
                self._seconds = int.from_bytes(body[2:6], "big") / rate
                yield 18 - size
            else:
                yield from self._any(kind, size)
            yield -(size & 1)

    def _asf(self) -> Parser:
        """Read Windows Media."""
        count = int.from_bytes((yield 26)[20:24], "little")
        for _ in range(min(count, _MOST_CHUNKS)):
            head = yield 24
            size = int.from_bytes(head[16:], "little") - 24
            if size < 0:
                raise ValueError("an object shorter than its head")
            reader = {_ASF_FILE: self._asf_file, _ASF_CONTENT: self._asf_content}.get(head[:16])
            if reader is None:
                yield -size
            else:
                yield from within(reader(), size)

    def _info(self, order: Literal["big", "little"]) -> Parser:
        if (yield 4) != b"INFO":
            return
        for _ in range(_MOST_CHUNKS):
            head = yield 8
            size = int.from_bytes(head[4:], order)
            yield from self._any(head[:4], size)
            yield -(size & 1)

    def _any(self, kind: bytes, size: int) -> Parser:
        """Read a chunk that may name the sound."""
        if kind in {b"id3 ", b"ID3 "}:
            yield from within(self._id3(), size)
        elif kind in _TITLES or kind in _PERFORMERS:
            text = readable((yield min(size, _MOST_TEXT)).partition(b"\0")[0])
            self._tags.take(b"TIT2" if kind in _TITLES else b"TPE1", text)
            yield min(0, _MOST_TEXT - size)
        else:
            yield -size

    def _id3(self) -> Parser:
        yield from read_id3((yield ID3_HEAD_BYTES), self._tags)

    def _asf_file(self) -> Parser:
        body: Any = yield 64
        hundreds_of_ns, preroll_ms = (int.from_bytes(body[at : at + 8], "little") for at in (40, 56))
        self._seconds = hundreds_of_ns / 1e7 - preroll_ms / 1e3

    def _asf_content(self) -> Parser:
        lengths = yield 10
        for at, kind in ((0, b"TIT2"), (2, b"TPE1")):
            size = int.from_bytes(lengths[at : at + 2], "little")
            raw = yield min(size, _MOST_TEXT)
            yield min(0, _MOST_TEXT - size)
            self._tags.take(kind, raw.decode("utf-16-le", "replace").partition("\0")[0])
