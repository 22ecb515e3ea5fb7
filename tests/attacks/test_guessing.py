"""Guessing, and asking too often."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import FormData

from tests.routes.rows import post
from tgbridge import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

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
    service = await serve(make_settings(pool={"max_clients": 6, "max_anonymous": 3}))
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
    """Streams that wait for a scan count among the logins; one more is refused, and nothing is left."""
    service = await serve(make_settings(pool={"max_clients": 6, "max_anonymous": 2}))
    browsers = [new_browser(service) for _ in range(3)]
    streams = [await browser.get("/qr-login") for browser in browsers]
    assert [stream.status for stream in streams] == [200, 200, 503]
    assert service.app[keys.POOL].stats.anonymous == 2
    for stream in streams:
        stream.close()


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
