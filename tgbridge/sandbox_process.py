"""The sandbox as a process beside the service, which reaches it as it would any Telegram server."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet

from tgbridge.errors import BridgeError
from tgbridge.state_lock import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# Making RSA keys and seeds takes a second or two, more on a busy machine.
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 10.0


class SandboxFailedError(BridgeError):
    """The sandbox did not start, or ended by itself."""


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox: what the service has to be told, and its end."""

    process: asyncio.subprocess.Process
    settings: dict[str, Any]
    """For `telegram` in the settings."""
    control: str
    """The URL of its control port."""

    async def ended(self) -> None:
        """Raise SandboxFailedError once it ends, which it should not by itself."""
        status = await self.process.wait()
        raise SandboxFailedError(f"the sandbox has ended (status {status})")


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Where the sandbox's accounts and our key are."""

    path: Path
    is_kept: bool
    """Whether it is there the next time."""


@contextmanager
def state_directory() -> Iterator[StateDirectory]:
    """Yield the directory that keeps the sandbox's accounts and our key, so that logins survive a restart.

    It is the user's own ($XDG_STATE_HOME/tgbridge), or a temporary one if that cannot be written. Raises
    StateInUseError if another process has it: two would not see each other's uploads.
    """
    with ExitStack() as stack:
        try:
            home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
            directory = Path(home, "tgbridge")
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(locked(directory, "set XDG_STATE_HOME to another directory"))
            state = StateDirectory(directory, is_kept=True)
        except (OSError, RuntimeError):  # no home, or not writable
            temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="tgbridge-"))
            state = StateDirectory(Path(temporary), is_kept=False)
        yield state


def kept_secret_key(directory: Path) -> str:
    """Return the sandbox's Fernet key for cookies, made on first use."""
    path = directory / "secret-key"
    if not path.exists():
        new = directory / "secret-key.new"
        new.touch(mode=0o600)
        new.write_bytes(Fernet.generate_key())
        new.replace(path)  # so that there is never half a key
    return path.read_text(encoding="ascii")


@asynccontextmanager
async def sandbox_process(state: Path) -> AsyncIterator[SandboxProcess]:
    """Run the sandbox as long as the block runs. Raises SandboxFailedError if it does not start."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tgbridge", "sandbox", "--state", str(state), "--exit-with-stdin"),
        stdin=asyncio.subprocess.PIPE,  # when we end, however, this is closed
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C on a terminal is for us: transfers may still run for a while
    )
    try:
        yield SandboxProcess(process, *await _ready(process))
    finally:
        await _end(process)


async def _ready(process: asyncio.subprocess.Process) -> tuple[dict[str, Any], str]:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise SandboxFailedError("the sandbox did not start in time") from error
    if not line:
        raise SandboxFailedError(f"the sandbox did not start (status {await process.wait()})")
    ready = json.loads(line)
    settings = {
        "api_id": 1,
        "api_hash": "sandbox",
        "dc_id": ready["dc_id"],
        "dc_host": ready["host"],
        "dc_port": ready["port"],
        "dc_public_key": ready["public_key"],
    }
    return settings, ready["control"]


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None  # noqa: S101 - it was asked for
    process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
