"""A sandbox, the service over it on a real port, and browsers."""

from __future__ import annotations

import asyncio
import gc
import re
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Protocol

import hypothesis
import pytest
from aiohttp import ClientSession, ClientTimeout, CookieJar, web
from aiohttp.test_utils import make_mocked_request
from blockbuster import blockbuster_ctx
from cryptography.fernet import Fernet
from yarl import URL

from tests.ready import ready_session
from tests.swift_time import SwiftLoop
from tgbridge import collecting
from tgbridge.app import ENDPOINTS, Service
from tgbridge.logins.session_state import SessionState
from tgbridge.sandbox import Sandbox
from tgbridge.settings.sources import load_settings
from tgbridge.telegram.pool import PoolStats
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tgbridge.settings import Settings
    from tgbridge.web.endpoint import Endpoint

PHONE = "+9996610001"
PASSWORD = "tgbridge"
WITHOUT_COOKIE = make_mocked_request("GET", "/")

# The same examples each time, none of which a clock judges: the machine may be busy.
hypothesis.settings.register_profile(
    "tgbridge",
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tgbridge")


def pytest_configure() -> None:
    """Let no test be judged by a clock, and Ctrl-C count in the processes that tests start.

    Background jobs inherit that it does not.
    """
    hypothesis.settings.register_profile("unhurried", deadline=None)
    hypothesis.settings.load_profile("unhurried")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end, which is most of what there is: modules, tests.

    From here on it looks as often as in the service.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*collecting.AFTER)
    gc.enable()


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let time fly for tests that wait for minutes."""
    return {"loop": SwiftLoop if item.get_closest_marker("swift_time") else asyncio.new_event_loop}


class SignIn(Protocol):
    """Signs a browser in: it has the cookie, and the service a client that was answered.

    ``sign_in`` has a login that is there already, ``log_in`` goes all the way, by number, code and password.
    """

    async def __call__(self, browser: ClientSession, phone: str = PHONE) -> dict[str, Any]: ...


class Serve(Protocol):
    """Starts a service, which is stopped when the test ends; with endpoints of its own, if it says which."""

    async def __call__(self, settings: Settings, endpoints: Iterable[Endpoint] = ENDPOINTS) -> Service: ...


class NewBrowser(Protocol):
    """Makes a browser with a cookie jar of its own, for the given or the usual service."""

    def __call__(self, service: Service = ...) -> ClientSession: ...


class Exchange(Protocol):
    """Sends bytes over a connection of its own, and returns what comes back up to the end of the answer."""

    async def __call__(self, service: Service, sent: bytes) -> bytes: ...


class MakeSettings(Protocol):
    """Makes settings of a service over the sandbox; sections are given as in config.toml."""

    def __call__(self, **sections: Mapping[str, Any]) -> Settings: ...


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running
    assert running.failures == []
    assert sum(running.connections.values()) == 0


@pytest.fixture
def make_settings(sandbox: Sandbox, tmp_path: Path) -> MakeSettings:
    """Settings as a deployment's would be, but for the time-outs. Nothing in them is only for the sandbox."""
    public_key = tmp_path / "server.pem"
    public_key.write_text(sandbox.public_key_pem)
    home = sandbox.data_centres[1].address
    secret_key = Fernet.generate_key().decode()

    def make(**sections: Mapping[str, Any]) -> Settings:
        base: dict[str, dict[str, Any]] = {
            "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 5},
            "session": {"secure": False},
            # All browsers of a test have one address.
            "limits": {"enabled": False},
            "telegram": {
                "api_id": 1,
                "api_hash": "hash",
                "dc_id": 1,
                "dc_host": home.host,
                "dc_port": home.port,
                "dc_public_key": public_key,
                # Long enough for a busy machine: what is to be hurried says so.
                "connect_timeout_seconds": 60,
                "request_timeout_seconds": 60,
            },
        }
        tree = {
            name: base.get(name, {}) | dict(sections.get(name, {})) for name in base.keys() | sections.keys()
        }
        return load_settings(environ={}, directory=tmp_path, overrides={"secret_keys": [secret_key]} | tree)

    return make


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def never_blocking() -> Iterator[None]:
    """Whatever in the service blocks the event loop raises an error; the sandbox would be another process."""
    with blockbuster_ctx("tgbridge", excluded_modules=["tgbridge.sandbox"]) as blockbuster:
        # Once, at the start.
        blockbuster.functions["io.BufferedReader.read"].can_block_in("public_keys.py", "read_public_keys")
        yield


