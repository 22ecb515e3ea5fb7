"""Signing in by a QR code that a stock Telethon client scans."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientPayloadError

from tests.devices import device, link, scan, signed_in_as
from tests.web.routes.events import events
from tests.web.routes.rows import (
    CODE_FIRST,
    INVALID_PASSWORD,
    PASSWORD_NEEDED,
    TOO_MANY,
    Row,
    error,
    flood,
    is_authenticated,
    post,
    rows,
)
from tgbridge.telegram.account import qr
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tests.web.routes.conftest import Scanned, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE, ELSEWHERE, WITH_PASSWORD = "+9996610002", "+9996620001", "+9996612001"
FAILED = "Failed to start the QR login. Please try again."


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes are renewed at once."""
    monkeypatch.setattr(qr, "_MOST_SECONDS", 0.0)


async def me(browser: ClientSession) -> str | None:
    async with browser.get("/me") as response:
        phone: str | None = (await response.json()).get("phone")
        return phone


@pytest.mark.parametrize("phone", [PHONE, ELSEWHERE], ids=["at home", "elsewhere"])
async def test_qr_login(browser: ClientSession, scanned: Scanned, sandbox: Sandbox, phone: str) -> None:
    """A device accepts the code, the stream sends a claim, and the claim signs this browser in."""
    name, data = await scanned(browser, phone)
    assert (name, data.keys()) == ("authenticated", {"claim"})
    assert await is_authenticated(browser) is False
    status, body = await post(browser, "/qr-login/claim", data)
    assert (status, body["message"]) == (200, "Signed in successfully.")
    assert body["user"].keys() == {"id", "first_name", "last_name", "username", "phone", "is_premium"}
    assert (body["user"]["phone"], await me(browser)) == (phone[1:], phone[1:])
    assert signed_in_as(sandbox, phone) == ["telephone", "tgbridge"]


async def test_the_code(browser: ClientSession) -> None:
    """It comes as a link, as an image, and with its end; the stream's answer sets the cookie."""
    async with events(browser, "/qr-login") as stream:
        assert len(stream.response.headers.getall("Set-Cookie")) == 1
        event = await stream.next()
    assert event is not None
    name, data = event
    assert (name, data.keys()) == ("qr", {"url", "svg", "expires_at"})
    assert re.fullmatch(r"tg://login\?token=[A-Za-z0-9_-]{20,}", data["url"])
    assert data["svg"].startswith("<svg ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", data["expires_at"])


async def test_head(browser: ClientSession, service: Service) -> None:
    """HEAD begins nothing."""
    async with browser.head("/qr-login") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
    assert list(browser.cookie_jar) == []
    assert service.app[keys.POOL].stats.clients == 0


async def test_renewed(browser: ClientSession, impatient: None, sandbox: Sandbox) -> None:
    """Before a code expires another one is sent instead, and the last one can be scanned."""
    logins = sandbox.state.logins
    async with device(sandbox, PHONE) as telephone, events(browser, "/qr-login") as stream:
        codes = [await stream.next() for _ in range(3)]
        logins.keeps_tokens = True  # from here on, asking again changes nothing
        (token,) = logins._tokens
        await scan(telephone, link(token))
        *later, (name, _) = await stream.rest()
    urls = [event[1]["url"] for event in [*codes, *later] if event is not None]
    assert (len(set(urls)), urls[-1], name) == (len(urls), link(token), "authenticated")


async def test_expired(
    make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser, until: Until, sandbox: Sandbox
) -> None:
    """When nobody has scanned a code in time, the stream says so and ends; nothing is left."""
    service = await serve(make_settings(qr_login={"lifetime_seconds": 0.001}))
    async with events(new_browser(service), "/qr-login") as stream:
        assert [name for name, _ in await stream.rest()] == ["qr", "expired"]
    await until(lambda: service.app[keys.POOL].stats.clients == 0)
    assert len(service.app[keys.QR_LOGINS]) == 0
    assert sandbox.counters.of("auth.logOut") == 1


# The password afterwards


@pytest.mark.parametrize("phone", [WITH_PASSWORD, "+9996622001"], ids=["at home", "elsewhere"])
async def test_password(browser: ClientSession, scanned: Scanned, phone: str) -> None:
    """Two-step verification is asked for with its hint, and completed as after a code."""
    assert await scanned(browser, phone) == ("password_required", {"password_hint": "name of this project"})
    assert await is_authenticated(browser) is False
    assert await post(browser, "/sign-in-password", {"password": "x"}) == (400, INVALID_PASSWORD)
    status, body = await post(browser, "/sign-in-password", {"password": "tgbridge"})
    assert (status, body["user"]["phone"], await me(browser)) == (200, phone[1:], phone[1:])
    assert await post(browser, "/sign-in-password", {"password": "another"}) == (400, CODE_FIRST)


async def test_password_of_another_browser(new_browser: NewBrowser, scanned: Scanned) -> None:
    """The password, too, is for the browser that opened the stream."""
    one, two = new_browser(), new_browser()
    await scanned(one, WITH_PASSWORD)
    async with events(two, "/qr-login") as stream:
        await stream.next()
        assert await post(two, "/sign-in-password", {"password": "tgbridge"}) == (400, CODE_FIRST)
    assert (await post(one, "/sign-in-password", {"password": "tgbridge"}))[0] == 200


