"""No secret in what the service says or answers: as a process, at DEBUG level, with whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar, FormData
from cryptography.fernet import Fernet
from yarl import URL

from tests.devices import device, scan
from tests.leaks.faults import faulty
from tests.leaks.searching import (
    API_HASH,
    CAPTION,
    CONTENT,
    FILE_NAME,
    PASSWORD,
    PHONE,
    SCANNED,
    WITH_PASSWORD,
    WRONG_CODE,
    WRONG_PASSWORD,
    Output,
)
from tests.web.routes.events import Events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp import ClientResponse

    from tgbridge.sandbox import Sandbox

ROOT: Final = Path(__file__).parent.parent.parent
SECRET_KEY: Final = Fernet.generate_key().decode()


@asynccontextmanager
async def process(environ: dict[str, str], directory: Path, output: Output) -> AsyncIterator[ClientSession]:
    """Run the service, and yield a browser. When it has ended, what it has said is in `output`."""
    said = {name: directory / name for name in ("stdout", "stderr")}
    with said["stdout"].open("wb") as stdout, said["stderr"].open("wb") as stderr:
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tgbridge", "serve", "--port", "0"),
            env=environ,
            cwd=directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
    try:
        while "listening on " not in (line := said["stdout"].read_text()):
            assert running.returncode is None, said["stderr"].read_text()
            await asyncio.sleep(0.01)
        url = line.partition("listening on ")[2].split()[0]
        jar = CookieJar(unsafe=True)
        async with ClientSession(url, cookie_jar=jar, timeout=ClientTimeout(30)) as browser:
            yield browser
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await running.wait() == 0
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
        output.texts |= {name: path.read_text() for name, path in said.items()}


@pytest.fixture
def environ(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    public_key = tmp_path / "server.pem"
    public_key.write_text(sandbox.public_key_pem)
    home = sandbox.data_centres[2].address
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TGBRIDGE_", "TELEGRAM_"))
    }
    return kept | {
        "PYTHONPATH": str(ROOT),
        "PYTHONDEVMODE": "1",  # asyncio in debug mode, and each warning
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": API_HASH,
        "TELEGRAM_DC_HOST": home.host,
        "TELEGRAM_DC_PORT": str(home.port),
        "TELEGRAM_DC_PUBLIC_KEY": str(public_key),
        "TGBRIDGE_SECRET_KEYS": SECRET_KEY,
        "TGBRIDGE_SESSION__SECURE": "false",
        "TGBRIDGE_LIMITS__ENABLED": "false",
        "TGBRIDGE_LOG__LEVEL": "debug",
        "TGBRIDGE_TELEGRAM__TRANSFER_WAIT_SECONDS": "1",
    }


class Asking:
    """Asks, and keeps what is answered: bodies of errors, and all fields but Set-Cookie."""

    def __init__(self, browser: ClientSession, output: Output, sandbox: Sandbox) -> None:
        self.browser = browser
        self.output = output
        self.sandbox = sandbox
        self._count = 0

    async def __call__(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        self._count += 1
        # An id of ours: nothing random is to look like a secret by chance.
        headers = {"X-Request-Id": f"request-{self._count:04}"} | options.pop("headers", {})
        try:
            async with self.browser.request(method, path, headers=headers, **options) as response:
                body = await response.read()
        except ClientError:
            return 0, b""  # broken off, as it should be
        self.keep(response, body)
        is_json = response.content_type == "application/json" and body
        return response.status, json.loads(body) if is_json else body

    def keep(self, response: ClientResponse, body: bytes = b"") -> None:
        """Keep what has to be free of secrets, and learn what has become one."""
        name = f"{response.method} {response.url.path} {response.status} ({len(self.output.texts)})"
        # The name of the user's own file stands in one field, for the user.
        kept = [
            item for item in response.headers.items() if item[0] not in {"Set-Cookie", "Content-Disposition"}
        ]
        self.output.texts[f"fields of {name}"] = "\n".join(map(": ".join, kept))
        if response.status >= 400:
            self.output.texts[f"body of {name}"] = body.decode(errors="backslashreplace")
        for cookie in self.browser.cookie_jar:
            self.output.secrets[f"cookie of {name}"] = cookie.value
        self.output.learn(self.sandbox)


async def begin(ask: Asking, phone: str) -> None:
    assert (await ask("POST", "/send-code", json={"phone": phone}))[0] == 200


async def sign_in(ask: Asking) -> None:
    await begin(ask, PHONE)
    assert (await ask("POST", "/sign-in", json={"phone": PHONE, "code": "11111"}))[0] == 200


async def codes(ask: Asking, sandbox: Sandbox) -> None:
    for _ in faulty(sandbox, "auth.sendCode"):
        await ask("POST", "/send-code", json={"phone": PHONE})
    sandbox.faults.internal_error("auth.sendCode", times=None)  # until nobody tries again
    assert (await ask("POST", "/send-code", json={"phone": PHONE}))[0] == 503
    sandbox.faults.clear()
    for form in ({"phone": PHONE[:-3]}, {"phone": f"{PHONE}x"}, {"phone": [PHONE]}, {"tel": PHONE}):
        await ask("POST", "/send-code", json=form)
    await ask("POST", "/send-code", data=f'{{"phone": "{PHONE}", "password": "{PASSWORD}"')
    await ask("GET", f"/send-code?phone={PHONE}&password={PASSWORD}")
    await begin(ask, PHONE)
    for _ in faulty(sandbox, "auth.resendCode"):
        await ask("POST", "/resend-code", json={"phone": PHONE})
    for _ in faulty(sandbox, "auth.signIn"):
        await begin(ask, PHONE)
        await ask("POST", "/sign-in", json={"phone": PHONE, "code": WRONG_CODE})
    await begin(ask, PHONE)
    assert (await ask("POST", "/sign-in", json={"phone": PHONE, "code": WRONG_CODE}))[0] == 400
    for _ in faulty(sandbox, "auth.cancelCode"):
        await ask("POST", "/cancel-code", json={"phone": PHONE})


async def passwords(ask: Asking, sandbox: Sandbox) -> None:
    sandbox.state.account_of(WITH_PASSWORD).password = PASSWORD
    form = {"phone": WITH_PASSWORD, "code": "22222"}
    await begin(ask, WITH_PASSWORD)
    assert (await ask("POST", "/sign-in", json=form))[0] == 401
    assert (await ask("POST", "/sign-in-password", json={"password": WRONG_PASSWORD}))[0] == 400
    for _ in faulty(sandbox, "account.getPassword", "auth.checkPassword"):
        await ask("POST", "/sign-in-password", json={"password": WRONG_PASSWORD})
    await begin(ask, WITH_PASSWORD)
    assert (await ask("POST", "/sign-in", json=form | {"password": WRONG_PASSWORD}))[0] == 400
    assert (await ask("POST", "/sign-in-password", json={"password": PASSWORD}))[0] == 200
    sandbox.faults.error("users.getUsers", 406, "AUTH_KEY_DUPLICATED")
    assert (await ask("GET", "/me"))[0] == 401


async def scans(ask: Asking, sandbox: Sandbox) -> None:
    for _ in faulty(sandbox, "auth.exportLoginToken"):
        async with ask.browser.get("/qr-login") as response:
            ask.keep(response, b"" if response.status == 200 else await response.read())
    async with device(sandbox, SCANNED) as telephone, ask.browser.get("/qr-login") as response:
        ask.keep(response)
        stream = Events(response)
        event = await stream.next()
        assert event is not None
        ask.output.secrets["QR token"] = event[1]["url"].partition("token=")[2]
        await scan(telephone, event[1]["url"])
        ((_, claim),) = await stream.rest()
    ask.output.secrets["claim"] = claim["claim"]
    assert (await ask("POST", "/qr-login/claim", json={"claim": claim["claim"][:-1]}))[0] == 400
    assert (await ask("POST", "/qr-login/claim", json=claim))[0] == 200


def upload() -> FormData:
    form = FormData()
    form.add_field("caption", CAPTION)
    form.add_field("file", CONTENT, filename=FILE_NAME, content_type="text/plain")
    return form


async def files(ask: Asking, sandbox: Sandbox) -> None:
    await sign_in(ask)
    status, body = await ask("POST", "/upload_file", data=upload())
    assert status == 200
    path = f"/stream_media/{body['message_id']}"
    assert await ask("GET", path) == (200, CONTENT)
    for _ in faulty(sandbox, "messages.getMessages", "upload.getFile"):
        await ask("GET", path)
        await ask("GET", path, headers={"Range": "bytes=1-"})
    for _ in faulty(sandbox, "messages.sendMedia", "upload.saveFilePart"):
        await ask("POST", "/upload_file", data=upload())
    _, ticket = await ask("POST", f"/media/{body['message_id']}/ticket")
    ask.output.secrets["ticket"] = ticket["url"].rpartition("/")[2]
    assert await ask("GET", f"/{ticket['url']}") == (200, CONTENT)
    for _ in faulty(sandbox, "messages.getMessages", "upload.getFile"):
        await ask("GET", f"/{ticket['url']}")
        await ask("POST", f"/{ticket['url']}/x")


async def lists(ask: Asking, sandbox: Sandbox) -> None:
    await sign_in(ask)
    assert (await ask("POST", "/upload_file", data=upload()))[0] == 200
    for _ in faulty(sandbox, "users.getUsers"):
        await ask("GET", "/me")
        await ask("GET", "/is-authenticated")
    for _ in faulty(sandbox, "messages.getHistory", "account.getAuthorizations"):
        await ask("GET", "/get-saved-messages-media")
        await ask("GET", "/sessions")
    for _ in faulty(sandbox, "auth.logOut"):
        await ask("POST", "/logout")
        await ask("GET", "/is-authenticated")


async def endings(ask: Asking, sandbox: Sandbox) -> None:
    for error in ("AUTH_KEY_UNREGISTERED", "SESSION_REVOKED", "USER_DEACTIVATED", None):
        await sign_in(ask)
        sandbox.faults.revoke(error=error)
        assert (await ask("GET", "/me"))[0] == 401
    await sign_in(ask)
    sandbox.faults.drop_connections()
    assert (await ask("GET", "/me"))[0] == 200
    assert (await ask("POST", "/logout"))[0] == 200
    ask.browser.cookie_jar.update_cookies({"tgbridge": "A" * 400}, URL(str(ask.browser._base_url)))
    assert (await ask("GET", "/me"))[0] == 401


@pytest.mark.parametrize("flow", [codes, passwords, scans, files, lists, endings])
async def test_flow(
    flow: Callable[[Asking, Sandbox], Awaitable[None]],
    environ: dict[str, str],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    """Every way to sign in, to ask and to end, with every fault: no secret is said or answered."""
    output = Output()
    output.secrets["secret key"] = SECRET_KEY
    async with process(environ, tmp_path, output) as browser:
        await flow(Asking(browser, output, sandbox), sandbox)
    assert output.leaks() == []
    assert len(output.texts["stderr"].splitlines()) > 5
