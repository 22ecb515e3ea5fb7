"""What systemd is told, over a socket that plays its part."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

import pytest

from tgbridge.systemd.notify import STATUS_SECONDS, Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket as systemd's, and its address as it stands in the environment."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.setblocking(False)
        if request.param == "path":
            listening.bind(str(tmp_path / "notify"))
            yield listening, str(tmp_path / "notify")
        else:
            listening.bind("\0tgbridge-" + tmp_path.name + str(os.getpid()))
            yield listening, "@" + listening.getsockname()[1:].decode()


def told(listening: socket.socket) -> list[str]:
    lines: list[str] = []
    try:
        while True:
            lines += listening.recv(4096).decode().split("\n")
    except BlockingIOError:
        return lines


def test_what_it_is_told(manager: tuple[socket.socket, str]) -> None:
    """Ready, reloading with the time of it, stopping with how long that takes; a status is one line."""
    listening, address = manager
    environ = {"NOTIFY_SOCKET": address, "PATH": "/bin"}
    notifier = Notifier.from_environment(environ)
    assert environ == {"PATH": "/bin"}
    notifier.ready("Serving\nREADY=0")
    assert told(listening) == ["READY=1", "STATUS=Serving READY=0"]
    notifier.reloading()
    began, at = told(listening)
    assert (began, at.partition("=")[0]) == ("RELOADING=1", "MONOTONIC_USEC")
    assert int(at.partition("=")[2]) > 0
    notifier.stopping("Stopping", seconds=1.5)
    assert told(listening) == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=1500000", "STATUS=Stopping"]
    notifier.close()
    notifier.ready("nobody is told")
    notifier.close()
    assert told(listening) == []


@pytest.mark.swift_time
async def test_signs_of_life(manager: tuple[socket.socket, str]) -> None:
    """They come from the event loop, twice in the time that systemd waits, for as long as it turns."""
    listening, address = manager
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": str(os.getpid())}
    notifier = Notifier.from_environment(environ)
    assert (environ, notifier.watchdog_seconds) == ({}, 4.0)
    statuses = iter(range(100))
    async with notifier.alive(lambda: f"at {next(statuses)}"):
        await asyncio.sleep(7)
    assert told(listening) == [line for at in range(4) for line in ("WATCHDOG=1", f"STATUS=at {at}")]
    await asyncio.sleep(7)
    assert told(listening) == []
    notifier.close()


@pytest.mark.swift_time
@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}],
)
async def test_no_watchdog(manager: tuple[socket.socket, str], watchdog: dict[str, str]) -> None:
    """Without one, or with another process's, the status is told now and then, and no sign of life."""
    listening, address = manager
    environ = {"NOTIFY_SOCKET": address} | watchdog
    notifier = Notifier.from_environment(environ)
    assert (environ, notifier.watchdog_seconds) == ({}, None)
    async with notifier.alive(lambda: "so"):
        await asyncio.sleep(1.5 * STATUS_SECONDS)
    assert told(listening) == ["STATUS=so"] * 2
    notifier.close()


@pytest.mark.parametrize("address", [None, "", "vsock:2:1234", "relative", "/nowhere/at/all"])
async def test_nobody_to_tell(address: str | None) -> None:
    """Without a service manager, or one that cannot be reached, the service runs all the same."""
    notifier = Notifier.from_environment({} if address is None else {"NOTIFY_SOCKET": address})
    notifier.ready("x")
    async with notifier.alive(lambda: "x"):
        notifier.reloading()
    notifier.stopping("x", seconds=1)
    notifier.close()


def test_a_manager_that_reads_nothing(manager: tuple[socket.socket, str]) -> None:
    """What finds no room is left out, and nothing waits for it."""
    listening, address = manager
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
    for _ in range(2000):
        notifier.ready("x")
    assert told(listening)[:1] == ["READY=1"]
    notifier.close()
