"""Whole answers: range, size, preconditions and method, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http.ranges import ByteRange
from tgbridge.http.representation import AnswerPlan, Representation, plan

NOW = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)
FILE = Representation(
    size=1000,
    etag="v1",
    last_modified=datetime(2023, 10, 27, 10, 0, 0, tzinfo=UTC),
    media_type="video/mp4",
    name="holiday.mp4",
)
EMPTY = FILE._replace(size=0)
SAME = "Fri, 27 Oct 2023 10:00:00 GMT"
LATER = "Fri, 27 Oct 2023 10:00:01 GMT"
EARLIER = "Fri, 27 Oct 2023 09:59:59 GMT"

Span = tuple[int, int] | None


class Case(NamedTuple):
    method: str
    headers: dict[str, str]
    file: Representation
    status: int
    span: Span
    content_range: str | None


TABLE = [
    Case("GET", {}, FILE, 200, (0, 1000), None),
    Case("GET", {"range": "bytes=0-99"}, FILE, 206, (0, 100), "bytes 0-99/1000"),
    Case("GET", {"range": "bytes=900-"}, FILE, 206, (900, 1000), "bytes 900-999/1000"),
    Case("GET", {"range": "bytes=-1"}, FILE, 206, (999, 1000), "bytes 999-999/1000"),
    Case("GET", {"range": "bytes=0-"}, FILE, 206, (0, 1000), "bytes 0-999/1000"),
    Case("GET", {"range": "bytes=1000-"}, FILE, 416, None, "bytes */1000"),
    Case("GET", {"range": "bytes=-0"}, FILE, 416, None, "bytes */1000"),
    Case("GET", {"range": "bytes=0-1,5-6"}, FILE, 200, (0, 1000), None),
    Case("GET", {"range": "lines=0-1"}, FILE, 200, (0, 1000), None),
    # an empty file
    Case("GET", {}, EMPTY, 200, None, None),
    Case("GET", {"range": "bytes=0-"}, EMPTY, 416, None, "bytes */0"),
    Case("GET", {"range": "bytes=-1"}, EMPTY, 200, None, None),
    # HEAD ignores Range, and with it If-Range
    Case("HEAD", {}, FILE, 200, None, None),
    Case("HEAD", {"range": "bytes=0-99"}, FILE, 200, None, None),
    Case("HEAD", {"range": "bytes=1000-"}, FILE, 200, None, None),
    Case("HEAD", {"if-none-match": '"v1"'}, FILE, 304, None, None),
    Case("HEAD", {"if-match": '"v0"'}, FILE, 412, None, None),
    # preconditions come before Range
    Case("GET", {"if-none-match": '"v1"', "range": "bytes=0-9"}, FILE, 304, None, None),
    Case("GET", {"if-none-match": '"v1"', "range": "bytes=1000-"}, FILE, 304, None, None),
    Case("GET", {"if-match": '"v0"', "range": "bytes=1000-"}, FILE, 412, None, None),
    Case("GET", {"if-match": '"v1"', "range": "bytes=0-9"}, FILE, 206, (0, 10), "bytes 0-9/1000"),
    Case("GET", {"if-modified-since": SAME, "range": "bytes=0-9"}, FILE, 304, None, None),
    Case("GET", {"if-unmodified-since": EARLIER, "range": "bytes=0-9"}, FILE, 412, None, None),
    Case("GET", {"if-unmodified-since": SAME, "range": "bytes=0-9"}, FILE, 206, (0, 10), "bytes 0-9/1000"),
    # If-Range
    Case("GET", {"if-range": '"v1"', "range": "bytes=5-9"}, FILE, 206, (5, 10), "bytes 5-9/1000"),
    Case("GET", {"if-range": '"v1"', "range": "bytes=1000-"}, FILE, 416, None, "bytes */1000"),
    Case("GET", {"if-range": '"v0"', "range": "bytes=5-9"}, FILE, 200, (0, 1000), None),
    Case("GET", {"if-range": '"v0"', "range": "bytes=1000-"}, FILE, 200, (0, 1000), None),
    Case("GET", {"if-range": 'W/"v1"', "range": "bytes=5-9"}, FILE, 200, (0, 1000), None),
    Case("GET", {"if-range": SAME, "range": "bytes=5-9"}, FILE, 206, (5, 10), "bytes 5-9/1000"),
    Case("GET", {"if-range": LATER, "range": "bytes=5-9"}, FILE, 200, (0, 1000), None),
    Case("GET", {"if-range": "junk", "range": "bytes=5-9"}, FILE, 200, (0, 1000), None),
    Case("GET", {"if-range": '"v0"'}, FILE, 200, (0, 1000), None),
]


def answer(
    file: Representation = FILE, method: str = "GET", *, download: bool = False, **headers: str
) -> AnswerPlan:
    """Plan an answer; keywords are request headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return plan(method, named, file, now=NOW, download=download)


@pytest.mark.parametrize("case", TABLE)
def test_table(case: Case) -> None:
    """Status, bytes and Content-Range for each combination; Content-Length is exact."""
    planned = plan(case.method, case.headers, case.file, now=NOW)
    assert planned.status == case.status
    assert planned.span == (case.span and ByteRange(*case.span))
    assert planned.headers.get("Content-Range") == case.content_range
    if case.status == 200:
        assert planned.headers["Content-Length"] == str(case.file.size)
    elif planned.span:
        assert planned.headers["Content-Length"] == str(planned.span.length)
    else:
        assert "Content-Length" not in planned.headers


