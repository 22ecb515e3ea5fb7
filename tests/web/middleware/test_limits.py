"""Limits over HTTP: who is counted for what, and what is told beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.web.routes.rows import PHONE, WITH_PASSWORD, post

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service

TOO_MANY: Final = "Too many requests. Please try again later."
OTHER: Final = "+9996610002"
# So many counters that two keys never meet in one.
ON: Final = {"enabled": True, "counters": 2**20}


@pytest.fixture
def limits() -> Mapping[str, Any]:
    return {}


@pytest.fixture
async def service(serve: Serve, make_settings: MakeSettings, limits: Mapping[str, Any]) -> Service:
    return await serve(make_settings(limits=ON | dict(limits), server={"trusted_proxies": ["127.0.0.1"]}))


def is_limit(answer: tuple[int, Any]) -> bool:
    """Tell whether it is the contract's answer; `post` has compared Retry-After."""
    status, body = answer
    if status != 429:
        return False
    assert body.keys() == {"error", "code", "retry_after"}
    assert (body["error"], body["code"]) == (TOO_MANY, "TOO_MANY_REQUESTS")
    assert 0 < body["retry_after"] <= 600
    return True


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def send_code(browser: ClientSession, phone: str = PHONE, **options: Any) -> tuple[int, Any]:
    return await post(browser, "/send-code", {"phone": phone}, **options)


async def test_codes_per_number(new_browser: NewBrowser) -> None:
    """Ten codes for a number in ten minutes, from whatever browser and address, and sent again or anew."""
    browser = new_browser()
    for number in range(5):
        status, _ = await send_code(browser, headers=from_address(f"203.0.113.{number}"))
        assert status == 200
        await post(browser, "/resend-code", {"phone": PHONE}, headers=from_address(f"203.0.114.{number}"))
    assert is_limit(await post(browser, "/resend-code", {"phone": PHONE}))
    assert is_limit(await send_code(new_browser(), "+999 66-1 0001", headers=from_address("2001:db8::1")))
    assert (await send_code(browser, OTHER))[0] == 200


@pytest.mark.parametrize("limits", [{"send_code_per_address": 6}])
async def test_codes_per_address(new_browser: NewBrowser) -> None:
    """So many codes from an address, whatever the number and whatever becomes of it; another may go on."""
    browser, here = new_browser(), from_address("2001:db8:1:2::1")
    for number in range(2):
        assert (await send_code(browser, f"+99966100{number:02}", headers=here))[0] == 200
        assert (await post(browser, "/resend-code", headers=here))[0] == 200
        assert (await send_code(browser, "nonsense", headers=here))[0] == 400
    neighbour = from_address("2001:db8:1:2:3:4:5:6")
    assert is_limit(await send_code(new_browser(), OTHER, headers=neighbour))
    assert is_limit(await post(browser, "/resend-code", headers=neighbour))
    assert (await send_code(browser, OTHER, headers=from_address("2001:db8:1:3::1")))[0] == 200


async def test_thirty_codes_per_address(new_browser: NewBrowser) -> None:
    """The defaults: the thirty-first request of an address is one too many."""
    browser = new_browser()
    for _ in range(30):
        assert (await send_code(browser, "nonsense"))[0] == 400
    assert is_limit(await send_code(browser, "nonsense"))


async def test_codes_are_not_guessed(new_browser: NewBrowser) -> None:
    """Twenty guesses for a number in ten minutes, in whatever browser; the right code comes too late then."""
    one, two = new_browser(), new_browser()
    for browser in (one, two):
        assert (await send_code(browser))[0] == 200
        for _ in range(10):
            assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "98765"}))[0] == 400
    assert is_limit(await post(one, "/sign-in", {"phone": PHONE, "code": "11111"}))
    assert is_limit(await post(two, "/sign-in", {"phone": PHONE, "code": "11111"}))


async def test_guesses_without_a_code_do_not_count(new_browser: NewBrowser) -> None:
    """Nobody locks a number out for whom no code was sent."""
    browser = new_browser()
    for _ in range(25):
        assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "98765"}))[0] == 400
    assert (await send_code(browser))[0] == 200
    assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200


@pytest.mark.parametrize("limits", [{"sign_in_password_per_login": 3}])
async def test_passwords_are_not_guessed(new_browser: NewBrowser) -> None:
    """So many passwords for a login, by whichever endpoint, and also with an older copy of its cookie."""
    browser = new_browser()
    form = {"phone": WITH_PASSWORD, "code": "11111"}
    assert (await send_code(browser, WITH_PASSWORD))[0] == 200
    assert (await post(browser, "/sign-in", form | {"password": "wrong"}))[0] == 400
    assert (await post(browser, "/sign-in-password", {"password": "wrong"}))[0] == 400
    assert (await post(browser, "/sign-in", form | {"password": "wrong"}))[0] == 400
    assert is_limit(await post(browser, "/sign-in-password", {"password": "tgbridge"}))
    assert is_limit(await post(browser, "/sign-in", form | {"password": "tgbridge"}))


@pytest.mark.parametrize("limits", [{"qr_login_per_address": 2}])
async def test_qr_logins_per_address(new_browser: NewBrowser) -> None:
    """So many QR logins begin from an address."""
    browser = new_browser()
    for _ in range(2):
        async with browser.get("/qr-login") as response:
            assert response.status == 200
    async with browser.get("/qr-login") as response:
        assert is_limit((response.status, await response.json()))


@pytest.mark.parametrize("limits", [{"requests_per_session": 12}])
async def test_requests_per_session(new_browser: NewBrowser, log_in: SignIn) -> None:
    """A signed-in browser has its share of requests for all the rest, which is nobody else's."""
    one, two = new_browser(), new_browser()
    await log_in(one, PHONE)
    await log_in(two, OTHER)
    for _ in range(12):
        async with one.get("/healthz") as response:
            assert response.status == 200
    for path in ("/me", "/healthz"):
        async with one.get(path) as response:
            assert is_limit((response.status, await response.json()))
    async with two.get("/me") as response:
        assert response.status == 200


@pytest.mark.parametrize("limits", [{"send_code_per_address": 1, "enabled": False}])
async def test_turned_off(new_browser: NewBrowser) -> None:
    """`limits.enabled` turns them off."""
    for _ in range(3):
        assert (await send_code(new_browser()))[0] == 200


@pytest.mark.parametrize("limits", [{"send_code_per_address": 2}])
async def test_forged_addresses(
    new_browser: NewBrowser, serve: Serve, make_settings: MakeSettings, limits: Mapping[str, Any]
) -> None:
    """Who is no trusted proxy does not get another address by naming one, nor by a longer list."""
    strict = await serve(make_settings(limits=ON | dict(limits)))
    browser = new_browser(strict)
    for number in range(3):
        answer = await send_code(browser, "nonsense", headers=from_address(f"203.0.113.{number}"))
    assert is_limit(answer)
    behind = new_browser()
    for number in range(3):
        said = from_address(f"203.0.113.{number}, 198.51.100.1")
        answer = await send_code(behind, "nonsense", headers=said)
    assert is_limit(answer)
