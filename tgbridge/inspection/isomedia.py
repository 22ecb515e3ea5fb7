"""MP4, QuickTime and their kin: boxes within boxes, read as they pass by, wherever the index stands.

Films that are recorded in fragments may say nowhere how long they are: the fragments are added up then.

Sources: ISO/IEC 14496-12 (sections 4.2, 8.2.2, 8.3.2, 8.4.2, 8.4.3, 8.5.2, 8.8), Apple's QuickTime File
Format Specification for `ilst`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from tgbridge.inspection.facts import Facts
from tgbridge.inspection.fragments import Fragments
from tgbridge.inspection.pulled import MOST_WANTED, Pulled, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.inspection.pulled import Parser

ISO_MEDIA_TYPES: Final = frozenset(
    {
        "audio/3gpp",
        "audio/m4a",
        "audio/mp4",
        "audio/x-m4a",
        "audio/x-m4b",
        "video/3gpp",
        "video/3gpp2",
        "video/mp4",
        "video/quicktime",
        "video/x-m4v",
    }
)

_SIZE_FOLLOWS: Final = 1
_TO_THE_END: Final = 0
_MOST_BOXES: Final = 6_000  # that are looked at, in some 50 ms: a hostile file has any number
_MOST_TEXT: Final = 256  # characters of a title
_UNKNOWN_DURATIONS: Final = frozenset({0, 2**32 - 1, 2**64 - 1})


_Leaf: TypeAlias = "Callable[[IsoMediaInspector, bytes], None]"
_Tree: TypeAlias = "dict[bytes, _Tree | _Leaf]"


@dataclass(slots=True)
class _Track:
    handler: bytes = b""
    codec: str = ""
    width: int = 0
    height: int = 0
    number: int = 0
    timescale: int = 0
    duration: int = 0  # in the track's own timescale


class IsoMediaInspector:
    """Reads the boxes that say something, and skips the others; holds one small box at a time."""

    keeps: ClassVar[int] = MOST_WANTED

    def __init__(self) -> None:
        self._facts = Facts()
        self._tracks: list[_Track] = []
        self._fragments = Fragments()
        self._boxes = 0
        self._spent_at: int | None = None  # where too many boxes had been looked at
        self._timescale = 0
        self._index_seen = self._index_read = self._data_seen = False
        self._pulled = Pulled(self._walk(None, self._TREE))

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes."""
        self._pulled.feed(data)

    def facts(self) -> Facts:
        """Say what was found."""
        if not self._index_seen:
            return self._facts
        videos = [track for track in self._tracks if track.handler == b"vide"]
        shown = max(videos, key=lambda track: track.width * track.height, default=_Track())
        # What is not in an index that could not be read to its end is not known to be missing.
        missing = False if self._index_read else None
        return replace(
            self._facts,
            width=shown.width or None,
            height=shown.height or None,
            duration=self._duration(),
            has_video=bool(videos) or missing,
            has_sound=any(track.handler == b"soun" for track in self._tracks) or missing,
            video_codec=shown.codec,
        )

    def _duration(self) -> float | None:
        """Return the length that the index tells, or that of the fragments, if they are longer."""
        tracks = [track for track in self._tracks if track.timescale]
        played = [self._fragments.played(track.number, track.duration) / track.timescale for track in tracks]
        told = self._facts.duration
        if told is None:
            told = max((track.duration / track.timescale for track in tracks), default=0)
        # The rest of very many fragments is as the part before it.
        more = self._pulled.size / self._spent_at if self._spent_at else 1
        return max((told, *(seconds * more for seconds in played)))

    @property
    def _at(self) -> int:
        return self._pulled.at

    def _walk(self, end: int | None, tree: _Tree) -> Parser:
        """Read the boxes up to `end`, as far as `tree` names them."""
        while end is None or self._at + 8 <= end:
            self._boxes += 1
            if self._boxes > _MOST_BOXES:
                self._spent_at = self._spent_at or self._at
                raise ValueError("more boxes than a file has")
            start = self._at
            head = yield 8
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if size == _SIZE_FOLLOWS:
                size = int.from_bytes((yield 8), "big")
            if size == _TO_THE_END and end is None:
                self._seen(kind)
                return
            stop = end if size == _TO_THE_END else start + size
            if stop is None or stop < self._at or (end is not None and stop > end):
                raise ValueError("a box that does not fit into its own")
            self._seen(kind)
            yield from self._read(kind, tree.get(kind), stop)
            if self._at > stop:
                raise ValueError("a box shorter than what it has to hold")
            yield self._at - stop  # skips what is left

    def _read(self, kind: bytes, known: _Tree | _Leaf | None, stop: int) -> Parser:
        """Read a box up to `stop`, or some of it."""
        if kind == b"trun" and known is not None:
            yield from within(self._fragments.run(), stop - self._at)
        elif isinstance(known, dict):
            if kind == b"meta":
                yield 4  # version and flags
            yield from within(self._walk(stop, known), stop - self._at)
            self._index_read = self._index_read or kind == b"moov"
        elif known is not None:
            known(self, (yield min(stop - self._at, MOST_WANTED)))

    def _seen(self, kind: bytes) -> None:
        if kind == b"trak":
            self._tracks.append(_Track())
        elif kind == b"mdat":
            self._data_seen = True
        elif kind == b"moov":
            self._index_seen = True
            self._facts = replace(self._facts, streamable=not self._data_seen)

    # The boxes that say something

    def _movie_header(self, body: bytes) -> None:
        layout, at = (">IQ", 20) if body[0] else (">II", 12)
        self._timescale, duration = struct.unpack_from(layout, body, at)
        self._lasts(duration)

    def _media_header(self, body: bytes) -> None:
        form, at = (">IQ", 20) if body[0] else (">II", 12)
        timescale, duration = struct.unpack_from(form, body, at)
        known = 0 if duration in _UNKNOWN_DURATIONS else duration
        self._tracks[-1].timescale, self._tracks[-1].duration = timescale, known

    def _fragments_header(self, body: bytes) -> None:
        self._lasts(int.from_bytes(body[4:12] if body[0] else body[4:8], "big"))

    def _lasts(self, duration: int) -> None:
        if self._timescale and duration not in _UNKNOWN_DURATIONS:
            self._facts = replace(self._facts, duration=duration / self._timescale)

    def _track_header(self, body: bytes) -> None:
        at = 52 if body[0] else 40  # of the matrix a, b, u, c, d, v, x, y, w; width and height follow
        a, b, _, c, d = struct.unpack_from(">5i", body, at)
        width, height = struct.unpack_from(">II", body, at + 36)
        turned = not a and not d and b and c
        pixels = width >> 16, height >> 16  # fixed point, 16.16
        self._tracks[-1].width, self._tracks[-1].height = reversed(pixels) if turned else pixels
        self._tracks[-1].number = int.from_bytes(body[20:24] if body[0] else body[12:16], "big")

    def _handler(self, body: bytes) -> None:
        if not self._tracks[-1].handler:  # in QuickTime, a second one speaks of the data
            self._tracks[-1].handler = body[8:12]

    def _sample_description(self, body: bytes) -> None:
        self._tracks[-1].codec = body[12:16].decode("ascii", "replace")

    def _track_defaults(self, body: bytes) -> None:
        self._fragments.defaults(body)

    def _fragment_header(self, body: bytes) -> None:
        self._fragments.begin(body)

    def _fragment_time(self, body: bytes) -> None:
        self._fragments.at(body)

    def _title(self, body: bytes) -> None:
        self._facts = replace(self._facts, title=_text(body))

    def _performer(self, body: bytes) -> None:
        self._facts = replace(self._facts, performer=_text(body))

    _TREE: ClassVar[_Tree] = {
        b"moov": {
            b"mvhd": _movie_header,
            b"mvex": {b"mehd": _fragments_header, b"trex": _track_defaults},
            b"trak": {
                b"tkhd": _track_header,
                b"mdia": {
                    b"mdhd": _media_header,
                    b"hdlr": _handler,
                    b"minf": {b"stbl": {b"stsd": _sample_description}},
                },
            },
            b"udta": {
                b"meta": {b"ilst": {b"\xa9nam": {b"data": _title}, b"\xa9ART": {b"data": _performer}}},
            },
        },
        b"moof": {b"traf": {b"tfhd": _fragment_header, b"tfdt": _fragment_time, b"trun": {}}},
    }


def _text(body: bytes) -> str:
    return body[8:].decode(errors="replace")[:_MOST_TEXT]  # behind type and locale
