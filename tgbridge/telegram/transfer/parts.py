"""The grid of upload.getFile: how a span of bytes is cut into parts that a data centre will serve.

https://core.telegram.org/api/files#downloading-files: offset and limit are multiples of 4096 bytes, limit
divides 1 MiB, and a request stays inside one 1 MiB block. The parts here obey a stricter rule, offset being a
multiple of limit, so that every span of a file is cut along the same lines, and what one request fetched
serves another. No I/O.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

KIB: Final = 1024
MIB: Final = 1024 * KIB
UNIT: Final = 4 * KIB


class Part(NamedTuple):
    """One request's share of a file, in bytes. The last part of a file is answered with less than `limit`."""

    offset: int
    limit: int

    @property
    def end(self) -> int:
        """The offset of the first byte behind it."""
        return self.offset + self.limit

    def length(self, size: int) -> int:
        """How many bytes a file of `size` bytes has in it."""
        return max(0, min(self.end, size) - self.offset)


def power_of_two(size: int, *, least: int = UNIT, most: int = MIB) -> int:
    """Return the largest power of two not above `size` bytes, kept between `least` and `most`."""
    return max(least, min(most, 1 << max(size, 1).bit_length() - 1))


def part_at(
    position: int,
    *,
    stop: int,
    size: int,
    smallest: int,
    largest: int,
    taken: Collection[Part] = (),
) -> Part:
    """Choose the part that brings the byte at `position` of a span that ends before `stop`.

    As large as the grid, `largest` and the span allow, so that a span that begins anywhere starts with
    small parts and grows to large ones; no more than `smallest` is fetched beyond the span, unless it ends
    with the file. `taken` are the parts of the same 1 MiB block that are fetched already: the one that
    holds `position` is chosen again, and none is overlapped. `smallest` and `largest` are powers of two
    from 4 KiB to 1 MiB.
    """
    # What is below comes to the same, but this is each part of a film but the first.
    if not taken and position % largest == 0 and position + largest <= stop:
        return Part(position, largest)
    for part in taken:
        if part.offset <= position < part.end:
            return part
    offset, limit = position - position % smallest, smallest
    reach = stop + -stop % smallest if stop < size else size + MIB
    while (
        position + limit < stop
        and 2 * limit <= largest
        and position % (2 * limit) == 0
        and position + 2 * limit <= reach
        and not any(offset < part.end and part.offset < offset + 2 * limit for part in taken)
    ):
        limit *= 2
    return Part(offset, limit)
