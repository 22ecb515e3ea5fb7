"""A reload: who may call, how often, and with whose cookies, while the service runs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from tgbridge.sandbox.seeds import IDS
from tgbridge.telegram.saved.meaning import Position
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve
    from tgbridge.app import Service
    from tgbridge.settings import Settings

OLD, NEW = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
APP, OTHER = "https://app.example.com", "https://other.example.com"


def with_keys(settings: Settings, *secret_keys: SecretStr) -> Settings:
    return settings.model_copy(update={"secret_keys": secret_keys})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_keys(settings, OLD)


async def state(browser: ClientSession) -> Any:
    async with browser.get("/session") as response:
        return (await response.json())["state"]


async def test_a_key_in_front(service: Service, settings: Settings, signed_in: ClientSession) -> None:
    """Nobody is signed out by a new key in front of the old one."""
    assert service.reload(with_keys(settings, NEW, OLD)) == frozenset()
    assert await state(signed_in) == "signed_in"


async def test_a_key_that_has_leaked(service: Service, settings: Settings, signed_in: ClientSession) -> None:
    """Once the old key is gone, no cookie under it counts, though it was read a moment ago."""
    assert await state(signed_in) == "signed_in"
    ids, owner = service.app[keys.UPLOAD_IDS], 1
    upload_id = ids.issue(owner)
    service.reload(with_keys(settings, NEW))
    assert await state(signed_in) == "signed_out"
    assert not ids.issued(upload_id, owner)
    assert ids.issued(ids.issue(owner), owner)


async def test_what_is_made_with_derived_keys(
    service: Service, settings: Settings, signed_in: ClientSession, new_browser: NewBrowser
) -> None:
    """Tickets and places in the events are good for as long as the key that theirs was derived from."""
    async with signed_in.post(f"/media/{IDS['photo']}/ticket", json={}) as response:
        ticket = await response.json()
    cursors, nobody, place = service.app[keys.CURSORS], new_browser(), Position(7, 1)
    name = cursors.write(1, place)

    async def good() -> tuple[int, Position | None]:
        async with nobody.head(f"/{ticket['url']}") as response:
            return response.status, cursors.read(1, name)

    service.reload(with_keys(settings, NEW, OLD))
    assert await good() == (200, place)
    service.reload(with_keys(settings, NEW))
    assert await good() == (403, None)


async def test_new_cookies(
    service: Service, settings: Settings, new_browser: NewBrowser, log_in: Any
) -> None:
    """Those are encrypted by the key in front, so that the old one can go in the end."""
    service.reload(with_keys(settings, NEW, OLD))
    browser = new_browser()
    await log_in(browser)
    service.reload(with_keys(settings, NEW))
    assert await state(browser) == "signed_in"


async def allowed(browser: ClientSession, origin: str) -> list[Any]:
    """How a page of an origin is answered: its POST, and what it may read."""
    async with browser.post("/send-code", json={}, headers={"Origin": origin}) as response:
        headers = response.headers
        frames = headers.get("Content-Security-Policy", "")
        return [response.status, headers.get("Access-Control-Allow-Origin"), "Vary" in headers, frames != ""]


async def test_origins(make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser) -> None:
    """An origin that is new may call, and one that is not named any more may not."""
    service = await serve(make_settings(cors={"allowed_origins": [OTHER]}))
    browser = new_browser(service)
    assert (await allowed(browser, OTHER))[:2] == [400, OTHER]
    assert (await allowed(browser, APP))[:2] == [403, None]
    service.reload(make_settings(cors={"allowed_origins": [APP]}))
    assert (await allowed(browser, OTHER))[:2] == [403, None]
    assert (await allowed(browser, APP))[:2] == [400, APP]
    async with browser.get("/healthz") as response:
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-site"
    service.reload(make_settings())
    async with browser.get("/healthz") as response:
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_limits(make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser) -> None:
    """A limit that is changed counts from zero; one that is not goes on counting."""
    limits = {"enabled": True, "send_code_per_address": 2}
    service = await serve(make_settings(limits=limits))
    browser = new_browser(service)

    async def statuses(times: int) -> list[int]:
        return [(await browser.post("/send-code", json={})).status for _ in itertools.repeat(None, times)]

    assert await statuses(3) == [400, 400, 429]
    service.reload(make_settings(limits=limits, cors={"allowed_origins": [APP]}))
    assert await statuses(1) == [429]
    service.reload(make_settings(limits=limits | {"send_code_per_address": 3}))
    assert await statuses(4) == [400, 400, 400, 429]
    service.reload(make_settings())
    assert await statuses(1) == [400]


async def test_names_and_proxies(make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser) -> None:
    """By which names it may be called, and which proxies are believed."""
    service = await serve(make_settings())
    browser = new_browser(service)
    service.reload(make_settings(server={"allowed_hosts": ["tg.example.com"]}))
    assert (await browser.get("/session")).status == 421
    assert (await browser.get("/session", headers={"X-Forwarded-Host": "tg.example.com"})).status == 421
    service.reload(
        make_settings(server={"allowed_hosts": ["tg.example.com"], "trusted_proxies": ["127.0.0.0/8"]})
    )
    assert (await browser.get("/session", headers={"X-Forwarded-Host": "tg.example.com"})).status == 200


async def test_the_rest(make_settings: MakeSettings, serve: Serve) -> None:
    """What needs a restart is named, whenever it differs, and does not change."""
    service = await serve(make_settings())
    other = make_settings(
        pool={"max_clients": 7}, server={"drain_seconds": 1, "allowed_hosts": ["a.example"]}
    )
    for _ in range(2):
        assert service.reload(other) == {"pool.max_clients", "server.drain_seconds"}
    assert service.app[keys.LIVE].now.pool.max_clients == 500
    assert service.app[keys.LIVE].now.server.allowed_hosts == ("a.example",)
