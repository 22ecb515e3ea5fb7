"""A directory of state that one process has for itself. Advisory: whoever uses it asks here first."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tgbridge.errors import BridgeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StateInUseError(BridgeError):
    """Another process has the directory; the message is one line that names it."""


@contextmanager
def locked(directory: Path, remedy: str) -> Iterator[None]:
    """Have `directory`, which must exist, for this process alone as long as the block runs.

    `remedy` says how to choose another one. Raises StateInUseError, and OSError if it cannot be written. The
    kernel lets the lock go when the process ends, however it ends.
    """
    with (directory / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            # Empty for a moment after the other one has locked it.
            holder = f"process {pid}" if (pid := file.read().strip()) else "another process"
            raise StateInUseError(f"{directory} is in use by {holder}: stop it, or {remedy}") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
