"""When all faults are over: what was promised is there, pages show it, and nothing is left running."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession

from benchmarks.chaos.browser import Failed
from benchmarks.chaos.ledger import AFTER_SECONDS
from benchmarks.chaos.looking import check_item
from benchmarks.chaos.page import Page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.chaos.account import Account, Promise
    from benchmarks.chaos.device import Device
    from benchmarks.chaos.ledger import Ledger
    from benchmarks.chaos.person import Person
    from benchmarks.chaos.service import Service

_CONVERGE_LOOKS, _LOOK_SECONDS = 200, 0.2
_QUIET_SECONDS = 40.0
_NEVER_LOGGED = (
    "unexpected error",
    "error beyond all middleware",
    "never retrieved",
    "Traceback",
    '"level":"critical"',
)
_BACK_TO = {
    'tgbridge_clients{state="lent"}': 0,
    "tgbridge_http_requests_in_flight": 1,  # this one
    'tgbridge_transfers{direction="received"}': 0,
    'tgbridge_budget_held_bytes{direction="received"}': 0,
    'tgbridge_budget_held_bytes{direction="sent"}': 0,
    'tgbridge_budget_waiting{direction="received"}': 0,
    'tgbridge_budget_waiting{direction="sent"}': 0,
}
_MORE = {"tgbridge_tasks": 3, "process_open_fds": 6}
"""By how many more than a service has that has just begun."""
_MOST_MIB = 400


async def settle(
    ledger: Ledger,
    people: Sequence[Person],
    service: Service,
    *,
    idle: Mapping[str, float],
    control: ClientSession,
    truth: ClientSession,
) -> None:
    """Look at everything, and note what is wrong. ``idle``: the numbers of a service that has just begun."""
    async with control.delete("/faults") as response:
        response.raise_for_status()
    await asyncio.sleep(AFTER_SECONDS)
    for person in people:
        for device in person.devices:
            await device.sign_in()
            device.page.open()
        # What follows a lost update is what tells that it was lost.
        body = {"phone": person.account.phone, "media": "photo", "caption": "the last one"}
        async with control.post("/messages", json=body) as response:
            response.raise_for_status()
    for person in people:
        account = person.account
        async with truth.get(f"/messages/{account.phone}") as response:
            held = await response.json()
        _check_promises(ledger, account, held)
        for device in person.devices:
            await _check_page(ledger, account, device, held)
    for person in people:
        await person.close()
    await _check_quiet(ledger, service, idle, control)
    if (status := await service.stop()) != 0:
        ledger.is_wrong("exit status", status=status)
    _check_log(ledger, service)


def _check_promises(ledger: Ledger, account: Account, held: list[dict[str, Any]]) -> None:
    by_id = {message["id"]: message for message in held}
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for message in held:
        by_name[message["name"] or ""].append(message["id"])
    for name in account.began:
        if len(by_name[name]) > 1 and not account.may_be_twice(name):
            ledger.is_wrong("twice", who=account.name, name=name, ids=by_name[name])
    for name, promise in account.promises.items():
        if (broken := _how_broken(promise, by_id.get(promise.id))) is not None:
            found = by_id.get(promise.id)
            ledger.is_wrong(broken, who=account.name, name=name, promised=str(promise), found=found)


def _how_broken(promise: Promise, found: dict[str, Any] | None) -> str | None:
    if promise.is_gone is None:
        return None
    if promise.is_gone:
        return None if found is None else "deleted, but there"
    if found is None:
        return "acknowledged, but lost"
    if found["sha256"] != promise.sha256:
        return "acknowledged, but other bytes"
    return None if found["caption"] in promise.captions else "another caption"


async def _check_page(ledger: Ledger, account: Account, device: Device, held: list[dict[str, Any]]) -> None:
    page, fresh, state = device.page, Page(device.browser, account, ledger), await account.mirror.follow()
    for _ in range(_CONVERGE_LOOKS):
        if page.position >= state:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    try:
        # Before the list, by which all that is remembered is brought up to date.
        for number, one in list(account.mirror.held.items()):
            if number > account.seeds_to:
                await check_item(device, ledger, number, one.caption, account.mirror)
        await fresh.load()
    except Failed as failed:
        ledger.is_wrong("no list in the end", who=device.name, status=failed.status, code=failed.code)
        return
    there = {message["id"]: message["caption"] for message in held if message["id"] > account.seeds_to}
    listed = {number: item["caption"] for number, item in fresh.items.items() if number > account.seeds_to}
    if listed != there:
        ledger.is_wrong("the list is not what there is", who=device.name, **_difference(listed, there))
    if page.items != fresh.items:
        shown = {number: item["caption"] for number, item in page.items.items()}
        whole = {number: item["caption"] for number, item in fresh.items.items()}
        ledger.is_wrong("the page missed something", who=device.name, **_difference(shown, whole))


def _difference(one: dict[int, str], other: dict[int, str]) -> dict[str, Any]:
    return {
        "too_many": sorted(one.keys() - other.keys())[:10],
        "missing": sorted(other.keys() - one.keys())[:10],
        "other": [number for number in one.keys() & other.keys() if one[number] != other[number]][:10],
    }


async def numbers_of(service: Service) -> dict[str, float]:
    """Ask a service for its metrics."""
    async with ClientSession() as session, session.get(f"{service.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    found = (line.rsplit(" ", 1) for line in lines if line[:1] != "#")
    return {name: float(value) for name, value in found}


async def _check_quiet(
    ledger: Ledger, service: Service, idle: Mapping[str, float], control: ClientSession
) -> None:
    give_up = ledger.now() + _QUIET_SECONDS
    most = _BACK_TO | {name: idle[name] + more for name, more in _MORE.items()}
    while True:
        numbers = await numbers_of(service)
        left = {name: numbers[name] for name, limit in most.items() if numbers.get(name, 0) > limit}
        async with control.get("/state") as response:
            state = await response.json()
        if connections := sum(state["connections"].values()):
            left["connections to Telegram"] = connections
        if not left or ledger.now() > give_up:
            break
        await asyncio.sleep(1)
    memory = int(numbers["process_resident_memory_bytes"]) >> 20
    if memory > _MOST_MIB:
        left["MiB"] = memory
    tasks, descriptors = (f"{numbers[name]:g} (idle: {idle[name]:g})" for name in _MORE)
    print(f"in the end: {memory} MiB, {tasks} tasks, {descriptors} descriptors, {connections} connections")
    if left:
        ledger.is_wrong("something is left", **left)
    if state["failures"]:
        ledger.is_wrong("the sandbox itself has failed", errors=state["failures"])


def _check_log(ledger: Ledger, service: Service) -> None:
    for line in service.log.read_text(encoding="utf-8", errors="replace").splitlines():
        is_error = '"level":"error"' in line or any(text in line for text in _NEVER_LOGGED)
        if is_error:
            ledger.is_wrong("logged", line=line[:1500])
