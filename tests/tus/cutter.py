"""A TCP proxy that cuts connections off in the middle."""

from __future__ import annotations

import asyncio
from typing import Self

_PIECE = 64 * 1024


class Cutter:
    """Forwards connections to a port of this machine, and ends each after so many bytes sent there.

    Every third is cut on the client's side only: the server hears nothing any more, and does not know why, as
    when a phone changes its network. `cuts` counts them; after `most` of them all may pass.
    """

    def __init__(self, port: int, *, after: int, most: int) -> None:
        self.cuts = 0
        self._port = port
        self._after = after
        self._most = most
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._over.set()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                await self._forward(reader, writer, there, back)
            finally:
                back.transport.abort()
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> None:
        answers = asyncio.create_task(_copy(there, writer, None))
        try:
            left = self._after if self.cuts < self._most else None
            if await _copy(reader, back, left):
                self.cuts += 1
                if self.cuts % 3 == 0:
                    writer.transport.abort()
                    await self._over.wait()
        finally:
            answers.cancel()
            await asyncio.wait({answers})


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None) -> bool:
    """Forward what comes; tell whether it was ended for being more than `most` bytes."""
    passed = 0
    try:
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
            passed += len(piece)
            if most is not None and passed > most:
                return True
    except ConnectionError:
        return False
    return False
