"""What files are by their first bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.inspection.signatures import HEAD_BYTES, recognise
from tgbridge.sandbox.media import DOCUMENTS, PHOTOS


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("valley", "video/mp4"),
        ("sea-moov-last", "video/mp4"),
        ("tune", "audio/mpeg"),
        ("voice", "audio/ogg"),
        ("cat", "image/webp"),
        ("field-notes", "application/pdf"),
        ("dawn-original", "image/jpeg"),
        ("notes", ""),
        ("page", ""),
        ("drawing", ""),
        ("archive", ""),
        ("nameless", ""),
    ],
)
def test_the_sandboxes_own_files(name: str, mime_type: str) -> None:
    """What browsers play or show is recognised; a page, a script or an SVG never is."""
    assert recognise(DOCUMENTS[name].blob.read(0, HEAD_BYTES)) == mime_type


def test_photos() -> None:
    """Photos are JPEGs."""
    source: Any = PHOTOS["sea"].sizes[0].source
    assert recognise(source.read(0, HEAD_BYTES)) == "image/jpeg"


@pytest.mark.parametrize(
    ("head", "mime_type"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\1\2\3\4WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x20ftypM4A \0", "audio/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x1cftypavif", "image/avif"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypcrx ", ""),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "video/x-matroska"),
        (b"OggS" + bytes(24) + b"\x80theora", "video/ogg"),
        (b"fLaC\0", "audio/flac"),
        (b"BM and more", ""),
        (b"<svg", ""),
        (b"", ""),
    ],
)
def test_signatures(head: bytes, mime_type: str) -> None:
    """By the beginning that the format prescribes."""
    assert recognise(head) == mime_type


@given(st.binary(max_size=64))
def test_markup_and_scripts_are_never_taken_for_media(data: bytes) -> None:
    """Nothing that begins as markup or as a script does is taken for something to be shown."""
    for start in (b"<", b"//", b"/*", b" ", b"var ", b"alert("):
        assert recognise(start + data) == "" or (start + data)[4:8] == b"ftyp"
