"""Server-Timing: how long parts of an answer took, for whoever looks at it in a browser.

Source: https://www.w3.org/TR/server-timing/. No I/O.
"""

from __future__ import annotations


class ServerTiming:
    """The time that parts of the work took which an answer takes; names are tokens."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        """Count `seconds` as those of `name`, which may be there already."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def __str__(self) -> str:
        """Return the field's value, in milliseconds: ``lookup;dur=12.3, first;dur=45.6``."""
        return ", ".join([f"{name};dur={seconds * 1000:.1f}" for name, seconds in self._seconds.items()])
