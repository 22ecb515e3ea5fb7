"""Images: their extent. Where other things stand before it, of any size, they are skipped as they pass by.

A JPEG says it behind its Exif, previews and colour profile, a TIFF where its beginning says, HEIC and AVIF in
a box of their own. The others say it in their first bytes, which imagesize reads, as it does that box.

Sources: ITU-T T.81 (annex B), TIFF 6.0 (section 2) and BigTIFF, ISO/IEC 23008-12 (section 6).
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import imagesize

from tgbridge.inspection.facts import Facts
from tgbridge.inspection.pulled import MISLED, MOST_WANTED, Pulled

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser

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

_HEAD_BYTES: Final = 4096
_BOX_BYTES: Final = 64 * 1024
_MOST_STEPS: Final = 3_000
_JPEG: Final = b"\xff\xd8"
_TIFF: Final = {b"II": "little", b"MM": "big"}
_SAYS_AT_ONCE: Final = (b"\x89PNG", b"GIF8", b"RIFF", b"BM")
_BOXES: Final = b"ftyp"
# Start of frame: all of C0 to CF but three that are tables (T.81, table B.1).
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_SCAN, _END = 0xDA, 0xD9
_WIDTH, _HEIGHT = 256, 257
_FORMATS: Final = {3: 2, 4: 4, 16: 8}  # TIFF's types of number, and their bytes


class ImageInspector:
    """Reads what says the extent, and skips the rest."""

    keeps: ClassVar[int] = _HEAD_BYTES + _BOX_BYTES + MOST_WANTED

    def __init__(self) -> None:
        self._kept = bytearray()
        self._extent: tuple[int, int] | None = None
        self._pulled: Pulled | None = None

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes."""
        if self._pulled is None:
            first, data = data[: 8 - len(self._kept)], data[8 - len(self._kept) :]
            self._kept += first
            if len(self._kept) < 8:
                return
            self._pulled = Pulled(self._read(bytes(self._kept)))
        if self._kept.startswith(_SAYS_AT_ONCE):
            self._kept += data[: _HEAD_BYTES - len(self._kept)]
        else:
            self._pulled.feed(data)

    def facts(self) -> Facts:
        """Say what was found."""
        if self._extent is None and (self._kept.startswith(_SAYS_AT_ONCE) or self._kept[4:8] == _BOXES):
            try:
                self._extent = imagesize.get(io.BytesIO(self._kept))
            except (*MISLED, OSError):
                return Facts()
        width, height = self._extent or (None, None)
        return Facts(width=width, height=height)

    def _read(self, head: bytes) -> Parser:
        if head.startswith(_JPEG):
            yield from self._jpeg(head[2:])
        elif head[:2] in _TIFF:
            yield from self._tiff(head, "little" if head.startswith(b"II") else "big")
        elif head[4:] == _BOXES:
            yield from self._boxes(int.from_bytes(head[:4], "big"))

    def _jpeg(self, begun: bytes) -> Parser:
        """Read the segments up to the frame's; `begun` is what has been read of the first one."""
        for _ in range(_MOST_STEPS):
            head = begun + (yield max(0, 4 - len(begun)))
            if head[0] != 0xFF or head[1] in {_SCAN, _END}:
                return
            if head[1] == 0xFF or head[1] in _ALONE:  # fill bytes may stand before a marker
                begun = head[1 if head[1] == 0xFF else 2 :]
                continue
            body, size = head[4:], int.from_bytes(head[2:4], "big") - 2
            if head[1] in _FRAMES:
                body += yield max(0, 5 - len(body))
                height, width = struct.unpack_from(">HH", body, 1)
                self._extent = width, height
                return
            begun = body[max(0, size) :]
            yield min(0, len(body) - size)

    def _tiff(self, head: bytes, order: Literal["little", "big"]) -> Parser:
        """Read the first directory, wherever it stands."""
        big = int.from_bytes(head[2:4], order) == 43
        first = int.from_bytes((yield 8) if big else head[4:8], order)
        yield (16 if big else 8) - first
        count = int.from_bytes((yield 8 if big else 2), order)
        entry = 20 if big else 12
        extent: dict[int, int] = {}
        for _ in range(min(count, _MOST_STEPS)):
            body = yield entry
            tag, form = int.from_bytes(body[:2], order), int.from_bytes(body[2:4], order)
            if tag in {_WIDTH, _HEIGHT}:
                value = entry - (8 if big else 4)
                extent[tag] = int.from_bytes(body[value : value + _FORMATS[form]], order)
                if len(extent) == 2:
                    self._extent = extent[_WIDTH], extent[_HEIGHT]
                    return

    def _boxes(self, size: int) -> Parser:
        """Keep the first box, which says what this is, and the one that says all else."""
        yield from self._keep(size - 8)
        for _ in range(_MOST_STEPS):
            head = yield 8
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            read = 8
            if size == 1:
                size, read = int.from_bytes((yield 8), "big"), 16
            if kind == b"meta":
                self._kept += struct.pack(">I4s", size - read + 8, kind)
                yield from self._keep(size - read)
                return
            if size < read:
                return  # up to the end
            yield read - size

    def _keep(self, size: int) -> Parser:
        if not 0 <= size <= _BOX_BYTES - len(self._kept):
            raise ValueError("a box larger than any that says only this")
        while size:
            piece = yield min(size, MOST_WANTED)
            size -= len(piece)
            self._kept += piece
