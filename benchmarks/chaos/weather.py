"""The faults, drawn by a seed: storms of one to three at once, and calm between them."""

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
    "upload.getFile",
    "upload.saveFilePart",
    "upload.saveBigFilePart",
    "messages.sendMedia",
    "messages.getHistory",
    "messages.getMessages",
    "messages.search",
    "messages.editMessage",
    "messages.deleteMessages",
    "updates.getDifference",
    "updates.getState",
    "users.getUsers",
    "*",
)


@dataclass(frozen=True, slots=True)
class Gust:
    """One fault: when it begins, how long it lasts, and what the control port is told."""

    at: float
    seconds: float
    name: str
    body: dict[str, Any] = field(default_factory=dict)


def forecast(seed: int, seconds: float, *, altered: bool) -> list[Gust]:
    """Draw all faults of a run. ``altered``: wrong bytes too, which only checked hashes notice."""
    chance = random.Random(seed)
    gusts: list[Gust] = []
    at = chance.uniform(*STORM_SECONDS)
    while at < seconds - STORM_SECONDS[1]:
        lasts = chance.uniform(*STORM_SECONDS)
        for _ in range(chance.randint(1, 3)):
            name, body = chance.choice(list(_kinds(chance, altered=altered)))
            gusts.append(Gust(at, lasts, name, body))
        at += lasts + chance.uniform(*CALM_SECONDS)
    return gusts


def _kinds(chance: random.Random, *, altered: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    method, dc, few = chance.choice(_METHODS), chance.choice((None, 1, 2, 3)), chance.randint(1, 20)
    yield "restart", {}
    yield "restart", {}
    yield "kill", {}
    yield "data_centre_stop", {"dc": chance.choice((1, 2, 3))}
    yield "bandwidth", {"bytes_per_second": chance.uniform(50_000, 2_000_000), "dc": dc}
    yield "delay", {"seconds": chance.uniform(0.01, 0.4), "dc": dc}
    yield "drop", {"method": method, "times": few, "executed": chance.random() < 0.5}
    yield "drop_connections", {"dc": dc}
    yield "error", {"method": method, "code": 400, "message": "CHAOS_RULES", "times": few}
    yield "expire_codes", {}
    yield "expire_file_references", {}
    yield "expire_salts", {}
    yield "expire_uploads", {}
    yield "flood_wait", {"method": method, "seconds": chance.randint(1, 8), "times": few}
    yield "hold", {"method": method}
    yield "internal_error", {"method": method, "times": few}
    yield "key_exchange", {"verdict": chance.choice(("retry", "fail")), "times": few}
    yield "limit", {"method": method, "per_second": 20.0, "burst": 10.0, "wait": 2.0}
    yield "lose_updates", {"times": few}
    yield "refuse_connections", {"dc": dc}
    yield "revoke", {"error": chance.choice(("AUTH_KEY_UNREGISTERED", "SESSION_REVOKED"))}
    yield "short", {"times": few}
    yield "silence", {"method": method, "times": few, "connection": chance.random() < 0.5}
    yield "silence_data_centre", {"dc": dc}
    yield "slow", {"method": method, "seconds": chance.uniform(0.1, 2.0), "times": 10 * few}
    yield "strict_totals", {}
    yield "throttle", {"method": method, "bytes_per_second": chance.uniform(100_000, 900_000), "times": few}
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
        revoke: Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]],
    ) -> None:
        """``restart`` ends the service (True: by kill -9) and starts it; ``revoke`` says whose session."""
        self._ledger = ledger
        self._control = control
        self._restart = restart
        self._revoke = revoke
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
                body = await self._revoke(gust.body)
                if body is not None:
                    await self._set("revoke", body)
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
