"""/readyz: whether the service can take work, by what each part says of itself."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tgbridge import machine
from tgbridge.telegram.datacentres import reachability
from tgbridge.web import keys
from tgbridge.web.routes import readiness

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PARTS = {"service", "pool", "descriptors", "telegram"}


async def ask(browser: ClientSession) -> tuple[int, dict[str, Any]]:
    async with browser.get("/readyz") as response:
        return response.status, await response.json()


async def not_ready(browser: ClientSession) -> set[str]:
    """Return the parts that say why the service is not ready."""
    status, body = await ask(browser)
    assert status == 503
    assert (body["code"], body["retry_after"]) == ("NOT_READY", 5)
    assert body["checks"].keys() == PARTS
    assert all(check["ok"] or check["reason"] for check in body["checks"].values())
    return {name for name, check in body["checks"].items() if not check["ok"]}


async def test_ready(browser: ClientSession) -> None:
    """Each part is ready, though nobody has asked Telegram anything yet."""
    status, body = await ask(browser)
    assert status == 200
    assert body == {"status": "ok", "checks": {name: {"ok": True} for name in PARTS}}


async def test_telegram_is_asked_seldom(browser: ClientSession, service: Service) -> None:
    """Many probes bring about one connection to Telegram, and none while clients hear from it."""
    for _ in range(5):
        assert (await ask(browser))[0] == 200
    await asyncio.gather(*(ask(browser) for _ in range(5)))
    statistics = service.app[keys.POOL].statistics
    assert statistics.opened == 1
    statistics.heard()
    assert (await ask(browser))[0] == 200
    assert statistics.opened == 1


@pytest.mark.swift_time
async def test_telegram_goes_and_comes_back(
    browser: ClientSession, sandbox: Sandbox, sign_in: SignIn
) -> None:
    """A data centre that has just answered is believed to be there; later it is asked, until it is back."""
    await sign_in(browser)
    centre = sandbox.data_centres[1]
    await centre.stop()
    assert (await ask(browser))[0] == 200
    await asyncio.sleep(reachability.FRESH_SECONDS)
    with capture_logs() as lines:
        assert await not_ready(browser) == {"telegram"}
        await ask(browser)
    assert next(line["failing"] for line in lines if line.get("path") == "/readyz") == ["telegram"]
    await centre.start()
    await asyncio.sleep(reachability.PROBE_SECONDS)
    assert (await ask(browser))[0] == 200


@pytest.mark.swift_time
async def test_telegram_is_silent(browser: ClientSession, sandbox: Sandbox) -> None:
    """One that takes connections and says nothing is not waited for: probes have short time-outs."""
    sandbox.faults.silence_data_centre(1)
    began = asyncio.get_running_loop().time()
    assert await not_ready(browser) == {"telegram"}
    assert asyncio.get_running_loop().time() - began <= reachability.ANSWER_SECONDS + 1


async def test_pool_is_exhausted(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """As long as each client is in use there is no use in sending more; idle ones make room."""
    service = await serve(make_settings(pool={"max_clients": 1}))
    browser = new_browser(service)
    pool = service.app[keys.POOL]
    async with pool.anonymous():
        assert await not_ready(browser) == {"pool"}
    assert (await ask(browser))[0] == 200


async def test_descriptors(browser: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so before there is none left."""
    used = await asyncio.to_thread(machine.descriptors_used)
    assert used is not None
    monkeypatch.setattr(readiness, "descriptor_limit", lambda: used + readiness.DESCRIPTORS_LEFT - 1)
    assert await not_ready(browser) == {"descriptors"}
    monkeypatch.setattr(readiness, "descriptor_limit", lambda: None)
    assert (await ask(browser))[0] == 200


async def test_draining(settings: Any, new_browser: NewBrowser, service: Service) -> None:
    """Once it is told to stop it takes no more work, and says so on connections that are open."""
    browser = new_browser(service)
    async with AsyncExitStack():
        service.app[keys.IN_FLIGHT].draining = True
        assert await not_ready(browser) == {"service"}
    service.app[keys.IN_FLIGHT].draining = False


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_come_by_the_address(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser, path: str
) -> None:
    """Load balancers and Prometheus call by address, whatever names there are for users; others do not."""
    service = await serve(make_settings(server={"allowed_hosts": ["tg.example.com"]}))
    browser = new_browser(service)
    for host, status in {
        "10.1.2.3:8080": 200,
        "[::1]:8080": 200,
        "localhost:8080": 200,
        "tg.example.com": 200,
        "rebound.example.org": 421,
    }.items():
        async with browser.get(path, headers={"Host": host}) as response:
            assert response.status == status
    async with browser.get("/session", headers={"Host": "10.1.2.3:8080"}) as response:
        assert response.status == 421
