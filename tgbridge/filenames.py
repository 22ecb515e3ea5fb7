"""File names: cleaned of paths and of what no file system or header should see."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_BYTES: Final = 255
"""What common file systems take, in UTF-8."""

# Control characters, halves of surrogate pairs, and line separators.
_UNWANTED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Of the format characters, those that turn the direction, which disguises an extension, and those that can't
# be seen. The others belong to scripts and emoji: Arabic signs, joiners, the tags that make a flag England's.
_DISGUISES: Final = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def clean(name: str) -> str:
    """Return `name` without directories, control characters and surrounding blanks; "" where nothing is left.

    Any script stays as it is. A longer name is cut to `MAX_BYTES` of UTF-8 before its extension.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    if base.isascii() and base.isprintable():
        kept = base.strip()  # as most are, and looked at once for each answer
    else:
        seen = _DISGUISES.sub("", base)
        kept = "".join(c for c in seen if unicodedata.category(c) not in _UNWANTED).strip()
    if kept.strip(".") == "":
        return ""
    return _shorten(kept)


def _shorten(name: str) -> str:
    if len(name.encode()) <= MAX_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    tail = dot + suffix if dot and len(suffix.encode()) <= 16 else ""
    room = MAX_BYTES - len(tail.encode())
    head = (stem if tail else name).encode()[:room].decode(errors="ignore")
    return head + tail