def test_headers_of_a_whole_file() -> None:
    """A 200 says all there is to know."""
    planned = answer()
    assert planned.headers == {
        "ETag": '"v1"',
        "Last-Modified": SAME,
        "Cache-Control": "private, no-cache, no-transform",
        "Accept-Ranges": "bytes",
        "Content-Type": "video/mp4",
        "Content-Length": "1000",
        "Content-Disposition": 'inline; filename="holiday.mp4"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": planned.headers["Content-Security-Policy"],
    }


def test_head_is_get_without_the_bytes() -> None:
    """HEAD's headers are those of GET, and nothing is sent."""
    head = answer(method="HEAD")
    assert head.headers == answer().headers
    assert head.span is None


def test_not_modified_repeats_only_what_updates_a_cache() -> None:
    """A 304 carries tag, cache rules and policies as the 200 does, and nothing about a body.

    Of what it says, a cache updates the answer that it has (RFC 9111 section 4.3.4).
    """
    whole, unchanged = answer(), answer(if_none_match='"v1"')
    fields = {"ETag", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options"}
    assert unchanged.headers == {name: whole.headers[name] for name in fields}
    pdf = FILE._replace(media_type="application/pdf")
    assert set(answer(pdf, if_none_match='"v1"').headers) == fields - {"Content-Security-Policy"}


def test_a_refusal_says_nothing_of_the_file_but_its_tag() -> None:
    """The error body has a type and a policy of its own."""
    assert set(answer(if_match='"v0"').headers) == {"ETag", "Cache-Control"}
    refused = answer(range="bytes=1000-").headers
    assert set(refused) == {"ETag", "Cache-Control", "Accept-Ranges", "Content-Range"}


@pytest.mark.parametrize(
    ("media_type", "download", "expected"),
    [
        ("image/png", False, "inline"),
        ("image/png", True, "attachment"),
        ("application/pdf", False, "inline"),
        ("image/svg+xml", False, "attachment"),
        ("text/html", False, "attachment"),
        ("broken", False, "attachment"),
    ],
)
def test_disposition(media_type: str, download: bool, expected: str) -> None:
    """Only harmless types are shown in place, and none when a download was asked for."""
    planned = answer(FILE._replace(media_type=media_type), download=download)
    assert planned.headers["Content-Disposition"].startswith(f"{expected};")


def test_without_ranges() -> None:
    """A file that is not served in parts says so, and is sent whole."""
    planned = answer(FILE._replace(ranges=False), range="bytes=2000-")
    assert planned.status == 200
    assert planned.headers["Accept-Ranges"] == "none"


def test_date_ahead_of_the_clock() -> None:
    """Last-Modified is never later than the answer itself (section 8.8.2.1), and has no fraction."""
    ahead = FILE._replace(last_modified=NOW + timedelta(days=1))
    assert answer(ahead).headers["Last-Modified"] == "Sat, 01 Aug 2026 12:00:00 GMT"
    fraction = FILE._replace(last_modified=datetime(2023, 10, 27, 10, 0, 0, 999_999, tzinfo=UTC))
    assert answer(fraction, if_range=SAME, range="bytes=0-0").status == 206


def test_file_without_a_date() -> None:
    """Where Telegram names no date, there is no Last-Modified."""
    assert "Last-Modified" not in answer(FILE._replace(last_modified=None)).headers


@given(
    st.sampled_from(["GET", "HEAD"]),
    st.dictionaries(
        st.sampled_from(
            ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]
        ),
        st.one_of(st.text(max_size=20), st.sampled_from(['"v1"', "*", SAME, "bytes=1-2", "bytes=-5"])),
    ),
    st.builds(
        Representation,
        size=st.integers(0, 2**40),
        etag=st.just("v1"),
        last_modified=st.none() | st.just(FILE.last_modified),
        media_type=st.text(max_size=20),
        name=st.text(max_size=20),
        ranges=st.booleans(),
    ),
    st.booleans(),
)
def test_every_answer_holds_together(
    method: str, headers: dict[str, str], file: Representation, download: bool
) -> None:
    """Whatever is asked of whatever file, the plan can be carried out and no header can be broken."""
    planned = plan(method, headers, file, now=NOW, download=download)
    assert planned.status in {200, 206, 304, 412, 416}
    assert all(value.isprintable() and value.isascii() for value in planned.headers.values())
    if planned.span is None:
        assert method == "HEAD" or file.size == 0 or planned.status in {304, 412, 416}
    else:
        assert method == "GET"
        assert 0 <= planned.span.start < planned.span.stop <= file.size
        assert planned.headers["Content-Length"] == str(planned.span.length)


@pytest.mark.parametrize(
    ("headers", "status", "kept"),
    [
        ({}, 200, True),
        ({"range": "bytes=0-9"}, 206, True),
        ({"if-none-match": '"v1"'}, 304, True),
        ({"range": "bytes=1000-"}, 416, False),
        ({"if-match": '"v0"'}, 412, False),
    ],
)
def test_an_address_that_names_the_bytes(headers: dict[str, str], status: int, kept: bool) -> None:
    """Its answers are good for a year, refusals for no time at all."""
    answer = plan("GET", headers, FILE, now=NOW, immutable=True)
    assert answer.status == status
    assert ("immutable" in answer.headers["Cache-Control"]) is kept
    assert "immutable" not in plan("GET", headers, FILE, now=NOW).headers["Cache-Control"]
    assert "Vary" not in answer.headers
    page = FILE._replace(media_type="text/html")
    assert ("Vary" in plan("GET", headers, page, now=NOW, immutable=True).headers) is kept
