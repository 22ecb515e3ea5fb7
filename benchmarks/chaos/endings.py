"""When all faults are over: what was promised is there, pages show it, and nothing is left running."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from aiohttp import ClientSession

from benchmarks.chaos.browser import Failed
from benchmarks.chaos.ledger import AFTER_SECONDS
from benchmarks.chaos.page import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_TASKS, _DESCRIPTORS = 20, 40


async def settle(
    ledger: Ledger,
    people: Sequence[Person],
    service: Service,
    control: ClientSession,
    truth: ClientSession,
) -> None:
    """Look at everything, and note what is wrong."""
    await _delete(control, "/faults")
    await asyncio.sleep(AFTER_SECONDS)
    for person in people:
        await person.sign_in()
        person.page.open()
        # What follows a lost update is what tells that it was lost.
        body = {"phone": person.phone, "media": "photo", "caption": "the last one"}
        async with control.post("/messages", json=body) as response:
            response.raise_for_status()
    for person in people:
        async with truth.get(f"/messages/{person.phone}") as response:
            held = await response.json()
        _check_promises(ledger, person, held)
        await _check_page(ledger, person, held)
    for person in people:
        await person.close()
    await _check_quiet(ledger, service)
    _check_log(ledger, service)


async def _delete(control: ClientSession, path: str) -> None:
    async with control.delete(path) as response:
        response.raise_for_status()


def _check_promises(ledger: Ledger, person: Person, held: list[dict[str, Any]]) -> None:
    by_id = {message["id"]: message for message in held}
    by_name: defaultdict[str, list[int]] = defaultdict(list)
    for message in held:
        by_name[message["name"] or ""].append(message["id"])
    for name, promise in person.promises.items():
        found = by_id.get(promise.id)
        told = {"who": person.phone[-4:], "name": name, "id": promise.id}
        if promise.is_gone is None:
            continue
        if promise.is_gone:
            if found is not None:
                ledger.is_wrong("deleted, but there", **told)
        elif found is None:
            ledger.is_wrong("acknowledged, but lost", **told)
        elif found["sha256"] != promise.sha256:
            ledger.is_wrong("acknowledged, but other bytes", **told)
        elif found["caption"] not in promise.captions:
            ledger.is_wrong("another caption", caption=found["caption"], **told)
        elif len(by_name[name]) > 1 and not promise.may_be_twice:
            ledger.is_wrong("twice", ids=by_name[name], **told)


async def _check_page(ledger: Ledger, person: Person, held: list[dict[str, Any]]) -> None:
    told = {"who": person.phone[-4:]}
    fresh = Page(person.browser)
    try:
        await fresh.load()
    except Failed as failed:
        ledger.is_wrong("no list in the end", status=failed.status, code=failed.code, **told)
        return
    there = {message["id"]: message["caption"] for message in held if message["id"] > person.seeds_to}
    listed = {number: item["caption"] for number, item in fresh.items.items() if number > person.seeds_to}
    if listed != there:
        ledger.is_wrong("the list is not what there is", **_difference(listed, there), **told)
    for _ in range(_CONVERGE_LOOKS):
        if person.page.items == fresh.items:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    if person.page.items != fresh.items:
        shown = {number: item["caption"] for number, item in person.page.items.items()}
        ledger.is_wrong("the page missed something", **_difference(shown, listed), **told)


def _difference(one: dict[int, str], other: dict[int, str]) -> dict[str, Any]:
    return {
        "too_many": sorted(one.keys() - other.keys())[:10],
        "missing": sorted(other.keys() - one.keys())[:10],
        "other": [number for number in one.keys() & other.keys() if one[number] != other[number]][:10],
    }


async def _check_quiet(ledger: Ledger, service: Service) -> None:
    give_up = ledger.now() + _QUIET_SECONDS
    while True:
        async with ClientSession() as session, session.get(f"{service.url}/metrics") as response:
            numbers = dict(
                line.rsplit(" ", 1) for line in (await response.text()).splitlines() if line[:1] != "#"
            )
        left = {
            name: float(numbers[name])
            for name, most in _BACK_TO.items()
            if float(numbers.get(name, 0)) > most
        }
        for name, most in (("tgbridge_tasks", _TASKS), ("process_open_fds", _DESCRIPTORS)):
            if float(numbers[name]) > most:
                left[name] = float(numbers[name])
        if not left or ledger.now() > give_up:
            break
        await asyncio.sleep(1)
    memory = int(float(numbers["process_resident_memory_bytes"])) >> 20
    tasks, descriptors = numbers["tgbridge_tasks"], numbers["process_open_fds"]
    print(f"in the end: {memory} MiB, {tasks} tasks, {descriptors} descriptors")
    if left:
        ledger.is_wrong("something is left", **left)


def _check_log(ledger: Ledger, service: Service) -> None:
    for line in service.log.read_text(encoding="utf-8", errors="replace").splitlines():
        is_error = '"level":"error"' in line or any(text in line for text in _NEVER_LOGGED)
        if is_error:
            ledger.is_wrong("logged", line=line[:1500])
