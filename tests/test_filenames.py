"""File names keep their script and lose what is dangerous."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge import filenames


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("photo.jpg", "photo.jpg"),
        ("C:\\Users\\me\\photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("отчёт за год.pdf", "отчёт за год.pdf"),
        ("写真 🌸.png", "写真 🌸.png"),
        ("👩\u200d💻.txt", "👩\u200d💻.txt"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("in\u200bvisible\ufeff.txt", "invisible.txt"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f.png",) * 2,
        ("\u0600\u0661.txt",) * 2,
        ("\U0001fae9 of a later Unicode.png",) * 2,
        ('say "hi"\r\n.txt', 'say "hi".txt'),
        ("  spaced.txt ", "spaced.txt"),
        ("", ""),
        ("..", ""),
        ("dir/", ""),
        ("\x00\x1f", ""),
        (".gitignore", ".gitignore"),
    ],
)
def test_names(given_name: str, cleaned: str) -> None:
    """Directories, control characters and direction overrides go, everything else stays."""
    assert filenames.clean(given_name) == cleaned


def test_a_long_name_keeps_its_extension() -> None:
    """What is too long for a file system is cut before the extension, and never inside a character."""
    cleaned = filenames.clean("я" * 300 + ".tar")
    assert cleaned.endswith("я.tar")
    assert len(cleaned.encode()) <= filenames.MAX_BYTES


@given(st.text(max_size=400))
def test_any_name_becomes_harmless(name: str) -> None:
    """Whatever comes in, no separator, no control character and no overlong name comes out; twice is once."""
    cleaned = filenames.clean(name)
    assert not set(cleaned) & set("/\\")
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in cleaned)
    assert len(cleaned.encode()) <= filenames.MAX_BYTES
    assert filenames.clean(cleaned) == cleaned
