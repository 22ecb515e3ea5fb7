"""Counting requests: no caller can make up a label."""

from __future__ import annotations

import pytest

from tgbridge.web.tally import Histogram, RequestTally

CODES = frozenset({"PHONE_CODE_INVALID"})


def test_a_histogram_counts_up_to_each_bound() -> None:
    """A value that is a bound belongs below it; what is above all of them is in the last bucket."""
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(value)
    assert histogram.buckets() == [("1.0", 2.0), ("2.0", 3.0), ("+Inf", 4.0)]
    assert histogram.total == 12.0


@pytest.mark.parametrize("method", ["BREW", "get", "PROPFIND", "G" * 1000])
def test_methods_are_of_a_known_set(method: str) -> None:
    """Methods that HTTP has, but not this service, are one."""
    tally = RequestTally(CODES)
    tally.answered(method, None, 404, "NOT_FOUND", 0.1)
    tally.unanswered(method, None)
    assert tally.requests == {("other", "other", "404"): 1, ("other", "other", "none"): 1}


@pytest.mark.parametrize(
    ("method", "code", "counted"),
    [
        ("POST", None, {("code", "succeeded"): 1}),
        ("POST", "PHONE_CODE_INVALID", {("code", "PHONE_CODE_INVALID"): 1}),
        ("POST", "A_NAME_THAT_TELEGRAM_HAS_JUST_INVENTED", {("code", "other"): 1}),
        ("OPTIONS", None, {}),
    ],
)
def test_logins_by_outcome(method: str, code: str | None, counted: dict[tuple[str, str], int]) -> None:
    """Outcomes are the codes of the contract; Telegram's other names are one."""
    tally = RequestTally(CODES)
    tally.answered(method, "/sign-in", 200 if code is None else 400, code, 0.1)
    assert tally.logins == counted
