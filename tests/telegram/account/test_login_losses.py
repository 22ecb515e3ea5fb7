"""Steps of a login whose answer is lost: none is taken twice, and what came of it is found out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from telethon.tl import functions, types

from tests.devices import device, scan, signed_in_as
from tgbridge.errors import AnswerLost, PasswordNeeded, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.account import login
from tgbridge.telegram.account.qr import QrLogin
from tgbridge.telegram.rpc.repeatable import may_be_repeated

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.telegram.conftest import MakePool
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

PHONE, ELSEWHERE, WITH_PASSWORD = "+9996610001", "+9996620001", "+9996612345"
CODE, PASSWORD = "11111", "tgbridge"


@pytest.fixture
async def client(pool: ClientPool) -> AsyncIterator[BridgeClient]:
    """A client that nobody is signed in with."""
    async with pool.anonymous() as client:
        yield client


async def send(client: BridgeClient, phone: str = PHONE) -> str:
    return (await login.send_code(client, phone)).phone_code_hash


@pytest.fixture
async def halfway(client: BridgeClient) -> BridgeClient:
    """A client whose login lacks the password."""
    phone_code_hash = await send(client, WITH_PASSWORD)
    with pytest.raises(PasswordNeeded):
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    return client


@pytest.mark.parametrize(
    ("executed", "times"), [(True, 1), (False, 2)], ids=["after it was done", "before it was done"]
)
async def test_a_code(client: BridgeClient, sandbox: Sandbox, executed: bool, times: int) -> None:
    """The user is signed in, once, and is not told that the code has expired."""
    phone_code_hash = await send(client)
    sandbox.faults.drop("auth.signIn", executed=executed)
    user = await login.sign_in(client, PHONE, phone_code_hash, CODE)
    assert user == await login.get_me(client)
    assert sandbox.counters.of("auth.signIn") == times
    assert signed_in_as(sandbox, PHONE) == ["tgbridge"]


async def test_a_code_with_a_password_behind_it(client: BridgeClient, sandbox: Sandbox) -> None:
    """That the password is asked for is found out, with the hint."""
    phone_code_hash = await send(client, WITH_PASSWORD)
    sandbox.faults.drop("auth.signIn", executed=True)
    with pytest.raises(PasswordNeeded) as caught:
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    assert caught.value.hint == "name of this project"
    assert sandbox.counters.of("auth.signIn") == 1


@pytest.mark.parametrize("name", ["SESSION_PASSWORD_NEEDED", "AUTH_KEY_UNREGISTERED"])
async def test_what_telegram_may_say_before_the_password(
    halfway: BridgeClient, sandbox: Sandbox, name: str
) -> None:
    """Whichever error users.getUsers has for a login that lacks its password, that is what is found out."""
    sandbox.faults.error("users.getUsers", 401, name)
    with pytest.raises(PasswordNeeded):
        await login.standing(halfway)


async def test_a_wrong_code(client: BridgeClient, sandbox: Sandbox) -> None:
    """It is still wrong."""
    phone_code_hash = await send(client)
    sandbox.faults.drop("auth.signIn", executed=True)
    with pytest.raises(TelegramRefused, match="PHONE_CODE_INVALID"):
        await login.sign_in(client, PHONE, phone_code_hash, "00000")


@pytest.mark.parametrize(
    ("executed", "times"), [(True, 1), (False, 2)], ids=["after it was done", "before it was done"]
)
async def test_a_password(halfway: BridgeClient, sandbox: Sandbox, executed: bool, times: int) -> None:
    """The user is signed in; where the proof was not used, another one is made."""
    sandbox.faults.drop("auth.checkPassword", executed=executed)
    user = await login.check_password(halfway, PASSWORD)
    assert user == await login.get_me(halfway)
    assert sandbox.counters.of("auth.checkPassword") == times


async def test_a_wrong_password(halfway: BridgeClient, sandbox: Sandbox) -> None:
    """It is still wrong."""
    sandbox.faults.drop("auth.checkPassword", executed=True)
    with pytest.raises(TelegramRefused, match="PASSWORD_HASH_INVALID"):
        await login.check_password(halfway, "wrong")


@pytest.mark.parametrize("method", ["auth.signIn", "auth.checkPassword"])
async def test_an_internal_error(client: BridgeClient, sandbox: Sandbox, method: str) -> None:
    """Telegram failed: before the step is taken again, it is asked what came of it."""
    sandbox.faults.internal_error(method)
    phone_code_hash = await send(client, WITH_PASSWORD)
    with pytest.raises(PasswordNeeded):
        await login.sign_in(client, WITH_PASSWORD, phone_code_hash, CODE)
    assert await login.check_password(client, PASSWORD)
    assert sandbox.counters.of("users.getUsers") == 1


async def test_a_sent_code(client: BridgeClient, sandbox: Sandbox) -> None:
    """Another one is not sent by itself; the login may begin anew."""
    sandbox.faults.drop("auth.sendCode", executed=True)
    with pytest.raises(AnswerLost):
        await send(client)
    assert sandbox.counters.of("auth.sendCode") == 1
    assert await send(client)


async def test_a_code_sent_again(client: BridgeClient, sandbox: Sandbox) -> None:
    """The way after the next one is not used up by itself."""
    phone_code_hash = await send(client)
    sandbox.faults.drop("auth.resendCode", executed=True)
    with pytest.raises(AnswerLost):
        await login.resend_code(client, PHONE, phone_code_hash)
    assert sandbox.counters.of("auth.resendCode") == 1


async def test_a_code_not_sent(client: BridgeClient, sandbox: Sandbox) -> None:
    """An internal error is no sent code, so that the next attempt is made at once; not for ever."""
    sandbox.faults.internal_error("auth.sendCode", times=2)
    assert await send(client)


@pytest.mark.swift_time
@pytest.mark.parametrize("step", ["a code", "a sign-in", "a password", "a token"])
async def test_time(make_pool: MakePool, sandbox: Sandbox, step: str) -> None:
    """A data centre that takes no connection costs a step the time of a request, and not a multiple of it."""
    async with make_pool(telegram={"request_timeout_seconds": 20}).anonymous() as client:
        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "a code": lambda: send(client),
            "a sign-in": lambda: login.sign_in(client, PHONE, "hash", CODE),
            "a password": lambda: login.check_password(client, PASSWORD),
            "a token": lambda: anext(QrLogin(client, lifetime_seconds=60)),
        }
        await sandbox.data_centres[1].stop()
        await asyncio.sleep(0.01)  # in which it is noticed
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TelegramUnavailable):
            await steps[step]()
        assert loop.time() - began < 25


async def test_a_cancelled_code(client: BridgeClient, sandbox: Sandbox) -> None:
    """It may be cancelled twice: that it is void already is what was asked for."""
    phone_code_hash = await send(client)
    sandbox.faults.drop("auth.cancelCode", executed=True)
    with pytest.raises(TelegramRefused, match="PHONE_CODE_EXPIRED"):
        await login.cancel_code(client, PHONE, phone_code_hash)


async def test_signing_out(pool: ClientPool, session: str, sandbox: Sandbox) -> None:
    """It may be asked for twice: that nobody is signed in any more is what was asked for."""
    sandbox.faults.drop("auth.logOut", executed=True)
    async with pool.borrow(session) as client:
        await login.log_out(client)
    assert signed_in_as(sandbox, PHONE) == []


@pytest.mark.parametrize("phone", [PHONE, ELSEWHERE], ids=["at home", "elsewhere"])
async def test_a_scanned_code(client: BridgeClient, sandbox: Sandbox, phone: str) -> None:
    """Whoever was signed in by it is found, and no other code is shown."""
    attempt = QrLogin(client, lifetime_seconds=60)
    method = "auth.exportLoginToken" if phone == PHONE else "auth.importLoginToken"
    async with device(sandbox, phone) as telephone:
        code = await anext(attempt)
        sandbox.faults.drop(method, executed=True)
        await scan(telephone, code.url)
        assert [shown async for shown in attempt] == []
    assert attempt.user is not None
    assert attempt.user.phone == phone[1:]
    assert signed_in_as(sandbox, phone) == ["telephone", "tgbridge"]


async def test_silence(pool: ClientPool, make_pool: MakePool, client: BridgeClient, sandbox: Sandbox) -> None:
    """An answer that does not come in time is as lost as one that went with its connection."""
    phone_code_hash = await send(client)
    session = client.session_string()
    await pool.close()
    hurried = make_pool(telegram={"connect_timeout_seconds": 5, "request_timeout_seconds": 0.5})
    async with hurried.borrow(session) as again:
        sandbox.faults.silence("auth.signIn", executed=True)
        assert (await login.sign_in(again, PHONE, phone_code_hash, CODE)).phone == PHONE[1:]
    assert sandbox.counters.of("auth.signIn") == 1


@pytest.mark.swift_time
async def test_telegram_gone(client: BridgeClient, sandbox: Sandbox) -> None:
    """Where nothing can be found out, that is what is said; and later it can."""
    phone_code_hash = await send(client)
    sandbox.faults.drop("auth.signIn", executed=True)
    sandbox.faults.internal_error("users.getUsers", times=None)
    with pytest.raises(TelegramUnavailable):
        await login.sign_in(client, PHONE, phone_code_hash, CODE)
    sandbox.faults.clear()
    user = await login.standing(client)
    assert user is not None
    assert user.phone == PHONE[1:]


async def test_what_was_not_sent(client: BridgeClient, sandbox: Sandbox) -> None:
    """A step that was asked for while there was no connection is taken once there is one again."""
    phone_code_hash = await send(client)
    await sandbox.data_centres[1].stop()
    signing_in = asyncio.create_task(login.sign_in(client, PHONE, phone_code_hash, CODE))
    await asyncio.sleep(0.05)
    await sandbox.data_centres[1].start()
    assert (await signing_in).phone == PHONE[1:]
    assert sandbox.counters.of("users.getUsers") == 0


def test_wrapped_requests() -> None:
    """What must not be repeated is known inside invokeWithLayer and its like as well."""
    request = functions.auth.CheckPasswordRequest(types.InputCheckPasswordEmpty())
    assert not may_be_repeated(request)
    wrapped = functions.InvokeWithLayerRequest(1, functions.InvokeWithoutUpdatesRequest(request))
    assert not may_be_repeated(wrapped)
    assert may_be_repeated(functions.InvokeWithLayerRequest(1, functions.auth.LogOutRequest()))
