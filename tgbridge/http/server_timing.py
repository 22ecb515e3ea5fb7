"""Server-Timing: how long parts of an answer took, for whoever looks at it in a browser.

Source: https://www.w3.org/TR/server-timing/. No I/O.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class ServerTiming:
    """Measures parts of the work that an answer takes, each once or several times; names are tokens."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._seconds: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Count the time that the block takes, if it succeeds, as that of `name`."""
        began = self._clock()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + self._clock() - began

    def __str__(self) -> str:
        """Return the field's value, in milliseconds: ``lookup;dur=12.3, first;dur=45.6``."""
        return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in self._seconds.items())
