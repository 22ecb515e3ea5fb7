"""Guessing, and asking too often."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import FormData
from structlog.testing import capture_logs

from tests.devices import device, scan
from tests.web.routes.events import events
from tests.web.routes.rows import post
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE, OTHER_PHONE, WITH_PASSWORD = "+9996610001", "+9996610002", "+9996612001"
FORGED: Final = {
    "X-Forwarded-For": "X-Forwarded-For",
    "Forwarded": "Forwarded",
    "X-Real-IP": "X-Real-IP",
    "CF-Connecting-IP": "CF-Connecting-IP",
}


def calls(sandbox: Sandbox, method: str) -> int:
    """How often Telegram was asked."""
    return sum(count for (_, name), count in sandbox.counters.calls.items() if name == method)


async def test_guessing_codes(new_browser: NewBrowser, sandbox: Sandbox) -> None:
    """Codes can't be gone through: not in one browser, not in several, not with new codes, not at once."""
    browsers = [new_browser() for _ in range(4)]
    for browser in browsers:
        assert (await post(browser, "/send-code", {"phone": PHONE}))[0] == 200

    async def guess(number: int) -> int:
        form = {"phone": PHONE, "code": f"{20_000 + number}"}
        return (await post(browsers[number % 4], "/sign-in", form))[0]

    statuses = await asyncio.gather(*map(guess, range(60)))
    assert statuses.count(429) == 40
    assert calls(sandbox, "auth.signIn") <= 20
    assert (await post(browsers[0], "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 429


async def test_guessing_passwords(browser: ClientSession, sandbox: Sandbox) -> None:
    """A two-step password has ten guesses, also where each is sent with the code again."""
    assert (await post(browser, "/send-code", {"phone": WITH_PASSWORD}))[0] == 200
    assert (await post(browser, "/sign-in", {"phone": WITH_PASSWORD, "code": "11111"}))[0] == 401
    statuses = []
    for number in range(6):
        statuses += [
            (await post(browser, "/sign-in-password", {"password": f"guess {number}"}))[0],
            (await post(browser, "/sign-in", {"phone": WITH_PASSWORD, "code": "x", "password": "guess"}))[0],
        ]
    assert statuses == [400] * 10 + [429] * 2
    assert (await post(browser, "/sign-in-password", {"password": "tgbridge"}))[0] == 429


async def test_guessing_passwords_of_qr_logins(browser: ClientSession, sandbox: Sandbox) -> None:
    """The password of a login by QR code has ten guesses as well."""
    async with device(sandbox, WITH_PASSWORD) as telephone, events(browser, "/qr-login") as stream:
        code = await stream.next()
        assert code is not None
        await scan(telephone, code[1]["url"])
        ((end, _),) = await stream.rest()
    assert end == "password_required"
    guesses = [f"guess {number}" for number in range(11)]
    statuses = [(await post(browser, "/sign-in-password", {"password": guess}))[0] for guess in guesses]
    assert statuses == [400] * 10 + [429]
    assert (await post(browser, "/sign-in-password", {"password": "tgbridge"}))[0] == 429
    assert calls(sandbox, "auth.checkPassword") == 10


@pytest.mark.parametrize("field", FORGED)
async def test_forged_forwarded_headers(browser: ClientSession, field: str) -> None:
    """Nobody gets another address by writing one down."""
    for number in range(31):
        address = f"203.0.113.{number}"
        said = f"for={address}" if field == "Forwarded" else address
        status, _ = await post(browser, "/send-code", {"phone": "x"}, headers={field: said})
    assert status == 429


async def test_pestering_a_number(new_browser: NewBrowser, sandbox: Sandbox) -> None:
    """Nobody's telephone rings more than ten times in ten minutes, however the number is written."""
    spellings = ["+9996610001", "+999 661 0001", "+999 (661) 0001", "+999-661-0001", " +9996610001 "]
    for spelling in spellings * 3:
        status, _ = await post(new_browser(), "/send-code", {"phone": spelling})
    assert status == 429
    assert calls(sandbox, "auth.sendCode") <= 20  # each is sent on to the number's data centre


@pytest.mark.parametrize("home", [1, 3], ids=["at home", "elsewhere"])
async def test_flood_of_logins(
    serve: Serve,
    make_settings: MakeSettings,
    new_browser: NewBrowser,
    sign_in: SignIn,
    sandbox: Sandbox,
    home: int,
) -> None:
    """A flood of /send-code has its share of connections to Telegram, and takes nobody's."""
    service = await serve(make_settings(pool={"max_clients": 6, "max_code_logins": 3, "max_qr_logins": 0}))
    users = [new_browser(service) for _ in range(3)]
    for number, user in enumerate(users):
        await sign_in(user, f"+999662{number:04}")
        assert await who(user) == 200
    most = 0

    async def flood(number: int) -> int:
        nonlocal most
        phone = f"+99966{home}{8000 + number}"
        status, _ = await post(new_browser(service), "/send-code", {"phone": phone})
        most = max(most, sum(sandbox.connections.values()))
        return status

    held = sandbox.faults.hold("auth.sendCode", dc=home)
    flooding = [asyncio.create_task(flood(number)) for number in range(30)]
    await held.reached(3)
    assert service.app[keys.POOL].stats.anonymous == 3
    before = sandbox.counters.connections.copy()
    assert [await who(user) for user in users] == [200] * 3
    held.release()
    statuses = await asyncio.gather(*flooding)
    assert statuses.count(200) >= 3
    assert statuses.count(503) == 30 - statuses.count(200)
    assert most <= 6
    assert [await who(user) for user in users] == [200] * 3
    assert (sandbox.counters.connections - before)[1] <= statuses.count(200)


async def test_open_qr_streams(serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser) -> None:
    """Streams that wait for a scan have their own share, and codes go on; one more is refused."""
    service = await serve(make_settings(pool={"max_clients": 6, "max_qr_logins": 2, "max_code_logins": 1}))
    browsers = [new_browser(service) for _ in range(3)]
    streams = [await browser.get("/qr-login") for browser in browsers]
    assert [stream.status for stream in streams] == [200, 200, 503]
    assert service.app[keys.POOL].stats.anonymous == 2
    assert (await post(browsers[2], "/send-code", {"phone": PHONE}))[0] == 200
    for stream in streams:
        stream.close()


async def test_one_subscriber_of_ipv6(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser
) -> None:
    """Who has a whole /48, and opens streams from all over it, leaves others their codes and QR codes."""
    service = await serve(
        make_settings(
            limits={"enabled": True, "qr_streams_per_address": 1, "qr_login_per_address": 100},
            pool={"max_qr_logins": 5},
            server={"trusted_proxies": ["127.0.0.1"]},
        )
    )

    async def open_stream(address: str) -> ClientResponse:
        return await new_browser(service).get("/qr-login", headers={"X-Forwarded-For": address})

    streams = [await open_stream(f"2001:db8:1:{number:x}::1") for number in (0, 0, 1, 2, 0x100, 0x200, 0x300)]
    assert [stream.status for stream in streams] == [200, 429, 200, 429, 200, 200, 429]
    refused = await streams[1].json()
    assert (refused["code"], refused["retry_after"]) == ("TOO_MANY_REQUESTS", 30)
    neighbour = await open_stream("2001:db8:2::1")
    assert neighbour.status == 200
    assert (await post(new_browser(service), "/send-code", {"phone": PHONE}))[0] == 200
    # A page that is closed makes room for the next one.
    streams[0].close()
    while len(service.app[keys.IN_FLIGHT]) > 4 or len(service.app[keys.COMPLETION]):
        await asyncio.sleep(0)
    again = await open_stream("2001:db8:1::2")
    assert again.status == 200
    for stream in (*streams, neighbour, again):
        stream.close()


async def test_codes_from_everywhere(
    serve: Serve,
    make_settings: MakeSettings,
    new_browser: NewBrowser,
    sandbox: Sandbox,
) -> None:
    """However many addresses and numbers somebody has: Telegram is not asked more often; the log says so."""
    service = await serve(
        make_settings(
            limits={"enabled": True, "send_code_per_process": 3}, server={"trusted_proxies": ["127.0.0.1"]}
        )
    )
    browser, statuses = new_browser(service), []
    with capture_logs() as lines:
        for number in range(6):
            phone, address = f"+99966100{number:02}", f"203.0.113.{number}"
            status, body = await post(
                browser, "/send-code", {"phone": phone}, headers={"X-Forwarded-For": address}
            )
            statuses.append(status)
    assert statuses == [200] * 3 + [429] * 3
    assert body["code"] == "TOO_MANY_REQUESTS"
    assert 590 <= body["retry_after"] <= 600
    status, _ = await post(browser, "/resend-code", {}, headers={"X-Forwarded-For": "203.0.113.99"})
    assert status == 429
    assert calls(sandbox, "auth.sendCode") == 3
    assert calls(sandbox, "auth.resendCode") == 0
    (line,) = (line for line in lines if line["event"] == "no more login codes for now")
    assert (line["log_level"], line["limit"]) == ("warning", "send_code_per_process")


async def who(browser: ClientSession) -> int:
    async with browser.get("/me") as response:
        return response.status


async def test_another_users_messages(new_browser: NewBrowser, sign_in: SignIn, service: Service) -> None:
    """Ids of another user's messages are nothing to anybody else, in whatever way they are written."""
    one, two = new_browser(), new_browser()
    await sign_in(one, PHONE)
    await sign_in(two, OTHER_PHONE)
    form = FormData()
    form.add_field("file", b"one's own", filename="own.txt")
    async with one.post("/upload_file", data=form) as response:
        foreign = (await response.json())["message_id"]
    async with one.get(f"/stream_media/{foreign}") as response:
        assert await response.read() == b"one's own"
    for path in ("/stream_media", "/stream_thumbnail"):
        for written in (
            f"{foreign}",
            f"0{foreign}",
            f"-{foreign}",
            f"{foreign}.0",
            f"{foreign}%00",
            "%2e%2e%2f1",
        ):
            async with two.get(f"{path}/{written}") as response:
                assert response.status == 404
        async with new_browser().get(f"{path}/{foreign}") as response:
            assert response.status == 401
