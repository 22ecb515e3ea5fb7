"""Conditional requests: RFC 9110 section 13, its precedence above all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http.dates import format_http_date
from tgbridge.http.etags import EntityTag
from tgbridge.http.preconditions import Outcome, Validators, evaluate, range_applies

NOW = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)
MODIFIED = datetime(2023, 10, 27, 10, 0, 0, tzinfo=UTC)
FILE = Validators(EntityTag("v1"), MODIFIED)
SAME = format_http_date(MODIFIED)
BEFORE = format_http_date(MODIFIED - timedelta(seconds=1))
AFTER = format_http_date(MODIFIED + timedelta(seconds=1))
OBSOLETE_FORMS = ["Friday, 27-Oct-23 10:00:00 GMT", "Fri Oct 27 10:00:00 2023"]

OK, UNCHANGED, FAILED = Outcome.PROCEED, Outcome.NOT_MODIFIED, Outcome.PRECONDITION_FAILED

TABLE: list[tuple[dict[str, str], Outcome]] = [
    ({}, OK),
    # If-Match, compared strongly
    ({"if-match": '"v1"'}, OK),
    ({"if-match": "*"}, OK),
    ({"if-match": '"v0", "v1"'}, OK),
    ({"if-match": '"v0"'}, FAILED),
    ({"if-match": 'W/"v1"'}, FAILED),
    ({"if-match": ""}, FAILED),
    ({"if-match": "v1"}, FAILED),
    ({"if-match": '"v1", junk'}, FAILED),
    # If-None-Match, compared weakly
    ({"if-none-match": '"v1"'}, UNCHANGED),
    ({"if-none-match": 'W/"v1"'}, UNCHANGED),
    ({"if-none-match": "*"}, UNCHANGED),
    ({"if-none-match": '"v0", W/"v1"'}, UNCHANGED),
    ({"if-none-match": '"v0"'}, OK),
    ({"if-none-match": ""}, OK),
    ({"if-none-match": "v1"}, OK),
    ({"if-none-match": 'junk, "v1"'}, OK),
    # If-Modified-Since
    ({"if-modified-since": SAME}, UNCHANGED),
    ({"if-modified-since": AFTER}, UNCHANGED),
    ({"if-modified-since": BEFORE}, OK),
    ({"if-modified-since": "yesterday"}, OK),
    ({"if-modified-since": f"{SAME}, {SAME}"}, OK),
    *(({"if-modified-since": form}, UNCHANGED) for form in OBSOLETE_FORMS),
    # If-Unmodified-Since
    ({"if-unmodified-since": SAME}, OK),
    ({"if-unmodified-since": AFTER}, OK),
    ({"if-unmodified-since": BEFORE}, FAILED),
    ({"if-unmodified-since": "yesterday"}, OK),
    *(({"if-unmodified-since": form}, OK) for form in OBSOLETE_FORMS),
    # precedence: tags before dates, positive before negative
    ({"if-match": '"v1"', "if-unmodified-since": BEFORE}, OK),
    ({"if-match": '"v0"', "if-unmodified-since": AFTER}, FAILED),
    ({"if-match": '"v0"', "if-none-match": '"v1"'}, FAILED),
    ({"if-match": '"v1"', "if-none-match": '"v1"'}, UNCHANGED),
    ({"if-unmodified-since": BEFORE, "if-none-match": '"v1"'}, FAILED),
    ({"if-unmodified-since": SAME, "if-modified-since": SAME}, UNCHANGED),
    ({"if-none-match": '"v0"', "if-modified-since": SAME}, OK),
    ({"if-none-match": "junk", "if-modified-since": SAME}, OK),
    ({"if-none-match": '"v1"', "if-modified-since": BEFORE}, UNCHANGED),
    # If-Range has no say here
    ({"if-range": '"v0"'}, OK),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("headers", "expected"), TABLE)
def test_table(method: str, headers: dict[str, str], expected: Outcome) -> None:
    """Each combination of preconditions, on reading."""
    assert evaluate(method, headers, FILE, now=NOW) is expected


def test_writing_methods() -> None:
    """On other methods a match is a failure, and If-Modified-Since is ignored (13.1.2, 13.1.3)."""
    assert evaluate("PATCH", {"if-none-match": "*"}, FILE, now=NOW) is FAILED
    assert evaluate("PATCH", {"if-modified-since": SAME}, FILE, now=NOW) is OK


def test_file_without_a_date() -> None:
    """Conditions on dates are ignored where there is none to compare with."""
    undated = Validators(EntityTag("v1"))
    assert evaluate("GET", {"if-modified-since": AFTER}, undated, now=NOW) is OK
    assert evaluate("GET", {"if-unmodified-since": BEFORE}, undated, now=NOW) is OK
    assert not range_applies("GET", {"range": "bytes=0-", "if-range": SAME}, undated, now=NOW)


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [
        (None, True),
        ('"v1"', True),
        (' "v1" ', True),
        ('"v0"', False),
        ('W/"v1"', False),
        ('"v0", "v1"', False),
        ("*", False),
        ("v1", False),
        ("", False),
        (SAME, True),
        (BEFORE, False),
        (AFTER, False),
        ("yesterday", False),
        *((form, True) for form in OBSOLETE_FORMS),
    ],
)
def test_if_range(if_range: str | None, expected: bool) -> None:
    """A range is honoured with the strong current tag or the exact current date, and with nothing less."""
    headers = {"range": "bytes=0-0"} | ({} if if_range is None else {"if-range": if_range})
    assert range_applies("GET", headers, FILE, now=NOW) is expected


def test_if_range_needs_a_strong_tag_on_both_sides() -> None:
    """A file known by a weak tag only is never sent in parts to one who checks."""
    weak = Validators(EntityTag("v1", weak=True))
    assert not range_applies("GET", {"range": "bytes=0-0", "if-range": 'W/"v1"'}, weak, now=NOW)


def test_range_only_on_get() -> None:
    """Range is defined for GET alone (section 14.2), and there must be one."""
    assert not range_applies("HEAD", {"range": "bytes=0-0"}, FILE, now=NOW)
    assert not range_applies("GET", {"if-range": '"v1"'}, FILE, now=NOW)


TAG_LISTS = st.lists(st.sampled_from(['"v1"', 'W/"v1"', '"v0"', 'W/"v0"'])).map(", ".join)
DATES = st.integers(-2, 2).map(lambda seconds: MODIFIED + timedelta(seconds=seconds))


@given(
    st.none() | TAG_LISTS | st.just("*"),
    st.none() | DATES,
    st.none() | TAG_LISTS | st.just("*"),
    st.none() | DATES,
)
def test_the_order_of_13_2_2(
    if_match: str | None, unmodified: datetime | None, if_none_match: str | None, modified: datetime | None
) -> None:
    """Any combination gives what the numbered steps of section 13.2.2 give."""
    given_headers = {
        "if-match": if_match,
        "if-unmodified-since": format_http_date(unmodified) if unmodified else None,
        "if-none-match": if_none_match,
        "if-modified-since": format_http_date(modified) if modified else None,
    }
    headers = {name: value for name, value in given_headers.items() if value is not None}
    assert evaluate("GET", headers, FILE, now=NOW) is by_steps(if_match, unmodified, if_none_match, modified)


def by_steps(
    if_match: str | None, unmodified: datetime | None, if_none_match: str | None, modified: datetime | None
) -> Outcome:
    """Follow the steps of section 13.2.2 literally, on GET. Tags are compared as text."""
    step_1 = if_match is None or if_match == "*" or '"v1"' in if_match.split(", ")
    step_2 = if_match is not None or unmodified is None or unmodified >= MODIFIED
    matched = if_none_match is not None and (if_none_match == "*" or "v1" in if_none_match)
    step_4 = if_none_match is not None or modified is None or modified < MODIFIED
    if not (step_1 and step_2):
        return FAILED
    return UNCHANGED if matched or not step_4 else OK
