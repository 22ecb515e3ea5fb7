"""`python -m benchmarks.chaos [--seed SEED] [--minutes MINUTES]`: exit status 1 if anything is wrong.

The same seed draws the same faults at the same times, and the same people. The log has a line of JSON for
each fault, failure and acknowledged upload; the service's own log is beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession

from benchmarks.chaos.endings import settle
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.person import Person
from benchmarks.chaos.service import Service
from benchmarks.chaos.weather import Weather, forecast
from benchmarks.processes import Process

if TYPE_CHECKING:
    from argparse import Namespace

import signal


async def run(options: Namespace, directory: Path, ledger: Ledger) -> None:
    """Let people live in bad weather, and look at what is left."""
    seconds, altered = options.minutes * 60, options.seed % 2 == 0
    async with AsyncExitStack() as stack:
        telegram = stack.enter_context(
            Process("-m", "benchmarks.chaos.telegram", str(directory), log=directory / "telegram.log")
        )
        place = telegram.ready()
        control = await stack.enter_async_context(ClientSession(place["control"]))
        truth = await stack.enter_async_context(ClientSession(place["truth"]))
        # Wrong bytes are noticed by their hashes only.
        checks = {"TGBRIDGE_FILES__VERIFY_HASHES": "true"} if altered else {}
        service = Service(place, directory / "service.log", **checks)
        await service.start()
        stack.push_async_callback(service.stop)
        people = [
            Person(
                f"+99966{1 + number % 3}{number:04}",
                seed=f"{options.seed}-{number}",
                url=service.url,
                ledger=ledger,
                truth=truth,
                control=control,
                starts=service.starts,
            )
            for number in range(1, options.people + 1)
        ]
        for person in people:
            stack.push_async_callback(person.close)
            await person.sign_in()
            await person.page.load()
            person.seeds_to = max(person.page.items)
            person.page.open()
        chance = random.Random(f"{options.seed} who")

        async def restart(hard: bool) -> None:
            service.starts.append(ledger.now())
            status = await service.stop(signal.SIGKILL if hard else signal.SIGTERM)
            if not hard and status != 0:
                ledger.is_wrong("exit status", status=status)
            await service.start()
            service.starts.append(ledger.now())

        async def revoke(body: dict[str, Any]) -> dict[str, Any] | None:
            person = chance.choice(people)
            return {"account": person.user_id, **body} if person.user_id else None

        weather = Weather(ledger, control, restart=restart, revoke=revoke)
        gusts = [] if options.calm else forecast(options.seed, seconds, altered=altered)
        ledger.note("begin", seed=options.seed, minutes=options.minutes, faults=len(gusts))
        ledger.began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            group.create_task(weather.blow(gusts))
            for person in people:
                for _ in range(2):
                    group.create_task(person.live(seconds))
        if service.has_ended:
            ledger.is_wrong("the service has ended by itself")
        await settle(ledger, people, service, control, truth)


def main() -> int:
    """Run, and say what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="any number; drawn if it is not given")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--calm", action="store_true", help="no faults: whatever fails then is wrong")
    parser.add_argument("--log", type=Path, help="a directory for the logs; a temporary one by default")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    directory = options.log or Path(tempfile.mkdtemp(prefix=f"tgbridge-chaos-{options.seed}-"))
    directory.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(directory / "chaos.jsonl")
    print(f"chaos: SEED={options.seed} MINUTES={options.minutes:g}, log in {directory}", flush=True)
    asyncio.run(run(options, directory, ledger))
    print(f"faults: {len(ledger.faults)}; outcomes: {dict(ledger.outcomes.most_common())}")
    print(f"bytes compared: {ledger.received}")
    for wrong in ledger.wrong[:50]:
        print(json.dumps(wrong))
    print(
        f"{len(ledger.wrong)} wrong; again with: make chaos SEED={options.seed} MINUTES={options.minutes:g}"
    )
    return 1 if ledger.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
