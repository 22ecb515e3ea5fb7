"""Sound that is nothing but frames: MPEG audio (MP1, MP2, MP3), AAC in ADTS, AMR.

Sources: ISO/IEC 11172-3 (section 2.4.1.3) and 13818-3 for MPEG audio, ISO/IEC 14496-3 (section 1.A.2.2) for
ADTS, RFC 4867 (section 5) for AMR; the headers of Xing and Fraunhofer, which say how many frames there are,
as in https://www.codeproject.com/Articles/8295/MPEG-Audio-Frame-Header.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from tgbridge.inspection.pulled import Strides

HEADER_BYTES: Final = 7
"""Bytes that `frame` needs, of which MPEG audio has 4."""

_SYNC: Final = re.compile(rb"\xff[\xe2-\xff]")
_MPEG_1, _MPEG_2_5 = 3, 0
_LAYER_1, _LAYER_3 = 3, 1
_MPEG_RATES: Final = (44_100, 48_000, 32_000)  # of MPEG-1; the others have halves and quarters
_KBITS: Final = {  # by MPEG-1 or not, and layer
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_ADTS_RATES: Final = (
    *(96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000),
    *(22_050, 16_000, 12_000, 11_025, 8_000, 7_350),
)
_LOOK: Final = 72  # up to a header of Xing or Fraunhofer, and what it says
_AMR_SIZES: Final = {  # bytes behind a frame's first one, by its type
    b"#!AMR\n": (12, 13, 15, 17, 19, 20, 26, 31, 5),
    b"#!AMR-WB\n": (17, 23, 32, 36, 40, 46, 50, 58, 60, 5),
}
_AMR_SECONDS: Final = 0.02


class Frame(NamedTuple):
    """What a frame's header says: its `length` in bytes, how long it sounds, and the `kind` of its file."""

    kind: int
    length: int
    seconds: float


def frame(data: bytes, at: int) -> Frame | None:
    """Read the header of a frame of MPEG audio or ADTS; None where there is none."""
    head = int.from_bytes(data[at : at + 4], "big")
    if head >> 17 & 3 or head >> 20 != 0xFFF:
        return _mpeg(head & 0xFFFFFE00)
    return _adts(int.from_bytes(data[at : at + HEADER_BYTES], "big"))


@lru_cache(maxsize=1024)
def _mpeg(head: int) -> Frame | None:
    version, layer = head >> 19 & 3, head >> 17 & 3
    bits, rate, padding = head >> 12 & 15, head >> 10 & 3, head >> 9 & 1
    # Without a bit rate the length is free; the others are reserved.
    if head >> 21 != 0x7FF or version == 1 or not layer or bits in {0, 15} or rate == 3:
        return None
    first = version == _MPEG_1
    hertz = _MPEG_RATES[rate] >> (0 if first else 2 if version == _MPEG_2_5 else 1)
    bit_rate = _KBITS[first, layer][bits - 1] * 1000
    samples = 384 if layer == _LAYER_1 else 576 if layer == _LAYER_3 and not first else 1152
    slot = 4 if layer == _LAYER_1 else 1
    length = (samples // 8 * bit_rate // hertz // slot + padding) * slot
    return Frame(head & 0xFFFE0C00, length, samples / hertz)


def _adts(head: int) -> Frame | None:
    rate, length, blocks = head >> 34 & 15, head >> 13 & 0x1FFF, (head & 3) + 1
    if rate >= len(_ADTS_RATES) or length < HEADER_BYTES:
        return None
    return Frame(rate, length, blocks * 1024 / _ADTS_RATES[rate])


def type_of_frames(head: bytes) -> str | None:
    """Return the media type of sound in frames by its beginning, which may be the middle of a frame.

    Three headers in a row are no accident; of a short file two, up to its end.
    """
    for found in _SYNC.finditer(head, 0, len(head) // 2):
        at, kind, count = found.start(), None, 0
        while count < 3 and at + HEADER_BYTES <= len(head):
            here = frame(head, at)
            if here is None or kind not in {None, here.kind}:
                break
            kind, at, count = here.kind, at + here.length, count + 1
        if kind is not None and (count == 3 or (count == 2 and at + HEADER_BYTES > len(head))):
            return "audio/aac" if kind < len(_ADTS_RATES) else "audio/mpeg"
    return None


class Frames:
    """Adds up how long a file's frames of MPEG audio or ADTS sound."""

    def __init__(self, begun: bytes) -> None:
        self.seconds = 0.0
        self.strides = Strides(_LOOK, self._step, begun)
        self._kind: int | None = None  # of the frame before
        self._first: Frame | None = None  # not counted before there is a second one

    def _step(self, data: bytes, at: int) -> int:
        here = frame(data, at)
        if here is None:
            # Tags at the end, or junk.
            self._kind = self._first = None
            found = _SYNC.search(data, at + 1)
            return (found.start() if found else max(at + 1, len(data) - 1)) - at
        if here.kind == self._kind:
            self.seconds += here.seconds + (self._first.seconds if self._first else 0)
            self._first = None
        else:
            self._kind, self._first = here.kind, here
            if not self.seconds and (count := _frame_count(data, at)):
                self.seconds = count * here.seconds
                return 0
        return here.length


def _frame_count(data: bytes, at: int) -> int:
    """Return how many frames follow, if the first one is there to say it, else 0."""
    if data[at + 36 : at + 40] == b"VBRI":
        return int.from_bytes(data[at + 50 : at + 54], "big")
    for place in (13, 21, 36):  # behind the side information, whose length depends on the channels
        if data[at + place : at + place + 4] in {b"Xing", b"Info"} and data[at + place + 7] & 1:
            return int.from_bytes(data[at + place + 8 : at + place + 12], "big")
    return 0


class AmrFrames:
    """Adds up how long the frames of AMR sound."""

    def __init__(self, magic: bytes) -> None:
        """`magic` is a file's first line; raises KeyError for one that is not known."""
        self.seconds = 0.0
        self.strides = Strides(1, self._step)
        self._sizes = _AMR_SIZES[magic]

    def _step(self, data: bytes, at: int) -> int:
        self.seconds += _AMR_SECONDS
        mode = data[at] >> 3 & 15
        return 1 + (self._sizes[mode] if mode < len(self._sizes) else 0)
