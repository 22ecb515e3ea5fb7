"""Stopping while Telegram does not answer: nothing waits for it, and nothing is left."""

from __future__ import annotations

import asyncio
import configparser
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientError

from tests.web.routes.events import events
from tests.web.routes.forms import Form, send
from tests.web.routes.rows import post
from tests.web.routes.tus_client import Line, begin
from tgbridge import app as app_module
from tgbridge.settings import Settings
from tgbridge.telegram.pool import PoolStats
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.conftest import NewBrowser
    from tests.web.routes.conftest import AddFile, Get, Scanned, SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

MIB = 1024 * 1024
ELSEWHERE = "+9996630001"
UNIT = Path(__file__).parents[3] / "deploy" / "tgbridge.service"


async def falls_silent(sandbox: Sandbox) -> None:
    sandbox.faults.silence_data_centre()


async def goes_away(sandbox: Sandbox) -> None:
    for centre in sandbox.all_centres:
        await centre.stop()


@pytest.mark.parametrize("happens", [falls_silent, goes_away])
@pytest.mark.parametrize("drain_seconds", [0, 0.1])
async def test_nothing_waits_for_telegram(
    sandbox: Sandbox,
    service: Service,
    signed_in_to: SignedInTo,
    new_browser: NewBrowser,
    scanned: Scanned,
    add_file: AddFile,
    get: Get,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Sandbox], Awaitable[None]],
    drain_seconds: float,
) -> None:
    """No page with a QR code, no login, scanned or by code, no download and no upload holds a stop up."""
    monkeypatch.setattr(app_module, "COMPLETION_SECONDS", 0.05)
    large = add_file(20 * MIB)
    await service.stop()  # the browser was signed in by it
    before = asyncio.all_tasks()
    # Whoever waits for Telegram does so for longer than a test may last.
    service, browser = await signed_in_to(
        server={"drain_seconds": drain_seconds},
        telegram={"connect_timeout_seconds": 300, "request_timeout_seconds": 300},
    )
    async with AsyncExitStack() as pages:
        for _ in range(2):
            page = await pages.enter_async_context(events(new_browser(service), "/qr-login"))
            await page.next()
        assert (await scanned(new_browser(service)))[0] == "authenticated"
        stranger = new_browser(service)
        assert (await post(stranger, "/send-code", {"phone": ELSEWHERE}))[0] == 200
        line = await Line.patch(browser, service, await begin(browser, 4 * MIB), 0, 4 * MIB)
        held = sandbox.faults.hold("upload.getFile", skip=2)
        download = await browser.get(large.path)
        await held.reached(1)

        await happens(sandbox)
        await line.send(bytes(2 * MIB))
        asking = [
            asyncio.create_task(send(browser, Form().file(bytes(MIB)))),
            asyncio.create_task(post(stranger, "/sign-in", {"phone": ELSEWHERE, "code": "33333"})),
            asyncio.create_task(get("/get-saved-messages-media", browser=browser)),
        ]
        in_flight, completion = service.app[keys.IN_FLIGHT], service.app[keys.COMPLETION]
        await until(lambda: (len(in_flight), len(completion), len(service.app[keys.QR_LOGINS])) == (7, 1, 1))
        async with asyncio.timeout(30):
            await service.stop()
        assert (len(in_flight), len(completion), len(service.app[keys.QR_LOGINS])) == (0, 0, 0)
        assert service.app[keys.POOL].stats == PoolStats(clients=0, lent=0, connecting=0)
        for answer in await asyncio.gather(*asking, return_exceptions=True):
            assert isinstance(answer, ClientError)
        download.close()
        await line.cut()
    held.release()
    await until(lambda: asyncio.all_tasks() <= before)


def test_the_service_manager_waits_for_the_end() -> None:
    """systemd kills no service that stops as it should."""
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(UNIT)
    assert app_module.stop_seconds(Settings()) + 30 <= float(unit["Service"]["TimeoutStopSec"])
