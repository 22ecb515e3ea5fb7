"""Sound: how long it takes, who plays what, by tinytag.

A file is kept as excerpts: its beginning, where its tags are, the beginning of the sound behind the tags, and
the end, where Ogg and some tags say how long it is. MPEG-4 is read elsewhere (`isomedia`).
"""

from __future__ import annotations

from typing import BinaryIO, ClassVar, Final, cast

from tinytag import TinyTag, TinyTagException

from tgbridge.inspection.excerpts import Excerpts
from tgbridge.inspection.facts import Facts

AUDIO_TYPES: Final = frozenset(
    {
        "audio/aiff",
        "audio/flac",
        "audio/mp3",
        "audio/mpeg",
        "audio/ogg",
        "audio/opus",
        "audio/vnd.wave",
        "audio/vorbis",
        "audio/wav",
        "audio/wave",
        "audio/x-aiff",
        "audio/x-flac",
        "audio/x-ms-wma",
        "audio/x-wav",
    }
)

_HEAD_BYTES: Final = 64 * 1024
_SOUND_BYTES: Final = 16 * 1024
_TAIL_BYTES: Final = 64 * 1024  # a page of Ogg has less
_ID3_BYTES: Final = 10
_PAGE: Final = b"OggS"
_MOST_TEXT: Final = 256  # characters of a title


class AudioInspector:
    """Keeps excerpts, and has them read by tinytag."""

    keeps: ClassVar[int] = _HEAD_BYTES + _SOUND_BYTES + 2 * _TAIL_BYTES

    def __init__(self) -> None:
        self._excerpts = Excerpts(head=_HEAD_BYTES, tail=_TAIL_BYTES)
        self._sound: int | None = None  # where it begins

    def feed(self, data: memoryview) -> None:
        """Keep what is to be kept."""
        if self._sound is None:
            begin = bytes(self._excerpts.head) + bytes(data[:_ID3_BYTES])
            if len(begin) >= _ID3_BYTES:
                self._sound = _behind_id3(begin)
                self._excerpts.also(self._sound, _SOUND_BYTES)
        self._excerpts.feed(data)

    def facts(self) -> Facts:
        """Say what was found."""
        head = self._excerpts.head
        is_ogg = head.startswith(_PAGE)
        file = self._excerpts.spliced(_PAGE) if is_ogg else self._excerpts.open()
        try:
            tag = TinyTag.get(file_obj=cast("BinaryIO", file))
        except TinyTagException:
            return Facts(has_sound=True)
        # Without an index, tinytag counts an MP3's frames, which are not all there.
        lost = file.missed_at is not None and file.missed_at >= (self._sound or 0)
        return Facts(
            duration=None if lost and tag.mime_type == "audio/mpeg" else tag.duration or None,
            title=(tag.title or "")[:_MOST_TEXT],
            performer=(tag.artist or "")[:_MOST_TEXT],
            has_sound=True,
            is_opus=is_ogg and b"OpusHead" in head[:256],
        )


def _behind_id3(head: bytes) -> int:
    """Return where an ID3v2 tag ends (https://id3.org/id3v2.4.0-structure, section 3.1)."""
    if not head.startswith(b"ID3"):
        return 0
    size = 0
    for byte in head[6:_ID3_BYTES]:
        size = size << 7 | byte & 0x7F
    return _ID3_BYTES + size
