"""What can go wrong on a connection, before anybody decides what to make of it.

The tree (internal to `telegram`: its callers see TelegramFailure kinds)::

    ConnectionFailed                the connection is of no use any more: its calls may go to another
    ├── ProtocolViolated            the peer broke MTProto's rules, or is not who we agreed on a key with
    ├── PeerSilent                  nothing came for too long
    └── TransportRefused            the server's negative number in place of a packet
    RpcFailed                       the server's answer to one call is an error
"""

from __future__ import annotations

from typing import Final

UNKNOWN_KEY: Final = -404
TRANSPORT_FLOOD: Final = -429


class ConnectionFailed(Exception):
    """The connection is of no use any more. The message is a few words without addresses or secrets."""

    def __init__(self, *args: object, not_received: bool = False) -> None:
        super().__init__(*args)
        self.not_received = not_received
        """Whether the server has certainly not carried out the call that failed by it."""


class ProtocolViolated(ConnectionFailed):
    """A rule of https://core.telegram.org/mtproto/security_guidelines does not hold."""


class PeerSilent(ConnectionFailed):
    """Nothing came within the time-out, although the server owed an answer."""


class TransportRefused(ConnectionFailed):
    """A transport error: -404 the key is unknown, -429 too many connections, -444 a wrong data centre.

    Source: https://core.telegram.org/mtproto/mtproto-transports#transport-errors
    """

    def __init__(self, code: int, *, not_received: bool = False) -> None:
        super().__init__(code, not_received=not_received)
        self.code = code

    def __str__(self) -> str:
        return f"transport error {self.code}"


class RpcFailed(Exception):
    """An rpc_error: `code` is like an HTTP status (or negative), `message` Telegram's name for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"rpc_error {code}")
        self.code = code
        self.message = message
        """May repeat what the server was asked: not to be shown, but for the names that are known."""
