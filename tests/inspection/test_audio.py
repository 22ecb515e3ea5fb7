"""Sound in the formats that tinytag reads, of which only excerpts are kept."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgbridge.inspection import Facts, inspector_for
from tgbridge.inspection.excerpts import Excerpts
from tgbridge.sandbox.media import DOCUMENTS

TUNE = DOCUMENTS["tune"].blob.read(0, 1 << 20)
VOICE = DOCUMENTS["voice"].blob.read(0, 1 << 20)
MIB = 1 << 20
FRAME = b"\xff\xfb\x90\x64" + bytes(413)  # MPEG-1 layer III, 128 kbit/s, 44.1 kHz


def facts(data: bytes, mime_type: str = "audio/mpeg", *, piece: int = 100_000) -> Facts:
    inspector = inspector_for(mime_type)
    for start in range(0, len(data), piece):
        inspector.feed(memoryview(data)[start : start + piece])
    return inspector.facts()


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3(title: str, *, cover: int) -> bytes:
    text = b"\3" + title.encode()
    picture = b"\0image/jpeg\0\3\0" + bytes(cover)
    frames = b"".join(
        kind + synchsafe(len(body)) + b"\0\0" + body for kind, body in ((b"APIC", picture), (b"TIT2", text))
    )
    return b"ID3\4\0\0" + synchsafe(len(frames)) + frames


def test_a_song_of_constant_rate() -> None:
    """Its length follows from its size, of which only the first frames are kept."""
    found = facts(id3("Song", cover=10) + FRAME * 10_000)
    assert found.duration == pytest.approx(10_000 * 1152 / 44_100, rel=0.01)
    assert found.title == "Song"


def test_a_song_behind_a_large_cover() -> None:
    """The sound begins far behind what is kept of the tags, and is read all the same."""
    found = facts(id3("", cover=2 * MIB) + FRAME * 10_000)
    assert found.duration == pytest.approx(10_000 * 1152 / 44_100, rel=0.01)


def test_a_song_of_which_too_little_is_kept() -> None:
    """A length that would have to be counted frame by frame is not known, rather than wrong."""
    other = b"\xff\xfb\xa0\x64" + bytes(518)  # 160 kbit/s
    assert facts((FRAME + other) * 10_000).duration is None


def test_the_sandboxs_own() -> None:
    """A real song and a real voice message."""
    song = facts(TUNE)
    assert (song.title, song.performer) == ("Morning over the valley", "The Sandbox Players")
    assert song.duration == pytest.approx(12.04, abs=0.01)
    assert not song.is_opus
    voice = facts(VOICE, "audio/ogg")
    assert voice.duration == pytest.approx(7.37, abs=0.01)
    assert voice.is_opus


def page(granule: int, packet: bytes, *, last: bool = False) -> bytes:
    laces = [255] * (len(packet) // 255) + [len(packet) % 255]
    head = b"OggS" + struct.pack("<BBqIII", 0, 4 if last else 0, granule, 7, 0, 0)
    return head + bytes((len(laces),)) + bytes(laces) + packet


@pytest.mark.parametrize("pages", [1, 5, 8, 9, 10, 200])
def test_a_long_recording(pages: int) -> None:
    """Ogg says its length in the last page; what lies between beginning and end is not kept."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 0) + struct.pack("<I", 1) + struct.pack("<I", 11) + b"TITLE=Night"
    body = b"".join(page(48_000 * (n + 1), bytes(20_000), last=n == pages - 1) for n in range(pages))
    found = facts(page(0, head) + page(0, tags) + body, "audio/ogg")
    assert found.duration == pytest.approx(pages, abs=0.01)
    assert (found.title, found.is_opus) == ("Night", True)


def test_wave_and_flac() -> None:
    """Formats that say their length at the beginning."""
    header = struct.pack("<HHIIHH", 1, 2, 44_100, 176_400, 4, 16)
    sound = bytes(176_400 * 20)
    wave = b"RIFF" + struct.pack("<I", 36 + len(sound)) + b"WAVEfmt " + struct.pack("<I", 16) + header
    assert facts(wave + b"data" + struct.pack("<I", len(sound)) + sound, "audio/wav").duration == 20.0
    info = struct.pack(">HH6sQ", 4096, 4096, bytes(6), 44_100 << 44 | 1 << 41 | 15 << 36 | 441_000) + bytes(
        16
    )
    flac = b"fLaC\x80" + len(info).to_bytes(3, "big") + info + bytes(9000)
    assert facts(flac, "audio/flac").duration == 10.0


@pytest.mark.parametrize(
    "damaged", [b"", b"ID3", b"OggS", b"RIFF\0\0\0\0WAVE", b"\xff" * 500_000, bytes(500_000)]
)
def test_damaged_files(damaged: bytes) -> None:
    """What can't be read is not known."""
    for mime_type in ("audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/x-ms-wma"):
        found = facts(damaged, mime_type)
        assert (found.duration, found.title) == (None, "")


@settings(max_examples=100, deadline=None, derandomize=True)
@given(at=st.integers(0, 4000), junk=st.binary(min_size=1, max_size=16), data=st.sampled_from([TUNE, VOICE]))
def test_any_error_is_survived(at: int, junk: bytes, data: bytes) -> None:
    """Bytes that were changed anywhere never raise."""
    changed = data[:at] + junk + data[at + len(junk) :]
    assert isinstance(facts(changed, "audio/ogg" if data is VOICE else "audio/mpeg"), Facts)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    size=st.integers(0, 400),
    head=st.integers(1, 100),
    tail=st.integers(1, 100),
    span=st.tuples(st.integers(0, 300), st.integers(1, 50)),
    piece=st.integers(1, 120),
)
def test_excerpts(size: int, head: int, tail: int, span: tuple[int, int], piece: int) -> None:
    """What was kept reads as in the file; what was not looks like the end, and is noted."""
    data = bytes(n % 251 for n in range(size))
    excerpts = Excerpts(head=head, tail=tail)
    excerpts.also(*span)
    for start in range(0, size, piece):
        excerpts.feed(memoryview(data)[start : start + piece])
    file = excerpts.open()
    assert file.seek(0, io.SEEK_END) == size
    assert file.read() == b""
    kept = {*range(head), *range(size - tail, size), *range(span[0], sum(span))}
    for at in range(size):
        file.seek(at)
        assert file.read(1) == (data[at : at + 1] if at in kept else b"")
    assert file.missed_at == max(set(range(size)) - kept, default=None)
    with pytest.raises(OSError, match="before"):
        file.seek(-1)
