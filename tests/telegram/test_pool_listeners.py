"""Clients that are lent to those who only wait: they give way, and new ones are told less."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import functions, types

from tgbridge.errors import PoolExhausted

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, SignIn, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

SMALL = {"max_clients": 2, "max_code_logins": 1, "max_qr_logins": 1}


async def test_who_only_waits_gives_way(make_pool: MakePool, sign_in: SignIn) -> None:
    """Not where somebody else uses the same client, and not to others who only wait."""
    pool = make_pool(pool=SMALL)
    used, waiting, third = [await sign_in(make_pool(), f"+99966100{number:02}") for number in (1, 2, 3)]
    asked: list[str] = []
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pool.borrow(used, give_way=lambda: asked.append("used")))
        await stack.enter_async_context(pool.borrow(used))
        lent = await stack.enter_async_context(AsyncExitStack())

        def give_way() -> None:
            asked.append("waiting")
            leaving.append(asyncio.create_task(lent.aclose()))

        leaving: list[asyncio.Task[None]] = []
        await lent.enter_async_context(pool.borrow(waiting, give_way=give_way))
        with pytest.raises(PoolExhausted):
            await stack.enter_async_context(pool.borrow(third, give_way=lambda: None))
        assert asked == []
        async with pool.borrow(third) as client:
            assert client.is_usable
        assert asked == ["waiting"]
        await asyncio.gather(*leaving)


async def test_a_session_that_is_dropped(pool: ClientPool, session: str) -> None:
    """Whoever waits with its client is told."""
    asked: list[int] = []
    async with pool.borrow(session, give_way=lambda: asked.append(1)):
        await pool.drop(session)
        assert asked == [1]


async def test_a_client_that_has_heard(
    pool: ClientPool, session: str, sandbox: Sandbox, until: Until
) -> None:
    """It is replaced once nobody hears, since Telegram goes on telling its connection; else it is kept."""
    me = functions.users.GetUsersRequest([types.InputUserSelf()])
    async with pool.borrow(session) as first:
        await first(me)
    async with pool.borrow(session) as client:
        assert client is first
        stop = client.hear(lambda _updates: None)
        await client(me)
        stop()
    await until(lambda: pool.stats.clients == 0)
    async with pool.borrow(session) as second:
        assert second is not first
        await second(me)


async def test_several_hear(client: BridgeClient, sandbox: Sandbox, until: Until) -> None:
    """What is pushed, and what the client's own requests have changed; each until it wants no more."""
    heard: dict[str, list[Any]] = {"one": [], "two": []}
    stop_one = client.hear(heard["one"].append)
    client.hear(heard["two"].append)
    send = functions.messages.SendMessageRequest(types.InputPeerSelf(), "text", random_id=7)
    answer = await client(send)
    assert heard == {"one": [answer], "two": [answer]}
    stop_one()
    new = next(update.message.id for update in answer.updates if hasattr(update, "message"))
    await client(functions.messages.DeleteMessagesRequest([new]))
    assert [type(updates) for updates in heard["one"]] == [types.Updates]
    assert heard["two"][1].update.messages == [new]
    sandbox.faults.drop_connections()
    await until(lambda: heard["two"][-1] is None)
    assert len(heard["one"]) == 1
