"""The committed media files are what they are said to be."""

from __future__ import annotations

import itertools
import random
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import utils

from tgbridge.sandbox.media import DIRECTORY, DOCUMENTS, PHOTOS, STRETCHED_BYTES
from tgbridge.sandbox.media.mp4 import Bytes, Patchwork, Piece, boxes, stretch
from tgbridge.sandbox.world.blobs import Blob, DiskBlob, Synthetic, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.sandbox.world.builders import Variant

CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
FILMS = (
    "valley",
    "lights",
    "planet",
    "dots",
    "sea-moov-last",
    "sea-stretched",
)
VARIANTS = [
    pytest.param(size, id=f"{name}-{size.letter}")
    for name, sizes in [(n, p.sizes) for n, p in PHOTOS.items()]
    + [(n, d.thumbs) for n, d in DOCUMENTS.items() if n not in {"cat", "ball", "nod"}]
    for size in sizes
]
STRIPPED = {name: picture.stripped for name, picture in PHOTOS.items()} | {
    name: asset.stripped for name, asset in DOCUMENTS.items() if asset.stripped
}


def whole(blob: Blob) -> bytes:
    return b"".join(chunks(blob))


def source(size: Variant) -> bytes:
    assert isinstance(size.source, DiskBlob)
    return whole(size.source)


