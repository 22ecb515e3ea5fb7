"""No secret in what objects show of themselves, nor in what errors say, with all that has led to them."""

from __future__ import annotations

import asyncio
import base64
import gc
import io
import json
import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Final

import pytest
import structlog
from aiohttp.test_utils import make_mocked_request

from tests.leaks.faults import faulty
from tests.leaks.searching import (
    API_HASH,
    PASSWORD,
    PHONE,
    WITH_PASSWORD,
    WRONG_CODE,
    WRONG_PASSWORD,
    Output,
)
from tgbridge.logins.session_state import PendingLogin, SessionState
from tgbridge.settings import LogSettings
from tgbridge.telegram.account import login
from tgbridge.telegram.pool import ClientPool
from tgbridge.web import keys
from tgbridge.web.logs import configure_logging, log_uncaught

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from tests.conftest import MakeSettings
    from tgbridge.sandbox import Sandbox

HASH: Final = "0f1e2d3c4b5a69788796"


@pytest.fixture
def output() -> Output:
    found = Output()
    found.secrets["phone_code_hash"] = HASH
    return found


@pytest.fixture
async def pool(make_settings: MakeSettings) -> AsyncIterator[ClientPool]:
    pool = ClientPool(make_settings(telegram={"api_hash": API_HASH}))
    yield pool
    await pool.close()


def shown(thing: object) -> str:
    """All ways in which a thing may get into a text."""
    return "\n".join((repr(thing), str(thing), f"{thing}", repr([thing]), f"{(thing,)!s}"))


def told(error: BaseException) -> str:
    """What a traceback says, and each error of the chain by itself, also those that it does not show."""
    texts = traceback.format_exception(error)
    link: BaseException | None = error
    while link is not None:
        texts += [repr(link), str(link), repr(link.args), repr(getattr(link, "request", None))]
        link = link.__cause__ or link.__context__
    return "\n".join(texts)


async def attempt(output: Output, name: str, work: Awaitable[Any]) -> None:
    try:
        result = await work
    except Exception as error:  # noqa: BLE001 - an answer to another question is an AttributeError
        output.texts[name] = told(error)
    else:
        output.texts[name] = repr(result)


async def test_errors_of_logins(pool: ClientPool, output: Output, sandbox: Sandbox) -> None:
    """Whatever goes wrong with a login, the error and its causes do not say who, or by what."""
    async with pool.anonymous() as client:
        for fault in faulty(sandbox, "auth.sendCode"):
            await attempt(output, fault, login.send_code(client, PHONE))
        sent = await login.send_code(client, PHONE)
        output.learn(sandbox)
        output.texts["what was sent"] = repr(sent)
        for fault in faulty(sandbox, "auth.signIn", "auth.resendCode", "auth.cancelCode"):
            sent = await login.send_code(client, PHONE)
            hash_ = sent.phone_code_hash
            await attempt(output, f"{fault}: sign in", login.sign_in(client, PHONE, hash_, WRONG_CODE))
            await attempt(output, f"{fault}: again", login.resend_code(client, PHONE, hash_))
            await attempt(output, f"{fault}: cancel", login.cancel_code(client, PHONE, hash_))
            output.learn(sandbox)
    assert output.leaks() == []


@pytest.mark.swift_time
async def test_errors_of_passwords(pool: ClientPool, output: Output, sandbox: Sandbox) -> None:
    """The same for two-step passwords, right and wrong."""
    sandbox.state.account_of(WITH_PASSWORD).password = PASSWORD
    async with pool.anonymous() as client:
        sent = await login.send_code(client, WITH_PASSWORD)
        await attempt(output, "needed", login.sign_in(client, WITH_PASSWORD, sent.phone_code_hash, "22222"))
        await attempt(output, "wrong", login.check_password(client, WRONG_PASSWORD))
        for fault in faulty(sandbox, "account.getPassword", "auth.checkPassword"):
            await attempt(output, fault, login.check_password(client, WRONG_PASSWORD))
        await attempt(output, "right", login.check_password(client, PASSWORD))
        output.learn(sandbox)
        output.secrets["session"] = client.session_string()
        for fault in faulty(sandbox, "users.getUsers", "auth.logOut"):
            await attempt(output, fault, login.get_me(client))
            await attempt(output, fault, login.log_out(client))
    assert output.leaks() == []


