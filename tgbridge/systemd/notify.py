"""What systemd is told: ready, reloading, stopping, and that the event loop turns (sd_notify(3))."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Self

import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, MutableMapping

STATUS_SECONDS: Final = 10.0
"""How often the status line is told anew where no watchdog asks for more."""

_MOST_STATUS: Final = 400  # characters: one line of `systemctl status`
_log = structlog.get_logger(__name__)


class Notifier:
    """Sends datagrams to the socket at ``address``; to nobody if that is None.

    ``watchdog_seconds`` is how long systemd waits for a sign of life before it ends the service; None if it
    does not wait for any.
    """

    def __init__(self, address: str | None = None, watchdog_seconds: float | None = None) -> None:
        self.watchdog_seconds = watchdog_seconds
        self._address = address
        self._socket: socket.socket | None = None
        if address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            # systemd holds hundreds of datagrams for us. One that finds no room is worth no wait.
            self._socket.setblocking(False)

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Self:
        """Take what is said about notification out of ``environ``: it is not for our children.

        An address of a kind that we do not know is logged, and nobody is told anything.
        """
        address = environ.pop("NOTIFY_SOCKET", "")
        seconds = _watchdog_seconds(environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", ""))
        if address.startswith("@"):
            address = "\0" + address[1:]  # Linux's abstract namespace (unix(7))
        elif address and not address.startswith("/"):
            _log.warning("NOTIFY_SOCKET is no path of a socket")
            address = ""
        return cls(address or None, seconds if address else None)

    def ready(self, status: str) -> None:
        """All that was to be done at the start, or for a reload, is done."""
        self._send(f"READY=1\n{_status(status)}")

    def reloading(self) -> None:
        """The settings are being read anew; ``ready`` follows."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str, *, seconds: float) -> None:
        """The service has begun to end, which takes ``seconds`` at most, whatever TimeoutStopSec says."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}\n{_status(status)}")

    @asynccontextmanager
    async def alive(self, status: Callable[[], str]) -> AsyncIterator[None]:
        """Give signs of life for as long as the block runs, and the event loop turns."""
        if self._socket is None:
            yield
            return
        pinging = asyncio.create_task(self._ping(status))
        try:
            yield
        finally:
            pinging.cancel()
            await asyncio.wait({pinging})

    async def _ping(self, status: Callable[[], str]) -> None:
        # Half the time is what sd_watchdog_enabled(3) recommends.
        watchdog, seconds = "", STATUS_SECONDS
        if self.watchdog_seconds is not None:
            watchdog, seconds = "WATCHDOG=1\n", min(STATUS_SECONDS, self.watchdog_seconds / 2)
        while True:
            self._send(watchdog + _status(status()))
            await asyncio.sleep(seconds)

    def close(self) -> None:
        """Tell nobody anything from now on. Idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is None or self._address is None:
            return
        try:
            self._socket.sendto(text.encode(errors="replace"), self._address)
        except OSError as error:
            _log.warning("systemd cannot be told", error=type(error).__name__, errno=error.errno)


def _status(text: str) -> str:
    """Write a status as the one line that it has to be."""
    return f"STATUS={' '.join(text.split())[:_MOST_STATUS]}"


def _watchdog_seconds(microseconds: str, pid: str) -> float | None:
    """Return how long systemd waits for a sign of life; None if for none of ours (sd_watchdog_enabled(3))."""
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in {"", str(os.getpid())}:
        return None
    return int(microseconds) / 1_000_000
