"""The table of a soak: an hour's comings and goings in minutes, after which all is to be as it was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.crowds import LIGHT, light_user
from benchmarks.report import MIB, print_table

if TYPE_CHECKING:
    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_ROUNDS = 6
_USERS = 100
_STREAMING = 20
_MIX = (
    ("users", 200, _USERS),
    ("pages", 50, _USERS),
    ("logins", 1, 0),
    ("fickle streams", 20, _STREAMING),
    ("slow readers", 40, _STREAMING),
    ("slow senders", 50, 0),
    ("sockets", 200, 0),
)
_MIX_SECONDS = 15.0
_CALM_SECONDS = 10.0
_SOON = {
    "TGBRIDGE_POOL__IDLE_SECONDS": "5",
    "TGBRIDGE_FILES__IDLE_SECONDS": "5",
    "TGBRIDGE_EVENTS__LINGER_SECONDS": "1",
}
"""What is kept for a while is kept for a shorter one, as the hour is shorter."""
_HEAD = (
    "",
    "memory",
    "tasks",
    "threads",
    "descriptors",
    "connections at Telegram",
    "a range beside it",
    "503",
)


def soak(stage: Stage, *, quick: bool) -> None:
    """Have all kinds of crowds at once come and go, again and again, and look at what they leave."""
    service = stage.service(0, None, watched=True, **_SOON)
    stage.bring(service, (*range(_USERS), LIGHT))
    light_user(stage, service, 1.0)
    time.sleep(_CALM_SECONDS)
    rounds = 2 if quick else _ROUNDS
    title = f"A soak: rounds of {_MIX_SECONDS:.0f} s, each looked at {_CALM_SECONDS:.0f} s later"
    print_table(title, _HEAD, (_round(number, stage, service) for number in range(rounds + 1)))


def _round(number: int, stage: Stage, service: Server) -> Row:
    if not number:
        return _left("before", stage, service, "", "")
    noticed = _mix(stage, service)
    time.sleep(_CALM_SECONDS)
    return _left(f"round {number}", stage, service, *noticed)


def _mix(stage: Stage, service: Server) -> tuple[str, str]:
    with stage.crowds_of(service, _MIX):
        _, a_range, media, _ = light_user(stage, service, _MIX_SECONDS)
    return f"{a_range} ms", str(a_range.busy + media.busy)


def _left(name: str, stage: Stage, service: Server, *noticed: str) -> Row:
    process = service.process
    looked = process.tell(look=True)
    return (
        name,
        f"{process.resident_bytes() / MIB:.0f} MiB",
        str(looked["tasks"]),
        str(looked["threads"]),
        str(len(list(Path(f"/proc/{process.pid}/fd").iterdir()))),
        str(stage.connections()),
        *noticed,
    )