async def test_objects(pool: ClientPool, output: Output, sandbox: Sandbox) -> None:
    """Settings, sessions, clients and requests show nothing of what they hold."""
    async with pool.anonymous() as client:
        await login.send_code(client, PHONE)
        telegram = client.session_string()
        output.learn(sandbox)
        output.secrets["session"] = telegram
        pending = PendingLogin(phone=PHONE, phone_code_hash=HASH, telegram=telegram)
        state = SessionState()
        state.signed_in(telegram, 1)
        state.begin_login(pending)
        request = make_mocked_request("POST", f"/send-code?phone={PHONE}", headers={"Cookie": f"x={HASH}"})
        request[keys.SESSION] = state
        request[keys.CLIENT] = client
        things = [pool._settings, pool, pool._slots, *pool._slots.values(), client, client.session]
        things += [client._sender, client.files, pending, state, state.value, request]
        output.texts = {f"{place} {type(thing).__name__}": shown(thing) for place, thing in enumerate(things)}
        output.texts["dump"] = pool._settings.model_dump_json()
    assert output.leaks() == []


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], io.StringIO]]:
    """Lets the test log as the service does, and gives what that says. Everything is as before afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    libraries = ("telethon", "aiohttp", "asyncio", "aiohttp_session")
    levels = {name: logging.getLogger(name).level for name in libraries}
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)
    monkeypatch.setattr("threading.excepthook", threading.excepthook)

    def listen() -> io.StringIO:
        stderr = io.StringIO()
        monkeypatch.setattr("sys.stderr", stderr)
        configure_logging(LogSettings(level="debug", format="json"))
        return stderr

    yield listen
    root.handlers, root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


class Fails:
    """Fails where nobody can catch it."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __del__(self) -> None:
        raise ValueError(self.secret)


async def test_what_nobody_catches(listen: Callable[[], io.StringIO], output: Output) -> None:
    """Tasks, futures, callbacks, threads and objects whose failure nobody sees say no secret."""
    said = listen()
    log_uncaught()

    async def fail(secret: str) -> None:
        raise ValueError(secret)

    task = asyncio.create_task(fail(PHONE), name=PASSWORD)
    await asyncio.wait({task})
    del task
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError(PASSWORD))
    del future
    asyncio.get_running_loop().call_soon(lambda secret: [][len(secret)], PHONE)
    await asyncio.sleep(0)
    thread = threading.Thread(target=lambda secret: [][len(secret)], args=[PHONE], name=PASSWORD)
    thread.start()
    thread.join()
    Fails(PHONE)
    gc.collect()
    output.texts = {"stderr": said.getvalue()}
    assert output.leaks() == []
    assert said.getvalue().count("nobody caught it") == 5


async def test_what_libraries_log(listen: Callable[[], io.StringIO], output: Output) -> None:
    """A library's exceptions are logged without what they say, and so is a line that cannot be written."""
    said = listen()
    for name in ("aiohttp.server", "telethon.network", "asyncio", "anything"):
        try:
            int(PHONE + PASSWORD)
        except ValueError:
            logging.getLogger(name).exception("failed")
            structlog.get_logger(name).warning("failed", of=Unprintable(PHONE))
            logging.getLogger(name).warning("%d", PASSWORD)
    output.texts = {"stderr": said.getvalue()}
    assert output.leaks() == []
    assert said.getvalue().count('"error":"ValueError"') == 4
    assert said.getvalue().count("a line of the log is missing") == 8


class Unprintable:
    """Fails when it is shown."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        raise ValueError(self.secret)


FORMS: Final = {
    "as it is": lambda secret: secret,
    "in JSON": json.dumps,
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in hexadecimal": lambda secret: secret.encode().hex(),
    "in its last digits": lambda secret: f"number …{secret[-6:]}",
    "without its plus": lambda secret: secret[1:],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_search(form: Any) -> None:
    """The search finds what it looks for: otherwise these tests would show nothing."""
    output = Output(texts={"log": f"before {form(PHONE)} after", "other": "nothing"})
    assert output.leaks() == [("phone", "log")]


async def test_search_for_keys(pool: ClientPool, sandbox: Sandbox) -> None:
    """Also keys, in whatever way they are written."""
    async with pool.anonymous() as client:
        output = Output()
        output.learn(sandbox)
        key = client.session.auth_key.key
        output.texts = {
            "session": client.session_string(),
            "bytes": repr(key),
            "hexadecimal": key.hex(),
            "number": str(int.from_bytes(key)),
            "base64": base64.b64encode(key).decode(),
        }
    assert {where for _, where in output.leaks()} == set(output.texts)
