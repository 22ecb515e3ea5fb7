"""The command line, as a process of its own: what it says, how it ends, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest
from aiohttp import ClientSession, ClientTimeout, CookieJar
from cryptography.fernet import Fernet

from tgbridge import __version__

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

ROOT: Final = Path(__file__).parent.parent
CREDENTIALS: Final = {"TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "hash"}
SECRET_KEY: Final = {"TGBRIDGE_SECRET_KEYS": Fernet.generate_key().decode()}
# Long enough for a busy machine.
PATIENT: Final = {
    "TGBRIDGE_TELEGRAM__CONNECT_TIMEOUT_SECONDS": "60",
    "TGBRIDGE_TELEGRAM__REQUEST_TIMEOUT_SECONDS": "60",
}
PHONE: Final = "+9996610001"


class Tgbridge(Protocol):
    """Starts `tgbridge` in an empty directory, with nothing of ours in its environment but what is given."""

    async def __call__(self, *arguments: str, **environ: str) -> Process: ...


@pytest.fixture
async def tgbridge(tmp_path: Path) -> AsyncIterator[Tgbridge]:
    started: list[Process] = []
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TGBRIDGE_", "TELEGRAM_"))
    }

    async def start(*arguments: str, **environ: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tgbridge", *arguments),
            env=kept
            | {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "state")}
            | PATIENT
            | environ,
            cwd=tmp_path,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.wait()
        # Closes the pipes, which garbage collection would do with a warning.
        process._transport.close()  # type: ignore[attr-defined]


async def outcome(process: Process) -> tuple[int | None, str, str]:
    stdout, stderr = await process.communicate()
    return process.returncode, stdout.decode(), stderr.decode()


async def url_of(process: Process) -> str:
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    found = re.fullmatch(r"tgbridge is listening on (http://\S+)\n", line)
    assert found is not None, line
    return found[1]


@asynccontextmanager
async def browsing(url: str) -> AsyncIterator[ClientSession]:
    async with ClientSession(
        url, cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=30)
    ) as browser:
        yield browser


async def sign_in(browser: ClientSession) -> None:
    for path, form in (("/send-code", {"phone": PHONE}), ("/sign-in", {"phone": PHONE, "code": "11111"})):
        async with browser.post(path, json=form) as response:
            assert response.status == 200


async def is_authenticated(browser: ClientSession) -> Any:
    async with browser.get("/is-authenticated") as response:
        return (await response.json())["authenticated"]


async def large_item(browser: ClientSession) -> Any:
    """A file that no socket's buffers take in whole, and the smallest of them."""
    async with browser.get("/get-saved-messages-media") as response:
        return min(
            (item for item in await response.json() if item["size"] >= 20_000_000),
            key=lambda item: item["size"],
        )


REFUSED: dict[str, tuple[list[str], dict[str, str], str]] = {
    "no credentials": (["serve"], SECRET_KEY, "TELEGRAM_API_ID and TELEGRAM_API_HASH are missing"),
    "no hash": (
        ["serve"],
        SECRET_KEY | {"TELEGRAM_API_ID": "1"},
        "TELEGRAM_API_ID and TELEGRAM_API_HASH are missing",
    ),
    "no secret key": (["serve"], CREDENTIALS, "TGBRIDGE_SECRET_KEYS is missing"),
    "wrong setting": (["serve"], {"TGBRIDGE_SERVER__PORT": "x"}, "environment: TGBRIDGE_SERVER__PORT: "),
    "wrong setting in the sandbox": (
        ["serve", "--sandbox"],
        {"TGBRIDGE_LOG__LEVEL": "x"},
        "environment: TGBRIDGE_LOG__LEVEL: ",
    ),
    "wrong port": (["serve", "--port", "x"], {}, "command line: server.port: "),
    "no config": (["serve", "--config", "none.toml"], {}, "none.toml: there is no such file"),
}


