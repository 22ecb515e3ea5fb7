"""Resumable uploads whose session ends, or whose client has gone when something fails."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.tus_client import Line, begin, create, head, patch
from tests.web.routes.tus_faults import (
    MAKE,
    NOISE,
    PART,
    SEND,
    SETTINGS,
    SIZE,
    SMALL,
    check_sent,
    in_three,
    resume,
)
from tgbridge.web import keys

if TYPE_CHECKING:
    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account


@pytest.mark.parametrize("method", [SMALL, MAKE, SEND])
async def test_revoked(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, sign_in: SignIn, method: str
) -> None:
    """Whose session has ended is told so, loses the cookie, signs in again, and goes on."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    sandbox.faults.error(method, 401, "SESSION_REVOKED")
    path = await begin(browser, SIZE)
    answer = await in_three(browser, path)
    assert (answer.status, answer.body["code"]) == (401, "SESSION_REVOKED")
    assert (await head(browser, path)).status == 401
    await sign_in(browser)
    await check_sent(browser, await resume(browser, path), account, before)
    assert service.app[keys.UPLOADER].budget.held == 0


async def test_key_forgotten(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, sign_in: SignIn
) -> None:
    """The same where Telegram does not know the key any more, which only the transport tells."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    path = await begin(browser, SIZE)
    assert (await patch(browser, path, 0, NOISE[:500_000])).status == 204
    sandbox.faults.revoke(account=account.id, error=None)
    answer = await patch(browser, path, 500_000, NOISE[500_000:])
    assert (answer.status, answer.body["code"]) == (401, "AUTH_KEY_NOT_FOUND")
    await sign_in(browser)
    await check_sent(browser, await resume(browser, path), account, before)
    assert service.app[keys.UPLOADER].budget.held == 0


async def test_first_bytes_of_a_dead_session(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """A creation by a session that has ended is none."""
    service, browser = await signed_in_to(**SETTINGS)
    sandbox.faults.error(SMALL, 401, "SESSION_REVOKED")
    answer = await create(browser, SIZE, NOISE)
    assert (answer.status, answer.body["code"]) == (401, "SESSION_REVOKED")
    assert len(service.app[keys.UPLOADS]) == 0


async def test_failure_after_the_client_has_gone(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, sign_in: SignIn, until: Until
) -> None:
    """What nobody was told of, the client finds out by asking where to go on: it has to sign in again."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(SMALL, skip=2)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[: 5 * PART + 7])
    await held_back.reached(3)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    sandbox.faults.revoke(account=account.id, error="SESSION_REVOKED")
    held_back.release()
    await until(lambda: service.app[keys.UPLOADER].budget.held == 0)
    assert (await head(browser, path)).status == 401
    await sign_in(browser)
    assert (await head(browser, path)).offset in {0, PART, 2 * PART}  # whichever two parts have arrived
    await check_sent(browser, await resume(browser, path), account, before)


@pytest.mark.parametrize(("method", "skip"), [(SMALL, 20), (MAKE, 0), (SEND, 0)])
async def test_end_that_fails_after_the_client_has_gone(
    sandbox: Sandbox,
    signed_in_to: SignedInTo,
    account: Account,
    sign_in: SignIn,
    until: Until,
    method: str,
    skip: int,
) -> None:
    """An end that nobody waits for any more, and that fails, holds nothing until somebody tries again."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(method, skip=skip)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE)
    await held_back.reached(1)
    await until(lambda: len(service.app[keys.COMPLETION]) == 1)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    sandbox.faults.revoke(account=account.id, error="SESSION_REVOKED")
    held_back.release()
    await until(lambda: len(service.app[keys.COMPLETION]) == 0)
    assert service.app[keys.UPLOADER].budget.held == 0
    await sign_in(browser)
    await check_sent(browser, await resume(browser, path), account, before)


async def test_ended_while_another_waits(
    sandbox: Sandbox, signed_in_to: SignedInTo, new_browser: NewBrowser, sign_in: SignIn, until: Until
) -> None:
    """Who waits for the message that a session was making which has ended, is not signed out with it."""
    service, browser = await signed_in_to(**SETTINGS)
    mine = next(key for key in sandbox.auth_keys if key.authorization is not None)
    again = new_browser(service)
    await sign_in(again)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(SEND)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE)
    await held_back.reached(1)
    asked = sandbox.counters.of("users.getUsers")
    waiting = asyncio.create_task(patch(again, path, SIZE - 1, NOISE[-1:]))
    await until(lambda: sandbox.counters.of("users.getUsers") > asked)  # whether it lives itself
    await until(lambda: service.app[keys.POOL].stats.lent == 1)
    sandbox.faults.revoke(auth_key=mine.name, error="SESSION_REVOKED")
    held_back.release()
    answer = await waiting
    assert (answer.status, answer.body["code"]) == (503, "TELEGRAM_UNAVAILABLE")
    assert await line.status() == 401
    await line.close()
    assert (await patch(again, path, SIZE - 1, NOISE[-1:])).message_id is not None
