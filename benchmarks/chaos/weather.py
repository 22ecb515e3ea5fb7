"""The faults, drawn by a seed: storms of one to four at once, and calm between them."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aiohttp import ClientSession

    from benchmarks.chaos.ledger import Ledger

STORM_SECONDS = (3.0, 9.0)
CALM_SECONDS = (4.0, 24.0)
_METHODS = (
    "*",
    "auth.*",
    "auth.exportAuthorization",
    "auth.importAuthorization",
    "messages.deleteMessages",
    "messages.editMessage",
    "messages.getHistory",
    "messages.getMessages",
    "messages.search",
    "messages.sendMedia",
    "messages.sendMultiMedia",
    "messages.uploadMedia",
    "updates.getDifference",
    "updates.getState",
    "upload.*",
    "upload.getFile",
    "upload.saveBigFilePart",
    "upload.saveFilePart",
    "users.getUsers",
)
_CENTRES = (1, 2, 3)
_ENDS = ("AUTH_KEY_DUPLICATED", "AUTH_KEY_UNREGISTERED", "SESSION_EXPIRED", "SESSION_REVOKED", None)
_TROUBLES: tuple[dict[str, Any], ...] = (
    {},
    {"code": -503, "message": "Timeout"},
    {"message": "WORKER_BUSY_TOO_LONG_RETRY"},
)


@dataclass(frozen=True, slots=True)
class Gust:
    """One fault: when it begins, how long it lasts, and what the control port is told."""

    at: float
    seconds: float
    name: str
    body: dict[str, Any] = field(default_factory=dict)


def forecast(seed: int, seconds: float, *, altered: bool) -> list[Gust]:
    """Draw all faults of a run, one kill -9 at least. ``altered``: wrong bytes too, which hashes tell."""
    chance = random.Random(seed)
    gusts: list[Gust] = []
    deck: list[int] = []  # all kinds come before any comes again
    at = chance.uniform(*STORM_SECONDS)
    while at < seconds - STORM_SECONDS[1]:
        lasts = chance.uniform(*STORM_SECONDS)
        for _ in range(chance.randint(1, 4)):
            kinds = list(_kinds(chance, altered=altered))
            deck = deck or chance.sample(range(len(kinds)), len(kinds))
            name, body = kinds[deck.pop()]
            gusts.append(Gust(at, lasts, name, body))
        at += lasts + chance.uniform(*CALM_SECONDS)
    gusts.append(Gust(chance.uniform(0.1, 0.9) * seconds, 1.0, "kill"))
    return gusts


def drawn() -> set[str]:
    """Name all faults that may be drawn."""
    return {name for name, _ in _kinds(random.Random(0), altered=True)}


def _kinds(chance: random.Random, *, altered: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    method, dc, few = chance.choice(_METHODS), chance.choice((None, *_CENTRES)), chance.randint(1, 20)
    is_executed, is_premium = chance.random() < 0.5, chance.random() < 0.3
    some = {"method": method, "times": few, "skip": chance.choice((0, 0, 3))}
    yield "restart", {}
    yield "restart", {}
    yield "kill", {}
    yield "data_centre_stop", {"dc": chance.choice(_CENTRES)}
    yield "bandwidth", {"bytes_per_second": chance.uniform(50_000, 2_000_000), "dc": dc}
    yield "change_password", {}
    yield "delay", {"seconds": chance.uniform(0.01, 0.4), "dc": dc}
    yield "drop", {"executed": is_executed, **some}
    yield "drop_connections", {"dc": dc}
    yield "error", {"code": 400, "message": "CHAOS_RULES", **some}
    yield "expire_codes", {}
    yield "expire_file_references", {}
    yield "expire_salts", {}
    yield "expire_uploads", {}
    yield "flood_wait", {"seconds": chance.randint(1, 8), "premium": is_premium, **some}
    yield "hold", {"method": method, "executed": is_executed}
    yield "internal_error", {**chance.choice(_TROUBLES), **some}
    yield "key_exchange", {"verdict": chance.choice(("retry", "fail")), "times": few}
    yield "limit", {"method": method, "per_second": 20.0, "burst": 10.0, "wait": 2.0, "premium": is_premium}
    yield "lose_updates", {"times": few}
    yield "refuse_connections", {"dc": dc}
    yield "revoke", {"error": chance.choice(_ENDS)}
    yield "short", {"times": few, "keep": chance.choice((None, 0, 1))}
    yield "silence", {"connection": chance.random() < 0.5, "executed": is_executed, **some}
    yield "silence_data_centre", {"dc": dc}
    yield "slow", {"method": method, "seconds": chance.uniform(0.1, 2.0), "times": 10 * few}
    yield "strict_totals", {}
    yield "throttle", {"bytes_per_second": chance.uniform(100_000, 900_000), **some}
    if altered:
        yield "alter", {"times": few}


class Weather:
    """Makes it, on time."""

    def __init__(
        self,
        ledger: Ledger,
        control: ClientSession,
        *,
        restart: Callable[[bool], Awaitable[None]],
        revoke: Callable[[dict[str, Any]], dict[str, Any] | None],
        change_password: Callable[[], dict[str, Any] | None],
    ) -> None:
        """``restart`` ends the service (True: by kill -9) and starts it; the others say whose."""
        self._ledger = ledger
        self._control = control
        self._restart = restart
        self._revoke = revoke
        self._change_password = change_password
        self._of_service = asyncio.Lock()

    async def blow(self, gusts: list[Gust]) -> None:
        """Let all of them come and go."""
        async with asyncio.TaskGroup() as group:
            for gust in gusts:
                group.create_task(self._one(gust))

    async def _one(self, gust: Gust) -> None:
        await asyncio.sleep(gust.at - self._ledger.now())
        fault = self._ledger.fault(gust.name, lasts=round(gust.seconds, 1), told=gust.body)
        try:
            await self._act(gust)
        finally:
            self._ledger.over(fault)

    async def _act(self, gust: Gust) -> None:
        match gust.name:
            case "restart" | "kill":
                async with self._of_service:
                    await self._restart(gust.name == "kill")
            case "data_centre_stop":
                path = f"/data-centres/{gust.body['dc']}"
                await self._post(f"{path}/stop")
                await asyncio.sleep(gust.seconds)
                await self._post(f"{path}/start")
            case "revoke":
                if (body := self._revoke(gust.body)) is not None:
                    await self._set("revoke", body)
            case "change_password":
                if (body := self._change_password()) is not None:
                    await self._set("change_password", body)
            case _:
                identifier = await self._set(gust.name, gust.body)
                await asyncio.sleep(gust.seconds)
                await self._calm(gust, identifier)

    async def _calm(self, gust: Gust, identifier: int | None) -> None:
        dc = {"dc": gust.body.get("dc")}
        match gust.name:
            case "bandwidth":
                await self._set("bandwidth", {"bytes_per_second": None, **dc})
            case "delay":
                await self._set("delay", {"seconds": 0.0, **dc})
            case "refuse_connections":
                await self._set("refuse_connections", {"refusing": False, **dc})
            case "silence_data_centre":
                await self._set("silence_data_centre", {"silent": False, **dc})
            case "strict_totals":
                await self._set("strict_totals", {"strict": False})
            case _ if identifier is not None:
                async with self._control.delete(f"/faults/{identifier}") as response:
                    response.raise_for_status()

    async def _set(self, name: str, body: dict[str, Any]) -> int | None:
        async with self._control.post("/faults", json={"fault": name, **body}) as response:
            if response.status >= 400:
                raise RuntimeError(f"{name}: {await response.text()}")
            identifier: int | None = (await response.json()).get("id")
            return identifier

    async def _post(self, path: str) -> None:
        async with self._control.post(path) as response:
            response.raise_for_status()
