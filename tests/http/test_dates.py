"""HTTP dates in the three forms of RFC 9110 section 5.6.7, against the standard library as an oracle."""

from __future__ import annotations

import calendar
import time
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tgbridge.http.dates import format_http_date, parse_http_date

NOW = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)
RFC_EXAMPLE = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)

MOMENTS = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001 - hypothesis wants it naive
    max_value=datetime(9999, 12, 31, 23, 59, 59),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(microsecond=0))


def c_format(moment: datetime, form: str) -> str:
    """Format by C's strftime, which shares no code with the parser, but for the year's four digits."""
    return time.strftime(form.replace("%Y", f"{moment.year:04}"), moment.timetuple())


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "  Sun, 06 Nov 1994 08:49:37 GMT\t",
        "Mon, 06 Nov 1994 08:49:37 GMT",  # the wrong day's name says nothing about the date
    ],
)
def test_the_three_forms(value: str) -> None:
    """The RFC's own examples are the same moment."""
    assert parse_http_date(value, now=NOW) == RFC_EXAMPLE


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "784111777",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Fri, 31 Dec 9999 23:59:60 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
    ],
)
def test_malformed(value: str) -> None:
    """What is none of the three forms, or no date of the calendar, is no date."""
    assert parse_http_date(value, now=NOW) is None


def test_leap_second() -> None:
    """The grammar's second 60 is the first of the next minute."""
    expected = datetime(2017, 1, 1, tzinfo=UTC)
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now=NOW) == expected


@given(MOMENTS)
def test_round_trip(moment: datetime) -> None:
    """What is written is read as the same second, and is what the standard library writes."""
    written = format_http_date(moment)
    assert parse_http_date(written, now=NOW) == moment
    assert written == formatdate(calendar.timegm(moment.timetuple()), usegmt=True)


@given(MOMENTS)
def test_asctime_as_c_writes_it(moment: datetime) -> None:
    """The form of C's asctime() is read."""
    assert parse_http_date(c_format(moment, "%a %b %e %H:%M:%S %Y"), now=NOW) == moment


@given(MOMENTS, st.datetimes(datetime(1900, 1, 1), datetime(9900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
@example(datetime(2076, 8, 1, 12, 0, 0, tzinfo=UTC), NOW)
@example(datetime(2076, 8, 1, 12, 0, 1, tzinfo=UTC), NOW)
@example(datetime(2000, 2, 29, tzinfo=UTC), NOW)
def test_two_digit_years(moment: datetime, now: datetime) -> None:
    """An rfc850 date is the latest of its kind that is not more than 50 years ahead of now."""
    within = moment.timetuple()[1:6]
    limit = (now.year + 50, *now.timetuple()[1:6])
    year = max(
        y
        for y in range(now.year - 99, now.year + 51)
        if y % 100 == moment.year % 100 and (y, *within) <= limit
    )
    read = parse_http_date(c_format(moment, "%A, %d-%b-%y %H:%M:%S GMT"), now=now)
    if within[:2] == (2, 29) and not calendar.isleap(year):
        assert read is None
    else:
        assert read is not None
        assert (read.year, *read.timetuple()[1:6]) == (year, *within)


def test_written_in_gmt_and_whole_seconds() -> None:
    """A moment of any zone is written in GMT, without its fraction."""
    moment = datetime(1994, 11, 6, 10, 49, 37, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert format_http_date(moment) == "Sun, 06 Nov 1994 08:49:37 GMT"


@given(st.text(max_size=40))
def test_never_raises(value: str) -> None:
    """Any text is a date or none."""
    parse_http_date(value, now=NOW)
