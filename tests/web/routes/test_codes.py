"""How codes travel, sending them again, and giving them up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.routes.rows import (
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
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import SignIn
    from tests.web.routes.conftest import Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

SENT = "Code sent successfully."
NEXT_SMS, NEXT_CALL = {"next_type": "sms", "timeout": 60}, {"next_type": "call", "timeout": 60}
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
        (PHONE, NEXT_CALL | {"type": "sms", "length": 5}),
        (BY_EMAIL, NEXT_SMS | {"type": "email", "length": 5, "email_pattern": "s******@e******.org"}),
        ("+9996619006", {"type": "call", "length": 5}),
        ("+9996619007", NEXT_SMS | {"type": "fragment", "length": 5, "url": "https://fragment.com/numbers"}),
        ("+9996619011", NEXT_SMS | {"type": "flash_call", "pattern": "99966*"}),
        ("+9996619012", NEXT_SMS | {"type": "missed_call", "length": 5, "prefix": "99966"}),
        ("+9996619014", NEXT_SMS | {"type": "sms_word", "beginning": "t"}),
        ("+9996619015", NEXT_SMS | {"type": "sms_phrase", "beginning": "seven"}),
        ("+9996619016", NEXT_CALL | {"type": "sms", "length": 5}),
    ],
)
async def test_how_the_code_travels(browser: ClientSession, phone: str, told: dict[str, object]) -> None:
    """/send-code says by which way the code comes, how it looks, and what comes next, when."""
    assert await post(browser, "/send-code", {"phone": phone}) == (200, {"message": SENT} | told)


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("+9996619011", "+99966 11111"),
        ("+9996619012", "11-111"),
        ("+9996619014", " tangerine\n"),
        ("+9996619015", "seven quiet rivers meet"),
    ],
)
async def test_what_is_entered(browser: ClientSession, phone: str, code: str) -> None:
    """Numbers are codes, digits or not as people write them; words and phrases are left as they are."""
    await post(browser, "/send-code", {"phone": phone})
    assert (await post(browser, "/sign-in", {"phone": phone, "code": code}))[0] == 200


async def test_in_the_app(browser: ClientSession, sign_in: SignIn) -> None:
    """Who is signed in elsewhere finds the code there, and may have it by SMS."""
    await sign_in(browser)
    assert (await post(browser, "/send-code", {"phone": PHONE}))[1]["type"] == "app"
    assert (await post(browser, "/resend-code"))[1]["type"] == "sms"


@pytest.mark.parametrize(
    ("phone", "code"), [("+9996619013", "EMAIL_SETUP_REQUIRED"), ("+9996619017", "CODE_PAYMENT_REQUIRED")]
)
async def test_telegram_app_first(browser: ClientSession, service: Service, phone: str, code: str) -> None:
    """Where no code is sent before something was done in a Telegram app, that is said, and what to do."""
    status, body = await post(browser, "/send-code", {"phone": phone})
    assert (status, body["code"]) == (403, code)
    assert "Telegram app" in body["error"]
    assert list(browser.cookie_jar) == []


async def test_no_account_of_ours(browser: ClientSession, sandbox: Sandbox) -> None:
    """A number that Telegram lets only its own apps sign up is told so."""
    sandbox.faults.error("auth.sendCode", 400, "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN")
    status, body = await post(browser, "/send-code", {"phone": PHONE})
    assert (status, body["code"]) == (403, "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("CODE_INVALID", INVALID_CODE),
        ("EMAIL_CODE_INVALID", INVALID_CODE),
        ("EMAIL_TOKEN_INVALID", INVALID_CODE),
        ("EMAIL_VERIFY_EXPIRED", EXPIRED),
    ],
)
async def test_errors_of_email(
    browser: ClientSession, sandbox: Sandbox, name: str, told: dict[str, str]
) -> None:
    """A wrong or expired code is one to a frontend, whatever Telegram calls it when it went by e-mail."""
    await post(browser, "/send-code", {"phone": BY_EMAIL})
    sandbox.faults.error("auth.signIn", 400, name)
    form = {"phone": BY_EMAIL, "code": "11111"}
    assert await post(browser, "/sign-in", form) == (400, told | {"details": name})


async def test_expired_email(browser: ClientSession, sandbox: Sandbox) -> None:
    """A code by e-mail expires by another name."""
    await post(browser, "/send-code", {"phone": BY_EMAIL})
    sandbox.faults.expire_codes()
    status, body = await post(browser, "/sign-in", {"phone": BY_EMAIL, "code": "11111"})
    assert (status, body) == (400, EXPIRED | {"details": "EMAIL_VERIFY_EXPIRED"})


@pytest.mark.parametrize("again", [False, True])
async def test_email(browser: ClientSession, again: bool) -> None:
    """A code by e-mail signs in as any other does, and so does the SMS that comes instead."""
    form = {"phone": BY_EMAIL, "code": "11111"}
    await post(browser, "/send-code", {"phone": BY_EMAIL})
    assert await post(browser, "/sign-in", form | {"code": "11112"}) == (
        400,
        INVALID_CODE | {"details": "CODE_INVALID"},
    )
    if again:
        assert await post(browser, "/resend-code") == (200, {"message": SENT, "type": "sms", "length": 5})
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
        {"message": SENT, "type": "call", "length": 5},
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
    Row("no phone", {"json": {}}, 400, {"error": "Phone number is required.", "code": "MISSING_FIELD"}),
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
