"""The service under a service manager, whose part is played here: sockets, readiness, reloads, restarts."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar, TCPConnector
from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

    from tgbridge.sandbox import Sandbox

pytestmark = pytest.mark.timeout(180)

ROOT: Final = Path(__file__).parent.parent
PHONE: Final = "+9996610001"
PATIENCE: Final = 150  # seconds: each start of a process takes many on a busy machine
# What systemd does between fork and exec: the socket becomes the third descriptor, the process is named.
HANDING_OVER: Final = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "WATCHDOG_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, "-m", "tgbridge", "serve"])
"""


class Manager:
    """A stand-in for systemd: a unit with a socket, a directory of settings and one of credentials."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.processes: list[Process] = []
        self.environ: dict[str, str] = {}
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notified.bind("\0" + str(directory))
        self._notified.setblocking(False)
        self._told: list[str] = []

    async def start(self, *, stdin: int = asyncio.subprocess.DEVNULL, **environ: str) -> Process:
        """Start the service; its log goes to a file called log."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TGBRIDGE_", "TELEGRAM_", "XDG_STATE"))
        }
        with (self.directory / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", HANDING_OVER, str(self.listening.fileno())),
                cwd=self.directory,
                env=kept
                | {"PYTHONPATH": str(ROOT), "NOTIFY_SOCKET": f"@{self.directory}"}
                | {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "http", "WATCHDOG_USEC": "2000000"}
                | self.environ
                | environ,
                pass_fds=[self.listening.fileno()],
                stdin=stdin,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    async def told(self, pattern: str) -> str:
        """Wait until the service says something, and return it. What came before is forgotten."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(PATIENCE):
            while True:
                while self._told:
                    if re.search(pattern, line := self._told.pop(0)):
                        return line
                self._told += (await loop.sock_recv(self._notified, 4096)).decode().split("\n")

    def log(self) -> str:
        return (self.directory / "log").read_text()

    async def close(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        self.listening.close()
        self._notified.close()


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    manager = Manager(tmp_path)
    yield manager
    await manager.close()


@pytest.fixture
def credentials(manager: Manager) -> Path:
    """The directory of the service's secrets."""
    directory = manager.directory / "credentials"
    directory.mkdir()
    (directory / "TELEGRAM_API_ID").write_text("1\n")
    (directory / "TELEGRAM_API_HASH").write_text("hash\n")
    (directory / "TGBRIDGE_SECRET_KEYS").write_text(Fernet.generate_key().decode() + "\n")
    manager.environ = {"CREDENTIALS_DIRECTORY": str(directory)}
    return directory


def write_settings(manager: Manager, *lines: str, sandbox: Sandbox | None = None) -> None:
    """Write the service's .env; with a sandbox, that is its Telegram."""
    if sandbox is not None:
        home = sandbox.data_centres[1].address
        (manager.directory / "server.pem").write_text(sandbox.public_key_pem)
        lines += (
            "export TGBRIDGE_SESSION__SECURE=false",
            "TELEGRAM_DC_ID=1",
            f"TELEGRAM_DC_HOST={home.host}",
            f"TELEGRAM_DC_PORT={home.port}",
            "TELEGRAM_DC_PUBLIC_KEY=server.pem",
            "TGBRIDGE_TELEGRAM__CONNECT_TIMEOUT_SECONDS=60",
            "TGBRIDGE_TELEGRAM__REQUEST_TIMEOUT_SECONDS=60",
        )
    (manager.directory / ".env").write_text("\n".join(lines) + "\n")


@asynccontextmanager
async def browsing(manager: Manager, *, connections: int = 10) -> AsyncIterator[ClientSession]:
    """A browser, which keeps its connections."""
    async with ClientSession(
        manager.url,
        cookie_jar=CookieJar(unsafe=True),
        timeout=ClientTimeout(total=PATIENCE),
        connector=TCPConnector(limit=connections),
    ) as browser:
        yield browser


async def post(browser: ClientSession, path: str, form: dict[str, Any]) -> tuple[int, Any]:
    async with browser.post(path, json=form) as response:
        return response.status, await response.json()


async def get(browser: ClientSession, path: str, **headers: str) -> tuple[int, Any]:
    async with browser.get(path, headers=headers) as response:
        return response.status, await response.json()


async def test_life(manager: Manager, credentials: Path) -> None:
    """It says when it is ready, that it lives, that it reloads and how that went, and that it stops."""
    write_settings(manager)
    process = await manager.start()
    await manager.told("^READY=1$")
    assert (await manager.told("^STATUS=")).startswith(f"STATUS=Serving {manager.url}; requests: 0, Tel")
    await manager.told("^WATCHDOG=1$")
    async with browsing(manager) as browser:
        assert (await get(browser, "/healthz"))[0] == 200

        # A broken file changes nothing, and says so.
        write_settings(manager, "TGBRIDGE_LIMITS__SEND_CODE_PER_NUMBR=3")
        process.send_signal(signal.SIGHUP)
        await manager.told("^RELOADING=1$")
        await manager.told("^MONOTONIC_USEC=")
        await manager.told("^READY=1$")
        assert "settings not changed: .env: TGBRIDGE_LIMITS__SEND_CODE_PER_NUMBR" in await manager.told(
            "^STATUS="
        )
        assert (await get(browser, "/healthz"))[0] == 200

        # A good one does, as far as it can.
        write_settings(
            manager, "TGBRIDGE_CORS__ALLOWED_ORIGINS=https://app.example.com", "TGBRIDGE_SERVER__PORT=1"
        )
        process.send_signal(signal.SIGHUP)
        await manager.told("^READY=1$")
        assert "; restart for server.port" in await manager.told("^STATUS=")
        async with browser.get("/healthz", headers={"Origin": "https://app.example.com"}) as response:
            assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    process.send_signal(signal.SIGTERM)
    await manager.told("^STOPPING=1$")
    await manager.told("^EXTEND_TIMEOUT_USEC=67000000$")
    assert await process.wait() == 0
    assert "settings that need a restart" in manager.log()


async def test_stuck_loop(manager: Manager, credentials: Path) -> None:
    """SIGABRT, which systemd sends when no sign of life has come, writes down where the service was."""
    write_settings(manager)
    process = await manager.start()
    await manager.told("^WATCHDOG=1$")
    await manager.told("^WATCHDOG=1$")
    process.send_signal(signal.SIGABRT)
    assert await process.wait() == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in manager.log()


async def test_terminal_that_is_closed(manager: Manager, credentials: Path) -> None:
    """SIGHUP reads the settings anew also on a terminal, but ends the service once the terminal is gone."""
    write_settings(manager)
    master, terminal = os.openpty()
    process = await manager.start(stdin=terminal)
    os.close(terminal)
    await manager.told("^READY=1$")
    process.send_signal(signal.SIGHUP)
    await manager.told("^RELOADING=1$")
    await manager.told("^READY=1$")
    os.close(master)
    process.send_signal(signal.SIGHUP)
    await manager.told("^STOPPING=1$")
    assert await process.wait() == 0


class Load:
    """Visitors who send a request as soon as the last one is answered, none of which may fail."""

    def __init__(self, browser: ClientSession, visitors: int) -> None:
        self.answers = 0
        self.failures: list[str] = []
        self._browser = browser
        self._tasks = [asyncio.create_task(self._visit(number)) for number in range(visitors)]

    async def _visit(self, number: int) -> None:
        # A POST, which no client sends again by itself. Every other visitor comes on a new connection.
        headers = {"Connection": "close"} if number % 2 else {}
        while True:
            try:
                async with self._browser.post("/send-code", json={}, headers=headers) as response:
                    if response.status != 400:
                        self.failures.append(f"status {response.status}")
            except (ClientError, TimeoutError) as error:
                self.failures.append(repr(error))
            self.answers += 1

    async def more(self, answers: int) -> None:
        """Wait for so many answers more."""
        wanted = self.answers + answers
        while self.answers < wanted:
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks)


async def test_restart_under_load(manager: Manager, credentials: Path, sandbox: Sandbox) -> None:
    """Nobody is refused while it restarts, nor cut off; who is signed in stays so, and a login goes on."""
    write_settings(manager, "TGBRIDGE_LIMITS__ENABLED=false", sandbox=sandbox)
    process = await manager.start()
    await manager.told("^READY=1$")
    async with (
        browsing(manager) as idle,
        browsing(manager) as half,
        browsing(manager, connections=40) as crowd,
    ):
        assert (await post(idle, "/send-code", {"phone": PHONE}))[0] == 200
        assert (await post(idle, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
        assert (await post(half, "/send-code", {"phone": PHONE}))[0] == 200
        load = Load(crowd, 20)
        for _ in range(2):
            await load.more(100)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
            process = await manager.start()
            await manager.told("^READY=1$")
            await load.more(100)
        assert (await get(idle, "/me"))[0] == 200
        assert (await post(half, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
        await load.stop()
        assert load.failures == []
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
