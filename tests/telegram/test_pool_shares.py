"""Logins under way have a share of the pool, and never more, however many are begun."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions, types

from tgbridge.errors import PoolExhausted
from tgbridge.telegram.account import login

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.pool import ClientPool

ME = functions.users.GetUsersRequest([types.InputUserSelf()])
SHARES = {"pool": {"max_clients": 5, "max_code_logins": 2, "max_qr_logins": 0}}
APART = {"pool": {"max_clients": 5, "max_code_logins": 2, "max_qr_logins": 2}}


async def begin(pool: ClientPool) -> str:
    """Begin a login, and leave it."""
    async with pool.anonymous() as client:
        await login.send_code(client, "+9996610001")
        return client.session_string()


async def use(pool: ClientPool, session: str) -> None:
    async with pool.borrow(session) as client:
        assert (await client(ME))[0].is_self


async def test_a_flood_of_logins(make_pool: MakePool, sandbox: Sandbox, sign_in: SignIn) -> None:
    """A flood of logins has no more connections than its share, and signed-in users keep theirs."""
    pool = make_pool(**SHARES)
    sessions = [await sign_in(pool, f"+999661{number:04}") for number in range(3)]
    for session in sessions:
        await use(pool, session)
    sandbox.counters.reset()
    most = 0

    async def flood() -> None:
        nonlocal most
        try:
            await begin(pool)
        except PoolExhausted:
            pass
        else:
            most = max(most, sandbox.connections[1])

    await asyncio.gather(*(flood() for _ in range(20)))
    assert 3 < most <= 5
    assert pool.stats.anonymous <= 2
    opened = sandbox.counters.connections.total()
    for session in sessions:
        await use(pool, session)
    assert sandbox.counters.connections.total() == opened


async def test_logins_make_room_for_one_another(make_pool: MakePool, sandbox: Sandbox) -> None:
    """A new login takes the place of the one that was touched longest ago, which is connected again."""
    pool = make_pool(**SHARES)
    sessions = [await begin(pool) for _ in range(3)]
    assert (pool.stats.clients, pool.stats.anonymous) == (2, 2)
    sandbox.counters.reset()
    for session in reversed(sessions):
        async with pool.borrow(session, anonymous=True):
            pass
    assert sandbox.counters.connections.total() == 1
    assert pool.stats.anonymous == 2


async def test_one_waits_for_each_client_that_ends(make_pool: MakePool) -> None:
    """Room for one is no room for two: the second is told at once, and does not wait to be told later."""
    pool = make_pool(pool={"max_clients": 3, "max_code_logins": 1, "max_qr_logins": 1})
    session = await begin(pool)
    async with pool.borrow(session, anonymous=True):
        await pool.drop(session)
        first = asyncio.create_task(begin(pool))
        await asyncio.sleep(0)
        with pytest.raises(PoolExhausted):
            await begin(pool)
    await first


async def test_logins_in_use_are_not_replaced(make_pool: MakePool, sign_in: SignIn) -> None:
    """While all of the share are in use, no login begins or goes on; whoever is signed in goes on."""
    pool = make_pool(**SHARES)
    session = await sign_in(pool)
    await use(pool, session)
    pending = await begin(pool)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(pool.anonymous())
        with pytest.raises(PoolExhausted):
            await begin(pool)
        with pytest.raises(PoolExhausted):
            await stack.enter_async_context(pool.borrow(pending, anonymous=True))
        await use(pool, session)


async def test_signed_in_users_replace_logins(make_pool: MakePool, sandbox: Sandbox, sign_in: SignIn) -> None:
    """A full pool has room for one more signed-in user: a login's, before any other user's."""
    patient = make_pool()
    sessions = [await sign_in(patient, f"+999661{number:04}") for number in range(5)]
    await patient.close()
    pool = make_pool(**SHARES)
    for session in sessions[:4]:
        await use(pool, session)
    await begin(pool)
    assert (pool.stats.clients, pool.stats.anonymous) == (5, 1)
    sandbox.counters.reset()
    await use(pool, sessions[4])
    assert (pool.stats.clients, pool.stats.anonymous) == (5, 0)
    for session in sessions:
        await use(pool, session)
    assert sandbox.counters.connections.total() == 1


async def test_logins_have_their_share_of_a_full_pool(make_pool: MakePool, sign_in: SignIn) -> None:
    """Signed-in users who sit in the share of logins without using it do not keep anybody from signing in."""
    patient = make_pool()
    sessions = [await sign_in(patient, f"+999661{number:04}") for number in range(5)]
    await patient.close()
    pool = make_pool(**SHARES)
    for session in sessions:
        await use(pool, session)
    for _ in range(4):
        await begin(pool)
    assert (pool.stats.clients, pool.stats.anonymous) == (5, 1)
    async with pool.anonymous(), pool.anonymous():
        assert (pool.stats.clients, pool.stats.anonymous) == (5, 2)


async def test_whose_a_client_is(make_pool: MakePool, sign_in: SignIn) -> None:
    """A client is a login's until it is asked for as a signed-in user's, and that user's from then on."""
    pool = make_pool(**SHARES)
    session = await sign_in(pool)
    assert pool.stats.anonymous == 1
    await use(pool, session)
    assert pool.stats.anonymous == 0
    async with pool.borrow(session, anonymous=True):
        assert pool.stats.anonymous == 0


async def test_kinds_of_logins_apart(make_pool: MakePool, sign_in: SignIn) -> None:
    """Codes and QR codes have shares of their own: of neither kind any number is in the other's way."""
    pool = make_pool(**APART)
    await use(pool, await sign_in(pool))
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(pool.anonymous("qr"))
        with pytest.raises(PoolExhausted):
            await stack.enter_async_context(pool.anonymous("qr"))
        pending = await begin(pool)
        for _ in range(2):
            await stack.enter_async_context(pool.anonymous())
        with pytest.raises(PoolExhausted):
            await stack.enter_async_context(pool.borrow(pending, anonymous=True))
    async with pool.anonymous("qr"), pool.borrow(pending, anonymous=True):
        assert pool.stats.clients <= 5
