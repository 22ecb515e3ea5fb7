"""Byte ranges: a table of the cases that RFC 9110 section 14 names, and an oracle for all the others."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tgbridge.http.ranges import (
    ByteRange,
    RangeSelection,
    Selection,
    select_range,
    unsatisfied_content_range,
)

WHOLE = Selection.WHOLE
UNSATISFIABLE = Selection.UNSATISFIABLE
ABSURD = "9" * 6000

TABLE: list[tuple[str | None, int, RangeSelection]] = [
    # closed, open, suffix
    ("bytes=0-0", 10, ByteRange(0, 1)),
    ("bytes=0-9", 10, ByteRange(0, 10)),
    ("bytes=3-5", 10, ByteRange(3, 6)),
    ("bytes=9-9", 10, ByteRange(9, 10)),
    ("bytes=0-", 10, ByteRange(0, 10)),
    ("bytes=9-", 10, ByteRange(9, 10)),
    ("bytes=-1", 10, ByteRange(9, 10)),
    ("bytes=-10", 10, ByteRange(0, 10)),
    # beyond the end
    ("bytes=0-10", 10, ByteRange(0, 10)),
    ("bytes=5-4096", 10, ByteRange(5, 10)),
    ("bytes=-11", 10, ByteRange(0, 10)),
    ("bytes=10-", 10, UNSATISFIABLE),
    ("bytes=10-10", 10, UNSATISFIABLE),
    ("bytes=4096-8191", 10, UNSATISFIABLE),
    ("bytes=-0", 10, UNSATISFIABLE),
    ("bytes=-000", 10, UNSATISFIABLE),
    # absurd numbers
    (f"bytes=0-{ABSURD}", 10, ByteRange(0, 10)),
    (f"bytes=-{ABSURD}", 10, ByteRange(0, 10)),
    (f"bytes={ABSURD}-", 10, UNSATISFIABLE),
    (f"bytes={ABSURD}-{ABSURD}", 10, UNSATISFIABLE),
    (f"bytes={ABSURD}-{ABSURD[1:]}", 10, WHOLE),
    (f"bytes={'0' * 6000}3-{'0' * 5000}5", 10, ByteRange(3, 6)),
    (f"bytes={2**63}-", 2**63 - 1, UNSATISFIABLE),
    (f"bytes={2**63 - 2}-", 2**63 - 1, ByteRange(2**63 - 2, 2**63 - 1)),
    # white space and empty elements
    (" bytes=3-5\t", 10, ByteRange(3, 6)),
    ("bytes= 3-5 ", 10, ByteRange(3, 6)),
    ("bytes=,\t3-5 ,,", 10, ByteRange(3, 6)),
    ("bytes =3-5", 10, WHOLE),
    ("bytes=3 -5", 10, WHOLE),
    ("bytes=3- 5", 10, WHOLE),
    # several ranges, whatever they are
    ("bytes=0-1,4-5", 10, WHOLE),
    ("bytes=0-5,3-9", 10, WHOLE),
    ("bytes=0-0,-1", 10, WHOLE),
    ("bytes=0-,0-,0-,0-", 10, WHOLE),
    ("bytes=20-30,40-", 10, WHOLE),
    ("bytes=0-1, bytes=4-5", 10, WHOLE),
    # no ranges-specifier of bytes
    (None, 10, WHOLE),
    ("", 10, WHOLE),
    ("bytes", 10, WHOLE),
    ("bytes=", 10, WHOLE),
    ("bytes=,", 10, WHOLE),
    ("bytes=-", 10, WHOLE),
    ("bytes=5-3", 10, WHOLE),
    ("bytes=a-b", 10, WHOLE),
    ("bytes=0x1-5", 10, WHOLE),
    ("bytes=--5", 10, WHOLE),
    ("bytes=+1-5", 10, WHOLE),
    ("bytes=1-5-7", 10, WHOLE),
    ("bytes=1.5-3", 10, WHOLE),
    ("bytes=1_0-", 100, WHOLE),
    ("bytes=\u0663-\u0665", 10, WHOLE),
    ("items=0-1", 10, WHOLE),
    ("seconds=1-2", 10, WHOLE),
    ("0-1", 10, WHOLE),
    ("BYTES=3-5", 10, ByteRange(3, 6)),
    # no bytes at all
    ("bytes=0-", 0, UNSATISFIABLE),
    ("bytes=0-0", 0, UNSATISFIABLE),
    ("bytes=-0", 0, UNSATISFIABLE),
    ("bytes=-5", 0, WHOLE),
    ("bytes=5-3", 0, WHOLE),
    (None, 0, WHOLE),
]


@pytest.mark.parametrize(("value", "size", "expected"), TABLE)
def test_table(value: str | None, size: int, expected: RangeSelection) -> None:
    """Each header selects what section 14 says of a file of that size."""
    assert select_range(value, size) == expected


def offsets_by_grammar(value: str, size: int) -> set[int] | None:
    """Give the offsets that a Range header of one range names; None where it is to be ignored.

    Written from the grammar, with sets of offsets instead of arithmetic on bounds.
    """
    found = re.match(r"^(?i:bytes)=(.*)$", value)
    specs = [] if found is None else [spec.strip(" \t") for spec in found.group(1).split(",")]
    specs = [spec for spec in specs if spec]
    if len(specs) != 1:
        return None
    everything = range(size)
    if suffix := re.match(r"^-([0-9]+)$", specs[0]):
        return {offset for offset in everything if size - offset <= int(suffix.group(1))}
    if half_open := re.match(r"^([0-9]+)-$", specs[0]):
        return {offset for offset in everything if offset >= int(half_open.group(1))}
    if closed := re.match(r"^([0-9]+)-([0-9]+)$", specs[0]):
        first, last = int(closed.group(1)), int(closed.group(2))
        return {offset for offset in everything if first <= offset <= last} if first <= last else None
    return None


NUMBERS = st.one_of(
    st.integers(0, 40).map(str), st.integers(0, 40).map("{:03}".format), st.just("9" * 30), st.just("")
)
SPECS = st.one_of(st.builds("{}-{}".format, NUMBERS, NUMBERS), st.text(" -,0123456789a", max_size=6))
HEADERS = st.builds(
    "{}={}".format,
    st.sampled_from(["bytes", "Bytes", "items", ""]),
    st.lists(SPECS, max_size=3).flatmap(
        lambda specs: st.sampled_from([",", ", ", " ,"]).map(lambda glue: glue.join(specs))
    ),
)


@given(HEADERS, st.integers(0, 33))
@example("bytes=-1", 0)
def test_agrees_with_the_grammar(value: str, size: int) -> None:
    """Whatever the header, the bytes selected are those that the grammar names."""
    expected = offsets_by_grammar(value, size)
    selected = select_range(value, size)
    if isinstance(selected, ByteRange):
        assert set(range(selected.start, selected.stop)) == expected
        assert selected.length > 0
    elif selected is UNSATISFIABLE:
        assert expected == set()
    else:
        # Nothing is lost by sending the whole: the suffix of an empty file is the file.
        assert expected is None or (size == 0 and expected == set())


@given(st.text(max_size=40), st.integers(0, 2**63))
def test_never_raises(value: str, size: int) -> None:
    """Any text is either ignored, satisfied within the file, or refused."""
    selected = select_range(value, size)
    if isinstance(selected, ByteRange):
        assert 0 <= selected.start < selected.stop <= size


@given(st.integers(1, 2**63), st.data())
def test_content_range_names_the_bytes(size: int, data: st.DataObject) -> None:
    """Content-Range is the inclusive form of what was selected, and asking for it again selects the same."""
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    selected = select_range(f"bytes={first}-{last}", size)
    assert isinstance(selected, ByteRange)
    assert selected.content_range(size) == f"bytes {first}-{last}/{size}"
    assert selected.length == last - first + 1


def test_content_range_of_a_refusal() -> None:
    """A 416 names the size alone (section 14.4)."""
    assert unsatisfied_content_range(1234) == "bytes */1234"
