"""The pool lends one client per session, and nothing is left of a request, however it ended."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from telethon.sessions import StringSession
from telethon.tl import functions, types

from tgbridge.errors import PoolExhausted, SessionEnded, TelegramUnavailable
from tgbridge.telegram.account import login
from tgbridge.telegram.pool import ClientPool, PoolStats

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, MakeSettings, SignIn, Until
    from tgbridge.sandbox import Sandbox

ME = functions.users.GetUsersRequest([types.InputUserSelf()])
IMPATIENT = {"telegram": {"connect_timeout_seconds": 0.5, "request_timeout_seconds": 0.5}}


async def test_200_borrows_open_one_connection(make_pool: MakePool, stored: str, sandbox: Sandbox) -> None:
    """However many ask at the same time, the session is connected once."""
    pool = make_pool()
    clients = set()

    async def request() -> int:
        async with pool.borrow(stored) as client:
            clients.add(client)
            return (await login.get_me(client)).id

    assert len(set(await asyncio.gather(*(request() for _ in range(200))))) == 1
    assert len(clients) == 1
    assert sandbox.counters.connections == {1: 1}
    assert pool.stats == PoolStats(clients=1, lent=0, connecting=0)


async def test_the_same_key_is_the_same_client(make_pool: MakePool, stored: str, sandbox: Sandbox) -> None:
    """Another text with the same key in it, such as another address, does not open a second connection."""
    other = StringSession(stored)
    other.set_dc(1, "127.0.0.2", 1)
    assert other.save() != stored
    pool = make_pool()
    async with pool.borrow(stored) as one, pool.borrow(other.save()) as two:
        assert one is two
    assert sandbox.counters.connections == {1: 1}


async def test_accounts_are_never_mixed(make_pool: MakePool, sign_in: SignIn) -> None:
    """Each session's client is its own account's, while all of them are used at the same time."""
    pool = make_pool()
    phones = [f"+999661{number:04}" for number in range(100, 120)]
    sessions = await asyncio.gather(*(sign_in(pool, phone) for phone in phones))

    async def whose(session: str) -> str | None:
        async with pool.borrow(session) as client:
            return (await login.get_me(client)).phone

    assert await asyncio.gather(*map(whose, sessions)) == [phone.removeprefix("+") for phone in phones]
    assert pool.stats.clients == 20


async def test_a_login_stays_where_its_session_finds_it(
    make_pool: MakePool, sandbox: Sandbox, sign_in: SignIn
) -> None:
    """The client that logged in, also by way of another data centre, serves the session's next request."""
    pool = make_pool()
    session = await sign_in(pool, "+9996620001")
    opened = sandbox.counters.connections.total()
    async with pool.borrow(session) as client:
        assert (await login.get_me(client)).phone == "9996620001"
    assert sandbox.counters.connections.total() == opened
    assert pool.stats.clients == 1


@pytest.mark.parametrize("text", ["", "1", "nonsense", "1nonsense", "2" + "A" * 352, "1" + "A" * 352, "1é"])
async def test_what_is_no_session_has_ended(make_pool: MakePool, text: str) -> None:
    """A text that no session string can be is treated as a session that Telegram does not know."""
    pool = make_pool()
    with pytest.raises(SessionEnded):
        async with pool.borrow(text):
            pass
    await pool.drop(text)


# Connecting together


async def test_one_waiter_may_give_up(
    make_pool: MakePool, sandbox: Sandbox, until: Until, stored: str
) -> None:
    """A connection attempt goes on as long as anybody waits for it."""
    pool = make_pool()
    sandbox.faults.delay(0.02)

    async def request() -> int:
        async with pool.borrow(stored) as client:
            return (await login.get_me(client)).id

    requests = [asyncio.create_task(request()) for _ in range(3)]
    await until(lambda: pool.stats.connecting)
    requests[0].cancel()
    await asyncio.wait(requests)
    assert requests[0].cancelled()
    assert requests[1].result() == requests[2].result()
    assert sandbox.counters.connections == {1: 1}


async def test_the_last_waiter_ends_the_attempt(make_pool: MakePool, sandbox: Sandbox, until: Until) -> None:
    """When nobody waits any more, the attempt is given up, and its place is free again."""
    pool = make_pool()
    sandbox.faults.silence_data_centre(1)

    async def request() -> None:
        async with pool.anonymous():
            pytest.fail("there is nobody to connect with")

    asking = asyncio.create_task(request())
    await until(lambda: sandbox.connections[1])
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: pool.stats.clients == 0)
    await until(lambda: not sandbox.connections[1])


@pytest.mark.swift_time
async def test_a_failed_attempt_fails_all_and_is_forgotten(
    make_pool: MakePool, sandbox: Sandbox, stored: str
) -> None:
    """All who wait are told; who comes later tries anew."""
    pool = make_pool()
    await sandbox.data_centres[1].stop()

    async def request() -> int:
        async with pool.borrow(stored) as client:
            return (await login.get_me(client)).id

    failed = await asyncio.gather(*(request() for _ in range(5)), return_exceptions=True)
    assert [type(one) for one in failed] == [TelegramUnavailable] * 5
    await sandbox.data_centres[1].start()
    assert await request()
    assert pool.stats.clients == 1