@pytest.mark.parametrize(("arguments", "environ", "told"), REFUSED.values(), ids=REFUSED.keys())
async def test_refused(tgbridge: Tgbridge, arguments: list[str], environ: dict[str, str], told: str) -> None:
    """What cannot be started is told in one line that says what to do; the status is 2."""
    status, stdout, stderr = await outcome(await tgbridge(*arguments, **environ))
    assert (status, stdout) == (2, "")
    assert stderr.startswith(f"tgbridge: {told}")
    assert stderr.count("\n") == 1


async def test_busy_port(tgbridge: Tgbridge) -> None:
    """A port that is taken is told in one line; the status is 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, stderr = await outcome(
            await tgbridge("serve", "--port", str(port), **CREDENTIALS, **SECRET_KEY)
        )
    assert status == 1
    assert stderr.startswith(f"tgbridge: cannot listen on 127.0.0.1:{port}: ")
    assert stderr.count("\n") == 1


async def test_busy_port_in_the_sandbox(tgbridge: Tgbridge) -> None:
    """The sandbox that was started before the port turned out to be taken is ended as well."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, stderr = await outcome(await tgbridge("serve", "--sandbox", "--port", str(port)))
    assert status == 1
    assert stderr.startswith(f"tgbridge: cannot listen on 127.0.0.1:{port}: ")
    assert stderr.count("\n") == 1


