"""The settings: whether there are those without which nothing goes, and whether they go together."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tgbridge.doctor.findings import Finding, fault, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tgbridge.settings import Settings


def check_configuration(settings: Settings, directory: Path) -> Iterator[Finding]:
    """Look at the settings; ``directory`` is where .env may be."""
    if settings.telegram.has_credentials:
        yield ok("configuration.credentials", "TELEGRAM_API_ID and TELEGRAM_API_HASH are set.")
    else:
        yield fault(
            "configuration.credentials",
            "TELEGRAM_API_ID or TELEGRAM_API_HASH is missing.",
            "Get them at https://my.telegram.org and put them into .env.",
        )
    if settings.secret_keys:
        count = len(settings.secret_keys)
        yield ok("configuration.keys", f"{count} secret key(s): the first encrypts.", count=count)
    else:
        yield fault(
            "configuration.keys",
            "TGBRIDGE_SECRET_KEYS is missing, which encrypts the cookies.",
            "Put what `tgbridge generate-key` prints into .env as TGBRIDGE_SECRET_KEYS=…",
        )
    yield from _servers(settings)
    yield from _readers(directory / ".env")


def _servers(settings: Settings) -> Iterator[Finding]:
    telegram = settings.telegram
    if telegram.test_servers and telegram.dc_host is None:
        yield fault(
            "configuration.servers",
            "telegram.test_servers is set, and the address is still that of Telegram's production servers.",
            "Set TELEGRAM_DC_HOST to a test server; https://my.telegram.org names yours.",
        )
        return
    kind = "Telegram's" if telegram.dc_host is None else "another server's, of TELEGRAM_DC_HOST"
    told = f"Data centres are {kind}{', for tests' if telegram.test_servers else ''}."
    yield ok("configuration.servers", told, test_servers=telegram.test_servers)


def _readers(dotenv: Path) -> Iterator[Finding]:
    try:
        mode = stat.S_IMODE(dotenv.stat().st_mode)
    except OSError:
        return
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        yield warning(
            "configuration.secrets",
            ".env can be read or written by every user of this machine, and has secrets in it.",
            "chmod 600 .env",
            mode=oct(mode),
        )
    else:
        yield ok("configuration.secrets", ".env is not for everybody.", mode=oct(mode))
