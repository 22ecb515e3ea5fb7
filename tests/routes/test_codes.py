"""How codes travel, sending them again, and giving them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.routes.rows import (
    CODE_FIRST,
    INVALID_CODE,
    INVALID_PHONE,
    NOT_AUTHENTICATED,
    PHONE,
    SEND_FAILED,
    TOO_MANY,
    Row,
    error,
    flood,
    is_authenticated,
    post,
    rows,
)
from tgbridge import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import SignIn
    from tests.routes.conftest import Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

SENT = "Code sent successfully."
BY_EMAIL, SMS_THEN_CALL = "+9996619005", "+9996619010"
CANCEL_FAILED = "Failed to cancel the code. Please try again."
EXPIRED = {"error": "The code has expired. Please request a new one.", "code": "PHONE_CODE_EXPIRED"}
NO_OTHER_WAY = {
    "error": "The code can't be sent in another way. Please try again later.",
    "code": "SEND_CODE_UNAVAILABLE",
}


@pytest.mark.parametrize(
    ("phone", "told"),
    [
        (PHONE, {"type": "sms", "next_type": "call", "timeout": 60}),
        (BY_EMAIL, {"type": "email", "next_type": "sms", "timeout": 60}),
        ("+9996619006", {"type": "call"}),
        ("+9996619007", {"type": "fragment", "next_type": "sms", "timeout": 60}),
        ("+9996619011", {"type": "flash_call", "next_type": "sms", "timeout": 60}),
        ("+9996619012", {"type": "missed_call", "next_type": "sms", "timeout": 60}),
    ],
)
async def test_how_the_code_travels(browser: ClientSession, phone: str, told: dict[str, object]) -> None:
    """/send-code says by which way the code comes, by which one it would come next, and when."""
    assert await post(browser, "/send-code", {"phone": phone}) == (200, {"message": SENT} | told)


async def test_in_the_app(browser: ClientSession, sign_in: SignIn) -> None:
    """Who is signed in elsewhere finds the code there, and may have it by SMS."""
    await sign_in(browser)
    assert (await post(browser, "/send-code", {"phone": PHONE}))[1]["type"] == "app"
    assert (await post(browser, "/resend-code"))[1]["type"] == "sms"


async def test_email_setup(browser: ClientSession) -> None:
    """When Telegram wants an e-mail address first, no code was sent, and nobody is told that one was."""
    status, body = await post(browser, "/send-code", {"phone": "+9996619013"})
    assert (status, body["code"]) == (403, "EMAIL_SETUP_REQUIRED")


@pytest.mark.parametrize("again", [False, True])
async def test_email(browser: ClientSession, again: bool) -> None:
    """A code by e-mail signs in as any other does, and so does the SMS that comes instead."""
    form = {"phone": BY_EMAIL, "code": "11111"}
    await post(browser, "/send-code", {"phone": BY_EMAIL})
    assert await post(browser, "/sign-in", form | {"code": "11112"}) == (400, INVALID_CODE)
    if again:
        assert await post(browser, "/resend-code") == (200, {"message": SENT, "type": "sms"})
    assert (await post(browser, "/sign-in", form))[0] == 200


@pytest.mark.parametrize("name", ["PHONE_MIGRATE_3", "NETWORK_MIGRATE_3"])
async def test_migration(browser: ClientSession, sandbox: Sandbox, name: str) -> None:
    """Wherever Telegram sends the login, it arrives, and stays there."""
    sandbox.faults.error("auth.sendCode", 303, name, dc=2)
    phone = "+9996630001"
    assert (await post(browser, "/send-code", {"phone": phone}))[0] == 200
    assert (await post(browser, "/resend-code"))[0] == 200
    assert (await post(browser, "/sign-in", {"phone": phone, "code": "33333"}))[0] == 200
    assert await is_authenticated(browser) is True


# /resend-code


async def test_resend(browser: ClientSession, service: Service) -> None:
    """The code comes by the next way and stays the same; when all ways are used up, that is said."""
    await post(browser, "/send-code", {"phone": SMS_THEN_CALL})
    assert await post(browser, "/resend-code", {"phone": SMS_THEN_CALL}) == (
        200,
        {"message": SENT, "type": "call"},
    )
    assert await post(browser, "/resend-code") == (400, NO_OTHER_WAY)
    assert service.app[keys.POOL].stats.clients == 1
    assert (await post(browser, "/sign-in", {"phone": SMS_THEN_CALL, "code": "11111"}))[0] == 200


async def test_resend_after_a_wrong_code(browser: ClientSession) -> None:
    """A wrong code leaves the login as it is: it may be corrected, or sent again."""
    form = {"phone": SMS_THEN_CALL, "code": "00000"}
    await post(browser, "/send-code", {"phone": SMS_THEN_CALL})
    assert await post(browser, "/sign-in", form) == (400, INVALID_CODE)
    assert (await post(browser, "/resend-code"))[0] == 200
    assert await post(browser, "/sign-in", form) == (400, INVALID_CODE)
    assert (await post(browser, "/sign-in", form | {"code": "11111"}))[0] == 200


@rows(
    Row("number", {"json": {"phone": 1}}, 400, INVALID_PHONE),
    Row("words", {"json": {"phone": "call me"}}, 400, INVALID_PHONE),
    Row("another phone", {"json": {"phone": "+9996610002"}}, 400, CODE_FIRST),
    Row("expired", {"json": {"phone": PHONE}}, 400, EXPIRED, lambda sandbox: sandbox.faults.expire_codes()),
    Row(
        "told to wait",
        {"json": {"phone": PHONE}},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.resendCode"),
    ),
    Row(
        "flooded",
        {"json": {"phone": PHONE}},
        429,
        {"error": TOO_MANY, "code": "PHONE_NUMBER_FLOOD", "retry_after": 3600},
        error("auth.resendCode", 400, "PHONE_NUMBER_FLOOD"),
    ),
    Row(
        "anything else",
        {},
        500,
        {"error": SEND_FAILED, "details": "PHONE_NOT_OCCUPIED", "code": "PHONE_NOT_OCCUPIED"},
        error("auth.resendCode", 400, "PHONE_NOT_OCCUPIED"),
    ),
)
async def test_resend_refused(browser: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """What /resend-code refuses after a code was sent, and how; the login under way stays."""
    await post(browser, "/send-code", {"phone": PHONE})
    row.arrange(sandbox)
    assert await post(browser, "/resend-code", **row.request) == (row.status, row.body)
    if row.shows != "expired":
        assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200


async def test_without_a_login(browser: ClientSession) -> None:
    """There is nothing to send again or to cancel before a code was requested."""
    assert await post(browser, "/resend-code") == (400, CODE_FIRST)
    assert await post(browser, "/resend-code", {"phone": PHONE}) == (400, CODE_FIRST)
    assert await post(browser, "/cancel-code", {"phone": PHONE}) == (400, CODE_FIRST)


async def test_resend_for_a_login_that_has_ended(browser: ClientSession, sandbox: Sandbox) -> None:
    """A login that Telegram does not know any more is forgotten."""
    await post(browser, "/send-code", {"phone": PHONE})
    sandbox.faults.error("auth.resendCode", 401, "AUTH_KEY_UNREGISTERED")
    assert await post(browser, "/resend-code") == (401, NOT_AUTHENTICATED | {"code": "AUTH_KEY_UNREGISTERED"})
    assert await post(browser, "/resend-code") == (400, CODE_FIRST)
    assert list(browser.cookie_jar) == []


# /cancel-code


async def test_cancel(browser: ClientSession, service: Service, sandbox: Sandbox, until: Until) -> None:
    """The code is void, the login forgotten, and its client gone."""
    await post(browser, "/send-code", {"phone": PHONE})
    assert await post(browser, "/cancel-code", {"phone": PHONE}) == (
        200,
        {"message": "Code cancelled successfully."},
    )
    assert sandbox.counters.of("auth.cancelCode") == 1
    assert list(browser.cookie_jar) == []
    await until(lambda: service.app[keys.POOL].stats.clients == 0)
    assert await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}) == (400, CODE_FIRST)


async def test_cancel_beside_another(signed_in: ClientSession) -> None:
    """Whoever is signed in stays so."""
    await post(signed_in, "/send-code", {"phone": "+9996620001"})
    assert (await post(signed_in, "/cancel-code", {"phone": "+9996620001"}))[0] == 200
    assert await is_authenticated(signed_in) is True


@pytest.mark.parametrize("name", ["PHONE_CODE_EXPIRED", "AUTH_KEY_UNREGISTERED"])
async def test_cancel_what_is_void(browser: ClientSession, sandbox: Sandbox, name: str) -> None:
    """A code that is void already is as cancelled as can be."""
    await post(browser, "/send-code", {"phone": PHONE})
    sandbox.faults.error("auth.cancelCode", 401 if name.startswith("AUTH") else 400, name)
    assert (await post(browser, "/cancel-code", {"phone": PHONE}))[0] == 200
    assert list(browser.cookie_jar) == []


@rows(
    Row("no phone", {"json": {}}, 400, {"error": "Phone number is required."}),
    Row("no body", {}, 400, {"error": "Phone number is required.", "code": "INVALID_BODY"}),
    Row("number", {"json": {"phone": 1}}, 400, INVALID_PHONE),
    Row("another phone", {"json": {"phone": "+9996610002"}}, 400, CODE_FIRST),
    Row(
        "told to wait",
        {"json": {"phone": PHONE}},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.cancelCode"),
    ),
    Row(
        "anything else",
        {"json": {"phone": PHONE}},
        500,
        {"error": CANCEL_FAILED, "details": "PHONE_NOT_OCCUPIED", "code": "PHONE_NOT_OCCUPIED"},
        error("auth.cancelCode", 400, "PHONE_NOT_OCCUPIED"),
    ),
)
async def test_cancel_refused(browser: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """What /cancel-code refuses, and how; the code stays good, and cancelling can be tried again."""
    await post(browser, "/send-code", {"phone": PHONE})
    row.arrange(sandbox)
    assert await post(browser, "/cancel-code", **row.request) == (row.status, row.body)
    assert (await post(browser, "/cancel-code", {"phone": PHONE}))[0] == 200
