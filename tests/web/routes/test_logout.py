"""Signing out, and sessions that Telegram has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.routes.rows import (
    NOT_AUTHENTICATED,
    PHONE,
    TOO_MANY,
    Row,
    error,
    flood,
    is_authenticated,
    post,
    rows,
)
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox


async def test_logout(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """/logout ends the session at Telegram, and clears the cookie."""
    assert await post(signed_in, "/logout") == (200, {"message": "Logged out successfully."})
    assert list(signed_in.cookie_jar) == []
    assert await is_authenticated(signed_in) is False
    assert [key for key in sandbox.auth_keys if key.authorization is not None] == []


async def test_what_the_browser_has_kept(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Whoever uses it next is not shown this account's files; as long as nobody is signed out, they stay."""
    sandbox.faults.error("auth.logOut", 400, "AUTH_TOKEN_INVALID")
    async with signed_in.post("/logout") as response:
        assert (response.status, response.headers.get("Clear-Site-Data")) == (500, None)
    async with signed_in.post("/logout") as response:
        assert (response.status, response.headers["Clear-Site-Data"]) == (200, '"cache"')


@rows(
    Row(
        "told to wait",
        {},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.logOut"),
    ),
    Row(
        "anything else",
        {},
        500,
        {"error": "Failed to log out.", "details": "AUTH_TOKEN_INVALID", "code": "AUTH_TOKEN_INVALID"},
        error("auth.logOut", 400, "AUTH_TOKEN_INVALID"),
    ),
)
async def test_logout_refused(signed_in: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """A /logout that fails keeps the cookie, so that it can be tried again."""
    row.arrange(sandbox)
    assert await post(signed_in, "/logout") == (row.status, row.body)
    assert await is_authenticated(signed_in) is True
    assert (await post(signed_in, "/logout"))[0] == 200


@pytest.mark.parametrize(("method", "path"), [("POST", "/logout"), ("GET", "/me"), ("HEAD", "/me")])
async def test_not_signed_in(browser: ClientSession, method: str, path: str) -> None:
    """Who is not signed in is told so, also while a login is under way."""
    for _ in range(2):
        async with browser.request(method, path) as response:
            assert response.status == 401
            assert method == "HEAD" or await response.json() == NOT_AUTHENTICATED
        await post(browser, "/send-code", {"phone": PHONE})


ENDED = [
    "AUTH_KEY_UNREGISTERED",
    "SESSION_REVOKED",
    "SESSION_EXPIRED",
    "USER_DEACTIVATED",
    "AUTH_KEY_DUPLICATED",
    None,
]


@pytest.mark.parametrize("name", ENDED)
async def test_session_ended(
    signed_in: ClientSession, sandbox: Sandbox, service: Service, name: str | None
) -> None:
    """A session that Telegram has ended, or does not know any more: 401, cookie cleared, client gone."""
    sandbox.faults.revoke(error=name)
    async with signed_in.get("/me") as response:
        assert response.status == 401
        assert await response.json() == NOT_AUTHENTICATED | {"code": name or "AUTH_KEY_NOT_FOUND"}
    assert list(signed_in.cookie_jar) == []
    assert service.app[keys.POOL].stats.clients == 0


@pytest.mark.parametrize("name", ENDED)
async def test_is_authenticated_after_the_end(
    signed_in: ClientSession, sandbox: Sandbox, name: str | None
) -> None:
    """/is-authenticated says false to a session that has ended, and clears the cookie."""
    sandbox.faults.revoke(error=name)
    assert await is_authenticated(signed_in) is False
    assert list(signed_in.cookie_jar) == []


@pytest.mark.parametrize("name", ENDED)
async def test_logout_after_the_end(signed_in: ClientSession, sandbox: Sandbox, name: str | None) -> None:
    """Logging out of a session that has ended clears the cookie, whichever way it is told."""
    sandbox.faults.revoke(error=name)
    status, _ = await post(signed_in, "/logout")
    assert status in {200, 401}
    assert list(signed_in.cookie_jar) == []


@rows(
    Row(
        "told to wait",
        {},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("users.getUsers"),
    ),
    Row(
        "anything else",
        {},
        500,
        {
            "error": "Failed to check authentication status.",
            "details": "USER_ID_INVALID",
            "code": "USER_ID_INVALID",
        },
        error("users.getUsers", 400, "USER_ID_INVALID"),
    ),
)
async def test_is_authenticated_refused(signed_in: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """A check that fails is no answer to the question, and leaves the session alone."""
    row.arrange(sandbox)
    async with signed_in.get("/is-authenticated") as response:
        assert (response.status, await response.json()) == (row.status, row.body)
    assert await is_authenticated(signed_in) is True
