"""Two-step verification: the password that some accounts ask for beside the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.web.routes.rows import (
    CODE_FIRST,
    INVALID_PASSWORD,
    NO_PASSWORD,
    PASSWORD_NEEDED,
    PHONE,
    SIGN_IN_FAILED,
    TOO_MANY,
    WITH_PASSWORD,
    Row,
    bodies_without_fields,
    error,
    flood,
    is_authenticated,
    post,
    rows,
)

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tgbridge.sandbox import Sandbox


async def test_password(browser: ClientSession) -> None:
    """With two-step verification the code is not enough, and /sign-in-password completes the login."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    assert await post(browser, "/sign-in-password", {"password": "tgbridge"}) == (400, CODE_FIRST)
    assert await post(browser, "/sign-in", {"phone": WITH_PASSWORD, "code": "11111"}) == (
        401,
        PASSWORD_NEEDED,
    )
    assert await is_authenticated(browser) is False
    status, body = await post(browser, "/sign-in-password", {"password": "tgbridge"})
    assert (status, body["message"]) == (200, "Signed in successfully.")
    assert await is_authenticated(browser) is True
    assert await post(browser, "/sign-in-password", {"password": "another"}) == (400, CODE_FIRST)


@rows(
    *bodies_without_fields(NO_PASSWORD["error"]),
    Row("absent", {"json": {}}, 400, NO_PASSWORD),
    Row("null", {"json": {"password": None}}, 400, NO_PASSWORD),
    Row("empty", {"json": {"password": ""}}, 400, NO_PASSWORD),
    Row("number", {"json": {"password": 1}}, 400, INVALID_PASSWORD),
    Row("endless", {"json": {"password": "x" * 2000}}, 400, INVALID_PASSWORD),
    Row(
        "half a surrogate pair",
        {"data": b'{"password": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
        400,
        INVALID_PASSWORD,
    ),
    Row("wrong", {"json": {"password": "Tgbridge"}}, 400, INVALID_PASSWORD),
    Row(
        "told to wait",
        {"json": {"password": "tgbridge"}},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.checkPassword"),
    ),
    Row(
        "flooded",
        {"json": {"password": "tgbridge"}},
        429,
        {"error": TOO_MANY, "code": "PHONE_PASSWORD_FLOOD", "retry_after": 3600},
        error("auth.checkPassword", 400, "PHONE_PASSWORD_FLOOD"),
    ),
    Row(
        "anything else",
        {"json": {"password": "tgbridge"}},
        500,
        {"error": SIGN_IN_FAILED, "details": "PASSWORD_MISSING", "code": "PASSWORD_MISSING"},
        error("auth.checkPassword", 400, "PASSWORD_MISSING"),
    ),
)
async def test_password_refused(browser: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """What /sign-in-password refuses, and how; the login goes on waiting for the right one."""
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    await post(browser, "/sign-in", {"phone": WITH_PASSWORD, "code": "11111"})
    row.arrange(sandbox)
    assert await post(browser, "/sign-in-password", **row.request) == (row.status, row.body)
    assert (await post(browser, "/sign-in-password", {"password": "tgbridge"}))[0] == 200


async def test_password_with_the_code(browser: ClientSession) -> None:
    """/sign-in takes the password along; where it was wrong, the code need not be sent anew."""
    form = {"phone": WITH_PASSWORD, "code": "11111"}
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    assert await post(browser, "/sign-in", form | {"password": "wrong"}) == (400, INVALID_PASSWORD)
    assert (await post(browser, "/sign-in", form | {"password": "tgbridge"}))[0] == 200
    assert await is_authenticated(browser) is True


async def test_needless_password(browser: ClientSession) -> None:
    """An account without two-step verification does not mind a password."""
    await post(browser, "/send-code", {"phone": PHONE})
    assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111", "password": "x"}))[0] == 200
