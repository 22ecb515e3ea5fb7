"""What all tables have in common: Markdown, units, and the machine they were made on."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = tuple[str, ...]

MB = 1_000_000
MIB = 1 << 20
GB = 1000 * MB


def print_table(title: str, head: Row, rows: Iterable[Row]) -> None:
    """Print it as Markdown, ready for the README, each row as soon as it is there."""
    print(f"\n### {title}\n", flush=True)
    for row in chain((head, ("---",) * len(head)), rows):
        print(f"| {' | '.join(row)} |", flush=True)


def rate(size: float, seconds: float) -> str:
    """Write a rate."""
    return f"{size / MB / seconds:.0f} MB/s"


def mebibytes(size: float) -> str:
    """Write a size."""
    return f"{size / MIB:.0f} MiB"


def machine() -> str:
    """Say where the numbers come from."""
    model = ""
    with open("/proc/cpuinfo", encoding="ascii") as info:  # noqa: PTH123
        for line in info:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB of memory"
