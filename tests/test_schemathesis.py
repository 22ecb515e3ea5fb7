"""What schemathesis makes of the API description, tried on the running service with all its checks."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import pytest
import requests
import schemathesis
from cryptography.fernet import Fernet
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection

from tgbridge.app import ENDPOINTS, Service
from tgbridge.http.tus import BODY_TYPE
from tgbridge.sandbox import Sandbox
from tgbridge.settings import Settings
from tgbridge.web.openapi import describe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemathesis import AuthContext
    from schemathesis.schemas import APIOperation
    from schemathesis.specs.openapi.schemas import OpenApiSchema

COOKIE: Final = "tgbridge"
LATER: Final = "the cookie of the operation's account"
CONFIG: Final = {
    "seed": 1,
    "generation": {
        "deterministic": True,
        "max-examples": 6,
        "no-shrink": True,
        "allow-extra-parameters": False,  # nobody has to refuse header fields that are unknown
    },
    "checks": {
        # tus has statuses of its own for what is missing or wrong: 412 for its version, 413 for a length.
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "405", "409", "412", "413", "415", "5xx"],
        },
        "missing_required_header": {"expected-statuses": ["4xx"]},
        "positive_data_acceptance": {
            # What is well-formed may still be refused for what no schema says: no code was requested, no such
            # file, no such bytes of it.
            "expected-statuses": ["2xx", "304", "400", "401", "403", "404", "412", "416"],
        },
    },
}

# The service's thread uses it at the same time.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

schemathesis.serializer.alias(BODY_TYPE, "application/octet-stream")


def make_schema() -> OpenApiSchema:
    document = describe(ENDPOINTS, cookie_name=COOKIE)
    return schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))


SIGNED_IN: Final = make_schema()
SIGNED_OUT: Final = make_schema()


class Live:
    """A service over a sandbox, in an event loop of its own: schemathesis waits for each answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        # One connection for all requests, and no look at this machine's proxies and passwords before each.
        self.client = requests.Session()
        self.client.trust_env = False
        self.client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # each says which it has
        self._cookies: dict[str, str] = {}

    def cookie_for(self, operation: str) -> str:
        """The cookie of an account that is this operation's alone: what it ends is no other's."""
        if operation not in self._cookies:
            phone = f"+999661{3000 + len(self._cookies)}"
            with requests.Session() as browser:
                for path, form in (("/send-code", {}), ("/sign-in", {"code": "11111"})):
                    answer = browser.post(self.url + path, json={"phone": phone, **form}, timeout=30)
                    assert answer.status_code == 200, answer.text
                self._cookies[operation] = str(browser.cookies[COOKIE])
        return self._cookies[operation]

    def message_id(self, cookie: str) -> int:
        """The id of a file that has a thumbnail; any, once all were deleted."""
        answer = self.client.get(
            self.url + "/get-saved-messages-media",
            params={"type": "photo,video", "limit": "1"},
            cookies={COOKIE: cookie},
            timeout=30,
        )
        return next((int(item["id"]) for item in answer.json() if item["has_thumbnail"]), 1)


def make_settings(sandbox: Sandbox, public_key: Path) -> Settings:
    public_key.write_text(sandbox.public_key_pem)
    home = sandbox.data_centres[1].address
    return Settings.model_validate(
        {
            "secret_keys": [Fernet.generate_key().decode()],
            "server": {"port": 0, "drain_seconds": 0},
            "session": {"secure": False},
            "limits": {"enabled": False},
            "qr_login": {"lifetime_seconds": 0.1},
            "events": {"longest_seconds": 0.1},
            "telegram": {
                "api_id": 1,
                "api_hash": "hash",
                "dc_id": 1,
                "dc_host": home.host,
                "dc_port": home.port,
                "dc_public_key": public_key,
            },
        }
    )


