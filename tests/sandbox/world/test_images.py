"""What is read of pictures without decoding them."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.sandbox.media import DOCUMENTS, PHOTOS
from tgbridge.sandbox.world.images import Picture, probe


def whole(source: object) -> bytes:
    content: bytes = source.read(0, 1 << 20)  # type: ignore[attr-defined]
    return content


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


PICTURES = {
    "jpeg": (whole(PHOTOS["noon"].sizes[-1].source), Picture("image/jpeg", 1280, 720)),
    "progressive": (whole(PHOTOS["sea"].sizes[-1].source), Picture("image/jpeg", 1280, 960)),
    "png": (png(3, 5), Picture("image/png", 3, 5)),
    "gif": (b"GIF89a\x07\x00\x09\x00" + bytes(20) + b";", Picture("image/gif", 7, 9)),
    "webp": (whole(DOCUMENTS["cat"].blob), Picture("image/webp", 512, 512)),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_type_and_extent(kind: str) -> None:
    """Each format has its header; bytes before a JPEG's first marker that only fill up are passed over."""
    content, picture = PICTURES[kind]
    assert probe(content) == picture
    if kind == "jpeg":
        assert probe(content[:2] + b"\xff" + content[2:]) == picture


@given(kind=st.sampled_from(sorted(PICTURES)), share=st.floats(0, 0.95))
def test_a_picture_cut_short_is_none(kind: str, share: float) -> None:
    """What ends too early can't be decoded, wherever it ends."""
    content, _ = PICTURES[kind]
    assert probe(content[: int(len(content) * share)]) is None


@given(st.binary(max_size=200))
def test_anything_else_is_none(content: bytes) -> None:
    """No bytes raise, and what begins like a picture is none for that."""
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\x00\x00\x00WEBP"):
        found = probe(start + content)
        assert found is None or found.width > 0


def test_a_damaged_png_is_none() -> None:
    """Its checksums are checked."""
    content = bytearray(PICTURES["png"][0])
    content[20] ^= 1
    assert probe(bytes(content)) is None
