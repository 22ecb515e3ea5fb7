"""Sound: tags behind pictures of any size, and lengths that only the passing bytes tell."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inspection.reading import FILES, facts
from tgbridge.inspection import Facts
from tgbridge.inspection.pulled import MOST_STRIDES
from tgbridge.sandbox.media import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

TUNE = DOCUMENTS["tune"].blob.read(0, 1 << 20)
VOICE = DOCUMENTS["voice"].blob.read(0, 1 << 20)
MIB = 1 << 20
PICTURE = bytes(range(256)) * (4 * 4096)  # 4 MiB, in which all bytes are
FRAME = b"\xff\xfb\x90\x64" + bytes(413)  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz
FRAME_SECONDS = 1152 / 44_100


# ID3


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(*frames: tuple[bytes, bytes], version: int = 4, flags: int = 0, frame_flags: int = 0) -> bytes:
    """A tag in any version; flag 0x80 up to 2.3 puts zeros into all of it, 0x02 in 2.4 into each frame."""
    body = b""
    for kind, content in frames:
        data = content.replace(b"\xff", b"\xff\0") if frame_flags & 2 else content
        if version == 2:
            body += kind + len(data).to_bytes(3, "big") + data
        else:
            size = synchsafe(len(data)) if version == 4 else struct.pack(">I", len(data))
            body += kind + size + bytes((0, frame_flags)) + data
    if flags & 0x80 and version < 4:
        body = body.replace(b"\xff", b"\xff\0")
    body += bytes(64)
    return b"ID3" + bytes((version, 0, flags)) + synchsafe(len(body)) + body


def song(*frames: tuple[bytes, bytes], count: int = 100, **options: int) -> bytes:
    return id3(*frames, **options) + FRAME * count


LATIN = b"\0T\xe4st"
UTF_16 = b"\1" + "Täst".encode("utf-16")
TAGS = {
    "2.2": song((b"PIC", PICTURE), (b"TT2", LATIN), (b"TP1", b"\0Who"), version=2),
    "2.2 unsynchronised": song(
        (b"PIC", PICTURE), (b"TT2", UTF_16), (b"TP1", b"\0Who"), version=2, flags=0x80
    ),
    "2.3": song((b"APIC", PICTURE), (b"TIT2", UTF_16), (b"TPE1", b"\0Who\0"), version=3),
    "2.3 unsynchronised": song(
        (b"APIC", PICTURE), (b"TIT2", UTF_16), (b"TPE1", b"\0Who\0"), version=3, flags=0x80
    ),
    "2.4": song((b"APIC", PICTURE), (b"TIT2", "\3Täst\0Two".encode()), (b"TPE1", b"\3Who")),
    "2.4 unsynchronised": song((b"APIC", PICTURE), (b"TIT2", UTF_16), (b"TPE1", b"\3Who"), frame_flags=2),
    "2.4, big-endian": song((b"TIT2", b"\2" + "Täst".encode("utf-16-be")), (b"TPE1", b"\3Who")),
    "two tags": id3((b"APIC", PICTURE)) + song((b"TIT2", LATIN), (b"TPE1", b"\3Who")),
    "at the end": FRAME * 100 + b"TAG" + b"T\xe4st".ljust(30, b"\0") + b"Who".ljust(95, b"\0"),
    "2.4 with sizes as of 2.3": song((b"APIC", bytes(200)), (b"TIT2", LATIN), (b"TPE1", b"\3Who")).replace(
        b"APIC\0\0\x01\x48", b"APIC\0\0\0\xc8"
    ),
}


@pytest.mark.parametrize("shows", TAGS)
def test_tags_behind_a_picture(shows: str) -> None:
    """Title and performer stand behind a cover of 4 MiB, in each version of ID3, and so does the sound."""
    found = facts(TAGS[shows], "audio/mpeg")
    assert found.duration == pytest.approx(100 * FRAME_SECONDS, rel=0.02)
    assert (found.title, found.performer) == ("Täst", "Who")


def test_titles_in_charsets_of_regions() -> None:
    """A text that claims to be Latin-1 is read in the charset that it is in."""
    assert facts(song((b"TIT2", b"\0" + "Привет".encode("cp1251"))), "audio/mpeg").title == "Привет"


def test_a_long_title() -> None:
    """A title is a line: what is longer is cut, and line breaks and zeros are blanks."""
    found = facts(song((b"TIT2", b"\3a\nb" + b"x" * 5000), (b"TPE1", b"\3Who")), "audio/mpeg")
    assert found.title == "a b" + "x" * 253
    assert found.performer == "Who"


# Comments of Vorbis


def comments(*texts: bytes) -> bytes:
    return (
        struct.pack("<I", 3)
        + b"Me."
        + struct.pack("<I", len(texts))
        + b"".join(struct.pack("<I", len(text)) + text for text in texts)
    )


COVER = b"METADATA_BLOCK_PICTURE=" + base64.b64encode(PICTURE)
NAMES = (COVER, "title=Täst".encode(), b"ARTIST=Who")


def block(kind: int, body: bytes, *, last: bool = False) -> bytes:
    return bytes((kind | 0x80 * last,)) + len(body).to_bytes(3, "big") + body


def stream_info(seconds: int) -> bytes:
    sizes = struct.pack(">HH6s", 4096, 4096, bytes(6))
    return sizes + struct.pack(">Q", 44_100 << 44 | 1 << 41 | 15 << 36 | 44_100 * seconds) + bytes(16)


@pytest.mark.parametrize("cover", [block(6, PICTURE), block(1, bytes(3 * MIB)), b""])
def test_flac(cover: bytes) -> None:
    """A picture or padding before the tags, or a picture in them, is passed over."""
    texts = NAMES[1:] if cover else NAMES
    flac = b"fLaC" + block(0, stream_info(10)) + cover + block(4, comments(*texts), last=True) + bytes(9000)
    for data in (flac, id3((b"APIC", PICTURE)) + flac):
        found = facts(data, "audio/flac")
        assert (found.duration, found.title, found.performer) == (10.0, "Täst", "Who")


def test_flac_that_was_piped() -> None:
    """Without a number of samples the last frame tells it, wherever the file was cut off."""
    data = FILES["piped.flac"]
    assert facts(data, "audio/flac").duration == pytest.approx(1.0)
    half = facts(data[:-1500], "audio/flac").duration
    assert half is not None
    assert 0.3 < half < 0.9
    assert facts(data + b"\xff\xf8" * 1000, "audio/flac").duration == pytest.approx(1.0)


def page(granule: int, packet: bytes, *, first: bool = False, serial: int = 7, whole: bool = True) -> bytes:
    laces = [255] * (len(packet) // 255) + ([len(packet) % 255] if whole else [])
    head = b"OggS" + struct.pack("<BBqIII", 0, 2 * first, granule, serial, 0, 0)
    return head + bytes((len(laces),)) + bytes(laces) + packet


def pages(packet: bytes) -> Iterator[bytes]:
    """A packet over many pages."""
    size = 255 * 255
    for start in range(0, len(packet), size):
        part = packet[start : start + size]
        yield page(-1 if len(part) == size else 0, part, whole=len(part) < size)


OPUS = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
VORBIS = b"\x01vorbis" + struct.pack("<IBI", 0, 2, 44_100) + bytes(13)


@pytest.mark.parametrize("count", [1, 10, 200])
@pytest.mark.parametrize("codec", ["opus", "vorbis"])
def test_ogg(count: int, codec: str) -> None:
    """Tags behind a picture over many pages; the last page tells how long it sounds."""
    head, mark, rate = (OPUS, b"OpusTags", 48_000) if codec == "opus" else (VORBIS, b"\x03vorbis", 44_100)
    body = b"".join(page(rate * (n + 1), bytes(20_000)) for n in range(count))
    data = page(0, head, first=True) + b"".join(pages(mark + comments(*NAMES))) + body
    found = facts(data, "audio/ogg")
    assert found.duration == pytest.approx(count, abs=0.01)
    assert (found.title, found.performer, found.is_opus) == ("Täst", "Who", codec == "opus")


def test_ogg_with_other_streams() -> None:
    """A skeleton before and other streams between the pages do not count; one after the other, all do."""
    skeleton = page(0, b"fishead\0" + bytes(56), first=True, serial=1)
    tags = page(0, b"OpusTags" + comments(b"TITLE=Night"))
    sound = page(0, OPUS, first=True) + tags + page(10 * 48_000, bytes(99))
    other = page(999 * 48_000, bytes(500), serial=1)
    found = facts(skeleton + sound + other, "audio/ogg")
    assert found.duration == pytest.approx(10, abs=0.01)
    assert found.title == "Night"
    assert facts(sound * 3, "audio/ogg").duration == pytest.approx(30, abs=0.03)


# Sound that does not say how long it is


def test_songs_without_an_index() -> None:
    """All frames are counted, of a constant rate and of a varying one, wherever the sound begins."""
    other = b"\xff\xfb\xa0\x64" + bytes(518)  # 160 kbit/s
    padded = b"\xff\xfb\x92\x64" + bytes(414)  # as most frames at 44.1 kHz are
    for begin in (b"", FRAME[100:], bytes(500), id3((b"APIC", PICTURE))):
        mixed = (FRAME + other) * 1000, FRAME * 1500 + other * 500, (padded * 24 + FRAME) * 80
        for body in (FRAME * 2000, *mixed):
            found = facts(begin + body, "audio/mpeg")
            assert found.duration == pytest.approx(2000 * FRAME_SECONDS, rel=0.01)


def test_a_song_that_says_how_many_frames_it_has() -> None:
    """The first frame of many encoders holds the number of the others."""
    for place, name, count_at in ((36, b"Xing\0\0\0\1", 8), (36, b"Info\0\0\0\1", 8), (36, b"VBRI", 14)):
        first = bytearray(FRAME)
        first[place : place + len(name)] = name
        first[place + count_at : place + count_at + 4] = struct.pack(">I", 5000)
        assert facts(bytes(first) + FRAME * 10, "audio/mpeg").duration == pytest.approx(5000 * FRAME_SECONDS)


def test_a_song_with_more_frames_than_are_looked_at() -> None:
    """The rest of a very long file is as the part before it."""
    count = MOST_STRIDES + 10_000
    pieces = (FRAME * 100 for _ in range(count // 100))
    assert facts(pieces, "audio/mpeg").duration == pytest.approx(count * FRAME_SECONDS, rel=0.01)


def adts(size: int) -> bytes:
    """A frame of AAC at 44.1 kHz."""
    head = 0xFFF1 << 40 | 1 << 38 | 4 << 34 | 2 << 30 | (size + 7) << 13 | 0x7FF << 2
    return head.to_bytes(7, "big") + bytes(size)


def test_aac() -> None:
    """Frames of AAC are counted as well, whatever the type is called."""
    data = b"".join(adts(100 + n % 300) for n in range(1000))
    for mime_type in ("audio/aac", "audio/aacp", "audio/mpeg"):
        assert facts(data, mime_type).duration == pytest.approx(1000 * 1024 / 44_100)


def test_amr() -> None:
    """What telephones record: fifty frames a second."""
    for magic, frame in ((b"#!AMR\n", b"\x3c" + bytes(31)), (b"#!AMR-WB\n", b"\x04" + bytes(17))):
        assert facts(magic + frame * 200, "audio/amr").duration == pytest.approx(4.0)


# Chunks


def wave(size: int, *, order: str = "<", magic: bytes = b"RIFF", before: bytes = b"") -> bytes:
    header = struct.pack(f"{order}HHIIHH", 1, 2, 44_100, 176_400, 4, 16)
    form = b"fmt " + struct.pack(f"{order}I", 16) + header
    return magic + bytes(4) + b"WAVE" + before + form + b"data" + struct.pack(f"{order}I", size)


def test_wave() -> None:
    """WAVE in all its kinds, also of recorders that never said a size, and with tags behind the sound."""
    sound = bytes(176_400 * 2)
    tags = b"LIST" + struct.pack("<I", 4 + 14 + 12) + b"INFOINAM" + struct.pack("<I", 5) + b"T\xe4st\0\0"
    tags += b"IART" + struct.pack("<I", 4) + b"Who\0"
    found = facts(wave(len(sound)) + sound + tags, "audio/wav")
    assert (found.duration, found.title, found.performer) == (2.0, "Täst", "Who")
    large = b"ds64" + struct.pack("<I", 28) + struct.pack("<QQQI", 0, len(sound), 0, 0)
    assert facts(wave(2**32 - 1, magic=b"RF64", before=large) + sound, "audio/wav").duration == 2.0
    assert facts(wave(len(sound), order=">", magic=b"RIFX") + sound, "audio/wav").duration == 2.0
    for size in (0, 2**32 - 1):
        assert facts(wave(size) + sound, "audio/wav").duration == 2.0
    tag = id3((b"TIT2", LATIN))
    chunk = b"id3 " + struct.pack("<I", len(tag)) + tag
    assert facts(wave(len(sound)) + sound + chunk, "audio/wav").title == "Täst"


# What can't be read


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"ID3",
        b"OggS",
        b"RIFF\0\0\0\0WAVE",
        b"\xff" * 500_000,
        bytes(500_000),
        b"\xff\xfb" * 250_000,
        FRAME,
        b"text " * 100_000,
        wave(2).replace(struct.pack("<I", 176_400), bytes(4)),
        b"fLaC" + block(0, bytes(34), last=True),
        b"FORM\0\0\0\0AIFFCOMM\0\0\0\x12" + bytes(8) + b"\x7f\xff" + b"\xff" * 8,
        page(0, OPUS, first=True) + page(2**63 - 1, b"OpusTags" + b"\xff" * 8),
    ],
)
def test_damaged_files(damaged: bytes) -> None:
    """What can't be read is not known, and what can't be true neither."""
    for mime_type in ("audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/x-ms-wma", "audio/aac"):
        found = facts(damaged, mime_type)
        assert (found.duration, found.title) == (None, "")


def test_the_sandboxs_own() -> None:
    """A real song and a real voice message."""
    found = facts(TUNE, "audio/mpeg")
    assert (found.title, found.performer) == ("Morning over the valley", "The Sandbox Players")
    assert found.duration == pytest.approx(12.04, abs=0.01)
    assert not found.is_opus
    voice = facts(VOICE, "audio/ogg")
    assert voice.duration == pytest.approx(7.37, abs=0.01)
    assert voice.is_opus


@settings(max_examples=100, deadline=None, derandomize=True)
@given(at=st.integers(0, 4000), junk=st.binary(min_size=1, max_size=16), data=st.sampled_from([TUNE, VOICE]))
def test_any_error_is_survived(at: int, junk: bytes, data: bytes) -> None:
    """Bytes that were changed anywhere never raise."""
    changed = data[:at] + junk + data[at + len(junk) :]
    assert isinstance(facts(changed, "audio/ogg" if data is VOICE else "audio/mpeg"), Facts)


def test_a_recording_that_was_cut_off() -> None:
    """Half of a file sounds half as long."""
    for name in ("adts.aac", "constant.mp3"):
        whole, half = (
            facts(data, "audio/aac") for data in (FILES[name], FILES[name][: len(FILES[name]) // 2])
        )
        assert half.duration == pytest.approx((whole.duration or 0) / 2, rel=0.1)
