"""The life of a login: beside another, cut off in the middle, by two people at once, and without Telegram."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE, OTHER_PHONE, WITH_PASSWORD = "+9996610001", "+9996620001", "+9996612001"


async def me(browser: ClientSession) -> tuple[int, str | None]:
    async with browser.get("/me") as response:
        return response.status, (await response.json()).get("phone")


async def post(browser: ClientSession, path: str, json: Any = None) -> tuple[int, Any]:
    async with browser.post(path, json=json) as response:
        return response.status, await response.json()


def signed_in_keys(sandbox: Sandbox) -> list[str]:
    """The numbers that keys at Telegram are signed in as."""
    return sorted(
        key.authorization.account.phone.digits for key in sandbox.auth_keys if key.authorization is not None
    )


async def test_login_beside_another(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Whoever is signed in stays so until another login beside it succeeds, and is then logged out."""
    await post(signed_in, "/send-code", {"phone": WITH_PASSWORD})
    assert await me(signed_in) == (200, PHONE[1:])
    assert (await post(signed_in, "/sign-in", {"phone": WITH_PASSWORD, "code": "11111"}))[0] == 401
    assert await me(signed_in) == (200, PHONE[1:])
    assert (await post(signed_in, "/sign-in-password", {"password": "tgbridge"}))[0] == 200
    assert await me(signed_in) == (200, WITH_PASSWORD[1:])
    assert signed_in_keys(sandbox) == [WITH_PASSWORD[1:]]


