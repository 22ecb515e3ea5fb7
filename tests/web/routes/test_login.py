"""Sending a code and signing in with it: each row of the contract's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.routes.rows import (
    BANNED,
    CODE_FIRST,
    DEACTIVATED,
    FLOODED,
    INVALID_CODE,
    INVALID_PASSWORD,
    INVALID_PHONE,
    MISSING,
    NO_ACCOUNT,
    NOT_AUTHENTICATED,
    PASSWORD_FLOODED,
    PHONE,
    SEND_FAILED,
    SIGN_IN_FAILED,
    TOO_MANY,
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


FULL_WIDTH, ARABIC_INDIC, PERSIAN = 0xFF10, 0x660, 0x6F0  # their zeros


def in_script(text: str, zero: int) -> str:
    return text.translate({ord("0") + digit: zero + digit for digit in range(10)})


# https://core.telegram.org/method/auth.sendCode
TOO_MANY_PASSWORDS = "Sorry, too many invalid attempts to enter your password. Please try again later."


@rows(
    *bodies_without_fields("Phone number is required."),
    Row("absent", {"json": {}}, 400, {"error": "Phone number is required.", "code": "MISSING_FIELD"}),
    Row(
        "null",
        {"json": {"phone": None}},
        400,
        {"error": "Phone number is required.", "code": "MISSING_FIELD"},
    ),
    Row(
        "empty", {"json": {"phone": ""}}, 400, {"error": "Phone number is required.", "code": "MISSING_FIELD"}
    ),
    Row("number", {"json": {"phone": 9996610001}}, 400, INVALID_PHONE),
    Row("list", {"json": {"phone": [PHONE]}}, 400, INVALID_PHONE),
    Row("flag", {"json": {"phone": False}}, 400, INVALID_PHONE),
    Row("words", {"json": {"phone": "call me"}}, 400, INVALID_PHONE),
    Row("national", {"json": {"phone": "0151 2345678"}}, 400, INVALID_PHONE),
    Row("too short", {"json": {"phone": "+12345"}}, 400, INVALID_PHONE),
    Row("too long", {"json": {"phone": "+1234567890123456"}}, 400, INVALID_PHONE),
    Row(
        "national in other digits", {"json": {"phone": in_script("01512345678", PERSIAN)}}, 400, INVALID_PHONE
    ),
    Row("superscripts", {"json": {"phone": "+999661000\u00b9"}}, 400, INVALID_PHONE),
    Row("with an extension", {"json": {"phone": f"tel:{PHONE};ext=5"}}, 400, INVALID_PHONE),
    Row("nothing but marks", {"json": {"phone": "\u202a\u202c"}}, 400, INVALID_PHONE),
    Row(
        "half a surrogate pair",
        {"data": b'{"phone": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
        400,
        INVALID_PHONE,
    ),
    Row("refused by Telegram", {"json": {"phone": "+15551234567"}}, 400, INVALID_PHONE),
    Row(
        "banned",
        {"json": {"phone": BANNED}},
        403,
        {"error": "This phone number is banned from Telegram.", "code": "PHONE_NUMBER_BANNED"},
    ),
    Row(
        "flooded",
        {"json": {"phone": FLOODED}},
        429,
        {"error": TOO_MANY, "code": "PHONE_NUMBER_FLOOD", "retry_after": 3600},
    ),
    Row(
        "passwords flooded",
        {"json": {"phone": PASSWORD_FLOODED}},
        429,
        {"error": TOO_MANY, "code": "PHONE_PASSWORD_FLOOD", "retry_after": 3600},
    ),
    Row(
        "passwords flooded, in a sentence",
        {"json": {"phone": PHONE}},
        429,
        {"error": TOO_MANY, "code": "PHONE_PASSWORD_FLOOD", "retry_after": 3600},
        error("auth.sendCode", 400, TOO_MANY_PASSWORDS),
    ),
    Row(
        "told to wait",
        {"json": {"phone": PHONE}},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.sendCode"),
    ),
    Row(
        "told to wait a little",
        {"json": {"phone": PHONE}},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 1},
        lambda sandbox: sandbox.faults.flood_wait("auth.sendCode", seconds=1),
    ),
    Row(
        "anything else",
        {"json": {"phone": PHONE}},
        500,
        {"error": SEND_FAILED, "details": "API_ID_INVALID", "code": "API_ID_INVALID"},
        error("auth.sendCode", 400, "API_ID_INVALID"),
    ),
)
async def test_send_code_refused(browser: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """What /send-code refuses, and how; nothing is remembered, and no client stays."""
    row.arrange(sandbox)
    assert await post(browser, "/send-code", **row.request) == (row.status, row.body)
    assert list(browser.cookie_jar) == []


@pytest.mark.parametrize("phone", [PHONE, "+999 (661) 00-01", "+9996620001", "+9996630001"])
async def test_send_code(browser: ClientSession, phone: str) -> None:
    """A code is sent to a number of any data centre, however it is written, and we are told how."""
    status, body = await post(browser, "/send-code", {"phone": phone})
    assert (status, body["message"], body["type"]) == (200, "Code sent successfully.", "sms")


@rows(
    *bodies_without_fields(MISSING["error"]),
    Row("nothing", {"json": {}}, 400, MISSING),
    Row("no code", {"json": {"phone": PHONE}}, 400, MISSING),
    Row("no phone", {"json": {"code": "11111"}}, 400, MISSING),
    Row("empty code", {"json": {"phone": PHONE, "code": ""}}, 400, MISSING),
    Row("null phone", {"json": {"phone": None, "code": "11111"}}, 400, MISSING),
    Row("malformed phone", {"json": {"phone": "x", "code": "11111"}}, 400, INVALID_PHONE),
    Row("number as phone", {"json": {"phone": 1, "code": "11111"}}, 400, INVALID_PHONE),
    Row("number as code", {"json": {"phone": PHONE, "code": 11111}}, 400, INVALID_CODE),
    Row("list as code", {"json": {"phone": PHONE, "code": ["11111"]}}, 400, INVALID_CODE),
    Row("blank code", {"json": {"phone": PHONE, "code": " "}}, 400, INVALID_CODE),
    Row("endless code", {"json": {"phone": PHONE, "code": "1" * 1000}}, 400, INVALID_CODE),
    Row(
        "half a surrogate pair",
        {
            "data": b'{"phone": "+9996610001", "code": "\\ud800"}',
            "headers": {"Content-Type": "application/json"},
        },
        400,
        INVALID_CODE,
    ),
    Row(
        "number as password",
        {"json": {"phone": PHONE, "code": "11111", "password": 1}},
        400,
        INVALID_PASSWORD,
    ),
    Row("wrong code", {"json": {"phone": PHONE, "code": "11112"}}, 400, INVALID_CODE),
    Row("another phone", {"json": {"phone": "+9996610002", "code": "11111"}}, 400, CODE_FIRST),
    Row(
        "expired code",
        {"json": {"phone": PHONE, "code": "11111"}},
        400,
        {"error": "The code has expired. Please request a new one.", "code": "PHONE_CODE_EXPIRED"},
        lambda sandbox: sandbox.faults.expire_codes(),
    ),
    Row(
        "told to wait",
        {"json": {"phone": PHONE, "code": "11111"}},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.signIn"),
    ),
    Row(
        "anything else",
        {"json": {"phone": PHONE, "code": "11111"}},
        500,
        {"error": SIGN_IN_FAILED, "details": "PHONE_NOT_OCCUPIED", "code": "PHONE_NOT_OCCUPIED"},
        error("auth.signIn", 400, "PHONE_NOT_OCCUPIED"),
    ),
)
async def test_sign_in_refused(browser: ClientSession, sandbox: Sandbox, row: Row) -> None:
    """What /sign-in refuses after a code was sent, and how; the right code still works afterwards."""
    assert (await post(browser, "/send-code", {"phone": PHONE}))[0] == 200
    row.arrange(sandbox)
    assert await post(browser, "/sign-in", **row.request) == (row.status, row.body)
    assert await is_authenticated(browser) is False
    if row.shows != "expired code":
        assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200


async def test_sign_in_without_code(browser: ClientSession) -> None:
    """A code that was requested in another browser session, or in none, is not asked for at Telegram."""
    assert await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}) == (400, CODE_FIRST)
    assert await post(browser, "/sign-in-password", {"password": "tgbridge"}) == (400, CODE_FIRST)


@pytest.mark.parametrize("phone", [PHONE, "+9996620001", "+9996630001"])
async def test_sign_in(browser: ClientSession, phone: str) -> None:
    """The code signs in, whichever data centre the account lives in; /me and /is-authenticated say so."""
    await post(browser, "/send-code", {"phone": phone})
    status, body = await post(browser, "/sign-in", {"phone": phone, "code": phone[6] * 5})
    assert (status, body["message"]) == (200, "Signed in successfully.")
    assert body["user"].keys() == {"id", "first_name", "last_name", "username", "phone", "is_premium"}
    assert (body["user"]["phone"], body["user"]["is_premium"]) == (phone[1:], False)
    assert await is_authenticated(browser) is True
    async with browser.get("/me") as response:
        assert (response.status, await response.json()) == (200, body["user"])


@pytest.mark.parametrize(
    ("sent_to", "phone", "code"),
    [
        ("\u202a+999 661 0001\u202c", "tel:+999-661-0001", "1 1 1 1 1"),
        (in_script("\uff0b999\u2009661/0001", FULL_WIDTH), "9996610001", in_script("11111", FULL_WIDTH)),
        (in_script(PHONE, ARABIC_INDIC), "\u2066+999.661.0001\u2069", in_script("111-11", ARABIC_INDIC)),
        (in_script("9996610001", PERSIAN), f"{PHONE}\ufeff", in_script("\u200e111\u206011\u200b", PERSIAN)),
    ],
)
async def test_numbers_and_codes_as_typed(
    browser: ClientSession, sent_to: str, phone: str, code: str
) -> None:
    """Both ends of a login read numbers and codes alike, whatever stands between and around the digits."""
    assert (await post(browser, "/send-code", {"phone": sent_to}))[0] == 200
    status, body = await post(browser, "/sign-in", {"phone": phone, "code": code})
    assert (status, body["user"]["phone"]) == (200, PHONE[1:])


async def test_number_of_me(signed_in: ClientSession) -> None:
    """The number that /me gives back is taken as it is."""
    async with signed_in.get("/me") as response:
        phone = (await response.json())["phone"]
    assert (await post(signed_in, "/send-code", {"phone": phone}))[0] == 200


@pytest.mark.parametrize(
    ("phone", "status", "body"),
    [
        (
            NO_ACCOUNT,
            400,
            {"error": "No Telegram account uses this phone number.", "code": "PHONE_NUMBER_UNOCCUPIED"},
        ),
        (DEACTIVATED, 401, NOT_AUTHENTICATED | {"code": "USER_DEACTIVATED"}),
    ],
)
async def test_sign_in_to_nowhere(
    browser: ClientSession, phone: str, status: int, body: dict[str, str]
) -> None:
    """A number without an account, and one whose account is deactivated, are told apart."""
    await post(browser, "/send-code", {"phone": phone})
    assert await post(browser, "/sign-in", {"phone": phone, "code": "11111"}) == (status, body)
    assert await is_authenticated(browser) is False
