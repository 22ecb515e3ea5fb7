"""Content-Disposition, read back by parsers that know nothing of the writer."""

from __future__ import annotations

import re
from email.message import Message

import pytest
from aiohttp.multipart import content_disposition_filename, parse_content_disposition
from hypothesis import example, given
from hypothesis import strategies as st

from tgbridge.filenames import clean
from tgbridge.http.disposition import content_disposition


def read_name(value: str) -> str | None:
    """Read the name as aiohttp does: `filename*` before `filename`."""
    kind, parameters = parse_content_disposition(value)
    assert kind in {"inline", "attachment"}
    return content_disposition_filename(parameters, "filename")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("image.jpg", 'attachment; filename="image.jpg"'),
        ("my file (1).pdf", 'attachment; filename="my file (1).pdf"'),
        ("naïve.txt", "attachment; filename=\"naive.txt\"; filename*=UTF-8''na%C3%AFve.txt"),
        ("€ rates", "attachment; filename=\"_ rates\"; filename*=UTF-8''%E2%82%AC%20rates"),
        ("файл.pdf", "attachment; filename=\"____.pdf\"; filename*=UTF-8''%D1%84%D0%B0%D0%B9%D0%BB.pdf"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("a;b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%3Bb.txt"),
        ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ("a\r\nSet-Cookie: x=1", 'attachment; filename="aSet-Cookie: x=1"'),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("C:\\boot.ini", 'attachment; filename="boot.ini"'),
        ("", 'attachment; filename="file"'),
        ("..", 'attachment; filename="file"'),
        ("\x00\x1f", 'attachment; filename="file"'),
        ("\ud800.txt", 'attachment; filename=".txt"'),
        ("photo\u202egpj.exe", 'attachment; filename="photogpj.exe"'),
        # NFKD turns these into a slash and a quote, which the fallback must not hold.
        (
            "a\uff0fb\uff02.txt",
            "attachment; filename=\"a_b_.txt\"; filename*=UTF-8''a%EF%BC%8Fb%EF%BC%82.txt",
        ),
    ],
)
def test_written(name: str, expected: str) -> None:
    """The exact header for names that have caused trouble somewhere."""
    assert content_disposition("attachment", name) == expected


@pytest.mark.parametrize(
    "name", ["写真.jpg", "صورة.png", "תמונה.webp", "ภาพ.gif", "🏖️ beach.heic", "Ünïcödé.mp4"]
)
def test_any_script(name: str) -> None:
    """Names in any script come back as they were."""
    assert read_name(content_disposition("inline", name)) == name


@given(st.text(max_size=300))
@example("a" * 254 + "é" + ".jpeg")
@example('"; filename="evil.exe')
@example("\\")
def test_round_trip(name: str) -> None:
    """Whatever the name, one header of visible ASCII comes out, and parsers read the clean name from it."""
    value = content_disposition("attachment", name)
    cleaned = clean(name) or "file"
    assert re.fullmatch(r"[\x20-\x7e]+", value)
    assert read_name(value) == cleaned
    # The standard library's parser takes the plain name where there are two.
    message = Message()
    message["Content-Disposition"] = value
    assert message.get_content_disposition() == "attachment"
    plain = message.get_filename()
    assert plain
    assert not set(plain) & set('/\\"%;')
    assert plain == cleaned or "filename*=" in value