@pytest.mark.swift_time
async def test_a_dead_client_is_replaced(make_pool: MakePool, sandbox: Sandbox, stored: str) -> None:
    """A client whose reconnection failed is connected again for the next who asks, lent or not."""
    pool = make_pool(telegram={"connect_timeout_seconds": 5, "request_timeout_seconds": 0.3})
    async with pool.borrow(stored) as client:
        await client(ME)
        await sandbox.data_centres[1].stop()
        with pytest.raises(TelegramUnavailable):
            await client(ME)
        assert not client.is_usable
        await sandbox.data_centres[1].start()
        async with pool.borrow(stored) as again:
            assert (await again(ME))[0].is_self
        await sandbox.data_centres[1].stop()
        with pytest.raises(TelegramUnavailable):
            await client(ME)
    await sandbox.data_centres[1].start()
    async with pool.borrow(stored) as replaced:
        assert (await replaced(ME))[0].is_self
    assert replaced is not client


# Bounds


async def test_full_of_clients_in_use(make_pool: MakePool, sign_in: SignIn) -> None:
    """More clients than the setting allows are refused, as long as all are lent."""
    pool = make_pool(pool={"max_clients": 2})
    one, two = await sign_in(pool), await sign_in(pool, "+9996610002")
    async with pool.borrow(one), pool.borrow(two):
        with pytest.raises(PoolExhausted):
            async with pool.anonymous():
                pass
        async with pool.borrow(one):
            pass
    async with pool.anonymous():
        assert pool.stats.clients == 2


async def test_the_least_recently_used_idle_client_makes_room(
    make_pool: MakePool, sandbox: Sandbox, sign_in: SignIn
) -> None:
    """An idle client gives way to a new one, the one that was used longest ago first."""
    pool = make_pool(pool={"max_clients": 2})
    one, two = await sign_in(pool), await sign_in(pool, "+9996610002")
    async with pool.borrow(one):
        pass
    sandbox.counters.reset()
    async with pool.anonymous():
        assert pool.stats.clients == 2
        async with pool.borrow(one):
            assert sandbox.counters.connections == {1: 1}
    async with pool.borrow(two):
        assert sandbox.counters.connections == {1: 2}
    assert pool.stats.clients == 2


async def test_idle_clients_are_closed(
    make_pool: MakePool, sandbox: Sandbox, stored: str, until: Until
) -> None:
    """After the idle time a client goes, but never while it is lent."""
    pool = make_pool(pool={"idle_seconds": 0.02})
    async with pool.borrow(stored) as client:
        async with pool.borrow(stored):
            pass
        await asyncio.sleep(0.1)
        assert pool.stats.clients == 1
        assert (await client(ME))[0].is_self
    await until(lambda: pool.stats.clients == 0)
    await until(lambda: not sandbox.connections[1])


# Ended sessions


async def test_a_dropped_client_is_lent_no_more(make_pool: MakePool, sandbox: Sandbox, stored: str) -> None:
    """drop() takes it out at once; it is closed after its last borrower, and only then connected anew."""
    pool = make_pool()
    async with pool.borrow(stored) as client:
        await pool.drop(stored)
        assert (await client(ME))[0].is_self

        async def again() -> Any:
            async with pool.borrow(stored) as other:
                assert other is not client
                return await other(ME)

        waiting = asyncio.create_task(again())
        await asyncio.sleep(0)
        assert sandbox.connections[1] == 1
    assert (await waiting)[0].is_self
    assert sandbox.counters.connections == {1: 2}


async def test_a_client_can_be_dropped_at_once(make_pool: MakePool, sandbox: Sandbox, stored: str) -> None:
    """Whatever is under way with it ends, since the session has."""
    pool = make_pool()
    held = sandbox.faults.hold("users.getUsers")
    async with pool.borrow(stored) as client:
        asking = asyncio.create_task(client(ME))
        await held.reached(1)
        await pool.drop(stored, at_once=True)
        assert pool.stats.clients == 0
        with pytest.raises(TelegramUnavailable, match="closed"):
            await asking


async def test_dropping_an_idle_client_closes_it(
    make_pool: MakePool, sandbox: Sandbox, stored: str, until: Until
) -> None:
    """Without borrowers, it is closed when drop() returns; an unknown one is no matter."""
    pool = make_pool()
    async with pool.borrow(stored):
        pass
    await pool.drop(stored)
    assert pool.stats.clients == 0
    await pool.drop(stored)
    await until(lambda: not sandbox.connections[1])


async def test_two_connections_of_a_key_never_overlap(
    make_pool: MakePool, sandbox: Sandbox, stored: str
) -> None:
    """Borrowing, dropping and evicting in any order never opens a second connection beside the first."""
    pool = make_pool()
    most = 0

    async def request() -> None:
        nonlocal most
        async with pool.borrow(stored) as client:
            await client(ME)
            most = max(most, sandbox.connections[1])
        await pool.drop(stored)

    await asyncio.gather(*(request() for _ in range(20)))
    assert most == 1


async def test_keys_are_not_shown(make_pool: MakePool, stored: str) -> None:
    """Neither the pool nor what it holds shows a key or a session string."""
    pool = make_pool()
    async with pool.borrow(stored) as client:
        shown = repr(pool) + repr(vars(pool)) + repr([vars(slot) for slot in pool._slots.values()])
        assert stored not in shown
        assert repr(client.session.auth_key.key)[2:40] not in shown


async def test_a_closed_client_is_garbage(make_pool: MakePool, stored: str) -> None:
    """Nothing holds on to a client that the pool has closed."""
    pool = make_pool()
    async with pool.borrow(stored) as client:
        await client(ME)
    await pool.drop(stored)
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None


async def test_a_pool_needs_no_loop(make_settings: MakeSettings) -> None:
    """Closing a pool that was never used is nothing."""
    pool = ClientPool(make_settings())
    await pool.close()
