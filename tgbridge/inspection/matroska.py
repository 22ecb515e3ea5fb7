"""Matroska and WebM: elements within elements, up to the first cluster, before which all that counts stands.

Browsers record WebM, and know neither its length nor that of the parts that are still growing: then the time
of the last block tells it.

Sources: RFC 8794 (sections 4 to 6), RFC 9559 (sections 5.1 and 10).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from tgbridge.inspection.facts import Facts, seconds
from tgbridge.inspection.pulled import MOST_WANTED, Pulled, Strides

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

_TIMESTAMP: Final = 0xE7
_BLOCK_GROUP: Final = 0xA0
_BLOCKS: Final = frozenset({0xA1, 0xA3})  # in a group, and alone
_BLOCK_DURATION: Final = 0x9B
_LOOK: Final = 24  # an id, a size, and what a block says of its time

_MASTERS: Final = frozenset({_SEGMENT, _INFO, _TRACKS, _TRACK, _VIDEO})
_VALUES: Final = frozenset({_TIMESTAMP_SCALE, _DURATION, _TRACK_TYPE, _CODEC, _WIDTH, _HEIGHT})
_IS_VIDEO: Final = 1
_IS_SOUND: Final = 2
_MOST_ELEMENTS: Final = 3_000  # before the first cluster, in some 40 ms
_DEFAULT_SCALE: Final = 1_000_000  # nanoseconds
_NANO: Final = 1e9
_MOST_NUMBER: Final = 8  # bytes (RFC 8794, section 7)


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
        self._clusters: _Clusters | None = None
        self._pulled = Pulled(self._walk())

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes."""
        self._pulled.feed(data)

    def facts(self) -> Facts:
        """Say what was found."""
        if not self._tracks:
            return Facts()
        self._pulled.end()
        videos = [track for track in self._tracks if track.kind == _IS_VIDEO]
        shown = max(videos, key=lambda track: track.width * track.height, default=_Track())
        # Before the first cluster has come, more tracks may.
        missing = None if self._clusters is None else False
        return Facts(
            width=shown.width or None,
            height=shown.height or None,
            duration=self._told() or self._counted(),
            has_video=bool(videos) or missing,
            has_sound=any(track.kind == _IS_SOUND for track in self._tracks) or missing,
            video_codec=shown.codec,
        )

    def _told(self) -> float | None:
        return seconds(self._duration * self._scale / _NANO)

    def _counted(self) -> float | None:
        if self._clusters is None:
            return None
        ticks = self._clusters.strides.whole(self._clusters.ticks, self._pulled.size - self._pulled.at)
        return ticks * self._scale / _NANO

    def _walk(self) -> Parser:
        # Nothing has to be known of where a master ends: what follows it says by its id what it is.
        for _ in range(_MOST_ELEMENTS):
            element = yield from _head()
            if element.id == _CLUSTER:
                self._clusters = _Clusters()
                if not self._told():
                    yield self._clusters.strides
                return
            if element.id in _MASTERS:
                if element.id == _TRACK:
                    self._tracks.append(_Track())
            elif element.size is None:
                return
            elif element.id == _CODEC or (element.id in _VALUES and element.size <= _MOST_NUMBER):
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


class _Clusters:
    """Goes from block to block, and notes their time."""

    def __init__(self) -> None:
        self.strides = Strides(_LOOK, self._step)
        self._first: int | None = None
        self._last = 0
        self._cluster = 0  # the time at which the present one begins

    @property
    def ticks(self) -> int:
        """How long the film is, in its own unit of time."""
        return self._last - (self._first or 0)

    def _step(self, data: bytes, at: int) -> int:
        first = data[at]
        size_at = at + 9 - first.bit_length()
        if not first or size_at > at + 4 or not data[size_at]:
            return 0  # there is no such id, and no such size
        body = size_at + 9 - data[size_at].bit_length()
        mask = (1 << 7 * (body - size_at)) - 1
        size = int.from_bytes(data[size_at:body], "big") & mask
        element = first if size_at == at + 1 else int.from_bytes(data[at:size_at], "big")
        if element in _BLOCKS:
            time = body + 9 - data[body].bit_length()  # behind the track's number
            self._note(self._cluster + int.from_bytes(data[time : time + 2], "big", signed=True))
        elif element in {_BLOCK_GROUP, _CLUSTER}:
            return body - at
        elif size == mask:
            return 0
        elif element == _TIMESTAMP:
            self._cluster = int.from_bytes(data[body : body + min(size, _MOST_NUMBER)], "big")
        elif element == _BLOCK_DURATION:
            self._note(self._last + int.from_bytes(data[body : body + min(size, _MOST_NUMBER)], "big"))
        return body - at + size

    def _note(self, time: int) -> None:
        self._first = time if self._first is None else min(self._first, time)
        self._last = max(self._last, time)


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