async def test_login_beside_another_that_cannot_be_left(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A login succeeds also when logging out the one before it fails."""
    sandbox.faults.error("auth.logOut", 400, "AUTH_TOKEN_INVALID")
    await post(signed_in, "/send-code", {"phone": OTHER_PHONE})
    assert (await post(signed_in, "/sign-in", {"phone": OTHER_PHONE, "code": "22222"}))[0] == 200
    assert await me(signed_in) == (200, OTHER_PHONE[1:])


async def test_login_that_ends_beside_another(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """When Telegram ends a login under way, whoever is signed in beside it stays so."""
    await post(signed_in, "/send-code", {"phone": OTHER_PHONE})
    sandbox.faults.error("auth.signIn", 401, "AUTH_KEY_UNREGISTERED")
    form = {"phone": OTHER_PHONE, "code": "22222"}
    assert (await post(signed_in, "/sign-in", form))[0] == 401
    assert await me(signed_in) == (200, PHONE[1:])
    assert (await post(signed_in, "/sign-in", form))[1]["code"] == "CODE_NOT_REQUESTED"


async def test_signed_in_session_that_ends_beside_a_login(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """When Telegram ends the session of whoever is signed in, the login under way goes on."""
    await post(signed_in, "/send-code", {"phone": OTHER_PHONE})
    for key in list(sandbox.auth_keys):
        if key.authorization is not None:
            sandbox.faults.revoke(auth_key=key.name, error="SESSION_REVOKED")
    assert (await me(signed_in))[0] == 401
    assert (await post(signed_in, "/sign-in", {"phone": OTHER_PHONE, "code": "22222"}))[0] == 200
    assert await me(signed_in) == (200, OTHER_PHONE[1:])


async def test_second_code(browser: ClientSession, service: Service) -> None:
    """A new code replaces the login that had begun, whose client is closed."""
    await post(browser, "/send-code", {"phone": PHONE})
    await post(browser, "/send-code", {"phone": OTHER_PHONE})
    assert service.app[keys.POOL].stats.clients == 1
    assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 400
    assert (await post(browser, "/sign-in", {"phone": OTHER_PHONE, "code": "22222"}))[0] == 200


async def test_two_people(new_browser: NewBrowser, log_in: SignIn) -> None:
    """Two browsers, two accounts: whoever asks gets their own, and one's logout is not the other's."""
    one, two = new_browser(), new_browser()
    await asyncio.gather(log_in(one, PHONE), log_in(two, OTHER_PHONE))
    answers = await asyncio.gather(*(me(browser) for browser in [one, two] * 20))
    assert answers == [(200, PHONE[1:]), (200, OTHER_PHONE[1:])] * 20
    await post(one, "/logout")
    assert ((await me(one))[0], await me(two)) == (401, (200, OTHER_PHONE[1:]))


async def test_one_client_for_many_requests(
    signed_in: ClientSession,
    service: Service,
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    sandbox: Sandbox,
) -> None:
    """A cookie survives a restart; two hundred requests at once with it connect one client."""
    await service.stop()
    again = await serve(make_settings())
    browser = new_browser(again)
    browser.cookie_jar.update_cookies({cookie.key: cookie.value for cookie in signed_in.cookie_jar})
    connected_before = sum(sandbox.counters.connections.values())
    answers = await asyncio.gather(*(me(browser) for _ in range(200)))
    assert answers == [(200, PHONE[1:])] * 200
    assert sum(sandbox.counters.connections.values()) == connected_before + 1
    assert again.app[keys.POOL].stats.clients == 1


async def test_browser_gone_while_signing_in(
    browser: ClientSession, service: Service, sandbox: Sandbox
) -> None:
    """A browser that goes away while it signs in and tries again is signed in by what went on without it."""
    await post(browser, "/send-code", {"phone": PHONE})
    held = sandbox.faults.hold("auth.signIn")
    form = {"phone": PHONE, "code": "11111"}
    asking = asyncio.create_task(post(browser, "/sign-in", form))
    await held.reached(1)
    asking.cancel()
    await asyncio.wait({asking})
    held.release()
    await service.app[keys.COMPLETION].drain()
    assert signed_in_keys(sandbox) == [PHONE[1:]]
    assert (await post(browser, "/sign-in", form))[0] == 200
    assert await me(browser) == (200, PHONE[1:])


async def test_browser_gone_while_logging_out(
    signed_in: ClientSession, service: Service, sandbox: Sandbox
) -> None:
    """A logout completes at Telegram although the browser has gone."""
    held = sandbox.faults.hold("auth.logOut")
    asking = asyncio.create_task(post(signed_in, "/logout"))
    await held.reached(1)
    asking.cancel()
    await asyncio.wait({asking})
    held.release()
    await service.app[keys.COMPLETION].drain()
    assert signed_in_keys(sandbox) == []
    assert (await me(signed_in))[0] == 401


async def test_shutdown_while_signing_in(browser: ClientSession, service: Service, sandbox: Sandbox) -> None:
    """A service that is stopped while somebody signs in answers before it ends."""
    await post(browser, "/send-code", {"phone": PHONE})
    held = sandbox.faults.hold("auth.signIn")
    asking = asyncio.create_task(post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))
    await held.reached(1)
    stopping = asyncio.create_task(service.stop())
    held.release()
    status, _ = await asking
    await stopping
    assert status == 200


class Impatient(Protocol):
    """Lets a service with short time-outs take another's place, and gives a browser with the same cookie."""

    async def __call__(self, service: Service, browser: ClientSession) -> ClientSession: ...


PATHS = [
    ("POST", "/send-code", "Failed to send code. Please try again."),
    ("POST", "/sign-in", "Failed to sign in. Please try again."),
    ("POST", "/sign-in-password", "Failed to sign in. Please try again."),
    ("GET", "/is-authenticated", "Failed to check authentication status."),
    ("POST", "/logout", "Failed to log out."),
    ("GET", "/me", "Failed to fetch the user."),
]


# What needs a client as well, but does not succeed while a login waits for its password.
OTHER_PATHS = [
    ("POST", "/resend-code", "Failed to send code. Please try again."),
    ("POST", "/cancel-code", "Failed to cancel the code. Please try again."),
    ("GET", "/qr-login", "Failed to start the QR login. Please try again."),
    ("GET", "/sessions", "Failed to fetch the sessions."),
    ("DELETE", "/sessions", "Failed to end the session."),
    ("DELETE", "/sessions/1", "Failed to end the session."),
]


async def under_way(browser: ClientSession, sign_in: SignIn) -> None:
    """Somebody is signed in, and a login beside it waits for its password: all endpoints have work to do."""
    await sign_in(browser, PHONE)
    await post(browser, "/send-code", {"phone": WITH_PASSWORD})
    await post(browser, "/sign-in", {"phone": WITH_PASSWORD, "code": "11111"})


async def ask(browser: ClientSession, method: str, path: str) -> tuple[int, Any]:
    form = {"phone": WITH_PASSWORD, "code": "11111", "password": "tgbridge"}
    async with browser.request(method, path, json=form) as response:
        return response.status, await response.json()


@pytest.fixture
def impatient(make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser) -> Impatient:
    """Only what is to fail is hurried: signing in takes place at a service that is given its time."""

    async def restart(service: Service, browser: ClientSession) -> ClientSession:
        await service.stop()
        settings = make_settings(telegram={"request_timeout_seconds": 0.5, "connect_timeout_seconds": 0.5})
        other = new_browser(await serve(settings))
        other.cookie_jar.update_cookies({cookie.key: cookie.value for cookie in browser.cookie_jar})
        return other

    return restart


@pytest.mark.parametrize(("method", "path", "told"), PATHS + OTHER_PATHS)
async def test_telegram_unreachable(
    service: Service,
    browser: ClientSession,
    sign_in: SignIn,
    impatient: Impatient,
    sandbox: Sandbox,
    method: str,
    path: str,
    told: str,
) -> None:
    """Without Telegram every endpoint answers 503 with its own text, and the cookie stays."""
    await under_way(browser, sign_in)
    hurried = await impatient(service, browser)
    for centre in sandbox.data_centres.values():
        await centre.stop()
    status, body = await ask(hurried, method, path)
    assert (status, body["error"], body["code"]) == (503, told, "TELEGRAM_UNAVAILABLE")
    assert body["retry_after"] > 0
    assert len(list(hurried.cookie_jar)) == 1


async def test_telegram_back_again(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A lost connection to Telegram is no lost session."""
    for centre in sandbox.data_centres.values():
        await centre.stop()
    for centre in sandbox.data_centres.values():
        await centre.start()
    assert await me(signed_in) == (200, PHONE[1:])


@pytest.mark.parametrize(
    ("method", "path", "told", "asked"),
    [
        (*PATHS[0], "auth.sendCode"),
        (*PATHS[1], "account.getPassword"),
        (*PATHS[2], "account.getPassword"),
        (*PATHS[3], "users.getUsers"),
        (*PATHS[4], "auth.logOut"),
        (*PATHS[5], "users.getUsers"),
    ],
)
async def test_telegram_silent(
    service: Service,
    browser: ClientSession,
    sign_in: SignIn,
    impatient: Impatient,
    sandbox: Sandbox,
    method: str,
    path: str,
    told: str,
    asked: str,
) -> None:
    """A Telegram that does not answer within the time-out is as good as unreachable."""
    await under_way(browser, sign_in)
    hurried = await impatient(service, browser)
    sandbox.faults.silence(asked, times=None)
    status, body = await ask(hurried, method, path)
    assert (status, body["error"], body["code"]) == (503, told, "TELEGRAM_UNAVAILABLE")
    assert len(list(hurried.cookie_jar)) == 1


@pytest.mark.parametrize(("method", "path", "told"), PATHS)
async def test_pool_full(
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    sign_in: SignIn,
    method: str,
    path: str,
    told: str,
) -> None:
    """When every client is in use, whoever needs one more is answered 503 with the endpoint's own text."""
    service = await serve(make_settings(pool={"max_clients": 2}))
    browser = new_browser(service)
    await under_way(browser, sign_in)
    pool = service.app[keys.POOL]
    others = [pool.anonymous(), pool.anonymous()]
    for other in others:  # which closes the browser's idle clients
        await other.__aenter__()
    status, body = await ask(browser, method, path)
    for other in others:
        await other.__aexit__(None, None, None)
    assert (status, body["error"], body["code"]) == (503, told, "POOL_EXHAUSTED")
    assert body["retry_after"] > 0
    assert (await ask(browser, method, path))[0] == 200
