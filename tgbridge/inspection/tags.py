"""What songs are called, and who plays them: ID3, in all versions, and the comments of Vorbis.

Pictures stand between these texts, of any size: they are skipped.

Sources: https://id3.org/id3v2.4.0-structure, https://id3.org/id3v2.3.0, https://id3.org/id3v2-00, and
https://www.xiph.org/vorbis/doc/v-comment.html, of which Opus (RFC 7845, section 5.2) and FLAC (RFC 9639,
section 8.6) say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tgbridge.inspection.charsets import readable
from tgbridge.inspection.pulled import MOST_WANTED, Strides, within

if TYPE_CHECKING:
    from tgbridge.inspection.pulled import Parser

ID3_HEAD_BYTES: Final = 10
ID3_V1_BYTES: Final = 128
"""The older kind of tag is a file's end."""

_MOST_TEXT: Final = 1024  # bytes of a text that are read
_MOST_ENTRIES: Final = 3_000
_FOOTER: Final = 0x10
_UNSYNCHRONISED, _EXTENDED = 0x80, 0x40
_TITLES: Final = frozenset({b"TIT2", b"TT2"})
_PERFORMERS: Final = frozenset({b"TPE1", b"TP1"})
# How a frame's second byte of flags says that it cannot be read as it is, or begins later (2.3, 2.4).
_UNREADABLE: Final = {3: 0xC0, 4: 0x0C}
_GROUPED: Final = {3: 0x20, 4: 0x40}
_FRAME_UNSYNCHRONISED, _FRAME_HAS_LENGTH = 0x02, 0x01
_ENCODINGS: Final = ("", "utf-16", "utf-16-be", "utf-8")


@dataclass(slots=True)
class Tags:
    """What was found; of several texts the first counts."""

    title: str = ""
    performer: str = ""

    def take(self, kind: bytes, text: str) -> None:
        """Take a text of ID3."""
        if kind in _TITLES:
            self.title = self.title or text
        else:
            self.performer = self.performer or text


def read_id3(head: bytes, tags: Tags) -> Parser:
    """Read a tag of ID3v2, whose first ten bytes are `head`, up to its end."""
    version, flags = head[3], head[5]
    body = _id3_frames(version, flags, tags)
    # Up to 2.3 all of a tag was made so that it never looks like sound, before the sizes in it were taken.
    if flags & _UNSYNCHRONISED and version < 4:
        body = _synchronised(body)
    yield from within(body, _synchsafe(head[6:10]) + (10 if version == 4 and flags & _FOOTER else 0))


def read_id3_v1(end: bytes, tags: Tags) -> None:
    """Read the older kind of tag, if a file's last 128 bytes are one."""
    if len(end) == ID3_V1_BYTES and end.startswith(b"TAG"):
        for kind, raw in ((b"TIT2", end[3:33]), (b"TPE1", end[33:63])):
            tags.take(kind, readable(raw.partition(b"\0")[0]).strip())


def read_comments(tags: Tags) -> Parser:
    """Read the comments of Vorbis, from their vendor on."""
    yield -int.from_bytes((yield 4), "little")
    for _ in range(min(int.from_bytes((yield 4), "little"), _MOST_ENTRIES)):
        size = int.from_bytes((yield 4), "little")
        name, _, text = (yield min(size, _MOST_TEXT)).partition(b"=")
        if name.upper() == b"TITLE":
            tags.take(b"TIT2", text.decode(errors="replace"))
        elif name.upper() == b"ARTIST":
            tags.take(b"TPE1", text.decode(errors="replace"))
        yield min(0, _MOST_TEXT - size)


def _synchsafe(raw: bytes) -> int:
    """Read 28 bits of which seven are in each byte; a byte with eight is from a writer who did not know."""
    if max(raw) > 0x7F:
        return int.from_bytes(raw, "big")
    return raw[0] << 21 | raw[1] << 14 | raw[2] << 7 | raw[3]


def _id3_frames(version: int, flags: int, tags: Tags) -> Parser:
    if flags & _EXTENDED and version > 2:
        raw = yield 4
        yield -(_synchsafe(raw) - 4 if version == 4 else int.from_bytes(raw, "big"))
    for _ in range(_MOST_ENTRIES):
        head = (yield 6) + bytes(4) if version == 2 else (yield 10)
        kind, raw, frame_flags = (head[:3], head[3:6], 0) if version == 2 else (head[:4], head[4:8], head[9])
        size = _synchsafe(raw) if version == 4 else int.from_bytes(raw, "big")
        if not kind[0]:
            return  # padding
        known = kind in _TITLES or kind in _PERFORMERS
        if not known or frame_flags & _UNREADABLE.get(version, 0):
            yield -size
            continue
        body = yield min(size, _MOST_TEXT)
        yield min(0, _MOST_TEXT - size)
        begin = 1 if frame_flags & _GROUPED.get(version, 0) else 0
        if version == 4:
            begin += 4 if frame_flags & _FRAME_HAS_LENGTH else 0
            if (flags & _UNSYNCHRONISED) or (frame_flags & _FRAME_UNSYNCHRONISED):
                body = body.replace(b"\xff\x00", b"\xff")
        tags.take(kind, _id3_text(body[begin:]))


def _id3_text(body: bytes) -> str:
    encoding, raw = body[0], body[1:]
    if encoding in {1, 2}:
        raw = raw[: len(raw) & ~1]
    # Latin-1 is what the first one should be, and what writers of other scripts have never cared for.
    text = raw.decode(_ENCODINGS[encoding], "replace") if encoding else readable(raw.partition(b"\0")[0])
    return text.partition("\0")[0]


def _synchronised(parser: Parser) -> Parser:
    """Let a parser read what was there before a zero was put behind each byte of eight ones."""
    follows = False  # the last byte was one of those
    answer: bytes | None = None
    while True:
        try:
            wish = next(parser) if answer is None else parser.send(answer)
        except StopIteration:
            return
        if isinstance(wish, Strides) or wish > MOST_WANTED:
            return
        left, kept = abs(wish), bytearray()
        while left:
            piece = yield min(left, MOST_WANTED)
            ends = piece.endswith(b"\xff")
            if follows and piece.startswith(b"\0"):
                piece = piece[1:]
            piece = piece.replace(b"\xff\0", b"\xff")
            follows, left = ends, left - len(piece)
            if wish > 0:
                kept += piece
        answer = bytes(kept)
