"""Server-Timing: how long parts of an answer took, for whoever looks at it in a browser.

Source: https://www.w3.org/TR/server-timing/. No I/O.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ServerTiming:
    """Measures parts of the work that an answer takes, each once or several times; names are tokens."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._seconds: dict[str, float] = {}

    def of(self, name: str) -> _Part:
        """Count the time that the block takes, if it succeeds, as that of `name`."""
        return _Part(name, self._seconds, self._clock)

    def __str__(self) -> str:
        """Return the field's value, in milliseconds: ``lookup;dur=12.3, first;dur=45.6``."""
        return ", ".join([f"{name};dur={seconds * 1000:.1f}" for name, seconds in self._seconds.items()])


class _Part:
    """Written out, since contextlib's way takes longer than most of what is measured."""

    __slots__ = ("_began", "_clock", "_name", "_seconds")

    def __init__(self, name: str, seconds: dict[str, float], clock: Callable[[], float]) -> None:
        self._name = name
        self._seconds = seconds
        self._clock = clock
        self._began = clock()

    def __enter__(self) -> None:
        """Nothing: it has begun."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Add it up."""
        if kind is None:
            passed = self._clock() - self._began
            self._seconds[self._name] = self._seconds.get(self._name, 0.0) + passed
