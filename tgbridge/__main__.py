"""The command line: serve, sandbox, doctor, generate-key."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from cryptography.fernet import Fernet

from tgbridge import __version__
from tgbridge.collecting import importing
from tgbridge.doctor.arguments import add_arguments as doctor_arguments
from tgbridge.errors import BridgeError, SettingsError
from tgbridge.machine import raise_descriptor_limit
from tgbridge.sandbox_process import SandboxFailedError, kept_secret_key, sandbox_process, state_directory
from tgbridge.settings.sources import load_settings
from tgbridge.state_lock import locked
from tgbridge.systemd.notify import Notifier
from tgbridge.systemd.sockets import take_sockets

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from socket import socket

    from tgbridge.doctor.command import Teller
    from tgbridge.sandbox_process import StateDirectory
    from tgbridge.settings import Settings

T = TypeVar("T")

_USAGE: Final = 2
_FAILED: Final = 1
_INTERRUPTED: Final = 130
_LAST_PORT: Final = 65535

_NO_CREDENTIALS: Final = (
    "TELEGRAM_API_ID and TELEGRAM_API_HASH are missing: get them at https://my.telegram.org and put them "
    "into .env (see .env.example), or try tgbridge without them: tgbridge serve --sandbox"
)
_NO_KEY: Final = (
    "TGBRIDGE_SECRET_KEYS is missing, which encrypts the cookies: put what `tgbridge generate-key` prints "
    "into .env as TGBRIDGE_SECRET_KEYS=…"
)
_FORGETFUL: Final = """\
The state directory ($XDG_STATE_HOME, or ~/.local/state) cannot be written: all is forgotten at the end.

"""
_HOW_TO_SIGN_IN: Final = """\
This is a sandbox: nothing of it reaches Telegram. Any number +99966XYYYY with X from 1 to 3 is an account.
The code is X five times. If YYYY begins with 2, the two-step verification password is "tgbridge".

  +9996610001   code 11111
  +9996622001   code 22222, then the password tgbridge

curl -c jar -b jar -H 'Content-Type: application/json' -d '{{"phone": "+9996610001"}}' {url}/send-code
curl -c jar -b jar -H 'Content-Type: application/json' \\
  -d '{{"phone": "+9996610001", "code": "11111"}}' {url}/sign-in
curl -c jar -b jar {url}/get-saved-messages-media

The same in a browser, with all other endpoints: {url}/docs

A QR code of {url}/qr-login is scanned, as if by a telephone that is signed in, by its link:

curl -H 'Content-Type: application/json' \\
  -d '{{"phone": "+9996610001", "url": "tg://login?token=…"}}' {control}/scan

The telephone of the same user sends a photo ("media": "video", "voice", … something else):

curl -H 'Content-Type: application/json' -d '{{"phone": "+9996610001", "media": "photo"}}' {control}/messages
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Return its exit status: 0, 1 if something failed, 2 if a setting is wrong."""
    options = _parser().parse_args(arguments)
    raise_descriptor_limit()
    try:
        status: int = options.command(options)
    except SettingsError as error:
        status, message = _USAGE, str(error)
    except (BridgeError, OSError) as error:
        status, message = _FAILED, str(error)
    except KeyboardInterrupt:  # before there was anything to end in good order
        return _INTERRUPTED
    else:
        return status
    print(f"tgbridge: {message}", file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tgbridge", description="Telegram's Saved Messages for a web frontend."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")

    serve = commands.add_parser("serve", help="run the service")
    serve.set_defaults(command=_serve)
    serve.add_argument("--config", type=Path, metavar="FILE", help="instead of config.toml in this directory")
    serve.add_argument("--host", help="overrides server.host")
    serve.add_argument("--port", help="overrides server.port")
    serve.add_argument(
        "--sandbox", action="store_true", help="bring a Telegram of its own; needs no credentials"
    )

    sandbox = commands.add_parser("sandbox", help="run the sandbox alone, a Telegram on loopback")
    sandbox.set_defaults(command=_sandbox)
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument(
        "--port", type=_first_of_eight_ports, default=0, help="the first of eight in a row; 0 takes any"
    )
    sandbox.add_argument("--control-port", type=_port, default=0, help="of the HTTP port that sets faults")
    sandbox.add_argument(
        "--state", type=Path, metavar="DIRECTORY", help="keep keys here, so that logins last"
    )
    sandbox.add_argument("--exit-with-stdin", action="store_true", help="end when standard input does")

    doctor = commands.add_parser("doctor", help="find out what does not work, and what to do")
    doctor.set_defaults(command=_doctor)
    doctor_arguments(doctor)

    generate_key = commands.add_parser("generate-key", help="print a key for TGBRIDGE_SECRET_KEYS")
    generate_key.set_defaults(command=_generate_key)
    return parser


def _port(text: str, last: int = _LAST_PORT) -> int:
    port = int(text) if text.isdecimal() else -1
    if not 0 <= port <= last:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to {last}")
    return port


def _first_of_eight_ports(text: str) -> int:
    return _port(text, _LAST_PORT - 7)


def _generate_key(_options: argparse.Namespace) -> int:
    print(Fernet.generate_key().decode())
    return 0


def _doctor(options: argparse.Namespace) -> int:
    with importing():
        from tgbridge.doctor.command import (  # noqa: PLC0415 - as in serve
            Teller,
            examine_here,
            examine_there,
            tell_wrong_setting,
        )

    teller = Teller(as_json=options.json)
    try:
        settings = load_settings(options.config)
    except SettingsError as error:
        tell_wrong_setting(teller, error)
        teller.end()
        return _USAGE
    if options.live:
        return _doctor_live(options, settings, teller)
    examine_here(settings, teller, url=options.url)
    _run(examine_there(settings, teller, url=options.url, offline=options.offline))
    return teller.end()


def _doctor_live(options: argparse.Namespace, settings: Settings, teller: Teller) -> int:
    from tgbridge.doctor.live.command import (  # noqa: PLC0415 - as in serve
        examine_live,
        overrides,
        write_report,
    )

    settings = load_settings(options.config, overrides=overrides(options, settings))
    if not settings.telegram.has_credentials:
        raise SettingsError(_NO_CREDENTIALS)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _as_ctrl_c)
    try:
        if not _run(examine_live(settings, teller, options)):
            return _FAILED
    except EOFError as error:
        raise SettingsError(f"{error}: --yes begins without asking, --test signs in without") from error
    finally:
        if teller.findings:
            path = write_report(settings, teller, options)
            print(f"The report is in {path}; there is nothing secret in it.", file=sys.stderr)
    return teller.end()


def _as_ctrl_c(*_: object) -> None:
    """End in good order, and once: the end of a terminal may be told several times."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # SIG_IGN would complain of one that is here already
    signal.raise_signal(signal.SIGINT)


