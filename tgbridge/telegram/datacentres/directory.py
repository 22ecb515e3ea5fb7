"""Where Telegram's data centres are, and by which RSA keys they are known.

One ``Directory`` per process: all its clients speak to the same Telegram, and another process may speak to
another.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import TYPE_CHECKING, Final, NamedTuple

from telethon.tl import functions

from tgbridge.errors import SessionEnded, TelegramFailure
from tgbridge.settings.public_keys import read_public_keys
from tgbridge.telegram.datacentres.account import Address
from tgbridge.telegram.mtproto import telegram_keys
from tgbridge.telegram.mtproto.connector import Connector
from tgbridge.telegram.mtproto.rsa_keys import PublicKeys
from tgbridge.telegram.rpc.errors import translated
from tgbridge.telegram.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Any

    from telethon.tl import types

    from tgbridge.settings import TelegramSettings

# Where Telegram's own apps begin (https://core.telegram.org/api/datacenter).
_TELEGRAM_DC: Final = 2
_TELEGRAM_IPV4: Final = "149.154.167.51"
_TELEGRAM_IPV6: Final = "2001:67c:4e8:f002::a"
_TELEGRAM_PORT: Final = 443

# https://core.telegram.org/mtproto/auth_key#creating-an-authorization-key, p_q_inner_data_dc
_TEST_SERVER: Final = 10_000

# help.getConfig says itself how long it holds; a server that says nonsense is not asked more often than this.
_LEAST_SECONDS: Final = 60.0
_MOST_SECONDS: Final = 3600.0


class Place(NamedTuple):
    """A data centre and one address of it; the host is an IP address, as a session needs it."""

    dc_id: int
    address: Address


async def resolve(host: str, port: int, *, use_ipv6: bool) -> str:
    """The IP address of ``host``, of the preferred family where it has both. Raises OSError."""
    try:
        return ipaddress.ip_address(host.strip("[]")).compressed
    except ValueError:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family = socket.AF_INET6 if use_ipv6 else socket.AF_INET
    found.sort(key=lambda entry: entry[0] != family)
    return str(found[0][4][0])


def choose(
    options: Iterable[types.DcOption],
    dc_id: int,
    *,
    media: bool = False,
    cdn: bool = False,
    use_ipv6: bool = False,
) -> tuple[Address, ...]:
    """The addresses of a data centre, best first (https://core.telegram.org/constructor/dcOption).

    ``media``: the connection is for files, so that ``media_only`` addresses come first, which are left out
    otherwise. ``static`` ones are meant for proxies and come last, so do those of the other IP version.
    Addresses that want the obfuscated transport (``tcpo_only``, a ``secret``) are left out, since we do not
    speak it.
    """
    fitting = [
        option
        for option in options
        if option.id == dc_id
        and bool(option.cdn) == cdn
        and not option.tcpo_only
        and not option.secret
        and (media or not option.media_only)
    ]
    fitting.sort(
        key=lambda option: (
            bool(option.ipv6) != use_ipv6,
            media and not option.media_only,
            bool(option.static),
        )
    )
    found = (Address(option.ip_address, option.port, bool(option.media_only)) for option in fitting)
    return tuple(dict.fromkeys(found))


def _accepted(settings: TelegramSettings) -> PublicKeys:
    if settings.dc_public_key is not None:
        return PublicKeys(read_public_keys(settings.dc_public_key))
    return PublicKeys.of_pem(telegram_keys.TEST if settings.test_servers else telegram_keys.PRODUCTION)


class Directory:
    """Telegram's data centres as this process knows them: where to start, and what help.getConfig told."""

    def __init__(self, settings: TelegramSettings) -> None:
        """Raises OSError and ValueError for a file of public keys that is none."""
        self._settings = settings
        self._options: tuple[types.DcOption, ...] = ()
        self._valid_until = 0.0
        self.statistics = Statistics()
        """What has passed between this process and the data centres."""
        self.connector = Connector(
            request_timeout=settings.request_timeout_seconds, statistics=self.statistics
        )
        """Opens connections, for all clients of the process."""
        self.public_keys = _accepted(settings)
        """The RSA keys by which they are known, those of CDNs excepted."""

    def number(self, dc_id: int) -> int:
        """What a data centre is called in key exchanges: its id, at the test servers 10000 more."""
        return dc_id + _TEST_SERVER if self._settings.test_servers else dc_id

    async def start(self) -> Place:
        """Where a client without a session begins: the configured data centre, or Telegram's own.

        Raises TelegramUnavailable if the name cannot be resolved.
        """
        settings = self._settings
        if settings.dc_host is None:
            host = _TELEGRAM_IPV6 if settings.use_ipv6 else _TELEGRAM_IPV4
            return Place(_TELEGRAM_DC, Address(host, _TELEGRAM_PORT))
        port = settings.dc_port or _TELEGRAM_PORT
        with translated():
            host = await resolve(settings.dc_host, port, use_ipv6=settings.use_ipv6)
        return Place(settings.dc_id or _TELEGRAM_DC, Address(host, port))

    async def home(self, stored: Place) -> Place:
        """Where a session's client connects: its data centre's configured address, else the stored one."""
        if self._settings.dc_host is not None and stored.dc_id == (self._settings.dc_id or _TELEGRAM_DC):
            return await self.start()
        return stored

    async def addresses(
        self,
        call: Callable[[functions.help.GetConfigRequest], Awaitable[Any]],
        dc_id: int,
        *,
        media: bool = False,
        cdn: bool = False,
    ) -> tuple[Address, ...]:
        """The addresses of a data centre, best first, or none.

        ``call`` asks Telegram where what is known has expired. What it raises is raised where nothing is
        known, and SessionEnded always.
        """
        if asyncio.get_running_loop().time() >= self._valid_until:
            try:
                self._learn(await call(functions.help.GetConfigRequest()))
            except TelegramFailure as error:
                if not self._options or isinstance(error, SessionEnded):
                    raise
                # Addresses hardly ever change: the old ones will do until it can be asked again.
                self._valid_until = asyncio.get_running_loop().time() + _LEAST_SECONDS
        return choose(self._options, dc_id, media=media, cdn=cdn, use_ipv6=self._settings.use_ipv6)

    def _learn(self, config: types.Config) -> None:
        lasts = (config.expires - config.date).total_seconds()
        self._options = tuple(config.dc_options)
        self._valid_until = asyncio.get_running_loop().time() + min(max(lasts, _LEAST_SECONDS), _MOST_SECONDS)
