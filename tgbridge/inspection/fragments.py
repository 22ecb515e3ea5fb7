"""The fragments of an MP4 film, added up: how long each track has played by the end of the last one.

Source: ISO/IEC 14496-12 (sections 8.8.3, 8.8.7, 8.8.8, 8.8.12).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tgbridge.inspection.pulled import MOST_WANTED

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser

_MOST_TRACKS: Final = 256

# What a fragment's header has before its default duration, by its flags, and their bytes.
_HAS_OFFSET, _HAS_DESCRIPTION, _HAS_DURATION = 0x01, 0x02, 0x08
# The same of a run, and what it says of each sample.
_RUN_HAS_OFFSET, _RUN_HAS_FLAGS = 0x001, 0x004
_SAMPLE_DURATION, _SAMPLE_FIELDS = 0x100, (0x100, 0x200, 0x400, 0x800)


@dataclass(slots=True)
class _Track:
    default: int = 0
    began: int | None = None
    until: int = 0


class Fragments:
    """Keeps count of the tracks' time, each in its own timescale."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._track = _Track()  # of the fragment that is being read
        self._default = 0

    def played(self, number: int, before: int) -> int:
        """Return how long a track has played, of which the index alone has `before`.

        What was cut out of something longer begins at the time that it had there.
        """
        track = self._tracks.get(number, _Track())
        return track.until - (0 if before else track.began or 0)

    def defaults(self, body: bytes) -> None:
        """Read a `trex` box."""
        number, _, duration = struct.unpack_from(">III", body, 4)
        self._of(number).default = duration

    def begin(self, body: bytes) -> None:
        """Read a `tfhd` box."""
        flags, number = struct.unpack_from(">II", body)
        self._track = self._of(number)
        self._default = self._track.default
        if flags & _HAS_DURATION:
            at = 8 + 8 * bool(flags & _HAS_OFFSET) + 4 * bool(flags & _HAS_DESCRIPTION)
            (self._default,) = struct.unpack_from(">I", body, at)

    def at(self, body: bytes) -> None:
        """Read a `tfdt` box."""
        (self._track.until,) = struct.unpack_from(">Q" if body[0] else ">I", body, 4)
        if self._track.began is None:
            self._track.began = self._track.until

    def run(self) -> Parser:
        """Read a `trun` box, of any size."""
        flags, count = struct.unpack(">II", (yield 8))
        yield -4 * (bool(flags & _RUN_HAS_OFFSET) + bool(flags & _RUN_HAS_FLAGS))
        if not flags & _SAMPLE_DURATION:
            self._track.until += count * self._default
            return
        fields = sum(bool(flags & field) for field in _SAMPLE_FIELDS)
        most = MOST_WANTED // (4 * fields)
        while count:
            now = min(count, most)
            values = struct.unpack(f">{now * fields}I", (yield now * fields * 4))
            self._track.until += sum(values[::fields])  # the duration is the first
            count -= now

    def _of(self, number: int) -> _Track:
        if number not in self._tracks and len(self._tracks) == _MOST_TRACKS:
            raise ValueError("more tracks than a film has")
        return self._tracks.setdefault(number, _Track())
