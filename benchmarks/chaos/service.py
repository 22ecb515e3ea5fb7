"""The service that is tried: started, told to stop, killed, and started again on the same port."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_STOP_SECONDS = 60

# It ends with us, however we end.
_TETHER = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()

# What waits is impatient, so that minutes show what would take hours. Nothing else is changed.
_IMPATIENT = {
    "TGBRIDGE_SERVER__DRAIN_SECONDS": "4",
    "TGBRIDGE_TELEGRAM__CONNECT_TIMEOUT_SECONDS": "4",
    "TGBRIDGE_TELEGRAM__REQUEST_TIMEOUT_SECONDS": "4",
    "TGBRIDGE_TELEGRAM__FLOOD_WAIT_SECONDS": "2",
    "TGBRIDGE_TELEGRAM__TRANSFER_WAIT_SECONDS": "8",
    "TGBRIDGE_POOL__IDLE_SECONDS": "5",
    "TGBRIDGE_FILES__IDLE_SECONDS": "5",
    "TGBRIDGE_FILES__STALL_SECONDS": "1",
    "TGBRIDGE_EVENTS__LINGER_SECONDS": "2",
    "TGBRIDGE_EVENTS__HEARTBEAT_SECONDS": "2",
    "TGBRIDGE_UPLOAD__RESUME_SECONDS": "120",
}


class Service:
    """One process at a time."""

    def __init__(self, place: dict[str, Any], log: Path, secret: str, **settings: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.log = log
        self.starts: list[float] = []
        self._process: asyncio.subprocess.Process | None = None
        self._environment = {
            **os.environ,
            "TELEGRAM_API_ID": "1",
            "TELEGRAM_API_HASH": "chaos",
            "TELEGRAM_DC_ID": "2",
            "TELEGRAM_DC_HOST": "127.0.0.1",
            "TELEGRAM_DC_PORT": str(place["port"]),
            "TELEGRAM_DC_PUBLIC_KEY": str(place["key"]),
            "TGBRIDGE_SECRET_KEYS": secret,
            "TGBRIDGE_SESSION__SECURE": "false",
            "TGBRIDGE_LIMITS__ENABLED": "false",
            "TGBRIDGE_LOG__FORMAT": "json",
            **_IMPATIENT,
            **settings,
        }

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it listens. Raises RuntimeError if it ends instead."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*_TETHER, sys.executable, "-m", "tgbridge", "serve", "--port", str(self.port)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                cwd=ROOT,
            )
        assert self._process.stdout is not None
        if not await self._process.stdout.readline():
            raise RuntimeError(f"the service ended: {await self._process.wait()}")

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(_STOP_SECONDS):
            return await process.wait()

    @property
    def has_ended(self) -> bool:
        """Whether it is gone, though nobody has ended it."""
        return self._process is not None and self._process.returncode is not None