async def test_password_for_the_login_begun_last(
    browser: ClientSession, scanned: Scanned, sandbox: Sandbox, until: Until
) -> None:
    """Who turns to a code after all gives the QR login up, and the password is for the code's."""
    other = "+9996622001"
    await scanned(browser, WITH_PASSWORD)
    await post(browser, "/send-code", {"phone": other})
    assert await post(browser, "/sign-in", {"phone": other, "code": "22222"}) == (401, PASSWORD_NEEDED)
    status, body = await post(browser, "/sign-in-password", {"password": "tgbridge"})
    assert (status, body["user"]["phone"]) == (200, other[1:])


async def test_login_that_ends_before_its_password(
    browser: ClientSession, scanned: Scanned, sandbox: Sandbox, service: Service
) -> None:
    """A login that Telegram has ended meanwhile is forgotten."""
    await scanned(browser, WITH_PASSWORD)
    sandbox.faults.error("account.getPassword", 401, "AUTH_KEY_UNREGISTERED")
    assert (await post(browser, "/sign-in-password", {"password": "tgbridge"}))[0] == 401
    assert len(service.app[keys.QR_LOGINS]) == 0
    assert await post(browser, "/sign-in-password", {"password": "tgbridge"}) == (400, CODE_FIRST)


# Endings


async def test_browser_gone(browser: ClientSession, service: Service, sandbox: Sandbox, until: Until) -> None:
    """A page that goes away leaves no client, no connection, no login and no task."""
    tasks_before = len(asyncio.all_tasks())
    async with events(browser, "/qr-login") as stream:
        await stream.next()
        assert service.app[keys.POOL].stats.lent == 1
    await until(lambda: not service.app[keys.IN_FLIGHT])
    await until(lambda: service.app[keys.POOL].stats.clients == 0)
    assert len(service.app[keys.QR_LOGINS]) == 0
    await until(lambda: sum(sandbox.connections.values()) == 0)
    await until(lambda: len(asyncio.all_tasks()) <= tasks_before)


async def test_browser_gone_as_the_code_is_accepted(
    browser: ClientSession, service: Service, sandbox: Sandbox, until: Until
) -> None:
    """What is signed in for a page that has just gone away is signed out."""
    held = sandbox.faults.hold("auth.exportLoginToken", skip=1)
    async with device(sandbox, PHONE) as telephone:
        async with events(browser, "/qr-login") as stream:
            event = await stream.next()
            assert event is not None
            await scan(telephone, event[1]["url"])
            await held.reached(1)
        held.release()
        await service.app[keys.COMPLETION].drain()
        assert signed_in_as(sandbox, PHONE) == ["telephone"]
    await until(lambda: service.app[keys.POOL].stats.clients == 0)


async def test_service_stopped(browser: ClientSession, service: Service, sandbox: Sandbox) -> None:
    """A service that stops does not wait for somebody to find the telephone; the page comes again."""
    async with events(browser, "/qr-login") as stream:
        await stream.next()
        stopping = asyncio.create_task(service.stop())
        assert await stream.rest() == []
        await stopping
    assert sandbox.counters.of("auth.logOut") == 1


async def test_no_updates_afterwards(browser: ClientSession, scanned: Scanned, sandbox: Sandbox) -> None:
    """The session that was claimed is not sent the account's updates, as the login's was."""
    _, claim = await scanned(browser)
    await post(browser, "/qr-login/claim", claim)
    assert await me(browser) == PHONE[1:]
    connected = [
        session
        for key in sandbox.auth_keys
        if key.authorization is not None and key.authorization.device_model == "tgbridge"
        for session in key.sessions.values()
        if session.connections
    ]
    assert [session.receives_updates for session in connected] == [False]


@rows(
    Row(
        "told to wait",
        {},
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
        flood("auth.exportLoginToken"),
    ),
    Row(
        "anything else",
        {},
        500,
        {"error": FAILED, "details": "API_ID_INVALID", "code": "API_ID_INVALID"},
        error("auth.exportLoginToken", 400, "API_ID_INVALID"),
    ),
    Row(
        "out of order",
        {},
        503,
        {
            "error": FAILED,
            "details": "internal error at Telegram: RPC_CALL_FAIL",
            "code": "TELEGRAM_UNAVAILABLE",
            "retry_after": 5,
        },
        lambda sandbox: sandbox.faults.internal_error("auth.exportLoginToken", times=None),
    ),
)
async def test_refused(
    browser: ClientSession, sandbox: Sandbox, service: Service, until: Until, row: Row
) -> None:
    """What fails before the first code has its status, sets no cookie, and leaves no client."""
    row.arrange(sandbox)
    async with browser.get("/qr-login") as response:
        assert (response.status, await response.json()) == (row.status, row.body)
    assert list(browser.cookie_jar) == []
    await until(lambda: service.app[keys.POOL].stats.clients == 0)


async def test_failure_in_the_middle(browser: ClientSession, sandbox: Sandbox, impatient: None) -> None:
    """What fails later breaks the stream off: an EventSource opens another one, and is told by its status."""
    sandbox.faults.error("auth.exportLoginToken", 400, "API_ID_INVALID", skip=2)
    async with events(browser, "/qr-login") as stream:
        with pytest.raises(ClientPayloadError):
            await stream.rest()


async def test_pool_full(
    make_settings: MakeSettings, serve: Serve, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Without room for another client there is no code."""
    service = await serve(make_settings(pool={"max_clients": 1}))
    async with service.app[keys.POOL].anonymous(), new_browser(service).get("/qr-login") as response:
        assert response.status == 503
        assert (await response.json())["code"] == "POOL_EXHAUSTED"
