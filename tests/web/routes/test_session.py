"""What GET /session tells of the cookie, at each step of a login, without a word to Telegram."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tests.web.routes.rows import PHONE, WITH_PASSWORD, post

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve
    from tgbridge.sandbox import Sandbox

NOBODY: Final = {"state": "signed_out", "user_id": None, "expires_at": None}
MONTH: Final = 30 * 86400


async def session(browser: ClientSession) -> dict[str, Any]:
    async with browser.get("/session") as response:
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
        told: dict[str, Any] = await response.json()
        return told


def seconds_left(told: dict[str, Any]) -> float:
    return datetime.fromisoformat(told["expires_at"]).timestamp() - time.time()


async def test_nobody(browser: ClientSession) -> None:
    """Who has no session, or a cookie that is none, is signed out."""
    assert await session(browser) == NOBODY
    async with browser.get("/session", headers={"Cookie": "tgbridge=planted"}) as response:
        assert await response.json() == NOBODY


async def test_login(browser: ClientSession) -> None:
    """A login goes from the code to the password to the user, and a logout ends it."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    told = await session(browser)
    assert (told["state"], told["user_id"]) == ("code_sent", None)
    assert MONTH - 60 < seconds_left(told) <= MONTH
    code = {"phone": WITH_PASSWORD, "code": "11111"}
    assert (await post(browser, "/sign-in", code))[0] == 401
    assert (await session(browser))["state"] == "password_needed"
    _, body = await post(browser, "/sign-in-password", {"password": "tgbridge"})
    told = await session(browser)
    assert (told["state"], told["user_id"]) == ("signed_in", body["user"]["id"])
    assert MONTH - 60 < seconds_left(told) <= MONTH
    await post(browser, "/logout")
    assert await session(browser) == NOBODY


async def test_another_login(signed_in: ClientSession) -> None:
    """Who begins another login beside the current one stays signed in."""
    before = await session(signed_in)
    await post(signed_in, "/send-code", {"phone": WITH_PASSWORD})
    after = await session(signed_in)
    assert (after["state"], after["user_id"]) == ("signed_in", before["user_id"])


async def test_telegram_is_not_asked(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """It answers where Telegram is silent, for GET and HEAD, and the end of a session once that is known."""
    sandbox.counters.reset()
    sandbox.faults.revoke(error="SESSION_REVOKED")
    assert (await session(signed_in))["state"] == "signed_in"
    async with signed_in.head("/session") as response:
        assert response.status == 200
    assert (sandbox.counters.calls, sandbox.counters.connections) == ({}, {})
    async with signed_in.get("/me") as response:
        assert response.status == 401
    assert await session(signed_in) == NOBODY


async def test_shared_by_a_domain(make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser) -> None:
    """With `session.domain` the cookie is for all its hosts, and is found by the name that it then has."""
    service = await serve(make_settings(session={"secure": True, "domain": "example.com"}))
    browser = new_browser(service)
    async with browser.post("/send-code", json={"phone": PHONE}) as response:
        cookie = response.cookies["__Secure-tgbridge"]
    assert (cookie["domain"], cookie["path"], cookie["secure"]) == ("example.com", "/", True)
    headers = {"Cookie": f"__Secure-tgbridge={cookie.value}"}
    async with browser.get("/session", headers=headers) as response:
        assert (await response.json())["state"] == "code_sent"
    async with browser.post("/cancel-code", json={"phone": PHONE}, headers=headers) as response:
        cleared = response.cookies["__Secure-tgbridge"]
    assert (cleared["max-age"], cleared["domain"]) == ("0", "example.com")
