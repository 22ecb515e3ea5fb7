"""The Server-Timing field."""

from __future__ import annotations

import pytest

from tgbridge.http.server_timing import ServerTiming


def test_in_milliseconds() -> None:
    """Each part has its time, in the order in which they began; one that came twice has the sum."""
    times = iter([10.0, 10.0123, 20.0, 21.5, 30.0, 30.0001])
    timing = ServerTiming(lambda: next(times))
    for name in ("lookup", "first", "lookup"):
        with timing.of(name):
            pass
    assert str(timing) == "lookup;dur=12.4, first;dur=1500.0"


def test_what_fails_is_not_told() -> None:
    """What was not there has no time."""
    timing = ServerTiming()
    with pytest.raises(ValueError, match="x"), timing.of("lookup"):
        raise ValueError("x")
    assert str(timing) == ""
