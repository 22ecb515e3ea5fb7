"""An event loop whose time flies whenever nothing is left to do: waits of minutes pass in milliseconds.

And it stands still otherwise, so that nothing depends on how busy the machine is.

Sockets work as ever, as long as both ends are in this loop, and so do threads, which are waited for. Tests of
patience run on it by ``pytestmark = pytest.mark.swift_time`` (see conftest.py).
"""

from __future__ import annotations

import asyncio
import fcntl
import selectors
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from _typeshed import FileDescriptorLike

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LOOK_SECONDS = 0.001
"""How long real events are waited for before time flies: what loopback delivers is there at once."""

_DELIVERY_SECONDS = 0.005
"""How long is waited for what a busy machine has not delivered after that. Bytes that stay where they are,
since their receiver does not read, are waited for once."""

_TURN_SECONDS = 0.0001
"""What a turn of the loop takes in which nothing comes, for tests that turn until something has happened."""


class SwiftSelector(selectors.DefaultSelector):
    """Selects as ever, and moves the clock on instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.now = time.monotonic()
        self.threads = 0
        self._connections: set[int] = set()
        self._stuck = 0
        self._count = bytearray(4)

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        with suppress(OSError):  # one that listens, or a pipe
            self._sent_by(key.fd)
            self._connections.add(key.fd)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        self._connections.discard(key.fd)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or self.threads:
            return super().select(timeout)
        ready = super().select(min(timeout, _LOOK_SECONDS))
        if not ready and timeout > 0 and self._undelivered() != self._stuck:
            ready = super().select(min(timeout, _DELIVERY_SECONDS))
            self._stuck = self._undelivered()
        if not ready:
            self.now += max(timeout, _TURN_SECONDS)
        return ready

    def _undelivered(self) -> int:
        """Count the bytes that have left a socket of ours, and that the other end's has not taken yet."""
        return sum(map(self._sent_by, self._connections))

    def _sent_by(self, descriptor: int) -> int:
        fcntl.ioctl(descriptor, termios.TIOCOUTQ, self._count)
        return int.from_bytes(self._count, sys.byteorder)


class SwiftLoop(asyncio.SelectorEventLoop):
    """A loop on a SwiftSelector. Its time stands still while there is something to do, however slowly."""

    def __init__(self) -> None:
        self._swift = SwiftSelector()
        super().__init__(self._swift)

    def time(self) -> float:
        return self._swift.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        self._swift.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_ended)
        return future

    async def shutdown_default_executor(self, *arguments: Any, **named: Any) -> None:
        self._swift.threads += 1  # from Python 3.12 on it has a time-out
        try:
            await super().shutdown_default_executor(*arguments, **named)
        finally:
            self._swift.threads -= 1

    def _thread_ended(self, _: asyncio.Future[Any]) -> None:
        self._swift.threads -= 1
