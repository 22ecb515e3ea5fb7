"""Where the account is signed in, signing out there, and what a session is worth that has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from tests.devices import device
from tests.web.routes.rows import CODE_FIRST, NOT_AUTHENTICATED, TOO_MANY, is_authenticated, post
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE = "+9996610001"
LIST_FAILED, END_FAILED = "Failed to fetch the sessions.", "Failed to end the session."
UNKNOWN = {"error": "There is no such session.", "code": "HASH_INVALID"}
TOO_FRESH = {
    "error": "Telegram lets a session end others only 24 hours after it has signed in.",
    "code": "FRESH_RESET_AUTHORISATION_FORBIDDEN",
}


async def ask(browser: ClientSession, method: str, path: str) -> tuple[int, Any]:
    async with browser.request(method, path) as response:
        assert response.status != 204 or await response.read() == b""
        return response.status, None if response.status == 204 else await response.json()


async def sessions(browser: ClientSession) -> list[dict[str, Any]]:
    status, body = await ask(browser, "GET", "/sessions")
    assert status == 200
    found: list[dict[str, Any]] = body
    return found


async def test_list(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """All apps of the account, this one first and marked."""
    async with device(sandbox, PHONE):
        own, other = await sessions(signed_in)
    expected = {"hash", "app", "device", "platform", "country", "created", "active", "current"}
    assert own.keys() == other.keys() == expected
    assert (own["device"], own["current"]) == ("tgbridge", True)
    assert (other["device"], other["current"]) == ("telephone", False)
    assert isinstance(other["hash"], str)
    assert other["created"].endswith("Z")


async def test_end_one(
    new_browser: NewBrowser, sign_in: SignIn, service: Service, sandbox: Sandbox, until: Until
) -> None:
    """The other is noticed to have ended at its next request: 401, no cookie, no client."""
    mine, other = new_browser(), new_browser()
    await sign_in(mine)
    await sign_in(other)
    (found,) = [session for session in await sessions(mine) if not session["current"]]
    assert await ask(mine, "DELETE", f"/sessions/{found['hash']}") == (204, None)
    assert await ask(other, "GET", "/me") == (401, NOT_AUTHENTICATED | {"code": "SESSION_REVOKED"})
    assert list(other.cookie_jar) == []
    assert await ask(other, "GET", "/me") == (401, NOT_AUTHENTICATED)
    await until(lambda: service.app[keys.POOL].stats.clients == 1)
    assert await ask(mine, "DELETE", f"/sessions/{found['hash']}") == (404, UNKNOWN)
    assert [session["current"] for session in await sessions(mine)] == [True]


async def test_end_all_others(new_browser: NewBrowser, sign_in: SignIn) -> None:
    """Every other session of the account ends, and none of anybody else's."""
    mine, other, stranger = new_browser(), new_browser(), new_browser()
    await sign_in(mine)
    await sign_in(other)
    await sign_in(stranger, "+9996610002")
    assert await ask(mine, "DELETE", "/sessions") == (204, None)
    assert (await ask(other, "GET", "/me"))[0] == 401
    assert (await ask(stranger, "GET", "/me"))[0] == 200
    assert [session["current"] for session in await sessions(mine)] == [True]
    assert await ask(mine, "DELETE", "/sessions") == (204, None)


async def test_end_own(signed_in: ClientSession) -> None:
    """The own session is ended by /logout, and nothing else."""
    (own,) = await sessions(signed_in)
    status, body = await ask(signed_in, "DELETE", f"/sessions/{own['hash']}")
    assert (status, body["code"]) == (400, "CURRENT_SESSION")
    assert "/logout" in body["error"]
    assert (await ask(signed_in, "GET", "/me"))[0] == 200


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "-1",
        "x",
        "-0",
        "00",
        "1.0",
        "1e3",
        "%D9%A1",
        "9223372036854775808",
        "-9223372036854775809",
        "9" * 99,
    ],
)
async def test_unknown(signed_in: ClientSession, text: str) -> None:
    """What is no hash of a session is no session."""
    assert await ask(signed_in, "DELETE", f"/sessions/{text}") == (404, UNKNOWN)


async def test_others_sessions(new_browser: NewBrowser, sign_in: SignIn, sandbox: Sandbox) -> None:
    """The hash of another account's session is no session."""
    mine = new_browser()
    await sign_in(mine)
    async with device(sandbox, "+9996610002"):
        (theirs,) = sandbox.state.account_of("+9996610002").authorizations
        assert await ask(mine, "DELETE", f"/sessions/{theirs}") == (404, UNKNOWN)