@contextmanager
def live_service(public_key: Path) -> Iterator[Live]:
    """Run both in a thread, for as long as the context lasts."""
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with Sandbox() as sandbox, Service(make_settings(sandbox, public_key)) as service:
            ready.set_result((service.url, asyncio.get_running_loop(), stop))
            await stop.wait()

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(asyncio.run, serve())
        running.add_done_callback(lambda _: ready.cancel())
        try:
            url, loop, stop = ready.result(30)
        except CancelledError:
            running.result()
            raise
        found = Live(url)
        try:
            yield found
        finally:
            found.client.close()
            loop.call_soon_threadsafe(stop.set)
            running.result(60)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_service(tmp_path_factory.mktemp("live") / "server.pem") as running:
        yield running


@SIGNED_IN.auth(refresh_interval=None)
class Session:
    """Marks which requests are to have a session: there is no service yet when they are made up."""

    def get(self, _case: Any, _context: AuthContext) -> str:
        return LATER

    def set(self, case: Any, data: str, _context: AuthContext) -> None:
        case.cookies = {**case.cookies, COOKIE: data}


@SIGNED_IN.parametrize()
def test_signed_in(case: Any, live: Live) -> None:
    """Nothing that the description allows, or does not, gives an answer that it does not tell of."""
    if case.cookies.get(COOKIE) == LATER:
        case.cookies[COOKIE] = live.cookie_for(case.operation.label)
    case.call_and_validate(base_url=live.url, session=live.client)


@SIGNED_IN.include(path_regex=r"\{message_id\}").parametrize()
def test_files_that_exist(case: Any, live: Live) -> None:
    """The same for a file that is there: its bytes, ranges of them, and preconditions."""
    if case.cookies.get(COOKIE) == LATER:
        case.cookies[COOKIE] = live.cookie_for(case.operation.label)
        case.path_parameters["message_id"] = live.message_id(case.cookies[COOKIE])
    # It may be just the id that was meant to be refused.
    case.call_and_validate(base_url=live.url, session=live.client, excluded_checks=[negative_data_rejection])


BODIES: Final = {
    "nothing": (None, b""),
    "no type": (None, b'{"phone": "+9996610001"}'),
    "JSON": ("application/json", b'{"phone": "+9996610001", "code": "11111", "password": "x", "claim": "x"}'),
    "JSON by another name": ("application/vnd.x+json; charset=klingon", b'{"phone": 1}'),
    "half of a JSON": ("application/json", b'{"phone": "\xff'),
    "form": ("application/x-www-form-urlencoded", b"phone=%2B9996610001&code=11111"),
    "multipart": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nHello\r\n--x--\r\n',
    ),
    "multipart without a boundary": ("multipart/form-data", b"--x--\r\n"),
    "half of a multipart": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na"),
    "other multipart": ("multipart/mixed; boundary=x", b"--x\r\n\r\nHello\r\n--x--\r\n"),
    "text": ("text/plain", b"+9996610001"),
    "XML": ("application/xml", b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'),
    "bytes": ("application/octet-stream", bytes(range(256))),
    "tus": ("application/offset+octet-stream", b"Hello"),
    "no type at all": ("///;;=", b"{}"),
}


@pytest.mark.parametrize(("media_type", "body"), BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("schema", [SIGNED_IN, SIGNED_OUT], ids=["signed in", "signed out"])
def test_content_types(schema: OpenApiSchema, media_type: str | None, body: bytes, live: Live) -> None:
    """Whatever body of whatever type any operation is sent: an answer that the description tells of."""
    for operation in operations(schema):
        headers = {"Content-Type": media_type} if media_type is not None else {}
        if schema is SIGNED_IN:
            headers["Cookie"] = f"{COOKIE}={live.cookie_for(operation.label)}"
        case = operation.Case(
            path_parameters={parameter.name: "1" for parameter in operation.path_parameters}
        )
        response = case.call(base_url=live.url, session=live.client, data=body, headers=headers)
        case.validate_response(response)


def operations(schema: OpenApiSchema) -> list[APIOperation[Any, Any, Any, Any]]:
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@SIGNED_OUT.parametrize()
def test_signed_out(case: Any, live: Live) -> None:
    """The same without a session."""
    case.call_and_validate(base_url=live.url, session=live.client)
