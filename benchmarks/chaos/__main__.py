"""`python -m benchmarks.chaos [--seed SEED] [--minutes MINUTES]`: exit status 1 if anything is wrong.

The same seed draws the same faults at the same times, and the same people. The log has a line of JSON for
each fault, failure and acknowledged upload; the service's own log is beside it. Both are kept if anything is
wrong, or if ``--log`` says where.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession
from cryptography.fernet import Fernet

from benchmarks.chaos.account import Account
from benchmarks.chaos.endings import numbers_of, settle
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.mirror import Mirror
from benchmarks.chaos.person import Person
from benchmarks.chaos.service import Service
from benchmarks.chaos.weather import Weather, drawn, forecast
from benchmarks.processes import Process
from tgbridge.sandbox.control import FAULTS
from tgbridge.web import cursor
from tgbridge.web.cursor import Cursors
from tgbridge.web.derived_keys import DerivedKeys

if TYPE_CHECKING:
    from argparse import Namespace

_SHOWN = 50
_PASSWORD_EVERY = 4
_TWO_DEVICES_EVERY = 2


async def run(options: Namespace, directory: Path, ledger: Ledger) -> None:
    """Let people live in bad weather, and look at what is left."""
    seconds, altered = options.minutes * 60, options.seed % 2 == 0
    async with AsyncExitStack() as stack:
        telegram = stack.enter_context(
            Process("-m", "benchmarks.chaos.telegram", log=directory / "telegram.log")
        )
        place = telegram.ready()
        control = await stack.enter_async_context(ClientSession(place["control"]))
        truth = await stack.enter_async_context(ClientSession(place["truth"]))
        # Wrong bytes are noticed by their hashes only.
        checks = {"TGBRIDGE_FILES__VERIFY_HASHES": "true"} if altered else {}
        secret = Fernet.generate_key().decode()
        service = Service(place, directory / "service.log", secret, **checks)
        await service.start()
        stack.push_async_callback(service.stop)
        idle = await numbers_of(service)
        cursors = Cursors(DerivedKeys([secret]).of(cursor.PURPOSE))
        people = [
            Person(
                Account(
                    phone,
                    random.Random(f"{options.seed}-{number}"),
                    Mirror(truth, phone),
                    cursors,
                    service.starts,
                ),
                devices=1 if number % _TWO_DEVICES_EVERY else 2,
                url=service.url,
                ledger=ledger,
                truth=truth,
                control=control,
            )
            for number in range(1, options.people + 1)
            for phone in (_phone(number),)
        ]
        for person in people:
            stack.push_async_callback(person.close)
            await person.begin()
        gusts = [] if options.calm else forecast(options.seed, seconds, altered=altered)
        weather = _weather(options.seed, ledger, control, service, people)
        ledger.note("begin", seed=options.seed, minutes=options.minutes, faults=len(gusts))
        ledger.began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            watching = [
                group.create_task(device.page.watch()) for person in people for device in person.devices
            ]
            living = [group.create_task(person.live(seconds)) for person in people for _ in range(2)]
            await asyncio.gather(group.create_task(weather.blow(gusts)), *living)
            for task in watching:
                task.cancel()
        if service.has_ended:
            ledger.is_wrong("the service has ended by itself")
        await settle(ledger, people, service, idle=idle, control=control, truth=truth)


def _phone(number: int) -> str:
    kind = f"2{number:03}" if number % _PASSWORD_EVERY == 0 else f"{number:04}"
    return f"+99966{1 + number % 3}{kind}"


def _weather(
    seed: int, ledger: Ledger, control: ClientSession, service: Service, people: list[Person]
) -> Weather:
    chance = random.Random(f"{seed} who")

    async def restart(hard: bool) -> None:
        service.starts.append(ledger.now())
        status = await service.stop(signal.SIGKILL if hard else signal.SIGTERM)
        if not hard and status != 0:
            ledger.is_wrong("exit status", status=status)
        await service.start()
        service.starts.append(ledger.now())

    def revoke(body: dict[str, Any]) -> dict[str, Any]:
        person = chance.choice(people)
        for device in person.devices:
            device.is_signed_out()
        return {"account": person.account.user_id, **body}

    def change_password() -> dict[str, Any] | None:
        with_one = [person.account for person in people if person.account.password]
        if not with_one:
            return None
        account = chance.choice(with_one)
        account.password = f"password {chance.random()}"
        return {"account": account.user_id, "password": account.password}

    return Weather(ledger, control, restart=restart, revoke=revoke, change_password=change_password)


async def _run_until_told_to_end(options: Namespace, directory: Path, ledger: Ledger) -> None:
    """Run; SIGTERM ends all of it as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await run(options, directory, ledger)


def main() -> int:
    """Run, and say what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="any number; drawn if it is not given")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--calm", action="store_true", help="no faults: whatever fails then is wrong")
    parser.add_argument("--log", type=Path, help="a directory for the logs, which is kept")
    options = parser.parse_args()
    if missing := FAULTS - drawn():
        parser.error(f"never drawn: {', '.join(sorted(missing))}")
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    directory = options.log or Path(tempfile.mkdtemp(prefix=f"tgbridge-chaos-{options.seed}-"))
    directory.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(directory / "chaos.jsonl")
    print(f"chaos: SEED={options.seed} MINUTES={options.minutes:g}, log in {directory}", flush=True)
    is_whole = False
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(_run_until_told_to_end(options, directory, ledger))
        is_whole = True
    _report(options, ledger)
    if options.log is None and not ledger.wrong:
        shutil.rmtree(directory)
    if not is_whole:
        print("it was not let run to its end")
        return 1
    return 1 if ledger.wrong else 0


def _report(options: Namespace, ledger: Ledger) -> None:
    faults = Counter(fault.name for fault in ledger.faults)
    requests = sum(ledger.outcomes.values())
    told = {name: number for name, number in sorted(faults.items()) if not name.startswith("logout ")}
    print(f"faults: {sum(told.values())}: {told}")
    print(f"requests: {requests}: {dict(ledger.outcomes.most_common())}")
    print(f"acts: {dict(ledger.acts.most_common())}")
    print(f"bytes compared: {ledger.received}; uploads acknowledged: {ledger.acknowledged}")
    print(f"events, after each of which a page was compared: {dict(ledger.events.most_common())}")
    for wrong in ledger.wrong[:_SHOWN]:
        print(f"WRONG at {wrong['at']} s: {wrong['wrong']}: {json.dumps(wrong)}")
    again = f"make chaos SEED={options.seed} MINUTES={options.minutes:g}"
    print(f"{len(ledger.wrong)} wrong; again with: {again}")


if __name__ == "__main__":
    sys.exit(main())
