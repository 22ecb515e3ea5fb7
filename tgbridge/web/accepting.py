"""Where connections come in. Whoever was accepted is answered, also while the service stops."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from socket import socket

BACKLOG: Final = 4096
"""Connections that wait to be accepted, at most; also while systemd restarts us. aiohttp's own is 128."""


class Accepting:
    """Listens on sockets that are given, or else at a host's addresses; each connection has its protocol.

    Not by aiohttp's sites: asyncio accepts a connection and makes its transport one turn later. A server that
    was closed in between drops the connection (up to Python 3.14; uvloop does not).
    """

    def __init__(self, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._make_protocol = make_protocol
        self._servers: list[asyncio.Server] = []

    async def start(self, host: str, port: int, sockets: Sequence[socket] = ()) -> str:
        """Begin, and return the URL. Raises OSError if the address cannot be taken."""
        create, made = asyncio.get_running_loop().create_server, self._make_protocol
        for given in sockets:
            self._servers.append(await create(made, sock=given, backlog=BACKLOG))
        if not sockets:
            self._servers.append(await create(made, host, port, backlog=BACKLOG))
        name: tuple[Any, ...] = self._servers[0].sockets[0].getsockname()
        host, port = name[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def stop(self) -> None:
        """Accept nothing more. Idempotent."""
        loop = asyncio.get_running_loop()
        for server in self._servers:
            for listening in server.sockets:
                with suppress(RuntimeError, NotImplementedError):  # loops that do it in another way
                    loop.remove_reader(listening.fileno())
        await asyncio.sleep(0)  # for those that were accepted in this turn
        for server in self._servers:
            server.close()
        self._servers.clear()
