"""What arrives in a minute where Telegram sets limits: a bucket of tokens for each key, and waits that rise.

The limits are of the kind that is reported from the field (`tgbridge.sandbox.buckets`); nobody knows
Telegram's own figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.report import MIB, mebibytes, print_table
from benchmarks.sandbox import Ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.stage import Stage

_ROUND_TRIP: Final = 0.04
# Calls a second, calls at once, and the first wait in seconds.
_LIMITS: Final = ((8, 16, 7), (3, 10, 5))


def floods(stage: Stage, *, quick: bool) -> None:
    """Read one file for a minute, or for 20 s, by either pacing and by Telethon alone."""
    seconds = 20 if quick else 60
    plain = stage.plain()
    stage.round_trip(_ROUND_TRIP)
    services = {
        pacing: stage.service(TGBRIDGE_FILES__PACING=pacing, TGBRIDGE_FILES__CACHE_BYTES_PER_ACCOUNT="0")
        for pacing in ("adaptive", "tdlib")
    }
    readers: dict[str, Callable[[], int]] = {
        pacing: lambda server=server: server.get(Ids.home, give_up_after=seconds).size  # type: ignore[misc]
        for pacing, server in services.items()
    }
    readers["Telethon alone"] = lambda: int(plain.tell(receive=Ids.home, give_up_after=seconds)["size"])
    rows = []
    for limit in _LIMITS[:1] if quick else _LIMITS:
        per_second, burst, wait = limit
        row = [f"{per_second} a second, {burst} at once, {wait} s"]
        for read in readers.values():
            stage.sandbox.tell(limit=limit)
            size = read()
            waited = stage.sandbox.tell(waited=True)["waited"]
            row.append(f"{mebibytes(size * 60 / seconds)}, {waited:.0f} s waiting")
        rows.append((*row, mebibytes(60 * per_second * MIB)))
    head = ("limit: parts, wait", *readers, "what the rate allows in parts of 1 MiB")
    print_table(f"In a minute under a limit, {_ROUND_TRIP * 1000:.0f} ms", head, rows)
