"""A network path with a delay and a bandwidth, one direction of one connection."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tgbridge.sandbox.mtproto.transport import Buffer

_SLICE_BYTES = 16 * 1024  # what arrives at once over a slow path


class Conditions(Protocol):
    """How good the path is at the moment."""

    @property
    def delay(self) -> float:
        """Seconds from one end to the other."""

    @property
    def bytes_per_second(self) -> float | None:
        """None: as much as there is."""


class Path:
    """One connection's own path: as its data centre's network is, or slower."""

    def __init__(self, network: Conditions) -> None:
        self._network = network
        self.limit: float | None = None
        """Bytes per second, in place of the network's own; None: as the network."""

    @property
    def delay(self) -> float:
        """Seconds from one end to the other."""
        return self._network.delay

    @property
    def bytes_per_second(self) -> float | None:
        """None: as much as there is."""
        return self.limit or self._network.bytes_per_second


class Link:
    """Delivers what is pushed into it in the same order, each piece as late as the path makes it.

    Pieces are under way side by side: a delay makes nothing wait for anything else.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, conditions: Conditions, deliver: Callable[[Buffer], None]
    ) -> None:
        self._loop = loop
        self._conditions = conditions
        self._deliver = deliver
        self._free_at = 0.0
        self._queue: deque[tuple[float, Buffer]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._extra = 0.0
        self.pending_bytes = 0

    def hold(self, seconds: float) -> None:
        """Delay the first piece by as much again, and what follows it with it."""
        self._extra = seconds

    def push(self, data: Buffer, since: float | None = None) -> None:
        """Send a piece on its way; if it has waited for its turn at the socket, that began at `since`."""
        conditions = self._conditions
        if not self._queue and not conditions.delay and not conditions.bytes_per_second:
            self._extra = 0.0
            self._deliver(data)
            return
        now = self._loop.time()
        rate = conditions.bytes_per_second
        # Who waits for the socket is on the path already: else a full socket would cost a delay each time.
        arrival = (now if since is None else since) + conditions.delay + self._extra
        self._extra = 0.0
        if not rate:
            self._append(arrival, data)
        else:
            view = memoryview(data)
            for start in range(0, len(view), _SLICE_BYTES):
                piece = view[start : start + _SLICE_BYTES]
                self._free_at = max(self._free_at, now) + len(piece) / rate
                self._append(self._free_at + conditions.delay, piece)
        if self._timer is None:
            self._timer = self._loop.call_at(self._queue[0][0], self._arrive)

    def close(self) -> None:
        """Lose what is under way. May be called again."""
        self._queue.clear()
        self.pending_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _append(self, arrival: float, data: Buffer) -> None:
        if self._queue:
            arrival = max(arrival, self._queue[-1][0])  # a path that got quicker does not let pieces overtake
        self._queue.append((arrival, data))
        self.pending_bytes += len(data)

    def _arrive(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._queue and self._queue[0][0] <= now:
            _, data = self._queue.popleft()
            self.pending_bytes -= len(data)
            self._deliver(data)
        if self._queue and self._timer is None:
            self._timer = self._loop.call_at(self._queue[0][0], self._arrive)
