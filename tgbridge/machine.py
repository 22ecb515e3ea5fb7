"""What the operating system gives this process: file descriptors, and memory."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

_OPEN: Final = Path("/dev/fd")  # /proc/self/fd on Linux; macOS has it as well
_ENOUGH: Final = 65536  # as in deploy/tgbridge.service
_CGROUP: Final = Path("/sys/fs/cgroup")


def descriptors_used() -> int | None:
    """Return how many file descriptors are open; None where that cannot be known."""
    try:
        return sum(1 for _ in _OPEN.iterdir()) - 1  # one is of the listing itself
    except OSError:
        return None


def raise_descriptor_limit() -> None:
    """Let there be as many file descriptors as may be: the soft limit is 1024 for the sake of select().

    Programs that do without raise it to the hard one (systemd.exec(5), LimitNOFILE).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def descriptor_limit() -> int | None:
    """Return how many file descriptors there may be (RLIMIT_NOFILE, soft); None without a limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def memory_limit() -> int | None:
    """Return how many bytes of memory there may be: what the machine has, or its cgroup may have if less."""
    limits = []
    with suppress(OSError, ValueError):
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    limits += _cgroup_limits()
    return min((limit for limit in limits if limit > 0), default=None)


def _cgroup_limits() -> list[int]:
    """Return the limits of the process's cgroup (version 2) and of those around it."""
    limits = []
    with suppress(OSError, ValueError):
        line = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()[-1]
        inner = _CGROUP / line.rpartition(":")[2].lstrip("/")
        for group in (inner, *inner.parents):
            with suppress(OSError, ValueError):
                limits.append(int((group / "memory.max").read_text(encoding="ascii")))
    return limits
