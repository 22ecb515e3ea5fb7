"""Cookies that are not what they should be, or not whose."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet
from yarl import URL

from tests.web.routes.rows import post

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings

PHONE, OTHER_PHONE = "+9996610001", "+9996620001"


def cookie_of(browser: ClientSession) -> str:
    (cookie,) = browser.cookie_jar
    return cookie.value


async def me(browser: ClientSession, cookie: str) -> tuple[int, Any]:
    """Ask who a cookie is, with nothing else."""
    async with browser.get("/me", headers={"Cookie": f"tgbridge={cookie}"}) as response:
        body = await response.json()
        return response.status, body.get("phone", body.get("error"))


def flipped(cookie: str, place: int) -> str:
    return cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]


def signature_removed(cookie: str) -> str:
    return cookie[: -(-32 * 4 // 3)]


def by_another_key(cookie: str) -> str:
    content = json.dumps(
        {"created": int(time.time()), "session": {"browser": {"telegram": cookie, "user_id": 1}}}
    )
    return Fernet(Fernet.generate_key()).encrypt(content.encode()).decode()


def without_a_key(cookie: str) -> str:
    content = {"created": int(time.time()), "session": {"browser": {"telegram": cookie, "user_id": 1}}}
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


TAMPERED: dict[str, Callable[[str], str]] = {
    "version changed": lambda cookie: flipped(cookie, 0),
    "time changed": lambda cookie: flipped(cookie, 8),
    "content changed": lambda cookie: flipped(cookie, len(cookie) // 2),
    "signature changed": lambda cookie: flipped(cookie, len(cookie) - 10),
    "signature removed": signature_removed,
    "truncated": lambda cookie: cookie[:-1],
    "cut in half": lambda cookie: cookie[: len(cookie) // 2],
    "longer": lambda cookie: cookie + "AAAA",
    "twice": lambda cookie: cookie * 2,
    "oversized": lambda cookie: cookie + "A" * 7000,
    "another key's": by_another_key,
    "nobody's key": without_a_key,
    "empty": lambda _cookie: "",
    "JSON": lambda _cookie: '{"session":{"browser":{"telegram":"1"}}}',
}


async def test_tampered_cookie(signed_in: ClientSession, new_browser: NewBrowser) -> None:
    """A cookie that was changed, cut, grown or made by somebody else is nobody's."""
    cookie, browser = cookie_of(signed_in), new_browser()
    assert await me(browser, cookie) == (200, PHONE[1:])
    told = {name: await me(browser, tamper(cookie)) for name, tamper in TAMPERED.items()}
    assert told == dict.fromkeys(TAMPERED, (401, "User not authenticated."))


async def test_huge_header(signed_in: ClientSession, new_browser: NewBrowser) -> None:
    """A header beyond what any browser sends is refused as a whole, and the service goes on."""
    async with new_browser().get("/me", headers={"Cookie": "tgbridge=" + "A" * 100_000}) as response:
        assert response.status in {400, 431}
    assert (await me(new_browser(), cookie_of(signed_in)))[0] == 200


async def test_replayed_after_logout(signed_in: ClientSession, new_browser: NewBrowser) -> None:
    """A copy of the cookie from before a logout is useless: the session has ended at Telegram."""
    cookie = cookie_of(signed_in)
    assert (await post(signed_in, "/logout"))[0] == 200
    assert (await me(new_browser(), cookie))[0] == 401


async def test_replayed_after_another_login(
    signed_in: ClientSession, new_browser: NewBrowser, log_in: SignIn
) -> None:
    """So is one from before a login as somebody else, which ends the session before it."""
    cookie = cookie_of(signed_in)
    await log_in(signed_in, OTHER_PHONE)
    assert (await me(new_browser(), cookie))[0] == 401


async def test_login_is_not_replayed(browser: ClientSession, new_browser: NewBrowser) -> None:
    """The cookie of a login that was completed does not complete it again with another code."""
    await post(browser, "/send-code", {"phone": PHONE})
    pending = cookie_of(browser)
    assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
    assert (await post(browser, "/logout"))[0] == 200
    thief = new_browser()
    answer = await post(
        thief, "/sign-in", {"phone": PHONE, "code": "11111"}, headers={"Cookie": f"tgbridge={pending}"}
    )
    assert answer[0] in {400, 401}


async def test_planted_cookie(new_browser: NewBrowser, service: Service) -> None:
    """Session fixation: who plants a cookie of theirs is not in the session that comes of it."""
    attacker, victim = new_browser(), new_browser()
    await post(attacker, "/send-code", {"phone": PHONE})
    planted = cookie_of(attacker)
    victim.cookie_jar.update_cookies({"tgbridge": planted}, URL(service.url))
    await post(victim, "/send-code", {"phone": PHONE})
    assert (await post(victim, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
    assert cookie_of(victim) != planted
    assert (await me(attacker, planted))[0] == 401
    assert (await post(attacker, "/sign-in", {"phone": PHONE, "code": "00000"}))[0] == 400
    assert (await me(attacker, cookie_of(attacker)))[0] == 401


async def test_planted_login(new_browser: NewBrowser, service: Service) -> None:
    """Neither does who plants a cookie that is signed in: the victim's own login takes its place."""
    attacker, victim = new_browser(), new_browser()
    await post(attacker, "/send-code", {"phone": OTHER_PHONE})
    await post(attacker, "/sign-in", {"phone": OTHER_PHONE, "code": "22222"})
    planted = cookie_of(attacker)
    victim.cookie_jar.update_cookies({"tgbridge": planted}, URL(service.url))
    await post(victim, "/send-code", {"phone": PHONE})
    assert (await post(victim, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
    assert await me(new_browser(), cookie_of(victim)) == (200, PHONE[1:])
    assert (await me(new_browser(), planted))[0] == 401


async def test_cookie_is_opaque(signed_in: ClientSession, settings: Settings, sandbox: Sandbox) -> None:
    """Without the key nobody reads from a cookie whose it is, nor the key to the account."""
    cookie = base64.urlsafe_b64decode(cookie_of(signed_in) + "==")
    for key in sandbox.auth_keys:
        assert key.key not in cookie
    assert PHONE[1:].encode() not in cookie
    (secret,) = settings.secret_keys
    assert secret.get_secret_value().encode() not in cookie


async def test_two_cookies(service: Service, signed_in: ClientSession, new_browser: NewBrowser) -> None:
    """Of several cookies of the name, none is decrypted into another's session: one counts, or none."""
    cookie = cookie_of(signed_in)
    for header in (f"tgbridge=planted; tgbridge={cookie}", f"tgbridge={cookie}; tgbridge=planted"):
        async with new_browser().get("/me", headers={"Cookie": header}) as response:
            assert (response.status, (await response.json()).get("phone")) in {(200, PHONE[1:]), (401, None)}