def jpeg_markers(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Go through a JPEG's segments up to each scan's data: marker, offset, content."""
    place = 2
    while place < len(data) - 1:
        marker = data[place + 1]
        if data[place] != 0xFF or marker == 0 or 0xD0 <= marker <= 0xD7:
            place += 1
            continue
        if marker == 0xD9:
            yield marker, place, b""
            return
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        yield marker, place, data[place + 4 : place + 2 + length]
        place += 2 + length


def jpeg_extent(data: bytes) -> tuple[int, int, int]:
    """Read which kind of frame a JPEG has, and its width and height."""
    assert data.startswith(b"\xff\xd8\xff")
    assert data.endswith(b"\xff\xd9")
    marker, content = next((m, c) for m, _, c in jpeg_markers(data) if m in (0xC0, 0xC2))
    height, width = struct.unpack(">HH", content[1:5])
    return marker, width, height


def tables(blob: Blob, start: int = 0, stop: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    """Go through an MP4's boxes that hold no others: type and content, without the samples."""
    for kind, place, length in boxes(blob, start, stop):
        if kind in CONTAINERS:
            yield from tables(blob, place + 8, place + length)
        elif kind not in (b"mdat", b"free"):
            yield kind, blob.read(place + 8, length - 8)


def chunk_offsets(blob: Blob) -> list[int]:
    found = [content for kind, content in tables(blob) if kind == b"stco"]
    return sorted(offset for table in found for (offset,) in struct.iter_unpack(">I", table[8:]))


def top(blob: Blob) -> list[bytes]:
    return [kind for kind, _, _ in boxes(blob)]


def test_all_files_together_are_small() -> None:
    """They are cloned and packaged with the project, so they stay below 2.6 MB."""
    assert sum(path.stat().st_size for path in DIRECTORY.iterdir() if path.is_file()) < 2_600_000


@pytest.mark.parametrize("size", VARIANTS)
def test_pictures_have_the_extent_that_they_are_said_to_have(size: Variant) -> None:
    """Photos and thumbnails are JPEGs of their stated width and height, on the grid of Telegram's sizes."""
    marker, width, height = jpeg_extent(source(size))
    assert (width, height) == (size.width, size.height)
    assert max(width, height) <= {"s": 100, "m": 320, "x": 800, "y": 1280}[size.letter]
    assert (marker == 0xC2) == bool(size.progressive)


def test_progressive_photo_can_be_cut_after_its_scans() -> None:
    """Each stated prefix of the progressive photo ends with a scan, the last with the file."""
    size = PHOTOS["sea"].largest
    data = source(size)
    after_scan = {
        place
        for (previous, _, _), (_, place, _) in itertools.pairwise(jpeg_markers(data))
        if previous == 0xDA
    }
    assert len(size.progressive) == 5
    assert list(size.progressive) == sorted(size.progressive)
    assert set(size.progressive[:-1]) < after_scan
    assert size.progressive[-1] == len(data)


@pytest.mark.parametrize("name", STRIPPED)
def test_stripped_previews_become_jpegs_again(name: str) -> None:
    """What Telethon puts back makes a JPEG of the preview's extent, with one scan and its end."""
    stripped = STRIPPED[name]
    assert stripped is not None
    assert stripped[0] == 1
    data = utils.stripped_photo_to_jpg(stripped)
    assert jpeg_extent(data) == (0xC0, stripped[2], stripped[1])
    assert max(stripped[1:3]) == 40
    assert [marker for marker, _, _ in jpeg_markers(data)][-2:] == [0xDA, 0xD9]


@pytest.mark.parametrize("name", FILMS)
def test_films_measure_what_they_are_said_to_measure(name: str) -> None:
    """The MP4's own header agrees with the stated duration, width and height."""
    asset = DOCUMENTS[name]
    headers = list(tables(asset.blob))
    (movie,) = (content for kind, content in headers if kind == b"mvhd")
    scale, duration = struct.unpack(">II", movie[12:20])
    assert duration / scale == pytest.approx(asset.duration, abs=0.05)
    extents = [struct.unpack(">II", content[76:84]) for kind, content in headers if kind == b"tkhd"]
    assert (asset.width << 16, asset.height << 16) in extents
    assert len(extents) == (1 if name == "dots" else 2)
    assert b"avc1" in [content[12:16] for kind, content in headers if kind == b"stsd"]


def test_index_stands_where_it_should() -> None:
    """Ordinary films have their index in front, the one for seeking has it behind everything."""
    for name in ("valley", "lights", "planet", "dots"):
        assert top(DOCUMENTS[name].blob)[:2] == [b"ftyp", b"moov"]
    assert top(DOCUMENTS["sea-moov-last"].blob)[-1] == b"moov"
    assert DOCUMENTS["sea-moov-last"].blob.size > 1_000_000


def test_stretched_film_is_the_same_film() -> None:
    """Every chunk of samples is found at its new place, far from its neighbours, and the index at the end."""
    short, long = DOCUMENTS["sea-moov-last"].blob, DOCUMENTS["sea-stretched"].blob
    assert long.size == STRETCHED_BYTES
    assert top(long)[-2:] == [b"mdat", b"moov"]
    before, after = chunk_offsets(short), chunk_offsets(long)
    end = next(place + length for kind, place, length in boxes(short) if kind == b"mdat")
    lengths = [stop - start for start, stop in itertools.pairwise([*before, end])]
    assert all(
        short.read(old, length) == long.read(new, length)
        for old, new, length in zip(before, after, lengths, strict=True)
    )
    assert after[-1] > 23_000_000
    widest = max(stop - start for start, stop in itertools.pairwise(after))
    assert 300_000 < widest < 600_000
    unmoved = (dict(tables(short)), dict(tables(long)))
    assert all(unmoved[0][kind] == unmoved[1][kind] for kind in unmoved[0] if kind != b"stco")


def test_stretching_refuses_what_it_cannot_stretch() -> None:
    """Too small a target and an index that comes first are errors, not broken films."""
    short = DOCUMENTS["sea-moov-last"].blob
    with pytest.raises(ValueError, match="cannot hold"):
        stretch(short, short.size - 1)
    with pytest.raises(ValueError, match="index must come last"):
        stretch(DOCUMENTS["valley"].blob, 10_000_000)
    with pytest.raises(ValueError, match="media data"):
        stretch(Bytes(b"\0\0\0\x08ftyp"), 100)
    for broken in (b"\xff\xff\xff\xffmdat", b"\0\0\0\x01mdat", b"\0\0\0\x08"):
        with pytest.raises(ValueError, match="no box"):
            list(boxes(Bytes(broken)))


@given(offset=st.integers(0, 1100), limit=st.integers(0, 1100), seed=st.integers(0, 50))
def test_patchwork_reads_as_its_whole(offset: int, limit: int, seed: int) -> None:
    """Any read of a patchwork gives the bytes of its pieces, and zeros where there are none."""
    dice = random.Random(seed)
    expected = bytearray(1000)
    pieces, place = [], dice.randrange(50)
    while place < 900:
        length = dice.randrange(1, 90)
        data = Synthetic(500, seed).read(place % 400, length)
        pieces.append(Piece(place, Synthetic(500, seed), place % 400, len(data)))
        expected[place : place + len(data)] = data
        place += length + dice.choice((0, dice.randrange(80)))
    assert Patchwork(1000, tuple(pieces)).read(offset, limit) == bytes(expected[offset : offset + limit])


def test_music_carries_its_tags() -> None:
    """The MP3 has an ID3 tag with title, performer and cover."""
    data = whole(DOCUMENTS["tune"].blob)
    assert data.startswith(b"ID3\x03")
    for text in (DOCUMENTS["tune"].title, DOCUMENTS["tune"].performer):
        assert text is not None
        assert text.encode() in data or text.encode("utf-16-le") in data
    assert b"APIC" in data[:1000]


def test_voice_is_opus_with_a_waveform() -> None:
    """The voice message is Ogg with Opus, and its waveform has a hundred steps of 5 bits."""
    data = whole(DOCUMENTS["voice"].blob)
    assert data.startswith(b"OggS")
    assert b"OpusHead" in data[:64]
    last_page = data.rindex(b"OggS")
    samples = int.from_bytes(data[last_page + 6 : last_page + 14], "little")
    assert samples / 48_000 == pytest.approx(DOCUMENTS["voice"].duration, abs=0.1)
    assert DOCUMENTS["voice"].waveform is not None
    levels = utils.decode_waveform(DOCUMENTS["voice"].waveform)
    assert len(levels) == 100
    assert max(levels) == 31


def test_sticker_is_webp_with_an_outline() -> None:
    """The sticker is a WebP of 512 pixels with transparency, its outline decodes to a closed path."""
    cat = DOCUMENTS["cat"]
    for data, side in ((whole(cat.blob), 512), (source(cat.thumbs[0]), 128)):
        assert (data[:4], data[8:16]) == (b"RIFF", b"WEBPVP8X")
        assert data[20] & 0x10
        assert int.from_bytes(data[24:27], "little") + 1 == side
    assert cat.outline is not None
    path = outline_path(cat.outline)
    assert path.startswith("M106,196C96,140,98,92,116,62")
    assert path.endswith(",106,196z")


def outline_path(packed: bytes) -> str:
    """Unpack a photoPathSize as https://core.telegram.org/api/files#vector-thumbnails tells."""
    letters = "AACAAAAHAAALMAAAQASTAVAAAZaacaaaahaaalmaaaqastava.az0123456789-,"
    path = "M"
    for number in packed:
        if number >= 192:
            path += letters[number - 192]
        else:
            path += ("," if number >= 128 else "-" if number >= 64 else "") + str(number & 63)
    return path + "z"


def test_papers_are_what_they_are_said_to_be() -> None:
    """The PDF's cross-reference is where it says, and the others begin as their types do."""
    pdf = whole(DOCUMENTS["field-notes"].blob)
    assert pdf.startswith(b"%PDF-1.4")
    assert pdf.endswith(b"%%EOF\n")
    assert pdf[int(pdf.rsplit(b"startxref\n", 1)[1].split()[0]) :].startswith(b"xref")
    assert whole(DOCUMENTS["archive"].blob).startswith(b"PK\x03\x04")
    assert b"<script>" in whole(DOCUMENTS["page"].blob)
    assert b"<script>" in whole(DOCUMENTS["drawing"].blob)
    assert "чай" in whole(DOCUMENTS["notes"].blob).decode()
