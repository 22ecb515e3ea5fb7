"""Sound: how long it takes, who plays what, read as it passes by. MPEG-4 is read elsewhere (`isomedia`).

Which of the formats it is, its first bytes say, behind the tags that may stand before any of them.

Libraries read files that are there as a whole; of one that passes by they would have to be given excerpts,
and neither the title behind a picture nor the length that only all frames tell is in an excerpt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from tgbridge.inspection.chunks import MAGICS, ChunkedSound
from tgbridge.inspection.facts import Facts
from tgbridge.inspection.flac import MAGIC, FlacSound
from tgbridge.inspection.frames import AmrFrames, Frames
from tgbridge.inspection.ogg import PAGE, OggSound
from tgbridge.inspection.pulled import MOST_WANTED, Pulled
from tgbridge.inspection.tags import ID3_V1_BYTES, Tags, read_id3, read_id3_v1

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser

AUDIO_TYPES: Final = frozenset(
    {
        "audio/aac",
        "audio/aacp",
        "audio/aiff",
        "audio/amr",
        "audio/flac",
        "audio/mp3",
        "audio/mpeg",
        "audio/ogg",
        "audio/opus",
        "audio/vnd.wave",
        "audio/vorbis",
        "audio/wav",
        "audio/wave",
        "audio/x-aac",
        "audio/x-aiff",
        "audio/x-flac",
        "audio/x-ms-wma",
        "audio/x-wav",
    }
)

_MOST_TAGS: Final = 16


class AudioInspector:
    """Reads the tags that say something and the frames, pages or chunks behind them."""

    keeps: ClassVar[int] = 2 * MOST_WANTED + ID3_V1_BYTES

    def __init__(self) -> None:
        self._tags = Tags()
        self._pulled = Pulled(self._read())
        self._end = b""
        self._sound: FlacSound | OggSound | AmrFrames | Frames | None = None
        self._chunks: ChunkedSound | None = None

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes."""
        self._pulled.feed(data)
        self._end = (self._end + data[-ID3_V1_BYTES:])[-ID3_V1_BYTES:]

    def facts(self) -> Facts:
        """Say what was found."""
        self._pulled.end()
        read_id3_v1(self._end, self._tags)
        return Facts(
            duration=self._duration(),
            title=self._tags.title,
            performer=self._tags.performer,
            has_sound=True,
            is_opus=isinstance(self._sound, OggSound) and self._sound.is_opus,
        )

    def _duration(self) -> float:
        sound, size = self._sound, self._pulled.size
        if self._chunks is not None:
            return self._chunks.lasts(size)
        if sound is None:
            return 0.0
        return sound.strides.whole(sound.seconds, size - self._pulled.at)

    def _read(self) -> Parser:
        magic = yield 4
        for _ in range(_MOST_TAGS):
            if not magic.startswith(b"ID3"):
                break
            yield from read_id3(magic + (yield 6), self._tags)
            magic = yield 4
        if magic == MAGIC:
            self._sound = FlacSound(self._tags)
            yield from self._sound.read()
        elif magic == PAGE:
            self._sound = OggSound(self._tags)
            yield from self._sound.read()
        elif magic == b"#!AM":
            line = yield 2
            self._sound = AmrFrames(magic + (line if line == b"R\n" else line + (yield 3)))
            yield self._sound.strides
        elif magic in MAGICS:
            self._chunks = ChunkedSound(self._tags)
            yield from self._chunks.read(magic, self._pulled)
        else:
            self._sound = Frames(magic)
            yield self._sound.strides
