"""What file connections need of the account they work for. The pooled client is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

    from telethon.tl import types

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.calls import Preamble
    from tgbridge.telegram.mtproto.connection import Connection
    from tgbridge.telegram.mtproto.connector import Connector
    from tgbridge.telegram.mtproto.rsa_keys import PublicKeys


@dataclass(frozen=True, slots=True)
class Address:
    """Where a data centre listens: `host` is an IPv4 or IPv6 address, `port` a TCP port."""

    host: str
    port: int
    media_only: bool = False
    """For files alone (https://core.telegram.org/constructor/dcOption)."""


class FileAccount(Protocol):
    """An account with a main connection to its home data centre. What it raises are TelegramFailure kinds."""

    @property
    def home_dc_id(self) -> int:
        """The data centre of the main connection."""

    def home_key(self) -> AuthorizationKey:
        """Return the main connection's key, with the state that the two share."""

    @property
    def public_keys(self) -> PublicKeys:
        """The RSA keys by which the data centres are known, those of CDNs excepted."""

    def number(self, dc_id: int) -> int:
        """Return what a data centre is called in key exchanges: its id, at the test servers 10000 more."""

    @property
    def other_keys(self) -> MutableMapping[int, AuthorizationKey]:
        """Keys of other data centres that can be used as they are, kept for the account's next client too."""

    @property
    def login_waits(self) -> MutableMapping[int, float]:
        """Until when Telegram wants no login at a data centre, by the loop's clock; all clients' alike."""

    @property
    def connector(self) -> Connector:
        """What opens connections, for all accounts."""

    def preamble(self) -> Preamble:
        """Return what stands before requests of a session that wants no updates."""

    def cdn_preamble(self) -> Preamble:
        """Return what stands before requests to a CDN, which knows no account."""

    async def main_connection(self) -> Connection:
        """Return the main connection, open. Raises ConnectionFailed and OSError."""

    async def confirm(self) -> None:
        """Ask something on the main connection. Raises SessionEnded where the session has ended."""

    async def addresses(self, dc_id: int, *, cdn: bool = False) -> Sequence[Address]:
        """Return a data centre's addresses in the order of trying: `media_only` first, by IPv4 or IPv6.

        Empty for a data centre that the configuration does not name.
        """

    async def export_authorization(self, dc_id: int) -> types.auth.ExportedAuthorization:
        """Return what logs a key of another data centre in (auth.exportAuthorization), good for once."""

    async def cdn_public_keys(self, dc_id: int) -> Sequence[str]:
        """Return the RSA public keys of a CDN data centre in PEM, from help.getCdnConfig."""
