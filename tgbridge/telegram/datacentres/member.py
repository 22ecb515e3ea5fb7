"""A connection of a data centre, from before it is open until it has ended, and what is under way on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tgbridge.telegram.mtproto.failures import ConnectionFailed

if TYPE_CHECKING:
    from tgbridge.telegram.datacentres.account import Address
    from tgbridge.telegram.mtproto.calls import Call
    from tgbridge.telegram.mtproto.connection import Connection

OPENING_COSTS: Final = 2 * 1024 * 1024
"""Bytes in flight with which an open connection is as good as one that has to be opened first."""


class Member:
    """A connection, open or being opened, and what is under way on it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[Connection] = loop.create_future()
        self._connection: Connection | None = None
        self.address: Address | None = None
        self.borrowed = False
        """Whether the connection is the main one, which others use too."""
        self.refused = False
        """Whether the server has said on it that it does not know the key."""
        self.after: Call | None = None
        """What has to be carried out before any call on it."""
        self.calls = 0
        self.bytes = 0
        self.idle_since = loop.time()

    def begin(self, weight: int) -> None:
        """Count a call of so many bytes."""
        self.calls += 1
        self.bytes += weight

    def end(self, weight: int) -> None:
        """Count it no more."""
        self.calls -= 1
        self.bytes -= weight
        self.idle_since = asyncio.get_running_loop().time()

    def succeed(self, connection: Connection) -> None:
        """Let all that wait have the connection, which is open."""
        self._connection = connection
        self.ready.set_result(connection)

    def fail(self, error: Exception) -> None:
        """Let all that wait know that it was not opened, if it was not."""
        if not self.ready.done():
            self.ready.set_exception(error)
            self.ready.exception()  # there may be nobody who waits

    @property
    def connection(self) -> Connection | None:
        """The connection, if it is open."""
        connection = self._connection
        return connection if connection is not None and connection.failure is None else None

    @property
    def ended(self) -> bool:
        """Whether it could not be opened, or has been lost."""
        connection = self._connection
        return self.ready.done() if connection is None else connection.failure is not None

    @property
    def burden(self) -> int:
        """How little to choose it, in bytes."""
        return self.bytes if self.ready.done() else self.bytes + OPENING_COSTS

    async def aclose(self) -> None:
        """Close the connection, or fail who waits for it."""
        self.fail(ConnectionFailed("closed"))
        connection = self.connection
        if connection is not None and not self.borrowed:
            await connection.aclose()