@pytest.fixture
def started() -> list[Service]:
    """The services that the test has started."""
    return []


@pytest.fixture
async def serve(never_blocking: None, sandbox: Sandbox, started: list[Service]) -> AsyncIterator[Serve]:
    """Starts services, which stop before the sandbox does. Then nothing runs, and nothing is lent."""
    async with AsyncExitStack() as stack:

        async def start(settings: Settings, endpoints: Iterable[Endpoint] = ENDPOINTS) -> Service:
            service = await stack.enter_async_context(Service(settings, endpoints))
            started.append(service)
            return service

        yield start
    for service in started:
        assert (len(service.app[keys.IN_FLIGHT]), len(service.app[keys.COMPLETION])) == (0, 0)
        assert service.app[keys.POOL].stats == PoolStats(clients=0, lent=0, connecting=0)


@pytest.fixture
async def service(settings: Settings, serve: Serve) -> Service:
    return await serve(settings)


@pytest.fixture
async def new_browser(service: Service) -> AsyncIterator[NewBrowser]:
    async with AsyncExitStack() as stack:

        def make(service: Service = service) -> ClientSession:
            # A jar keeps cookies of IP addresses only if it is told to.
            jar = CookieJar(unsafe=True)
            browser = ClientSession(service.url, cookie_jar=jar, timeout=ClientTimeout(total=600))
            stack.push_async_callback(browser.close)
            return browser

        yield make


@pytest.fixture
async def browser(new_browser: NewBrowser) -> ClientSession:
    return new_browser()


@pytest.fixture
def sign_in(sandbox: Sandbox, started: list[Service]) -> SignIn:
    async def sign_in(browser: ClientSession, phone: str = PHONE) -> dict[str, Any]:
        service = next(service for service in started if URL(service.url) == browser._base_url)
        state, answer = SessionState(), web.Response()
        state.signed_in(ready_session(sandbox, phone), sandbox.state.account_of(phone).id)
        await service.app[keys.STORAGE].write(WITHOUT_COOKIE, answer, state)
        browser.cookie_jar.update_cookies(answer.cookies, URL(service.url))
        async with browser.get("/me") as response:
            assert response.status == 200, await response.text()
            user: dict[str, Any] = await response.json()
            return user

    return sign_in


@pytest.fixture
def log_in() -> SignIn:
    async def log_in(browser: ClientSession, phone: str = PHONE) -> dict[str, Any]:
        async with browser.post("/send-code", json={"phone": phone}) as response:
            assert response.status == 200, await response.text()
        form = {"phone": phone, "code": phone[6] * 5, "password": PASSWORD}
        async with browser.post("/sign-in", json=form) as response:
            assert response.status == 200, await response.text()
            user: dict[str, Any] = (await response.json())["user"]
            return user

    return log_in


@pytest.fixture
async def signed_in(browser: ClientSession, sign_in: SignIn) -> ClientSession:
    await sign_in(browser)
    return browser


@pytest.fixture
def exchange() -> Exchange:
    async def exchange(service: Service, sent: bytes) -> bytes:
        address = URL(service.url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        try:
            writer.write(sent)
            async with asyncio.timeout(30):
                return await _answer(reader)
        finally:
            writer.close()
            await writer.wait_closed()

    return exchange


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """One answer, and an interim one before it: up to its Content-Length, else until the connection ends."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100 "):
        return head + await _answer(reader)
    length = re.search(rb"\r\ncontent-length: (\d+)\r\n", head.lower())
    try:
        return head + (await reader.read() if length is None else await reader.readexactly(int(length[1])))
    except asyncio.IncompleteReadError as error:
        return head + error.partial