def _serve(options: argparse.Namespace) -> int:
    server = {name: value for name in ("host", "port") if (value := getattr(options, name)) is not None}
    manager = _Manager(take_sockets(os.environ), Notifier.from_environment(os.environ))
    if options.sandbox:
        with state_directory() as state:
            _run(_serve_sandbox(options.config, state, server, manager))
        return 0

    def load() -> Settings:
        settings = load_settings(options.config, overrides={"server": server})
        if not settings.telegram.has_credentials:
            raise SettingsError(_NO_CREDENTIALS)
        if not settings.secret_keys:
            raise SettingsError(_NO_KEY)
        return settings

    load()  # what is wrong with them is told before half a second of imports
    _run(_serve_until_signalled(load, manager))
    return 0


class _Manager(NamedTuple):
    """What the service manager has given, and is told: neither, where there is none."""

    sockets: tuple[socket, ...]
    notifier: Notifier


async def _serve_sandbox(
    config: Path | None, state: StateDirectory, server: dict[str, Any], manager: _Manager
) -> None:
    defaults = {
        "secret_keys": [kept_secret_key(state.path)],
        "session": {"secure": False},
        # A frontend's rewrite comes from here. Nobody but programs of this machine could make use of it.
        "server": {"trusted_proxies": ["127.0.0.0/8", "::1"]},
        # Its numbers are anybody's, and a frontend's tests sign in all the time.
        "limits": {"enabled": False},
        "docs": {"example_phone": "+9996610001", "example_code": "11111"},
    }
    load_settings(config, defaults=defaults, overrides={"server": server})  # before anything is started
    async with sandbox_process(state.path / "sandbox") as sandbox:
        overrides = {"server": server, "telegram": sandbox.settings}
        await _serve_until_signalled(
            lambda: load_settings(config, defaults=defaults, overrides=overrides),
            manager,
            greeting=lambda url: (
                ("" if state.is_kept else _FORGETFUL)
                + _HOW_TO_SIGN_IN.format(url=url, control=sandbox.control)
            ),
            companion=sandbox.ended,
        )


async def _serve_until_signalled(
    load: Callable[[], Settings],
    manager: _Manager,
    *,
    greeting: Callable[[str], str] = lambda _url: "",
    companion: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> None:
    with importing():
        from tgbridge.serving import serve  # noqa: PLC0415 - the other commands do without Telethon

    def announce(url: str) -> None:
        print(f"tgbridge is listening on {url}\n{greeting(url)}".rstrip(), flush=True)

    await serve(load, **manager._asdict(), announce=announce, companion=companion)


def _sandbox(options: argparse.Namespace) -> int:
    with importing():
        from tgbridge.sandbox.run import run_sandbox  # noqa: PLC0415 - the service does without it

    with ExitStack() as stack:
        if options.state is not None:
            options.state.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(locked(options.state, "give another directory as --state"))
        work = run_sandbox(
            options.host,
            options.port,
            options.state,
            options.control_port,
            exit_with_stdin=options.exit_with_stdin,
        )
        try:
            asyncio.run(work)
        except ValueError as error:
            raise SandboxFailedError(f"{options.state} is damaged: {error}") from error
    return 0


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the event loop: uvloop, where it is installed; None for asyncio's own."""
    return import_module("uvloop").new_event_loop if find_spec("uvloop") else None


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(work)


if __name__ == "__main__":
    sys.exit(main())