async def test_interrupted_start(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """Ctrl-C while the sandbox starts ends both, without a word."""
    process = await tgbridge("serve", "--sandbox", "--port", "0")
    while not (tmp_path / "state/tgbridge/secret-key").exists():
        await asyncio.sleep(0)
    process.send_signal(signal.SIGINT)
    status, _, stderr = await outcome(process)
    assert status in {0, 130}  # 0 if it was up already
    assert stderr == ""


async def test_damaged_state(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """A sandbox whose state cannot be read says so in one line."""
    (tmp_path / "sandbox").mkdir()
    (tmp_path / "sandbox/rsa_key.pem").write_text("no key")
    status, _, stderr = await outcome(await tgbridge("sandbox", "--state", str(tmp_path / "sandbox")))
    assert (status, stderr.count("\n")) == (1, 1)
    assert stderr.startswith("tgbridge: ")


@pytest.mark.parametrize("port", ["x", "65529", "-1"])
async def test_ports_that_are_none(tgbridge: Tgbridge, port: str) -> None:
    """A sandbox needs eight ports in a row that exist."""
    status, _, stderr = await outcome(await tgbridge("sandbox", f"--port={port}"))
    assert status == 2
    assert stderr.endswith("argument --port: must be a number from 0 to 65528\n")


async def test_generate_key(tgbridge: Tgbridge) -> None:
    """generate-key prints a key that serve takes, and nothing else."""
    status, stdout, stderr = await outcome(await tgbridge("generate-key"))
    assert (status, stderr) == (0, "")
    Fernet(stdout.removesuffix("\n"))


async def test_version(tgbridge: Tgbridge) -> None:
    """--version prints the version."""
    assert await outcome(await tgbridge("--version")) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_ends_cleanly(tgbridge: Tgbridge, number: signal.Signals) -> None:
    """A service without anything to do ends at a signal with status 0; Telegram is not needed for either."""
    process = await tgbridge("serve", "--port", "0", **CREDENTIALS, **SECRET_KEY)
    url = await url_of(process)
    process.send_signal(number)
    status, _, stderr = await outcome(process)
    assert status == 0
    lines = [json.loads(line) for line in stderr.splitlines()]
    assert [line["event"] for line in lines] == ["listening", "told to stop", "draining", "drained"]
    assert {line["level"] for line in lines} == {"info"}
    assert (lines[0]["version"], lines[0]["url"], lines[1]["signal"]) == (__version__, url, number.name)


async def test_sandbox_session(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """`serve --sandbox` says how to sign in, keeps sessions over a restart, and leaves no process."""
    process = await tgbridge("serve", "--sandbox", "--port", "0", TGBRIDGE_LOG__FORMAT="json")
    async with browsing(await url_of(process)) as browser:
        await sign_in(browser)
        cookies = {cookie.key: cookie.value for cookie in browser.cookie_jar}
        (child,) = children_of(process.pid)
        process.send_signal(signal.SIGTERM)
        status, stdout, stderr = await outcome(process)
    assert status == 0
    assert "+9996610001   code 11111" in stdout
    assert not Path(f"/proc/{child}").exists()
    logged = [json.loads(line) for line in stderr.splitlines()]
    assert [entry["path"] for entry in logged if entry["event"] == "answered"] == ["/send-code", "/sign-in"]
    assert PHONE[1:] not in stderr
    assert oct((tmp_path / "state/tgbridge/secret-key").stat().st_mode)[-3:] == "600"

    again = await tgbridge("serve", "--sandbox", "--port", "0")
    async with browsing(await url_of(again)) as browser:
        browser.cookie_jar.update_cookies(cookies)
        assert await is_authenticated(browser) is True
        again.send_signal(signal.SIGINT)
        assert (await outcome(again))[0] == 0


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize(
    ("environ", "after_many", "rewritten"),
    [
        ({}, 400, 200),
        ({"TGBRIDGE_LIMITS__ENABLED": "true", "TGBRIDGE_SERVER__TRUSTED_PROXIES": "::1"}, 429, 403),
    ],
    ids=["by itself", "as in earnest"],
)
async def test_sandbox_for_frontends(
    tgbridge: Tgbridge, environ: dict[str, str], after_many: int, rewritten: int
) -> None:
    """Nobody is locked out of the sandbox, and a frontend that rewrites to it from here needs no setting.

    Either is otherwise for those who want to see it: what they set counts.
    """
    process = await tgbridge("serve", "--sandbox", "--port", "0", **environ)
    of_a_rewrite = {
        "Origin": "http://localhost:3000",
        "X-Forwarded-For": "::1",
        "X-Forwarded-Host": "localhost:3000",
        "X-Forwarded-Proto": "http",
    }
    async with browsing(await url_of(process)) as browser:
        async with browser.post("/send-code", json={"phone": PHONE}, headers=of_a_rewrite) as response:
            assert response.status == rewritten
        for _ in range(31):
            async with browser.post("/send-code", json={"phone": "nonsense"}) as response:
                last = response.status
    assert last == after_many
    process.send_signal(signal.SIGTERM)
    assert (await outcome(process))[0] == 0


async def test_two_sandboxes(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """A second sandbox on the same state is refused in one line that names the first; elsewhere it serves."""
    first = await tgbridge("serve", "--sandbox", "--port", "0")
    await url_of(first)
    status, stdout, stderr = await outcome(await tgbridge("serve", "--sandbox", "--port", "0"))
    assert (status, stdout) == (1, "")
    state = tmp_path / "state/tgbridge"
    assert stderr == (
        f"tgbridge: {state} is in use by process {first.pid}: stop it, "
        "or set XDG_STATE_HOME to another directory\n"
    )
    second = await tgbridge("serve", "--sandbox", "--port", "0", XDG_STATE_HOME=str(tmp_path / "other"))
    async with browsing(await url_of(second)) as browser:
        await sign_in(browser)
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
        assert (await outcome(process))[0] == 0


async def test_two_sandboxes_alone(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """So is a second `tgbridge sandbox` on one directory; a process that was killed holds nothing."""
    command = ("sandbox", "--state", str(tmp_path / "sandbox"))
    first = await tgbridge(*command)
    assert first.stdout is not None
    await first.stdout.readline()
    status, stdout, stderr = await outcome(await tgbridge(*command))
    assert (status, stdout, stderr.count("\n")) == (1, "", 1)
    assert f" is in use by process {first.pid}: " in stderr
    first.kill()
    await first.wait()
    again = await tgbridge(*command)
    assert again.stdout is not None
    assert json.loads(await again.stdout.readline())
    again.send_signal(signal.SIGTERM)
    assert (await outcome(again))[0] == 0


async def test_state_that_cannot_be_written(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """Where nothing can be kept, that is said."""
    (tmp_path / "file").touch()
    process = await tgbridge("serve", "--sandbox", "--port", "0", XDG_STATE_HOME=str(tmp_path / "file"))
    await url_of(process)
    process.send_signal(signal.SIGTERM)
    status, stdout, _ = await outcome(process)
    assert status == 0
    assert "all is forgotten at the end" in stdout


async def test_transfer_is_drained(tgbridge: Tgbridge) -> None:
    """A running stream is completed after SIGTERM, while new connections are refused; the status is 0."""
    process = await tgbridge("serve", "--sandbox", "--port", "0", TGBRIDGE_SERVER__DRAIN_SECONDS="30")
    url = await url_of(process)
    async with browsing(url) as browser:
        await sign_in(browser)
        large = await large_item(browser)
        async with browser.get(f"/stream_media/{large['id']}") as response:
            received = len(await response.content.read(1))
            process.send_signal(signal.SIGTERM)
            while await accepts(url):
                await asyncio.sleep(0)
            async for chunk in response.content.iter_any():
                received += len(chunk)
        assert received == large["size"]
    assert (await outcome(process))[0] == 0


async def accepts(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return False
    except ConnectionResetError:
        return True  # the listening socket was closed in the middle of it: ask again
    writer.transport.abort()
    return True


async def test_second_signal(tgbridge: Tgbridge) -> None:
    """A second signal ends it at once, whatever still runs."""
    process = await tgbridge("serve", "--sandbox", "--port", "0", TGBRIDGE_SERVER__DRAIN_SECONDS="3600")
    url = await url_of(process)
    async with browsing(url) as browser:
        await sign_in(browser)
        large = await large_item(browser)
        async with browser.get(f"/stream_media/{large['id']}") as response:
            await response.content.read(1)
            process.send_signal(signal.SIGTERM)
            while await accepts(url):
                await asyncio.sleep(0)
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == -signal.SIGTERM


async def test_sandbox_that_ends(tgbridge: Tgbridge) -> None:
    """A service whose sandbox ends by itself ends as well, and says why; the status is 1."""
    process = await tgbridge("serve", "--sandbox", "--port", "0")
    await url_of(process)
    (child,) = children_of(process.pid)
    os.kill(child, signal.SIGKILL)
    status, _, stderr = await outcome(process)
    assert status == 1
    assert stderr.endswith("\ntgbridge: the sandbox has ended (status -9)\n")


async def test_sandbox_alone(tgbridge: Tgbridge, tmp_path: Path) -> None:
    """`tgbridge sandbox` says in one JSON line where it is, and a service reaches it by TELEGRAM_DC_*."""
    sandbox = await tgbridge("sandbox", "--state", str(tmp_path / "sandbox"))
    assert sandbox.stdout is not None
    ready = json.loads(await sandbox.stdout.readline())
    service = await tgbridge(
        "serve",
        "--port",
        "0",
        TELEGRAM_DC_ID=str(ready["dc_id"]),
        TELEGRAM_DC_HOST=ready["host"],
        TELEGRAM_DC_PORT=str(ready["port"]),
        TELEGRAM_DC_PUBLIC_KEY=ready["public_key"],
        TGBRIDGE_SESSION__SECURE="false",
        **CREDENTIALS,
        **SECRET_KEY,
    )
    async with browsing(await url_of(service)) as browser:
        await sign_in(browser)
        assert await is_authenticated(browser) is True
    for process in (service, sandbox):
        process.send_signal(signal.SIGTERM)
        assert (await outcome(process))[0] == 0
