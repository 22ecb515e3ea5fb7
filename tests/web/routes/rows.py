"""Rows of the contract's tables: a request, what the sandbox is told before, and the exact answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from tgbridge.sandbox import Sandbox

PHONE = "+9996610001"
WITH_PASSWORD = "+9996612001"
BANNED, FLOODED, NO_ACCOUNT = "+9996619001", "+9996619002", "+9996619003"
PASSWORD_FLOODED, DEACTIVATED = "+9996619004", "+9996619008"

TOO_MANY = "Too many requests. Please try again later."
SEND_FAILED = "Failed to send code. Please try again."
SIGN_IN_FAILED = "Failed to sign in. Please try again."
INVALID_PHONE = {"error": "Invalid phone number format.", "code": "PHONE_NUMBER_INVALID"}
INVALID_CODE = {"error": "Invalid code. Please try again.", "code": "PHONE_CODE_INVALID"}
INVALID_PASSWORD = {"error": "Invalid password. Please try again.", "code": "PASSWORD_HASH_INVALID"}
NO_PASSWORD = {"error": "Password is required.", "code": "MISSING_FIELD"}
CODE_FIRST = {"error": "Please request a code first.", "code": "CODE_NOT_REQUESTED"}
PASSWORD_NEEDED = {
    "error": "Two-step verification password required.",
    "code": "SESSION_PASSWORD_NEEDED",
    "password_hint": "name of this project",
}
NOT_AUTHENTICATED = {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"}
INVALID_BODY = {"code": "INVALID_BODY"}
MISSING = {"error": "Phone number and code are required.", "code": "MISSING_FIELD"}


def flood(method: str) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.faults.flood_wait(method, seconds=33)


def error(method: str, code: int, name: str) -> Callable[[Sandbox], object]:
    return lambda sandbox: sandbox.faults.error(method, code, name)


def nothing(_sandbox: Sandbox) -> None:
    pass


async def post(browser: ClientSession, path: str, json: Any = None, **options: Any) -> tuple[int, Any]:
    """The status and the body of an answer, whose Retry-After is checked on the way."""
    if json is not None:
        options["json"] = json
    async with browser.post(path, **options) as response:
        body = await response.json()
        retry_after = body.get("retry_after")
        assert response.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
        return response.status, body


@dataclass(frozen=True)
class Row:
    """A request, what the sandbox is told before, and the answer."""

    shows: str
    request: dict[str, Any]
    status: int
    body: dict[str, Any]
    arrange: Callable[[Sandbox], object] = nothing


def rows(*cases: Row) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", cases, ids=[row.shows for row in cases])


def bodies_without_fields(missing: str) -> tuple[Row, ...]:
    """Bodies that are no JSON object, or not declared as one."""
    told = {"error": missing} | INVALID_BODY
    headers = {"Content-Type": "application/json"}
    deep = b"[" * 50_000
    return (
        Row("no body", {}, 400, told),
        Row("not JSON", {"data": b"{", "headers": headers}, 400, told),
        Row("not UTF-8", {"data": b'{"phone": "\xff"}', "headers": headers}, 400, told),
        Row("array", {"json": ["phone"]}, 400, told),
        Row("text", {"json": "phone"}, 400, told),
        Row("deep", {"data": deep, "headers": headers}, 400, told),
        Row("endless number", {"data": b"9" * 5000, "headers": headers}, 400, told),
        Row("not declared", {"data": b'{"phone": "+9996610001"}'}, 400, told),
        Row("form", {"data": {"phone": PHONE, "code": "11111", "password": "x"}}, 400, told),
        Row(
            "too large",
            {"data": b" " * 100_000, "headers": headers},
            413,
            {"error": "Payload Too Large.", "code": "PAYLOAD_TOO_LARGE"},
        ),
    )


async def is_authenticated(browser: ClientSession) -> bool:
    async with browser.get("/is-authenticated") as response:
        assert response.status == 200
        answer: bool = (await response.json())["authenticated"]
        return answer
