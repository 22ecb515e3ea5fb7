"""Uploads that trickle: what a few accounts can take from all others."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.web.routes.forms import CONTENT_TYPE, Form, send, send_file, stored
from tests.web.routes.tus_client import Line, begin, head, patch
from tgbridge.uploads import checked, pace, registry
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.settings import Settings

KIB, MIB = 1024, 1024 * 1024
ATTACKERS: Final = [f"+999661100{number}" for number in range(4)]
BYSTANDER: Final = "+9996610001"
NOISE: Final = random.Random(9).randbytes(2 * MIB)
# A hundred times faster than any telephone: the tests don't wait for time-outs of seconds.
HURRIED: Final = {"min_bytes_per_second": MIB}


async def trickle(first: bytes, arrived: list[None]) -> AsyncIterator[bytes]:
    """Send a body's beginning, and then a byte now and then."""
    yield first
    arrived.append(None)
    while True:
        await asyncio.sleep(0.02)
        yield b"x"


@asynccontextmanager
async def trickling(attackers: list[ClientSession], size: int) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Let each account send 64 files, of which so many bytes come at once."""
    first, arrived = Form().file(NOISE).body[:size], list[None]()
    tasks = [
        asyncio.create_task(
            attacker.post(
                "/upload_file", data=trickle(first, arrived), headers={"Content-Type": CONTENT_TYPE}
            )
        )
        for attacker in attackers
        for _ in range(64)
    ]
    async with asyncio.timeout(20):
        while len(arrived) < len(tasks):
            await asyncio.sleep(0)
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """The defaults, but that nobody is too slow."""
    return make_settings(upload={"min_bytes_per_second": 0})


@pytest.fixture
async def attackers(new_browser: NewBrowser, sign_in: SignIn) -> list[ClientSession]:
    browsers = [new_browser() for _ in ATTACKERS]
    for browser, phone in zip(browsers, ATTACKERS, strict=True):
        await sign_in(browser, phone)
    return browsers


@pytest.fixture
async def bystander(new_browser: NewBrowser, sign_in: SignIn) -> ClientSession:
    browser = new_browser()
    await sign_in(browser, BYSTANDER)
    return browser


@pytest.mark.parametrize(
    ("size", "held"), [(500, 0), (8 * KIB, 64 * MIB)], ids=["hardly any bytes", "enough to be let in"]
)
async def test_uploads_that_trickle(
    service: Service, attackers: list[ClientSession], bystander: ClientSession, size: int, held: int
) -> None:
    """256 of them from four accounts leave others half of the memory, however long they are suffered."""
    budget = service.app[keys.UPLOADER].budget
    async with trickling(attackers, size), asyncio.timeout(15):
        while budget.held < held or len(service.app[keys.IN_FLIGHT]) < 256:
            await asyncio.sleep(0)
        assert await stored(bystander, await send_file(bystander, NOISE)) == NOISE
        assert budget.held == held


async def test_as_many_as_there_is_memory_for(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Accounts that could hold all memory, by files above the least rate, leave some to who has none."""
    service = await serve(
        make_settings(upload={"min_bytes_per_second": 0, "window_bytes_per_process": 64 * MIB})
    )
    browsers = [new_browser(service) for _ in (*ATTACKERS, BYSTANDER)]
    for browser, phone in zip(browsers, (*ATTACKERS, BYSTANDER), strict=True):
        await sign_in(browser, phone)
    *attackers, bystander = browsers
    budget = service.app[keys.UPLOADER].budget
    async with trickling(attackers, 8 * KIB), asyncio.timeout(15):
        while budget.held < 48 * MIB:
            await asyncio.sleep(0)
        assert await stored(bystander, await send_file(bystander, NOISE)) == NOISE


async def test_who_trickles_loses_its_room(
    serve: Serve,
    make_settings: MakeSettings,
    new_browser: NewBrowser,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file below the least rate ends as a request that takes too long, whichever way it comes."""
    monkeypatch.setattr(pace, "GRACE_SECONDS", 0.05)
    service = await serve(make_settings(upload=HURRIED))
    browser = new_browser(service)
    await sign_in(browser)
    path = await begin(browser, MIB)
    line = await Line.patch(browser, service, path, 0, MIB)
    await line.send(NOISE[: 8 * KIB])
    assert await line.status() == 408
    await line.close()
    body = trickle(Form().file(NOISE).body[: 8 * KIB], [])
    told = await send(browser, body)
    assert (told.status, told.body["code"]) == (408, "REQUEST_TIMEOUT")
    while len(service.app[keys.IN_FLIGHT]):
        await asyncio.sleep(0)
    # What came counts, and the upload can go on.
    assert (await head(browser, path)).offset == 8 * KIB
    assert service.app[keys.UPLOADER].budget.held == 8 * KIB
    assert (await patch(browser, path, 8 * KIB, NOISE[8 * KIB : MIB])).message_id is not None


async def test_resumable_uploads_at_rest(
    serve: Serve,
    make_settings: MakeSettings,
    new_browser: NewBrowser,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A byte a minute does not keep more in memory than the account may have, nor an upload from idleness."""
    windows = {f"window_bytes_per_{of}": MIB for of in ("upload", "account")}
    service = await serve(make_settings(upload=windows))
    browser = new_browser(service)
    await sign_in(browser)
    paths = [await begin(browser, MIB) for _ in range(3)]
    for path in paths:
        assert (await patch(browser, path, 0, NOISE[: 200 * KIB])).status == 204
    # The oldest had to go, although it was heard of a moment ago.
    assert [(await head(browser, path)).status for path in paths] == [410, 200, 200]
    assert service.app[keys.UPLOADER].budget.held == 400 * KIB
    # All that bring a byte are idle, all that bring more are not.
    monkeypatch.setattr(registry, "IDLE_SECONDS", 0.1)
    uploads = list(service.app[keys.UPLOADS]._uploads.values())
    await asyncio.sleep(0.05)
    heard = [upload.heard for upload in uploads]
    assert (await patch(browser, paths[1], 200 * KIB, b"x")).status == 204
    assert (await patch(browser, paths[2], 200 * KIB, NOISE[: 64 * KIB])).status == 204
    assert [upload.heard > before for upload, before in zip(uploads, heard, strict=True)] == [False, True]


async def test_chunks_with_checksums_that_trickle(
    service: Service,
    bystander: ClientSession,
    attackers: list[ClientSession],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Chunks have their place in memory from their first bytes on, and not for ever."""
    monkeypatch.setattr(checked, "GRACE_SECONDS", 0.2)
    budget = service.app[keys.UPLOADS]._surroundings.checked_budget
    wanted = 16 * MIB
    digest = f"sha1 {base64.b64encode(hashlib.sha1(NOISE).digest()).decode()}"
    lines = []
    for attacker in attackers:
        path = await begin(attacker, wanted)
        lines.append(await Line.patch(attacker, service, path, 0, wanted, Upload_Checksum=digest))
    path = await begin(bystander, len(NOISE))
    assert budget.held == 0
    for line in lines:
        await line.send(b"x")
    while budget.held < 4 * wanted:
        await asyncio.sleep(0)
    answer = await patch(bystander, path, 0, NOISE, Upload_Checksum=digest)
    assert answer.message_id is not None
    for line in lines:
        assert await line.status() == 408
        await line.close()
