"""Nothing is left of a request, however it ended: no lent client, no task, no connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from tgbridge.errors import TelegramUnavailable
from tgbridge.telegram.pool import PoolStats

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.telegram.conftest import MakePool, Until
    from tgbridge.sandbox import Sandbox

ME = functions.users.GetUsersRequest([types.InputUserSelf()])
IMPATIENT = {"telegram": {"connect_timeout_seconds": 0.5, "request_timeout_seconds": 0.5}}


# However a request ends


async def _success(request: asyncio.Task[Any], _: Sandbox) -> None:
    await request


async def _failure(request: asyncio.Task[Any], _: Sandbox) -> None:
    with pytest.raises(ZeroDivisionError):
        await request


async def _cancelled(request: asyncio.Task[Any], _: Sandbox) -> None:
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def _timed_out(request: asyncio.Task[Any], _: Sandbox) -> None:
    with pytest.raises(TelegramUnavailable):
        await request


async def _lost(request: asyncio.Task[Any], sandbox: Sandbox) -> None:
    await sandbox.data_centres[1].stop()
    with pytest.raises(TelegramUnavailable):
        await request


@pytest.mark.parametrize(
    "end", [_success, _failure, _cancelled, _timed_out, _lost], ids=lambda end: end.__name__
)
async def test_nothing_is_left(
    end: Callable[[asyncio.Task[Any], Sandbox], Awaitable[None]],
    make_pool: MakePool,
    stored: str,
    sandbox: Sandbox,
    until: Until,
) -> None:
    """Success, error, cancellation, time-out, lost connection: no lent client, nothing once it is closed."""
    pool = make_pool(**IMPATIENT)
    held = sandbox.faults.hold("users.getUsers")

    async def request() -> None:
        async with pool.borrow(stored) as client:
            await client(ME)
            if end is _failure:
                raise ZeroDivisionError

    task = asyncio.create_task(request())
    await held.reached(1)
    assert pool.stats == PoolStats(clients=1, lent=1, connecting=0)
    if end in (_success, _failure):
        held.release()
    await end(task, sandbox)
    assert pool.stats.lent == 0
    sandbox.faults.clear()
    await pool.close()
    await until(lambda: not sandbox.connections[1])


async def test_shutdown_waits_for_what_is_lent(make_pool: MakePool, stored: str, sandbox: Sandbox) -> None:
    """A request that is under way gets its time, new ones get none."""
    pool = make_pool()
    held = sandbox.faults.hold("users.getUsers")

    async def request() -> Any:
        async with pool.borrow(stored) as client:
            return await client(ME)

    asking = asyncio.create_task(request())
    await held.reached(1)
    closing = asyncio.create_task(pool.close(30))
    await asyncio.sleep(0)
    with pytest.raises(TelegramUnavailable):
        await request()
    held.release()
    assert (await asking)[0].is_self
    await closing
    assert pool.stats == PoolStats(clients=0, lent=0, connecting=0)


async def test_shutdown_does_not_wait_for_ever(make_pool: MakePool, stored: str, sandbox: Sandbox) -> None:
    """What is not over in time loses its client, and is told so; closing again is nothing new."""
    pool = make_pool()
    held = sandbox.faults.hold("users.getUsers")

    async def request() -> None:
        async with pool.borrow(stored) as client:
            await client(ME)

    asking = asyncio.create_task(request())
    await held.reached(1)
    await asyncio.gather(pool.close(0), pool.close(0))
    await pool.close()
    with pytest.raises(TelegramUnavailable):
        await asking
    assert pool.stats == PoolStats(clients=0, lent=0, connecting=0)


async def test_shutdown_ends_a_connection_attempt(
    make_pool: MakePool, stored: str, sandbox: Sandbox, until: Until
) -> None:
    """A client that is being connected when the service stops is not waited for."""
    pool = make_pool()
    sandbox.faults.silence_data_centre(1)

    async def request() -> None:
        async with pool.anonymous():
            pytest.fail("there is nobody to connect with")

    asking = asyncio.create_task(request())
    await until(lambda: sandbox.connections[1])
    assert pool.stats == PoolStats(clients=1, lent=1, connecting=1, anonymous=1)
    await pool.close()
    with pytest.raises(TelegramUnavailable):
        await asking
