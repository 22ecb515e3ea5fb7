"""The table of crowds: what somebody notices of them who asks for small things."""

from __future__ import annotations

import contextlib
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.http import Refused
from benchmarks.report import MIB, print_table
from benchmarks.sandbox import SMALL_BYTES, SMALL_FILES, Ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.processes import Process
    from benchmarks.report import Row
    from benchmarks.stage import Server, Stage

_SECONDS = 8.0
_PAUSE_SECONDS = 0.05
_RANGE_BYTES = 64 * 1024
LIGHT = 999  # the account of the one who asks
_STREAMING = 20  # accounts of those who stream
_USERS = 999


class Kind(NamedTuple):
    """A row."""

    name: str
    crowd: str = ""
    size: int = 0
    accounts: int = 0


KINDS = (
    Kind("nobody"),
    Kind("5000 idle sockets", "sockets", 5000),
    Kind("1000 users, 2000 idle sockets", "users", 1998, _USERS),
    Kind("1000 slow senders", "slow senders", 1000),
    Kind("1000 slow readers", "slow readers", 1000, _STREAMING),
    Kind("100 logins a second", "logins", 100),
    Kind("200 full streams", "streams", 200, _STREAMING),
    Kind("200 streams, half given up", "fickle streams", 200, _STREAMING),
    Kind("nobody, afterwards"),
)
_HEAD = (
    "beside",
    "/healthz",
    "a range",
    "/media",
    "Telegram itself",
    "503",
    "failed",
    "processors: service, Telegram, crowd",
    "memory",
    "the crowd was told",
)


def crowds(stage: Stage, *, quick: bool) -> None:
    """Each crowd in turn at one service, while somebody else asks for small things."""
    share = 10 if quick else 1
    service = stage.service(0)
    stage.bring(service, (*range(_USERS), LIGHT))
    title = "Small answers to somebody else: median, 99 %, longest, in ms"
    print_table(title, _HEAD, (_beside(kind, share, stage, service) for kind in KINDS))


def _beside(kind: Kind, share: int, stage: Stage, service: Server) -> Row:
    cookies = [service.cookies[number] for number in range(kind.accounts)]
    with stage.crowd(service, kind.crowd, kind.size // share, cookies) as process:
        named = f"{kind.name} / {share}" if kind.size and share > 1 else kind.name
        return _noticed(named, stage, service, process)


@dataclass
class Asked:
    """How long answers took, in seconds, and how many there were not."""

    taken: list[float] = field(default_factory=list)
    busy: int = 0
    failed: int = 0

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Time what is asked for inside."""
        begin = time.perf_counter()
        try:
            yield
        except Refused as refused:
            self.busy += refused.status == 503
            self.failed += refused.status != 503
        except (OSError, RuntimeError):
            self.failed += 1
        self.taken.append(time.perf_counter() - begin)

    def __str__(self) -> str:
        taken = sorted(self.taken)
        told = (taken[len(taken) // 2], taken[len(taken) * 99 // 100], taken[-1])
        return ", ".join(f"{seconds * 1000:.0f}" for seconds in told)


def light_user(stage: Stage, service: Server, seconds: float) -> list[Asked]:
    """Ask for small things for so long, each on a connection of its own, and Telegram itself beside them."""
    asked = healthz, a_range, media, telegram = [Asked() for _ in range(4)]
    chance = random.Random(0)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = chance.randrange(SMALL_BYTES // _RANGE_BYTES) * _RANGE_BYTES
        message = Ids.small[chance.randrange(SMALL_FILES)]
        with healthz.asking(), service.client(LIGHT) as client:
            client.get("/healthz")
        with a_range.asking(), service.client(LIGHT) as client:
            client.get(f"/stream_media/{message}", span=(start, start + _RANGE_BYTES))
        with media.asking(), service.client(LIGHT) as client:
            client.get("/media?limit=20")
        with telegram.asking():
            stage.connections()
        time.sleep(_PAUSE_SECONDS)
    return asked


def _noticed(name: str, stage: Stage, service: Server, crowd: Process | None) -> Row:
    light_user(stage, service, 0.5)  # it has been here before
    processes = [service.process, stage.sandbox, *([crowd] if crowd else [])]
    spent, begin = [process.cpu_seconds() for process in processes], time.perf_counter()
    asked = light_user(stage, service, _SECONDS)
    clock = time.perf_counter() - begin
    used = [process.cpu_seconds() - before for process, before in zip(processes, spent, strict=True)]
    told = crowd.tell(told=True) if crowd else {"told": {}}
    size = told["told"].pop("bytes", 0)
    answers = [f"{number} x {what}" for what, number in sorted(told["told"].items())]
    answers += [f"{size / MIB / clock:.0f} MiB/s"] if size else []
    return (
        name,
        *map(str, asked),
        str(sum(each.busy for each in asked)),
        f"{sum(each.failed for each in asked)} of {sum(len(each.taken) for each in asked)}",
        ", ".join(f"{seconds / clock:.0%}" for seconds in used),
        f"{service.process.resident_bytes() / MIB:.0f} MiB",
        ", ".join([*answers, f"{told.get('open', 0)} open"]),
    )