@pytest.mark.swift_time
@pytest.mark.parametrize(
    ("method", "path", "asked", "told"),
    [
        ("GET", "/sessions", "account.getAuthorizations", LIST_FAILED),
        ("DELETE", "/sessions/1", "account.resetAuthorization", END_FAILED),
        ("DELETE", "/sessions", "auth.resetAuthorizations", END_FAILED),
    ],
)
async def test_failures(
    signed_in: ClientSession, sandbox: Sandbox, method: str, path: str, asked: str, told: str
) -> None:
    """What goes wrong at Telegram is answered as everywhere, and leaves the session alone."""
    sandbox.faults.flood_wait(asked, seconds=33)
    status, body = await ask(signed_in, method, path)
    assert (status, body) == (429, {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33})
    sandbox.faults.error(asked, 400, "USER_ID_INVALID")
    status, body = await ask(signed_in, method, path)
    assert (status, body["error"], body["details"]) == (500, told, "USER_ID_INVALID")
    sandbox.faults.internal_error(asked, times=None)
    status, body = await ask(signed_in, method, path)
    assert (status, body["error"], body["code"]) == (503, told, "TELEGRAM_UNAVAILABLE")
    sandbox.faults.clear()
    assert (await ask(signed_in, "GET", "/me"))[0] == 200


@pytest.mark.parametrize("path", ["/sessions/1", "/sessions"])
async def test_too_fresh(signed_in: ClientSession, sandbox: Sandbox, path: str) -> None:
    """A session in its first 24 hours may not end others: Telegram's rule, and said so."""
    for method in ("account.resetAuthorization", "auth.resetAuthorizations"):
        sandbox.faults.error(method, 406, "FRESH_RESET_AUTHORISATION_FORBIDDEN")
    assert await ask(signed_in, "DELETE", path) == (403, TOO_FRESH)


@pytest.mark.parametrize(("method", "path"), [("GET", "/sessions"), ("DELETE", "/sessions/x")])
async def test_not_signed_in(browser: ClientSession, method: str, path: str) -> None:
    """Who is asking comes first."""
    assert await ask(browser, method, path) == (401, NOT_AUTHENTICATED)


def copy_cookies(browser: ClientSession, into: ClientSession, service: Service) -> None:
    cookies = {cookie.key: cookie.value for cookie in browser.cookie_jar}
    into.cookie_jar.clear()
    into.cookie_jar.update_cookies(cookies, URL(service.url))


async def test_cookie_of_before_a_logout(
    signed_in: ClientSession, new_browser: NewBrowser, service: Service
) -> None:
    """A cookie that was copied before the logout is useless after it."""
    thief = new_browser()
    copy_cookies(signed_in, thief, service)
    assert (await ask(thief, "GET", "/me"))[0] == 200
    assert (await post(signed_in, "/logout"))[0] == 200
    status, body = await ask(thief, "GET", "/me")
    assert (status, body["error"]) == (401, "User not authenticated.")
    assert list(thief.cookie_jar) == []


async def test_cookie_of_before_a_login(
    browser: ClientSession, new_browser: NewBrowser, sign_in: SignIn, service: Service
) -> None:
    """A cookie that was copied, or planted, before somebody signed in with it is useless after it."""
    thief = new_browser()
    await post(browser, "/send-code", {"phone": PHONE})
    copy_cookies(browser, thief, service)
    form = {"phone": PHONE, "code": "11111"}
    assert (await post(browser, "/sign-in", form))[0] == 200
    for _ in range(2):
        status, body = await post(thief, "/sign-in", form | {"code": "12345"})
        assert (status, body["code"]) == (400, "PHONE_CODE_EXPIRED")
    assert await post(thief, "/sign-in-password", {"password": "x"}) == (400, CODE_FIRST)
    assert await is_authenticated(thief) is False
    assert (await ask(browser, "GET", "/me"))[0] == 200


async def test_new_session_for_each_login(browser: ClientSession, log_in: SignIn, service: Service) -> None:
    """Signing in again makes another session, and ends the one before, of which a copy is useless."""
    await log_in(browser)
    before = {cookie.key: cookie.value for cookie in browser.cookie_jar}
    await log_in(browser)
    assert len(await sessions(browser)) == 1
    browser.cookie_jar.clear()
    browser.cookie_jar.update_cookies(before, URL(service.url))
    assert (await ask(browser, "GET", "/me"))[0] == 401
