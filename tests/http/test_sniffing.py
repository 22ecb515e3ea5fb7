"""What a file claims to be, held against its first bytes."""

from __future__ import annotations

import pytest

from tgbridge.http.sniffing import contradicts

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 "
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt "
MP4 = b"\x00\x00\x00\x20ftypisom"
MP4_WITHOUT_FTYP = b"\x00\x00\x00\x08wide\x00\x00"
WEBM = b"\x1a\x45\xdf\xa3\x01\x00\x00\x00"
OGG = b"OggS\x00\x02"
MP3_TAGGED = b"ID3\x04\x00\x00"
MP3_BARE = b"\xff\xfb\x90\x64"
MP3_PADDED = bytes(200) + MP3_BARE
SVG = b"\xef\xbb\xbf \n<svg xmlns='http://www.w3.org/2000/svg'/>"
TEXT = b"not at all"


@pytest.mark.parametrize(
    ("claim", "head"),
    [
        ("image/jpeg", JPEG),
        ("IMAGE/JPEG", JPEG),
        ("image/png", PNG),
        ("image/webp", WEBP),
        ("image/svg+xml", SVG),
        ("video/mp4", MP4),
        ("video/quicktime", MP4_WITHOUT_FTYP),
        ("video/webm", WEBM),
        ("video/x-matroska", WEBM),
        ("audio/ogg", OGG),
        ("audio/mpeg", MP3_TAGGED),
        ("audio/mpeg", MP3_BARE),
        ("audio/mpeg", MP3_PADDED),
        ("audio/wav", WAVE),
        ("audio/mp4", MP4),
        ("image/x-icon", PNG),
        ("video/mp2t", b"export const typescript = true;"),
    ],
)
def test_content_that_fits_its_claim(claim: str, head: bytes) -> None:
    """What common encoders write passes as what it is."""
    assert not contradicts(claim, head)


@pytest.mark.parametrize(
    ("claim", "head"),
    [
        ("image/jpeg", PNG),
        ("image/png", JPEG),
        ("image/png", TEXT),
        ("image/webp", WAVE),
        ("image/gif", b""),
        ("image/svg+xml", PNG),
        ("video/mp4", TEXT),
        ("video/mp4", WEBM),
        ("video/webm", MP4),
        ("audio/mpeg", OGG),
        ("audio/wav", WEBP),
        ("audio/flac", MP3_BARE),
    ],
)
def test_content_that_contradicts_its_claim(claim: str, head: bytes) -> None:
    """Another format, or none, under an image's, audio's or video's name is found out."""
    assert contradicts(claim, head)


@pytest.mark.parametrize(
    "claim", ["application/pdf", "text/plain", "application/octet-stream", "image/x-unheard-of"]
)
def test_a_claim_that_cannot_be_checked_is_believed(claim: str) -> None:
    """Only image, audio and video types of known formats are checked."""
    assert not contradicts(claim, TEXT)
