"""Real files, damaged where it hurts, and what must hold whatever they say.

Run for longer: FUZZ_ROUNDS=100000 python -m pytest tests/inspection/test_fuzz.py. A failure names the round.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any, Final

from tests.inspection.reading import FILES, cut, type_of
from tgbridge.inspection import facts as rules
from tgbridge.inspection import inspector_for
from tgbridge.inspection.sniffing import HEAD_BYTES, really
from tgbridge.telegram.saved.outgoing import OutgoingFile
from tgbridge.telegram.transfer.upload.ways import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.inspection import Facts

_MOST: Final = 2**31 - 1

# Behind these stands what a reader believes.
_MARKS: Final = (
    *(
        b"mvhd",
        b"tkhd",
        b"mdhd",
        b"mehd",
        b"trex",
        b"tfhd",
        b"tfdt",
        b"trun",
        b"stsd",
        b"hdlr",
        b"ispe",
        b"meta",
    ),
    *(
        b"\x2a\xd7\xb1",
        b"\x44\x89",
        b"\xb0",
        b"\xba",
        b"\xe7",
        b"\xa3",
        b"\x1f\x43\xb6\x75",
        b"\xae",
        b"\xe0",
    ),
    *(b"fmt ", b"data", b"LIST", b"COMM", b"fLaC", b"OggS", b"OpusHead", b"OpusTags", b"vorbis", b"title="),
    *(
        b"ID3",
        b"TIT2",
        b"TPE1",
        b"Xing",
        b"Info",
        b"IHDR",
        b"VP8 ",
        b"\xff\xc0",
        b"\xff\xe0",
        b"GIF8",
        b"II*\0",
    ),
    *(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"), bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")),
)
_EBML: Final = (b"\x2a\xd7\xb1", b"\x44\x89", b"\xb0", b"\xba", b"\xe7")
_NUMBERS: Final = (
    *(struct.pack(">d", value) for value in (float("nan"), float("inf"), -float("inf"), 1e308, -1.0)),
    *(struct.pack(">f", value) for value in (float("nan"), float("inf"))),
    *(struct.pack(order + form, value) for order in "<>" for form, value in (("I", 2**31), ("Q", 2**40))),
    *(b"\xff" * size for size in (1, 2, 4, 8, 200)),
    *(bytes(size) for size in (1, 2, 4, 8)),
    *(b"\x7f" + b"\xff" * size for size in (3, 7)),
    *(b"\x40" + bytes(size) for size in (1, 3, 7, 200)),
)


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change a file in one to four places."""
    for _ in range(rng.randint(1, 4)):
        at, number = rng.randrange(len(data) + 1), rng.choice(_NUMBERS)
        found = [mark for mark in _MARKS if mark in data]
        if found and rng.random() < 0.7:
            mark = rng.choice(found)
            places = [n for n in range(min(len(data), 4096)) if data.startswith(mark, n)]
            at = (rng.choice(places) if places else data.index(mark)) + len(mark)
            if mark in _EBML:  # a size, and so many bytes
                old = data[at] & 0x7F if at < len(data) and data[at] & 0x80 else 0
                size = struct.pack(">H", len(number) | 0x4000)
                data = data[:at] + size + number + data[at + 1 + old :]
                continue
            at += rng.choice((0, 0, 4, 8, 12, 16, 20, 24, 76, 80))
        match rng.randrange(6):
            case 0:
                data = data[:at] + rng.randbytes(rng.randint(1, 16)) + data[at:]
            case 1:
                data = data[:at] + data[at + rng.randint(1, 64) :]
            case 2:
                data = data[:at]
            case 3:
                data = data[:at] + data[rng.randrange(len(data) + 1) :]
            case _:
                data = data[:at] + number + data[at + len(number) :]
    return data


def run(rounds: int, *, seed: int, names: Iterable[str] = FILES) -> None:
    """Read damaged files. Raises AssertionError for a round that shows a fault."""
    named = list(names)
    for number in range(rounds):
        rng = random.Random(f"{seed}-{number}")
        name = named[number % len(named)]
        data = damaged(FILES[name], rng)
        try:
            check(data, name, piece=rng.choice((1, 100, 4096, 1 << 20)) if len(data) < 2000 else 4096)
        except Exception as error:
            raise AssertionError(f"{name}, seed {seed}, round {number}: {error!r}") from error


def check(data: bytes, name: str, *, piece: int) -> None:
    """Read a file, and send what is found to Telegram, as far as its bytes. Raises whatever goes wrong."""
    mime_type = type_of(name)
    really(mime_type, data[:HEAD_BYTES])
    inspector: Any = inspector_for(mime_type)
    reader = inspector._inspector  # unguarded: a reader's error costs all that it has found
    for part in cut(data, piece):
        reader.feed(memoryview(part))
    facts: Facts = rules.sane(reader.facts())
    assert facts.duration is None or 0 < facts.duration <= _MOST
    assert all(extent is None or 0 < extent <= _MOST for extent in (facts.width, facts.height))
    assert len(facts.title) <= 256
    assert "\n" not in facts.title
    stored = StoredFile(file_id=1, parts=1, size=len(data), md5=None)
    for as_document in (False, True):
        bytes(OutgoingFile(stored, name, mime_type, facts, as_document=as_document).media())
