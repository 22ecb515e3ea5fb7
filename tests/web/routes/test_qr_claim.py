"""Claiming a login by QR code: once, and by the browser that opened the stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from yarl import URL

from tests.devices import device, scan, signed_in_as
from tests.web.routes.events import events
from tests.web.routes.rows import CODE_FIRST, Row, bodies_without_fields, post, rows
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve
    from tests.web.routes.conftest import Scanned, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE, ELSEWHERE, WITH_PASSWORD = "+9996610002", "+9996620001", "+9996622001"
CLAIM_MISSING = "Claim is required."
INVALID = {
    "error": "This login has expired, or was claimed already. Please scan a new code.",
    "code": "QR_CLAIM_INVALID",
}
FOREIGN = {"error": "This login was begun in another browser.", "code": "QR_CLAIM_FOREIGN"}


async def me(browser: ClientSession) -> str | None:
    async with browser.get("/me") as response:
        phone: str | None = (await response.json()).get("phone")
        return phone


async def test_another_browser(new_browser: NewBrowser, scanned: Scanned) -> None:
    """A claim is refused to every other browser, whatever its cookie, and stays good for its own."""
    mine, stranger, other = new_browser(), new_browser(), new_browser()
    _, claim = await scanned(mine)
    _, another = await scanned(other, ELSEWHERE)
    for browser in (stranger, other):
        assert await post(browser, "/qr-login/claim", claim) == (403, FOREIGN)
    assert await post(mine, "/qr-login/claim", another) == (403, FOREIGN)
    assert (await post(mine, "/qr-login/claim", claim))[0] == 200
    assert (await post(other, "/qr-login/claim", another))[0] == 200
    assert (await me(mine), await me(other), await me(stranger)) == (PHONE[1:], ELSEWHERE[1:], None)


async def test_cookie_of_before(new_browser: NewBrowser, scanned: Scanned, service: Service) -> None:
    """A cookie that was there before the stream was opened proves nothing: it may have been planted."""
    victim, attacker = new_browser(), new_browser()
    async with events(attacker, "/qr-login"):
        planted = {cookie.key: cookie.value for cookie in attacker.cookie_jar}
    victim.cookie_jar.update_cookies(planted, URL(service.url))
    _, claim = await scanned(victim)
    assert await post(attacker, "/qr-login/claim", claim) == (403, FOREIGN)
    assert (await post(victim, "/qr-login/claim", claim))[0] == 200


async def test_claim_twice(browser: ClientSession, scanned: Scanned, service: Service) -> None:
    """A claim is good for one login, which its own browser is given again, with whichever of its cookies.

    That ends with the login.
    """
    _, claim = await scanned(browser)
    copied = {cookie.key: cookie.value for cookie in browser.cookie_jar}
    first = await post(browser, "/qr-login/claim", claim)
    assert first[0] == 200
    assert await post(browser, "/qr-login/claim", claim) == first
    browser.cookie_jar.clear()
    assert await post(browser, "/qr-login/claim", claim) == (403, FOREIGN)
    browser.cookie_jar.update_cookies(copied, URL(service.url))
    assert await post(browser, "/qr-login/claim", claim) == first
    assert await me(browser) == PHONE[1:]
    await post(browser, "/logout")
    browser.cookie_jar.update_cookies(copied, URL(service.url))
    assert await post(browser, "/qr-login/claim", claim) == (400, INVALID)


async def test_several_tabs(browser: ClientSession, sandbox: Sandbox) -> None:
    """Each of a browser's streams can be claimed, since the cookie proves them all."""
    async with (
        device(sandbox, PHONE) as telephone,
        events(browser, "/qr-login") as one,
        events(browser, "/qr-login") as two,
    ):
        await two.next()
        event = await one.next()
        assert event is not None
        await scan(telephone, event[1]["url"])
        ((_, claim),) = await one.rest()
        assert (await post(browser, "/qr-login/claim", claim))[0] == 200


@rows(
    *bodies_without_fields(CLAIM_MISSING),
    Row("absent", {"json": {}}, 400, {"error": CLAIM_MISSING, "code": "MISSING_FIELD"}),
    Row("null", {"json": {"claim": None}}, 400, {"error": CLAIM_MISSING, "code": "MISSING_FIELD"}),
    Row("empty", {"json": {"claim": ""}}, 400, {"error": CLAIM_MISSING, "code": "MISSING_FIELD"}),
    Row("number", {"json": {"claim": 1}}, 400, INVALID),
    Row("unknown", {"json": {"claim": "x"}}, 400, INVALID),
    Row(
        "half a surrogate pair",
        {"data": b'{"claim": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
        400,
        INVALID,
    ),
)
async def test_claim_refused(browser: ClientSession, row: Row) -> None:
    """What is no claim."""
    assert await post(browser, "/qr-login/claim", **row.request) == (row.status, row.body)


async def test_unclaimed(
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    scanned: Scanned,
    sandbox: Sandbox,
    until: Until,
) -> None:
    """A login that nobody comes for in time is signed out at Telegram."""
    service = await serve(make_settings(qr_login={"claim_seconds": 0.001}))
    browser = new_browser(service)
    _, claim = await scanned(browser)
    await until(lambda: signed_in_as(sandbox, PHONE) == ["telephone"])
    assert await post(browser, "/qr-login/claim", claim) == (400, INVALID)
    await until(lambda: service.app[keys.POOL].stats.clients == 0)


async def test_stopped_before_the_claim(
    browser: ClientSession, scanned: Scanned, service: Service, sandbox: Sandbox
) -> None:
    """A service that stops signs out whoever was not claimed: its memory is the only place that knew."""
    await scanned(browser)
    assert signed_in_as(sandbox, PHONE) == ["telephone", "tgbridge"]
    await service.stop()
    assert signed_in_as(sandbox, PHONE) == ["telephone"]


async def test_beside_another(signed_in: ClientSession, scanned: Scanned, sandbox: Sandbox) -> None:
    """Whoever is signed in stays so until the claim, and is then signed out; of a code, nothing is left."""
    await post(signed_in, "/send-code", {"phone": WITH_PASSWORD})
    _, claim = await scanned(signed_in)
    assert await me(signed_in) == "9996610001"
    assert (await post(signed_in, "/qr-login/claim", claim))[0] == 200
    assert await me(signed_in) == PHONE[1:]
    assert signed_in_as(sandbox, "+9996610001") == []
    assert (await post(signed_in, "/sign-in", {"phone": WITH_PASSWORD, "code": "22222"})) == (400, CODE_FIRST)


async def test_browser_gone_while_claiming(
    signed_in: ClientSession, scanned: Scanned, sandbox: Sandbox, service: Service
) -> None:
    """A browser that goes away before it has its answer may claim again."""
    _, claim = await scanned(signed_in)
    held = sandbox.faults.hold("auth.logOut")
    asking = asyncio.create_task(post(signed_in, "/qr-login/claim", claim))
    await held.reached(1)
    asking.cancel()
    await asyncio.wait({asking})
    while service.app[keys.IN_FLIGHT]:
        await asyncio.sleep(0)
    held.release()
    assert (await post(signed_in, "/qr-login/claim", claim))[0] == 200
    assert await me(signed_in) == PHONE[1:]
