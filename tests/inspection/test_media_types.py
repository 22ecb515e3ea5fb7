"""Media types by declaration and by name, the same on each machine."""

from __future__ import annotations

import pytest

from tgbridge.inspection import media_types as mediatypes


@pytest.mark.parametrize(
    ("declared", "name", "claimed"),
    [
        ("image/png", "a.jpg", "image/png"),
        ("Image/PNG; charset=x", "", "image/png"),
        ("", "IMG.JPG", "image/jpeg"),
        ("application/octet-stream", "song.mp3", "audio/mpeg"),
        ("nonsense", "a.webp", "image/webp"),
        ("video/*", "a.mp4", "video/mp4"),
        ("audio/ogg; codecs=opus", "", "audio/ogg"),
        ("application/octet-stream; x=y", "a.pdf", "application/pdf"),
        ("application/x-download", "a.pdf", "application/pdf"),
        ("text/html\r\nx", "a.txt", "text/plain"),
        ("", "archive.tar.gz", "application/gzip"),
        ("", "a.txt.xz", "application/x-xz"),
        ("", "a.svgz", "application/gzip"),
        ("", "main.ts", "text/plain"),
        ("", "book.M4B", "audio/mp4"),
        ("", "song.mka", "audio/x-matroska"),
        ("", "memo.amr", "audio/amr"),
        ("", "film.m2ts", "video/mp2t"),
        ("", "film.mts", "video/mp2t"),
        ("", "film.3gp", "video/3gpp"),
        ("", "film.flv", "video/x-flv"),
        ("", "tone.m4r", "audio/mp4"),
        ("", "saved.jfif", "image/jpeg"),
        ("application/mp4", "film.mp4", "video/mp4"),
        ("application/ogg", "song.oga", "audio/ogg"),
        ("", "voice.opus", "audio/ogg"),
        ("", "data:image/png,abc.mov", "video/quicktime"),
        ("", "日本語.heic", "image/heic"),
        ("", "no extension", "application/octet-stream"),
        ("", "", "application/octet-stream"),
    ],
)
def test_what_a_file_claims_to_be(declared: str, name: str, claimed: str) -> None:
    """What is declared counts, unless it is nothing or nonsense; then the name does."""
    assert mediatypes.claimed(declared, name) == claimed


def test_one_name_for_each_type() -> None:
    """Types that have several names have one here; others are left alone."""
    assert mediatypes.canonical("audio/x-wav") == "audio/wav"
    assert mediatypes.canonical("image/jpg") == "image/jpeg"
    assert mediatypes.canonical("text/x-unheard-of") == "text/x-unheard-of"


def test_extensions() -> None:
    """What a nameless file is called by its type."""
    assert mediatypes.extension("image/jpeg") == ".jpg"
    assert mediatypes.extension("video/mp4") == ".mp4"
    assert mediatypes.extension("audio/ogg") == ".ogg"
    assert mediatypes.extension("application/x-tgsticker") == ".tgs"
    assert mediatypes.extension("x/y") == ""


@pytest.mark.parametrize(
    "mime_type",
    [
        *("audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/aiff", "audio/x-aiff", "audio/flac"),
        *("audio/mp4", "audio/x-m4a", "audio/mpeg", "audio/webm", "audio/x-caf", "audio/midi"),
        *("image/bmp", "image/heic", "image/jxl", "image/jp2"),
        *("video/quicktime", "video/webm", "video/x-flv", "video/x-matroska"),
    ],
)
def test_an_extension_says_its_type(mime_type: str) -> None:
    """Sound, pictures and films have an extension that is read as the same type again."""
    extension = mediatypes.extension(mime_type)
    assert extension.startswith(".")
    assert mediatypes.canonical(mediatypes.by_name(f"x{extension}")) == mediatypes.canonical(mime_type)


@pytest.mark.parametrize(
    ("mime_type", "name", "nothing"),
    [
        ("application/octet-stream", "", True),
        ("application/octet-stream", "blob", True),
        ("application/octet-stream", "camera.roll", True),
        ("application/octet-stream", "dump.bin", False),
        ("image/png", "", False),
    ],
)
def test_where_the_bytes_are_asked(mime_type: str, name: str, *, nothing: bool) -> None:
    """They are where type and name say nothing; a name that ends in ".bin" has said all there is."""
    assert mediatypes.says_nothing(mime_type, name) is nothing
