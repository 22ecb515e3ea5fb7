"""An event loop whose time flies whenever nothing is left to do: waits of minutes pass in milliseconds.

Sockets work as ever, as long as both ends are in this loop, and so do threads, which are waited for. Tests of
patience run on it by ``pytestmark = pytest.mark.swift_time`` (see conftest.py).
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LOOK_SECONDS = 0.002
"""How long real events are waited for before time flies: what loopback delivers is there at once."""


class SwiftSelector(selectors.DefaultSelector):
    """Selects as ever, and moves the clock on instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= _LOOK_SECONDS or self.threads:
            return super().select(timeout)
        ready = super().select(_LOOK_SECONDS)
        if not ready:
            self.skipped += timeout - _LOOK_SECONDS
        return ready


class SwiftLoop(asyncio.SelectorEventLoop):
    """A loop on a SwiftSelector."""

    def __init__(self) -> None:
        self._swift = SwiftSelector()
        super().__init__(self._swift)

    def time(self) -> float:
        return time.monotonic() + self._swift.skipped

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._swift.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_ended)
        return future

    def _thread_ended(self, _: asyncio.Future[Any]) -> None:
        self._swift.threads -= 1
