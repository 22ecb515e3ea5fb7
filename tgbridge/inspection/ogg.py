"""Ogg with sound in it: Opus, Vorbis, FLAC, Speex, page by page.

Sources: RFC 3533 (section 6), RFC 7845 (sections 4 and 5), the Vorbis I specification (section 4.2),
https://xiph.org/flac/ogg_mapping.html, https://www.speex.org/docs/manual/speex-manual/node8.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tgbridge.inspection.pulled import MOST_WANTED, Pulled, Strides
from tgbridge.inspection.tags import read_comments

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser
    from tgbridge.inspection.tags import Tags

PAGE: Final = b"OggS"

_HEAD_BYTES: Final = 27
_FIRST_PAGE: Final = 0x02
_CODEC_BYTES: Final = 64
_LOOK: Final = _HEAD_BYTES + 255 + _CODEC_BYTES
_NO_END: Final = 2**64 - 1  # no packet ends on this page
_MOST_PAGES: Final = 3_000  # that are looked at for comments: a picture of 12 MB and more among them


class _Codec(NamedTuple):
    """How a stream counts time, and how many bytes stand before its comments."""

    is_opus: bool
    rate: int
    skipped: int
    before_comments: int


def _codec(packet: bytes) -> _Codec | None:
    if packet.startswith(b"OpusHead"):
        return _Codec(True, 48_000, int.from_bytes(packet[10:12], "little"), 8)
    if packet.startswith(b"\x01vorbis"):
        return _Codec(False, int.from_bytes(packet[12:16], "little"), 0, 7)
    if packet.startswith(b"\x7fFLAC"):
        return _Codec(False, int.from_bytes(packet[27:30], "big") >> 4, 0, 4)
    if packet.startswith(b"Speex   "):
        return _Codec(False, int.from_bytes(packet[36:40], "little"), 0, 0)
    return None


class OggSound:
    """Reads the comments of the first stream of sound, and what the last page says of the time."""

    def __init__(self, tags: Tags) -> None:
        self.strides = Strides(_LOOK, self._step)
        self._tags = tags
        self._codec: _Codec | None = None
        self._serial = b""
        self._granule = 0
        self._before = 0.0  # seconds of the streams that came before, one after the other

    @property
    def is_opus(self) -> bool:
        """Whether its sound is Opus."""
        return self._codec is not None and self._codec.is_opus

    @property
    def seconds(self) -> float:
        """How long it sounds."""
        codec = self._codec
        if codec is None or not codec.rate:
            return self._before
        return self._before + max(0, self._granule - codec.skipped) / codec.rate

    def read(self) -> Parser:
        """Read a file whose first four bytes were read."""
        comments: Pulled | None = None
        head = PAGE + (yield _HEAD_BYTES - len(PAGE))
        for _ in range(_MOST_PAGES):
            if not head.startswith(PAGE):
                raise ValueError("no page where one has to be")
            left = sum((yield head[26])) if head[26] else 0
            if head[5] & _FIRST_PAGE or self._codec is None:
                packet = yield min(left, _CODEC_BYTES)
                left -= len(packet)
                self._begins(head, packet)
            elif self._codec is not None and head[14:18] == self._serial:
                self._lasts(head)
                if comments is None:
                    comments = Pulled(self._comments(self._codec))
                while left and not comments.over:
                    piece = yield min(left, MOST_WANTED)
                    left -= len(piece)
                    comments.feed(memoryview(piece))
            yield -left
            if comments is not None and comments.over:
                break
            head = yield _HEAD_BYTES
        yield self.strides

    def _comments(self, codec: _Codec) -> Parser:
        yield -codec.before_comments
        yield from read_comments(self._tags)

    def _begins(self, head: bytes, packet: bytes) -> None:
        codec = _codec(packet)
        # Beside the first one others may sound; after its end others may follow.
        if codec is not None and (self._codec is None or self._granule):
            self._before = self.seconds
            self._codec, self._serial, self._granule = codec, head[14:18], 0

    def _lasts(self, head: bytes) -> None:
        granule = int.from_bytes(head[6:14], "little")
        if granule != _NO_END:
            self._granule = granule

    def _step(self, data: bytes, at: int) -> int:
        head = data[at : at + _HEAD_BYTES]
        if not head.startswith(PAGE):
            found = data.find(PAGE, at + 1)
            return (found if found >= 0 else max(at + 1, len(data) - 3)) - at
        body = at + _HEAD_BYTES + head[26]
        if head[5] & _FIRST_PAGE:
            self._begins(head, data[body : body + _CODEC_BYTES])
        elif head[14:18] == self._serial:
            self._lasts(head)
        return body - at + sum(data[at + _HEAD_BYTES : body])
