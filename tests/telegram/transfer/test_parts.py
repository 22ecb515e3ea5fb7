from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.telegram.transfer.parts import KIB, MIB, Part, part_at, power_of_two

Span = tuple[int, int, int]
POWERS = st.sampled_from([4 * KIB << n for n in range(9)])


def served(offset: int, limit: int) -> bool:
    """The rules of core.telegram.org/api/files."""
    return (
        offset % 4096 == limit % 4096 == 0
        and MIB % limit == 0
        and offset // MIB == (offset + limit - 1) // MIB
    )


def cut(start: int, stop: int, *, size: int, smallest: int, largest: int) -> list[Part]:
    """Cut a span as a download does: the first part is the smallest, whatever the span."""
    parts: list[Part] = []
    position = start
    while position < stop:
        most = largest if parts else smallest
        parts.append(part_at(position, stop=stop, size=size, smallest=smallest, largest=most))
        position = parts[-1].end
    return parts


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, int, int]:
    near = st.sampled_from([0, 1, 4096, 128 * KIB, 512 * KIB, MIB, 2 * MIB, 5 * MIB + 17])
    size = max(1, draw(near) + draw(st.integers(-3, 3)) + draw(st.integers(0, 3)) * MIB)
    start = draw(st.integers(0, size - 1))
    return start, draw(st.integers(start + 1, size)), size


@given(spans(), POWERS, POWERS)
def test_a_cut_covers_the_span_without_gap_or_overlap(span: Span, one: int, other: int) -> None:
    """However a span lies, its parts follow one another, and every byte of it is in one of them."""
    start, stop, size = span
    parts = cut(start, stop, size=size, smallest=min(one, other), largest=max(one, other))
    assert parts[0].offset <= start < parts[0].end
    assert parts[-1].offset < stop <= parts[-1].end
    assert all(part.end == following.offset for part, following in itertools.pairwise(parts))


@given(spans(), POWERS, POWERS)
def test_telegram_serves_every_part(span: Span, one: int, other: int) -> None:
    """No part breaks a rule of upload.getFile, and none is smaller or larger than wanted."""
    start, stop, size = span
    for part in cut(start, stop, size=size, smallest=min(one, other), largest=max(one, other)):
        assert served(*part)
        assert min(one, other) <= part.limit <= max(one, other)
        assert part.length(size) > 0


@given(spans(), POWERS, POWERS)
def test_little_is_fetched_beyond_the_span(span: Span, one: int, other: int) -> None:
    """At either end less than one smallest part of the file is fetched in vain."""
    start, stop, size = span
    smallest = min(one, other)
    parts = cut(start, stop, size=size, smallest=smallest, largest=max(one, other))
    assert start - parts[0].offset < smallest
    assert min(parts[-1].end, size) - stop < smallest


def test_parts_grow_to_the_largest() -> None:
    """From the file's beginning the size doubles until it is the largest."""
    sizes = [part.limit // KIB for part in cut(0, 4 * MIB, size=9 * MIB, smallest=128 * KIB, largest=MIB)]
    assert sizes == [128, 128, 256, 512, 1024, 1024, 1024]


def test_a_span_that_ends_with_the_file_ends_with_one_part() -> None:
    """Beyond the end nothing is sent, so no small parts are needed to meet it."""
    assert part_at(MIB, stop=MIB + 700_001, size=MIB + 700_001, smallest=4096, largest=MIB) == Part(MIB, MIB)
    assert part_at(MIB, stop=MIB + 700_001, size=9 * MIB, smallest=4096, largest=MIB) == Part(MIB, 512 * KIB)


@given(st.data(), spans(), spans())
def test_spans_share_the_parts_that_are_fetched_already(data: st.DataObject, one: Span, other: Span) -> None:
    """A second span of the same file takes the first one's parts where it meets them, and overlaps none."""
    size = max(one[2], other[2])
    taken: set[Part] = set()
    for start, stop, _ in (one, other):
        position = start
        while position < stop:
            near = [part for part in taken if part.offset // MIB == position // MIB]
            largest = data.draw(st.sampled_from([4 * KIB, 128 * KIB, MIB]))
            part = part_at(position, stop=stop, size=size, smallest=4 * KIB, largest=largest, taken=near)
            assert part.offset <= position < part.end
            taken.add(part)
            position = part.end
    ordered = sorted(taken)
    assert all(part.end <= following.offset for part, following in itertools.pairwise(ordered))


@pytest.mark.parametrize(("size", "expected"), [(0, 4096), (4097, 4096), (8192, 8192), (MIB * 3, MIB)])
def test_power_of_two(size: int, expected: int) -> None:
    """The nearest power below, within the grid's bounds."""
    assert power_of_two(size) == expected
