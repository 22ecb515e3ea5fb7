"""The Server-Timing field."""

from __future__ import annotations

from tgbridge.http.server_timing import ServerTiming


def test_in_milliseconds() -> None:
    """Each part has its time, in the order in which they were counted; one that came twice has the sum."""
    timing = ServerTiming()
    assert str(timing) == ""
    for name, seconds in (("lookup", 0.0123), ("first", 1.5), ("lookup", 0.0001)):
        timing.add(name, seconds)
    assert str(timing) == "lookup;dur=12.4, first;dur=1500.0"
