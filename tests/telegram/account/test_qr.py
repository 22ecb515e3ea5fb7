"""Signing in by a QR code that a stock Telethon client accepts."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.devices import device, scan, signed_in_as
from tgbridge.errors import FloodWait, PasswordNeeded, SessionEnded, TelegramUnavailable
from tgbridge.telegram.account import login, qr
from tgbridge.telegram.account.log_out import abandon_login
from tgbridge.telegram.account.qr import QrLogin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.telegram.conftest import Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

PHONE, ELSEWHERE, WITH_PASSWORD = "+9996610001", "+9996620001", "+9996622001"


@pytest.fixture
async def client(pool: ClientPool) -> AsyncIterator[BridgeClient]:
    """A client that nobody is signed in with, at data centre 1."""
    async with pool.anonymous() as client:
        yield client


@pytest.fixture
async def attempt(client: BridgeClient) -> QrLogin:
    return QrLogin(client, lifetime_seconds=60)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is asked for again at once, which the sandbox answers by another one."""
    monkeypatch.setattr(qr, "_MOST_SECONDS", 0.0)


async def rest(attempt: QrLogin) -> list[str]:
    return [code.url async for code in attempt]


async def test_a_scanned_code_signs_in(attempt: QrLogin, client: BridgeClient, sandbox: Sandbox) -> None:
    """As soon as Telegram tells that the code was accepted, the login is over, and whose it is, is known."""
    async with device(sandbox, PHONE) as telephone:
        code = await anext(attempt)
        waiting = asyncio.create_task(rest(attempt))
        await scan(telephone, code.url)
        assert await waiting == []
    assert attempt.user is not None
    assert attempt.user.phone == PHONE[1:]
    assert await login.get_me(client) == attempt.user
    assert signed_in_as(sandbox, PHONE) == ["telephone", "tgbridge"]


async def test_it_goes_on_where_the_account_is_at_home(
    attempt: QrLogin, client: BridgeClient, sandbox: Sandbox
) -> None:
    """auth.loginTokenMigrateTo: the token is imported there, and the session is one of that data centre."""
    before = attempt.session
    async with device(sandbox, ELSEWHERE) as telephone:
        await scan(telephone, (await anext(attempt)).url)
        await rest(attempt)
    assert attempt.user is not None
    assert (attempt.user.phone, client.home_dc_id) == (ELSEWHERE[1:], 2)
    assert attempt.session != before
    assert await login.get_me(client) == attempt.user


@pytest.mark.parametrize("phone", ["+9996612001", WITH_PASSWORD], ids=["at home", "elsewhere"])
async def test_a_password_may_be_left(
    attempt: QrLogin, client: BridgeClient, sandbox: Sandbox, phone: str
) -> None:
    """An accepted code is no password, which is asked for with its hint."""
    async with device(sandbox, phone) as telephone:
        await scan(telephone, (await anext(attempt)).url)
        with pytest.raises(PasswordNeeded) as caught:
            await anext(attempt)
    assert caught.value.hint == "name of this project"
    with pytest.raises(SessionEnded):
        await login.get_me(client)
    assert (await login.check_password(client, "tgbridge")).phone == phone[1:]


# Renewal


async def test_a_code_is_renewed(attempt: QrLogin, impatient: None, sandbox: Sandbox) -> None:
    """Each code is another one, and the last one can be scanned."""
    codes = [await anext(attempt) for _ in range(3)]
    assert len({code.url for code in codes}) == 3
    async with device(sandbox, PHONE) as telephone:
        waiting = asyncio.create_task(rest(attempt))
        await scan(telephone, codes[-1].url)
        await waiting
    assert attempt.user is not None


@pytest.mark.parametrize(
    ("lasts", "after"), [(30.0, 27.0), (5.0, 2.0), (3.5, 1.0), (0.0, 1.0), (-9.0, 1.0), (3600.0, 30.0)]
)
def test_when_a_code_is_renewed(lasts: float, after: float) -> None:
    """A little before it expires; not in a tight loop, and not so late that a lost update would be felt."""
    assert qr.renew_after(lasts) == after


