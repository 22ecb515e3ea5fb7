"""A sandbox, a pool of real clients that speak to it, and sessions that are signed in there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from telethon.tl import functions, types

from tests.ready import ready_session
from tgbridge.sandbox import Sandbox
from tgbridge.settings import Settings
from tgbridge.telegram.account import login
from tgbridge.telegram.pool import ClientPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tgbridge.telegram.client import BridgeClient

IMPATIENT = {"connect_timeout_seconds": 0.5, "request_timeout_seconds": 0.5}


class MakeSettings(Protocol):
    """Makes settings for the sandbox; keywords are sections: ``pool={"max_clients": 2}``."""

    def __call__(self, **sections: dict[str, Any]) -> Settings: ...


class MakePool(Protocol):
    """Makes pools, which are closed when the test ends."""

    def __call__(self, **sections: dict[str, Any]) -> ClientPool: ...


class SignIn(Protocol):
    """Gives the session string of a number that is signed in; its client is in the pool, and was answered.

    ``sign_in`` has a login that is there already, ``log_in`` goes all the way, from a new key on.
    """

    async def __call__(self, pool: ClientPool, phone: str = "+9996610001") -> str: ...


class Until(Protocol):
    """Lets the event loop run until a condition holds; a TimeoutError after some seconds."""

    async def __call__(self, condition: Callable[[], object]) -> None: ...


@pytest.fixture
def until() -> Until:
    async def wait(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0)

    return wait


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running
    assert running.failures == []


@pytest.fixture
def make_settings(sandbox: Sandbox, tmp_path: Path) -> MakeSettings:
    keys = tmp_path / "keys.pem"
    keys.write_text(sandbox.public_key_pem)
    host, port = sandbox.data_centres[1].address

    def make(**sections: dict[str, Any]) -> Settings:
        telegram = {
            "api_id": 1,
            "api_hash": "hash",
            "dc_id": 1,
            "dc_host": host,
            "dc_port": port,
            "dc_public_key": keys,
            **sections.pop("telegram", {}),
        }
        return Settings.model_validate({"telegram": telegram, **sections})

    return make


@pytest.fixture
async def make_pool(sandbox: Sandbox, make_settings: MakeSettings, until: Until) -> AsyncIterator[MakePool]:
    tasks_before = asyncio.all_tasks()
    pools = []

    def make(**sections: dict[str, Any]) -> ClientPool:
        pool = ClientPool(make_settings(**sections))
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.close()
        assert pool.stats.clients == pool.stats.lent == pool.stats.connecting == 0
    await until(lambda: sum(sandbox.connections.values()) == 0)
    left = asyncio.all_tasks() - tasks_before - {asyncio.current_task()}
    assert [task for task in left if not _is_sandbox(task)] == []


@pytest.fixture
def pool(make_pool: MakePool) -> ClientPool:
    return make_pool()


@pytest.fixture
def sign_in(sandbox: Sandbox) -> SignIn:
    async def sign_in(pool: ClientPool, phone: str = "+9996610001") -> str:
        session = ready_session(sandbox, phone)
        async with pool.borrow(session, anonymous=True) as client:
            await login.get_me(client)
        return session

    return sign_in


@pytest.fixture
def log_in() -> SignIn:
    async def log_in(pool: ClientPool, phone: str = "+9996610001") -> str:
        async with pool.anonymous() as client:
            sent = await login.send_code(client, phone)
            await login.sign_in(client, phone, sent.phone_code_hash, phone[6] * 5)
            return client.session_string()

    return log_in


@pytest.fixture
async def session(pool: ClientPool, sign_in: SignIn) -> str:
    """A session that is signed in, and whose client is in the pool."""
    return await sign_in(pool)


@pytest.fixture
async def stored(make_pool: MakePool, sandbox: Sandbox, sign_in: SignIn) -> str:
    """A session that is signed in, and that no client is connected with."""
    pool = make_pool()
    session = await sign_in(pool)
    await pool.close()
    sandbox.counters.reset()
    return session


@pytest.fixture
async def client(pool: ClientPool, session: str) -> AsyncIterator[BridgeClient]:
    """The connected client of a signed-in account."""
    async with pool.borrow(session) as client:
        yield client


@pytest.fixture
async def impatient(pool: ClientPool, session: str, make_pool: MakePool) -> AsyncIterator[BridgeClient]:
    """The same with short time-outs, and with an answer already."""
    await pool.close()
    async with make_pool(telegram=IMPATIENT).borrow(session) as client:
        await client(functions.users.GetUsersRequest([types.InputUserSelf()]))
        yield client


def _is_sandbox(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "/tgbridge/sandbox/" in code.co_filename
