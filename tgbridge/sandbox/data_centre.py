"""One data centre: its two ports, and who is connected to them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from tgbridge.sandbox.mtproto.connection import Connection

if TYPE_CHECKING:
    from tgbridge.sandbox.mtproto.rsa_keys import ServerKey
    from tgbridge.sandbox.server import Sandbox


class Address(NamedTuple):
    """Where a data centre listens."""

    host: str
    port: int


class DataCentre:
    """One data centre: its listeners and the connections that are open."""

    def __init__(self, sandbox: Sandbox, dc_id: int) -> None:
        self.sandbox = sandbox
        self.id = dc_id
        self.server_key: ServerKey
        """The RSA key by which clients know it; there is none before the sandbox's first start."""
        self.address = Address(sandbox.host, 0)
        self.media_address = Address(sandbox.host, 0)
        """For files alone, as media_only in help.getConfig; the same data centre otherwise."""
        self.connections: set[Connection] = set()
        self._servers: list[asyncio.Server] = []
        self._held: list[socket.socket] = []
        self._empty = asyncio.Event()
        self._empty.set()

    async def start(self) -> None:
        """Listen, on the ports that it had before. Raises OSError if it can't. May be called again."""
        if self._servers:
            return
        self._let_go()
        self.address = await self._listen(self.address, media_only=False)
        try:
            self.media_address = await self._listen(self.media_address, media_only=True)
        except OSError:
            await self.close()
            raise

    async def _listen(self, address: Address, *, media_only: bool) -> Address:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self, media_only=media_only), address.host, address.port
        )
        self._servers.append(server)
        return Address(address.host, server.sockets[0].getsockname()[1])

    @property
    def listening(self) -> bool:
        """Whether its ports are open."""
        return bool(self._servers)

    def forget_ports(self) -> None:
        """Take any ports at the next start."""
        self.address = Address(self.sandbox.host, 0)
        self.media_address = Address(self.sandbox.host, 0)

    async def stop(self) -> None:
        """Refuse connections and break off those there are, but keep the ports. May be called again."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        for connection in list(self.connections):
            connection.abort()
        await self._empty.wait()
        for server in servers:
            await server.wait_closed()
        if servers:
            self._hold()

    async def close(self) -> None:
        """Stop, and leave the ports to others. May be called again."""
        await self.stop()
        self._let_go()

    def _hold(self) -> None:
        # A port with a socket that does not listen refuses connections, and is not chosen for anybody else.
        family = socket.AF_INET6 if ":" in self.address.host else socket.AF_INET
        for address in (self.address, self.media_address):
            held = socket.socket(family)
            self._held.append(held)
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Whoever was quicker has it; the next start will tell.
            with suppress(OSError):
                held.bind(address)

    def _let_go(self) -> None:
        for held in self._held:
            held.close()
        self._held.clear()

    def opened(self, connection: Connection) -> None:
        """Note a connection."""
        self.sandbox.counters.connections[self.id] += 1
        self.connections.add(connection)
        self._empty.clear()

    def lost(self, connection: Connection) -> None:
        """Note that a connection's socket is gone."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()
