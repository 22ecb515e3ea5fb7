"""Memory: what fifty slow senders have on their way at the same time stays within the process's budget."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from tests.web.routes.forms import Form, send, send_file, stored
from tests.web.routes.tus_client import begin, patch
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import pytest
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.transfer.upload.upload import FileUpload

KIB, MIB = 1024, 1024 * 1024
PART, SIZE, FIRST = 64 * KIB, 200_000, 50_000
NOISE = random.Random(50).randbytes(SIZE + 50)
PHONES = [f"+9996613{number:03}" for number in range(5)]
SENDERS = 10  # of each account
SETTINGS: dict[str, Any] = {
    "upload": {
        "part_bytes": PART,
        "window_bytes_per_upload": MIB,
        "window_bytes_per_account": MIB,
        "window_bytes_per_process": 5 * MIB,
    }
}


def counter(service: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[int, int]]:
    """Return what counts the bytes that have come, and those in memory: the real ones, not what is held."""
    uploader = service.app[keys.UPLOADER]
    uploads: list[FileUpload] = []
    open_ = uploader.open

    def opening(*what: Any, **how: Any) -> FileUpload:
        uploads.append(open_(*what, **how))
        return uploads[-1]

    def count() -> tuple[int, int]:
        in_memory = 0
        for upload in uploads:
            parts = {part for _, part in upload._in_flight.values()} | set(upload._kept)
            in_memory += len(upload._tail) + sum(len(part.data) for part in parts)
        return sum(upload.received for upload in uploads), in_memory

    monkeypatch.setattr(uploader, "open", opening)
    return count


async def at_rest(count: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """Count when nothing has moved for many turns of the event loop."""
    before, turns = count(), 0
    while turns < 300:
        await asyncio.sleep(0)
        now = count()
        before, turns = now, turns + 1 if now == before else 0
    return before


async def slowly(body: bytes, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    """Send a body's beginning, and the rest when the time has come."""
    yield body[:FIRST]
    await go_on.wait()
    for start in range(FIRST, len(body), 10_000):
        yield body[start : start + 10_000]
        await asyncio.sleep(0)


async def send_slowly(browser: ClientSession, number: int, go_on: asyncio.Event) -> int:
    """Send a file as a form, with or without a length, or as a resumable upload. Return its message's id."""
    data = NOISE[number : number + SIZE]
    if number % 4 == 0:
        answer = await patch(browser, await begin(browser, SIZE), 0, slowly(data, go_on))
        assert answer.message_id is not None
        return answer.message_id
    body = Form().file(data).body
    length = {"Content-Length": str(len(body))} if number % 2 else {}
    told = await send(browser, slowly(body, go_on), **length)
    assert told.status == 200, told
    message_id: int = told.body["message_id"]
    return message_id


async def test_fifty_slow_senders(
    sandbox: Sandbox,
    signed_in_to: SignedInTo,
    new_browser: NewBrowser,
    sign_in: SignIn,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether they stall or Telegram does: no byte beyond the budget is in memory, and all arrive whole."""
    service, _ = await signed_in_to(**SETTINGS)
    budget = service.app[keys.UPLOADER].budget
    lefts: list[int] = []
    in_memory: list[int] = []
    browsers = [new_browser(service) for _ in PHONES]
    await asyncio.gather(*map(sign_in, browsers, PHONES))
    count = counter(service, monkeypatch)

    def note(left: int) -> None:
        lefts.append(left)
        in_memory.append(count()[1])

    budget.relieve = note
    go_on = asyncio.Event()

    # All stall within their first part: each has a room, and another one's file passes all the same.
    owners = browsers * SENDERS
    sending = [asyncio.create_task(send_slowly(owner, n, go_on)) for n, owner in enumerate(owners)]
    started = len(sending) * (FIRST - 1000)
    await until(lambda: count()[0] >= started)
    assert (budget.streams, budget.held) == (len(sending), len(sending) * PART)
    await send_file(browsers[0], NOISE)

    # All go on, and Telegram stalls: they are taken no more than the budget has room for, of which the last
    # quarter is for accounts that have next to nothing.
    hold = sandbox.faults.hold("upload.*")
    go_on.set()
    await until(lambda: budget.left < 5 * MIB // 4 + PART)
    received, kept = await at_rest(count)
    assert received < len(sending) * SIZE
    assert 3 * MIB < kept <= budget.held <= 4 * MIB

    hold.release()
    done = await asyncio.gather(*sending)
    assert len(set(zip(owners, done, strict=True))) == len(sending)
    for number in (0, 1, 2, 48, 49):
        assert await stored(owners[number], done[number]) == NOISE[number : number + SIZE]
    assert min(lefts) >= 0
    assert max(in_memory) <= 4 * MIB
    assert (budget.held, budget.waiting, budget.streams, count()[1]) == (0, 0, 0, 0)
