"""Conditional requests (RFC 9110 section 13), evaluated in the order of section 13.2.2.

Request headers come as a mapping from the lower-case name to the value, several field lines joined by ", ".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tgbridge.http.dates import parse_http_date
from tgbridge.http.etags import EntityTag, parse_entity_tag, parse_entity_tags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Outcome(Enum):
    """What the preconditions of a request allow."""

    PROCEED = 200
    NOT_MODIFIED = 304
    PRECONDITION_FAILED = 412


@dataclass(frozen=True, slots=True)
class Validators:
    """What identifies the current state of a file: its tag and, if known, its date (aware, whole seconds)."""

    etag: EntityTag
    last_modified: datetime | None = None


def evaluate(method: str, headers: Mapping[str, str], current: Validators, *, now: datetime) -> Outcome:
    """Evaluate the four preconditions against a file that exists.

    A date that is malformed is as good as absent (sections 13.1.3 and 13.1.4).
    """
    if (if_match := headers.get("if-match")) is not None:
        if not _any_tag_matches(if_match, current.etag, strongly=True):
            return Outcome.PRECONDITION_FAILED
    elif _modified_since(headers.get("if-unmodified-since"), current, now=now) is True:
        return Outcome.PRECONDITION_FAILED

    is_read = method in {"GET", "HEAD"}
    if (if_none_match := headers.get("if-none-match")) is not None:
        if _any_tag_matches(if_none_match, current.etag, strongly=False):
            return Outcome.NOT_MODIFIED if is_read else Outcome.PRECONDITION_FAILED
    elif is_read and _modified_since(headers.get("if-modified-since"), current, now=now) is False:
        return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def range_applies(method: str, headers: Mapping[str, str], current: Validators, *, now: datetime) -> bool:
    """Tell whether Range is to be honoured: on GET, and only if an If-Range holds (section 13.1.5).

    An If-Range that is malformed, a weak tag, or a date that is not exactly the current one does not hold:
    then the whole file is sent, which is right whatever the client has.
    """
    if method != "GET" or "range" not in headers:
        return False
    value = headers.get("if-range")
    if value is None:
        return True
    if tag := parse_entity_tag(value):
        return current.etag.matches_strongly(tag)
    return current.last_modified is not None and parse_http_date(value, now=now) == current.last_modified


def _any_tag_matches(value: str, current: EntityTag, *, strongly: bool) -> bool:
    tags = parse_entity_tags(value)
    if tags == "*":
        return True
    matches = current.matches_strongly if strongly else current.matches_weakly
    return any(matches(tag) for tag in tags)


def _modified_since(value: str | None, current: Validators, *, now: datetime) -> bool | None:
    """Tell whether the file is newer than the date in `value`; None without two dates to compare."""
    if value is None or current.last_modified is None:
        return None
    date = parse_http_date(value, now=now)
    return None if date is None else current.last_modified > date
