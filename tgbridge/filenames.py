"""File names: cleaned of paths and of what no file system or header should see."""

from __future__ import annotations

import unicodedata
from typing import Final

MAX_BYTES: Final = 255
"""What common file systems take, in UTF-8."""

# Control and format characters (right-to-left overrides disguise an extension), surrogates, line separators.
# Zero-width joiner and non-joiner stay: emoji and several scripts are spelled with them.
_UNWANTED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WANTED_FORMAT: Final = frozenset("\u200c\u200d")


def clean(name: str) -> str:
    """Return `name` without directories, control characters and surrounding blanks; "" where nothing is left.

    Any script stays as it is. A longer name is cut to `MAX_BYTES` of UTF-8 before its extension.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in base if c in _WANTED_FORMAT or unicodedata.category(c) not in _UNWANTED).strip()
    if kept.strip(".") == "":
        return ""
    return _shorten(kept)


def extension(name: str) -> str:
    """Return the extension of `name` in lower case with its dot, or ""."""
    stem, dot, suffix = name.rpartition(".")
    return f".{suffix.lower()}" if dot and stem and suffix.isalnum() else ""


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    tail = dot + suffix if dot and len(suffix.encode()) <= 16 else ""
    room = MAX_BYTES - len(tail.encode())
    head = (stem if tail else name).encode()[:room].decode(errors="ignore")
    return head + tail
