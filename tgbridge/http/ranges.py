"""Byte ranges (RFC 9110 section 14): what a Range header selects of a file of a given size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, TypeAlias

# One range-spec of the unit "bytes" (section 14.1.1): first-pos "-" [ last-pos ], or "-" suffix-length.
_RANGE_SPEC: Final = re.compile(r"(?P<first>[0-9]*+)-(?P<last>[0-9]*+)")
# Python refuses to convert thousands of digits. No file has a size of more than 19 (2**63 - 1).
_MAX_DIGITS: Final = 19


class Selection(Enum):
    """What a Range header selects when it is not one part of the file."""

    WHOLE = "whole"
    """The header is absent, or is ignored as section 14.2 allows: the answer is the whole file, 200."""

    UNSATISFIABLE = "unsatisfiable"
    """The header is valid and names no byte that exists: the answer is 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from offset `start` up to, not including, offset `stop`."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """The number of bytes."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Write the Content-Range of a 206 that carries these bytes of `size`."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


RangeSelection: TypeAlias = ByteRange | Literal[Selection.WHOLE, Selection.UNSATISFIABLE]


def unsatisfied_content_range(size: int) -> str:
    """Write the Content-Range of a 416 for a file of `size` bytes."""
    return f"bytes */{size}"


def select_range(value: str | None, size: int) -> RangeSelection:
    """Tell which bytes of a file of `size` bytes the Range header `value` selects.

    Several ranges select the whole file: section 14.2 lets a server ignore Range, and one body is worth more
    to a player than multipart/byteranges. So do unknown units and whatever breaks the grammar.
    """
    unit, equals, range_set = (value or "").strip(" \t").partition("=")
    if not equals or unit.lower() != "bytes":
        return Selection.WHOLE
    # Empty elements of a list are skipped (section 5.6.1.2).
    specs = [spec for element in range_set.split(",") if (spec := element.strip(" \t"))]
    if len(specs) != 1 or not (match := _RANGE_SPEC.fullmatch(specs[0])):
        return Selection.WHOLE
    first, last = match["first"], match["last"]
    if first:
        return _select_from(first, last, size)
    return _select_suffix(last, size) if last else Selection.WHOLE


def _select_from(first: str, last: str, size: int) -> RangeSelection:
    if last and _magnitude(last) < _magnitude(first):
        return Selection.WHOLE
    start = _clamp(first, size)
    if start == size:
        return Selection.UNSATISFIABLE
    return ByteRange(start, _clamp(last, size - 1) + 1 if last else size)


def _select_suffix(length: str, size: int) -> RangeSelection:
    wanted = _clamp(length, size)
    if wanted:
        return ByteRange(size - wanted, size)
    # An empty file satisfies any suffix but "-0" (section 14.1.2), yet Content-Range can't name no bytes.
    return Selection.WHOLE if length.strip("0") else Selection.UNSATISFIABLE


def _magnitude(digits: str) -> tuple[int, str]:
    """Give a key that orders decimal numbers of any length by their value."""
    significant = digits.lstrip("0")
    return len(significant), significant


def _clamp(digits: str, limit: int) -> int:
    significant = digits.lstrip("0")
    return limit if len(significant) > _MAX_DIGITS else min(int(significant or "0"), limit)
