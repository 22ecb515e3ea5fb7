"""Text of which nobody has said how its characters are written: file names, and titles of songs.

UTF-8 is told by itself. What is none was written by software of a region, and is read as the text that looks
most like one. Detectors from PyPI need whole pages for that; a name has ten letters (charset-normalizer reads
three of four of the names in the tests wrongly).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# What may be looked up: Python remembers each name that it was asked for, also of charsets that are none.
_LABELS: Final = re.compile(
    r"utf-?8|(?:us-)?ascii|iso-8859-(?:1[013-6]?|[2-9])|(?:windows-|cp)125[0-8]|cp866|cp932|cp949|koi8-[ru]"
    r"|gb2312|gbk|gb18030|big5|shift[_-]jis|euc-(?:jp|kr)"
)
_MOST_CHARACTERS: Final = 256  # that are looked at
_CONTROLS: Final = re.compile(r"[\x80-\x9f]")
_KANA: Final = re.compile(r"[\u3041-\u30ff]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN: Final = re.compile(r"[A-Za-z]")
_RUSSIAN_LETTER: Final = re.compile(r"[\u0410-\u044f]")
_CYRILLIC: Final = re.compile(r"[\u0401-\u0491]+")


def readable(raw: bytes) -> str:
    """Return the text that these bytes most probably are. Never raises."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    readings = ((encoding, _decoded(raw, encoding)) for encoding in _SCORES)
    scored = [
        (_SCORES[encoding](text[:_MOST_CHARACTERS]), text) for encoding, text in readings if text is not None
    ]
    return max(scored, key=lambda one: one[0], default=(0, raw.decode("latin-1")))[1]


def decoded(raw: bytes, charset: str) -> str:
    """Return text in the charset of this name, if it is one, and these bytes are text in it; else `readable`.

    ISO-8859-1 is read as Windows reads it (https://encoding.spec.whatwg.org/#names-and-labels).
    """
    label = charset.lower()
    text = None
    if _LABELS.fullmatch(label):
        text = _decoded(raw, "cp1252" if label == "iso-8859-1" else label)
    return readable(raw) if text is None else text


def _decoded(raw: bytes, encoding: str) -> str | None:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if _CONTROLS.search(text) else text


# How much each reading looks like text: for each character that is not ASCII, from -2 to 2 on an average.


def _average(points: list[float]) -> float:
    return sum(points) / len(points) if points else 0.0


def _japanese(text: str) -> float:
    def points(c: str) -> float:
        if _KANA.match(c):
            return 2.0
        if "\uff61" <= c <= "\uff9f":  # half a cell wide: single bytes, which most bytes of others are
            return -1.5
        # The kanji that are common have the first rows; punctuation stands before them.
        return 1.5 if "\x88\x9f" <= c.encode("cp932", "replace").decode("latin-1") < "\x98\x80" else 0.0

    return _average([points(c) for c in text if not c.isascii()])


def _chinese(text: str) -> float:
    def points(c: str) -> float:
        first, *rest = c.encode("gbk", "replace")
        if not rest or rest[0] < 0xA1 or first < 0xA1:
            return -1.0  # not in GB 2312, which has what people write
        if first in {0xA1, 0xA3}:
            return 0.5  # punctuation, and wide forms of ASCII
        if not 0xB0 <= first <= 0xD7:
            return -0.5  # rare characters
        # Two capitals of Cyrillic look like a common character.
        return 0.8 if first >= 0xC0 and rest[0] >= 0xC0 else 1.6

    return _average([points(c) for c in text if not c.isascii()])


def _russian(text: str) -> float:
    points = []
    for word in _WORD.findall(text):
        strange = sum(not c.isascii() for c in word)
        # Words are of one script, and have capitals at their beginning, or throughout.
        natural = _CYRILLIC.fullmatch(word) and (word[1:].islower() or word.isupper())
        if len(word) == 1:
            points += [0.7 if _RUSSIAN_LETTER.match(word) else -1.0] * strange
        else:
            points += [1.0 if natural else -1.0] * strange
    points += [1.0 if c in "«»№" else -0.5 for c in text if not c.isascii() and not c.isalpha()]
    return _average(points)


def _western(text: str) -> float:
    points = []
    for word in _WORD.findall(text):
        strange = sum(not c.isascii() for c in word)
        plain = len(_LATIN.findall(word))
        if len(word) == 1:
            # A word of its own, as in "à la carte", among words of the same script.
            points += [1.0 if _LATIN.search(text.rpartition(".")[0]) else 0.6] * strange
        else:
            natural = 2 * plain >= strange and (word[1:].islower() or word.isupper())
            points += [1.2 if natural else -1.0] * strange
    return _average(points)


_SCORES: Final[dict[str, Callable[[str], float]]] = {
    "cp932": _japanese,
    "gbk": _chinese,
    "cp1251": _russian,
    "cp1252": _western,
}
