"""HTTP dates (RFC 9110 section 5.6.7): written in one form, read in all three."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_DAY_NAME = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

# Case-sensitive, as the section says. Of the day's name only the form is checked: it adds nothing.
_FORMS: Final = (
    # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(f"{_DAY_NAME}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT"),
    # rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(f"{_LONG_DAY_NAME}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    # asctime-date: Sun Nov  6 08:49:37 1994
    re.compile(f"{_DAY_NAME} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})"),
)
_LEAP_SECOND = 60


def format_http_date(moment: datetime) -> str:
    """Write an aware `moment` as IMF-fixdate, in whole seconds (a fraction is cut off)."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def parse_http_date(value: str, *, now: datetime) -> datetime | None:
    """Read an HTTP-date in any of its three forms; None when it is malformed or no day of the calendar.

    `now` (aware) resolves the two-digit year of the rfc850 form: a date that would lie more than
    50 years ahead is one of the past.
    """
    text = value.strip(" \t")
    for form in _FORMS:
        if match := form.fullmatch(text):
            return _to_datetime(match, now)
    return None


def _to_datetime(match: re.Match[str], now: datetime) -> datetime | None:
    month = _MONTHS.index(match["month"]) + 1
    day, hour, minute, second = (int(match[part]) for part in ("day", "hour", "minute", "second"))
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = _full_year(year, (month, day, hour, minute, second), now)
    # datetime knows no 23:59:60, which the grammar allows: it is the second after :59.
    leap = timedelta(seconds=1 if second == _LEAP_SECOND else 0)
    try:
        return datetime(year, month, day, hour, minute, second - leap.seconds, tzinfo=UTC) + leap
    except (ValueError, OverflowError):
        return None


def _full_year(two_digits: int, within_year: tuple[int, ...], now: datetime) -> int:
    now = now.astimezone(UTC)
    horizon = now.year + 50
    year = horizon - (horizon - two_digits) % 100
    # In the horizon's own year the rest of the date decides.
    if year == horizon and within_year > (now.month, now.day, now.hour, now.minute, now.second):
        year -= 100
    return year
