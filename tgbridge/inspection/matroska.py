"""Matroska and WebM: elements within elements, up to the first cluster, before which all that counts stands.

Browsers record WebM, and know neither its length nor that of the parts that are still growing.

Sources: RFC 8794 (sections 4 to 6), RFC 9559 (section 5.1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from tgbridge.inspection.facts import Facts
from tgbridge.inspection.pulled import MOST_WANTED, Pulled

if TYPE_CHECKING:
    from collections.abc import Generator

    from tgbridge.inspection.pulled import Parser

MATROSKA_TYPES: Final = frozenset(
    {"audio/webm", "audio/x-matroska", "video/matroska", "video/webm", "video/x-matroska"}
)

_SEGMENT: Final = 0x18538067
_CLUSTER: Final = 0x1F43B675
_INFO: Final = 0x1549A966
_TIMESTAMP_SCALE: Final = 0x2AD7B1
_DURATION: Final = 0x4489
_TRACKS: Final = 0x1654AE6B
_TRACK: Final = 0xAE
_TRACK_TYPE: Final = 0x83
_CODEC: Final = 0x86
_VIDEO: Final = 0xE0
_WIDTH: Final = 0xB0
_HEIGHT: Final = 0xBA

_MASTERS: Final = frozenset({_SEGMENT, _INFO, _TRACKS, _TRACK, _VIDEO})
_VALUES: Final = frozenset({_TIMESTAMP_SCALE, _DURATION, _TRACK_TYPE, _CODEC, _WIDTH, _HEIGHT})
_IS_VIDEO: Final = 1
_IS_SOUND: Final = 2
_MOST_ELEMENTS: Final = 10_000
_DEFAULT_SCALE: Final = 1_000_000  # nanoseconds


@dataclass(slots=True)
class _Track:
    kind: int = 0
    codec: str = ""
    width: int = 0
    height: int = 0


class _Element(NamedTuple):
    id: int
    size: int | None  # None: up to the next element that can't be inside it


class MatroskaInspector:
    """Reads the elements that say something, and skips the others."""

    keeps: ClassVar[int] = MOST_WANTED

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._scale = _DEFAULT_SCALE
        self._duration = 0.0
        self._pulled = Pulled(self._walk())

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes."""
        self._pulled.feed(data)

    def facts(self) -> Facts:
        """Say what was found."""
        if not self._tracks:
            return Facts()
        videos = [track for track in self._tracks if track.kind == _IS_VIDEO]
        shown = max(videos, key=lambda track: track.width * track.height, default=_Track())
        return Facts(
            width=shown.width or None,
            height=shown.height or None,
            duration=self._duration * self._scale / 1e9 or None,
            has_video=bool(videos),
            has_sound=any(track.kind == _IS_SOUND for track in self._tracks),
            video_codec=shown.codec,
        )

    def _walk(self) -> Parser:
        # Nothing has to be known of where a master ends: what follows it says by its id what it is.
        for _ in range(_MOST_ELEMENTS):
            element = yield from _head()
            if element.id == _CLUSTER:
                return
            if element.id in _MASTERS:
                if element.id == _TRACK:
                    self._tracks.append(_Track())
            elif element.size is None:
                return
            elif element.id in _VALUES:
                self._value(element.id, (yield element.size))
            else:
                yield -element.size

    def _value(self, element: int, data: bytes) -> None:
        number = int.from_bytes(data, "big")
        if element == _TIMESTAMP_SCALE:
            self._scale = number
        elif element == _DURATION:
            (self._duration,) = struct.unpack(">f" if len(data) == struct.calcsize("f") else ">d", data)
        elif element == _TRACK_TYPE:
            self._tracks[-1].kind = number
        elif element == _CODEC:
            self._tracks[-1].codec = data.decode("ascii", "replace")
        elif element == _WIDTH:
            self._tracks[-1].width = number
        else:
            self._tracks[-1].height = number


def _head() -> Generator[int, bytes, _Element]:
    """Read an element's id, marker bits included, and its size without them (RFC 8794, section 4)."""
    first = yield 1
    length = 9 - first[0].bit_length()
    identity = int.from_bytes(first + (yield length - 1), "big")
    first = yield 1
    length = 9 - first[0].bit_length()
    mask = (1 << 7 * length) - 1
    size = int.from_bytes(first + (yield length - 1), "big") & mask
    return _Element(identity, None if size == mask else size)
