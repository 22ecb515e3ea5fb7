"""What a file claims to be, held against its first bytes."""

from __future__ import annotations

import pytest

from tests.inspection.reading import FILES
from tgbridge.inspection.sniffing import HEAD_BYTES, contradicts, really

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
HTML = b"<!doctype html><script>"
PDF = b"%PDF-1.7"
SEGMENT = b"\x00\x00\x00\x18stypmsdh\x00\x00\x00\x00"
STREAM = b"".join(b"G\x40" + bytes(186) for _ in range(5))
STREAM_WITH_TIMES = b"".join(bytes(4) + b"G\x40" + bytes(186) for _ in range(5))
SONG = FILES["constant.mp3"]
AAC = FILES["adts.aac"]


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
        ("video/mp4", SEGMENT),
        ("video/mp4", SEGMENT.replace(b"styp", b"moof")),
        ("video/mpeg", STREAM),
        ("video/mpeg", STREAM_WITH_TIMES),
        ("video/mpeg", STREAM[100:]),
        ("video/mpeg", STREAM_WITH_TIMES[191:]),
        ("video/mpeg", b"\x00\x00\x01\xba"),
        ("video/mp2t", STREAM),
        ("audio/mpeg", SONG[100:HEAD_BYTES]),
        ("audio/aac", AAC[50:HEAD_BYTES]),
    ],
)
def test_content_that_fits_its_claim(claim: str, head: bytes) -> None:
    """What common encoders write passes as what it is."""
    assert not contradicts(claim, head)


@pytest.mark.parametrize(
    ("claim", "head"),
    [
        ("image/png", TEXT),
        ("image/png", HTML),
        ("image/jpeg", PDF),
        ("image/jpeg", SVG),
        ("image/jpeg", MP4),
        ("image/jpeg", b"BM is how this text begins"),
        ("image/webp", WAVE),
        ("image/gif", b""),
        ("video/mp4", TEXT),
        ("video/mp4", JPEG),
        ("video/mp4", SONG[:HEAD_BYTES]),
        ("video/mp4", WAVE),
        ("video/mpeg", TEXT),
        ("audio/mpeg", TEXT * 400),
        ("audio/mpeg", JPEG),
        ("audio/mpeg", bytes(HEAD_BYTES)),
        ("audio/wav", WEBP),
        ("audio/flac", b"\xff\xfb\x90\x64" + TEXT * 400),
    ],
)
def test_content_that_contradicts_its_claim(claim: str, head: bytes) -> None:
    """What is no picture, no sound or no film under the name of one is found out."""
    assert contradicts(claim, head)


@pytest.mark.parametrize(
    "claim", ["application/pdf", "text/plain", "application/octet-stream", "image/x-unheard-of"]
)
def test_a_claim_that_cannot_be_checked_is_believed(claim: str) -> None:
    """Only image, audio and video types of known formats are checked."""
    assert not contradicts(claim, TEXT)


@pytest.mark.parametrize(
    ("claim", "head", "found"),
    [
        ("image/jpeg", WEBP, "image/webp"),
        ("image/jpeg", PNG, "image/png"),
        ("image/png", JPEG, "image/jpeg"),
        ("image/svg+xml", PNG, "image/png"),
        ("image/jpeg", b"\x00\x00\x00\x18ftypheic", "image/heic"),
        ("image/gif", b"\x00\x00\x00\x18ftypavif", "image/avif"),
        ("image/png", b"II*\x00\x08\x00\x00\x00", "image/tiff"),
        ("image/png", b"\x00\x00\x01\x00\x01\x00\x40\x30", "image/vnd.microsoft.icon"),
        ("image/jpeg", b"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl"),
        ("image/jpeg", b"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2"),
        ("video/mp4", FILES["live.webm"][:HEAD_BYTES], "video/webm"),
        ("video/webm", FILES["whole.mkv"][:HEAD_BYTES], "video/webm"),
        ("video/webm", MP4, "video/mp4"),
        ("video/x-msvideo", b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        ("video/mp4", STREAM, "video/mp2t"),
        ("audio/mpeg", OGG, "audio/ogg"),
        ("audio/mpeg", MP4, "audio/mp4"),
        ("audio/aac", MP4, "audio/mp4"),
        ("audio/mp4", AAC[:HEAD_BYTES], "audio/aac"),
        ("audio/flac", SONG[:HEAD_BYTES], "audio/mpeg"),
        ("audio/flac", SONG[100:HEAD_BYTES], "audio/mpeg"),
        ("audio/ogg", WEBM, "audio/webm"),
        ("application/pdf", JPEG, "application/pdf"),
        ("image/png", PDF, None),
    ],
)
def test_another_format_of_the_same_kind(claim: str, head: bytes, found: str | None) -> None:
    """A picture under another picture's name is shown by every viewer: it is taken for what it is."""
    assert really(claim, head) == found
