"""Processes of our own, and what the kernel says they cost. Linux only: /proc."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_SECONDS = 20


class Process:
    """A Python module in a process of its own, which prints one JSON object when it is ready."""

    def __init__(
        self, *arguments: str, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.idle_bytes = 0
        self._log = log.open("ab") if log is not None else None
        self._popen = subprocess.Popen(
            (sys.executable, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **(env or {})},
            cwd=ROOT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._popen.terminate()
        try:
            self._popen.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout, self._log):
            if stream is not None:
                stream.close()

    def line(self) -> bytes:
        """Wait for a line that it prints. Raises RuntimeError if it ends instead."""
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._popen.args!r} ended: {self._popen.wait()}")
        return line

    def ready(self) -> dict[str, Any]:
        """Wait for the object that it prints."""
        answer: dict[str, Any] = json.loads(self.line())
        return answer

    def tell(self, **command: Any) -> dict[str, Any]:
        """Send one JSON object and wait for its answer."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(json.dumps(command).encode() + b"\n")
        self._popen.stdin.flush()
        return self.ready()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._popen.pid

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        """What it has in memory."""
        return self._status("VmRSS")

    def peak_bytes(self) -> int:
        """The most it had in memory since the last `reset_peak`."""
        return self._status("VmHWM")

    def reset_peak(self) -> None:
        """Forget the peak."""
        Path(f"/proc/{self._popen.pid}/clear_refs").write_text("5")

    def idle(self) -> None:
        """Take what it has in memory now for what it needs without doing anything."""
        self.idle_bytes = self.resident_bytes()

    @contextlib.contextmanager
    def measured(self) -> Iterator[Cost]:
        """Measure what happens inside; memory over what it had when it was `idle`, if that was said."""
        self.reset_peak()
        cost = Cost()
        idle_bytes = self.idle_bytes or self.resident_bytes()
        cpu, clock = self.cpu_seconds(), time.perf_counter()
        yield cost
        cost.seconds = time.perf_counter() - clock
        cost.cpu_seconds = self.cpu_seconds() - cpu
        cost.growth_bytes = self.peak_bytes() - idle_bytes

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._popen.pid}/{name}").read_text()

    def _status(self, field: str) -> int:
        for line in self._proc("status").splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) * 1024
        raise KeyError(field)


class Cost:
    """What a process spent: time by the clock, processor time, and memory at its peak."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.growth_bytes = 0


def main_loop(handle: Any) -> None:
    """Answer the commands of a `Process`, until its pipe is closed. For a thread."""
    for line in sys.stdin:
        answer(handle(**json.loads(line)) or {})


def answer(value: Mapping[str, Any]) -> None:
    """Print what `Process.ready` waits for."""
    print(json.dumps(value), flush=True)