async def test_a_code_expires_by_telegrams_clock(
    attempt: QrLogin, client: BridgeClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours may be wrong: by it, this one would have expired long ago, or be good for long."""
    monkeypatch.setattr(qr, "_LEAST_SECONDS", 0.0)
    monkeypatch.setattr(qr, "_MOST_SECONDS", 3000.0)
    for offset in (-3600, 3600):
        sandbox.clock_offset = offset
        client._sender._state.time_offset = offset
        sandbox.state.logins.token_lifetime = 2.0
        first = await anext(attempt)
        assert (await anext(attempt)).url != first.url


async def test_the_same_code_is_not_shown_again(attempt: QrLogin, impatient: None, sandbox: Sandbox) -> None:
    """Telegram may answer with the code that is shown already."""
    sandbox.state.logins.keeps_tokens = True
    first = await anext(attempt)
    coming = asyncio.create_task(rest(attempt))
    async with device(sandbox, PHONE) as telephone:
        while sandbox.counters.of("auth.exportLoginToken") < 5:
            await asyncio.sleep(0)
        await scan(telephone, first.url)
    assert await coming == []
    assert attempt.user is not None


async def test_a_lost_update_costs_nothing(attempt: QrLogin, sandbox: Sandbox, until: Until) -> None:
    """What was accepted while the connection was lost is found when it is there again."""
    async with device(sandbox, ELSEWHERE) as telephone:
        code = await anext(attempt)
        waiting = asyncio.create_task(rest(attempt))
        sandbox.faults.refuse_connections(1)
        sandbox.faults.drop_connections(1)
        await scan(telephone, code.url)
        sandbox.faults.refuse_connections(1, refusing=False)
        assert await waiting == []
    assert attempt.user is not None


async def test_codes_end_with_the_logins_time(client: BridgeClient) -> None:
    """There is a first code in any case; then it ends without a user."""
    attempt = QrLogin(client, lifetime_seconds=0)
    assert await anext(attempt)
    assert await rest(attempt) == []
    assert attempt.user is None


# Refusals


async def test_a_flood_wait_is_told_for_the_first_code(attempt: QrLogin, sandbox: Sandbox) -> None:
    """While there is nothing to show."""
    sandbox.faults.flood_wait("auth.exportLoginToken", seconds=9)
    with pytest.raises(FloodWait) as caught:
        await anext(attempt)
    assert caught.value.seconds == 9


async def test_a_later_flood_wait_is_sat_out(client: BridgeClient, impatient: None, sandbox: Sandbox) -> None:
    """For as long as the login has time; here it is over before."""
    attempt = QrLogin(client, lifetime_seconds=0.5)
    rule = sandbox.faults.flood_wait("auth.exportLoginToken", seconds=9, skip=1)
    assert await anext(attempt)
    assert await rest(attempt) == []
    assert rule.applied == 1


async def test_a_code_that_expired_after_it_was_accepted(attempt: QrLogin, sandbox: Sandbox) -> None:
    """Another one is shown, and can be scanned."""
    sandbox.faults.error("auth.importLoginToken", 400, "AUTH_TOKEN_EXPIRED")
    async with device(sandbox, ELSEWHERE) as telephone:
        first = await anext(attempt)
        await scan(telephone, first.url)
        second = await anext(attempt)
        assert second.url != first.url
        await scan(telephone, second.url)
        await rest(attempt)
    assert attempt.user is not None


async def test_what_cannot_be_mended_is_raised(attempt: QrLogin, sandbox: Sandbox) -> None:
    """Telegram that keeps failing is unavailable."""
    await anext(attempt)
    sandbox.faults.internal_error("auth.exportLoginToken", times=None)
    attempt._hear(None)
    with pytest.raises(TelegramUnavailable):
        await anext(attempt)


# Giving up


async def test_nothing_is_left_of_a_code_that_nobody_scanned(
    attempt: QrLogin, pool: ClientPool, sandbox: Sandbox
) -> None:
    """Its client is closed, and its code can't be accepted by anybody who comes late and finds a device."""
    await anext(attempt)
    await abandon_login(pool, attempt, AsyncExitStack())
    assert sandbox.counters.of("auth.logOut") == 1


@pytest.mark.parametrize("phone", [PHONE, ELSEWHERE], ids=["at home", "elsewhere"])
async def test_nothing_is_left_of_a_code_that_was_accepted_in_the_last_moment(
    attempt: QrLogin, pool: ClientPool, sandbox: Sandbox, until: Until, phone: str
) -> None:
    """Telegram has told so, and nobody has asked yet: it is signed in, and out."""
    async with device(sandbox, phone) as telephone:
        await scan(telephone, (await anext(attempt)).url)
        await until(attempt._stirred.is_set)
        await abandon_login(pool, attempt, AsyncExitStack())
        assert signed_in_as(sandbox, phone) == ["telephone"]


@pytest.mark.parametrize(("executed", "lost"), [(False, False), (True, False), (True, True)])
async def test_nothing_is_left_of_a_login_that_is_cut_off(
    attempt: QrLogin, client: BridgeClient, pool: ClientPool, sandbox: Sandbox, executed: bool, lost: bool
) -> None:
    """Whoever waits is cancelled while Telegram signs in; and then the connection may be gone as well."""
    held = sandbox.faults.hold("auth.exportLoginToken", skip=1)
    async with device(sandbox, PHONE) as telephone:
        await scan(telephone, (await anext(attempt)).url)
        waiting = asyncio.create_task(rest(attempt))
        await held.reached(1)
        waiting.cancel()
        await asyncio.wait({waiting})
        if executed:
            held.release()
            assert attempt._asking is not None
            await asyncio.wait({attempt._asking})
            assert signed_in_as(sandbox, PHONE) == ["telephone", "tgbridge"]
        if lost:
            sandbox.faults.drop_connections()
        leaving = asyncio.create_task(abandon_login(pool, attempt, AsyncExitStack()))
        held.release()
        await leaving
        assert signed_in_as(sandbox, PHONE) == ["telephone"]
    assert pool.stats.clients == 1  # lent by the fixture


async def test_giving_up_may_fail(attempt: QrLogin, pool: ClientPool, sandbox: Sandbox) -> None:
    """Without Telegram there is nobody to sign out at; the client goes all the same."""
    await anext(attempt)
    sandbox.faults.error("auth.logOut", 400, "AUTH_TOKEN_INVALID")
    await abandon_login(pool, attempt, AsyncExitStack())
    assert pool.stats.clients == 1


@pytest.mark.parametrize("asked", ["auth.exportLoginToken", "auth.logOut"])
async def test_giving_up_may_be_cut_off(pool: ClientPool, sandbox: Sandbox, until: Until, asked: str) -> None:
    """Nothing goes on when a service that stops does not wait for Telegram, and the client is closed."""
    tasks_before = asyncio.all_tasks()
    async with AsyncExitStack() as loan:
        attempt = QrLogin(await loan.enter_async_context(pool.anonymous()), lifetime_seconds=60)
        await anext(attempt)
        held = sandbox.faults.hold(asked)
        attempt._hear(None)
        waiting = asyncio.create_task(rest(attempt))
        if asked == "auth.exportLoginToken":
            await held.reached(1)
        waiting.cancel()
        leaving = asyncio.create_task(abandon_login(pool, attempt, loan.pop_all()))
        await held.reached(1)
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait({waiting, leaving})
    assert leaving.cancelled()
    assert pool.stats.clients == 0
    assert attempt._asking is not None
    assert attempt._asking.done()
    held.release()
    await until(lambda: asyncio.all_tasks() <= tasks_before)


async def test_nothing_secret_is_shown(attempt: QrLogin) -> None:
    """A code is as good as a key, while it lasts."""
    assert attempt.session not in repr(attempt)
    assert "token" not in repr(qr.QrCode("tg://login?token=x", None))  # type: ignore[arg-type]
