"""Digits as people type, paste and autofill them, for telephone numbers and login codes alike."""

from __future__ import annotations

import unicodedata
from typing import Final

# Categories of the Unicode Character Database (https://www.unicode.org/reports/tr44/#General_Category_Values)
# whose characters stand between digits and mean nothing: punctuation, which all dashes and brackets are,
# spaces of all kinds, marks (variation selectors among them), and format characters, which nobody sees.
_MEANINGLESS: Final = frozenset("PZM")
_FORMAT: Final = "Cf"
# Not punctuation there, and yet typed as such: minus signs, a bold, a drawn and a Japanese dash, fractions'
# slashes, the vertical line, the backtick; blanks that count as letters or symbols; control characters.
_ALSO_MEANINGLESS: Final = frozenset(
    "\u2212\u207b\u208b\u02d7\u2796\u2500\u2501\u30fc\uff70\u2044\u2215|~`"
    "\u115f\u1160\u2800\u3164\uffa0"
    "\t\n\v\f\r\x85"
)
# Dialled, waited for, or the beginning of parameters (RFC 3966): what follows is no part of the number.
_DIALLING: Final = frozenset("*#;")


def typed_digits(text: str) -> str | None:
    """Return the decimal digits of ``text``, of whatever script, as ASCII. None if more than that is said.

    Separators and invisible marks are passed over. A plus sign may stand before the first digit.
    """
    digits = []
    for character in text:
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            digits.append(str(digit))
        elif not (_is_separator(character) or (not digits and _plain(character) == "+")):
            return None
    return "".join(digits)


def typed_number(text: str) -> str | None:
    """Return the digits of a telephone number, which may be a tel: link. None if it is none."""
    link = "".join(character for character in text if not _is_separator(character) or character == ":")
    if link[:4].lower() == "tel:":
        text = text[text.index(":") + 1 :]
    return typed_digits(text)


def _is_separator(character: str) -> bool:
    if character in _ALSO_MEANINGLESS:
        return True
    category = unicodedata.category(character)
    return (category[0] in _MEANINGLESS or category == _FORMAT) and _plain(character) not in _DIALLING


def _plain(character: str) -> str:
    """Give the ASCII form of a full-width, small or superscript one."""
    return unicodedata.normalize("NFKC", character)
