"""Where connections come in: none that was accepted is dropped."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import pytest
from yarl import URL

from tgbridge.web.accepting import Accepting


class Protocol(asyncio.Protocol):
    """Counts its connections, and closes them."""

    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        type(self).made += 1
        transport.close()


@pytest.mark.parametrize("turns", range(5))
async def test_accepted_in_the_last_turn(turns: int) -> None:
    """Whenever it stops, who was accepted has a connection, and the others are still to be had."""
    made = Protocol.made
    with socket.create_server(("127.0.0.1", 0)) as given:
        accepting = Accepting(Protocol)
        url = URL(await accepting.start("", 0, [given.dup()]))
        address = cast("str", url.host), cast("int", url.port)
        clients = [socket.create_connection(address) for _ in range(10)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await accepting.stop()
        await accepting.stop()
        await asyncio.sleep(0)
        given.setblocking(False)
        left = 0
        try:
            while True:
                given.accept()[0].close()
                left += 1
        except BlockingIOError:
            pass
        assert Protocol.made - made + left == len(clients)
        for client in clients:
            client.close()
        await asyncio.sleep(0)


async def test_an_address_that_is_taken() -> None:
    """It is told, and nothing is left listening."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        accepting = Accepting(Protocol)
        with pytest.raises(OSError, match="in use"):
            await accepting.start("127.0.0.1", taken.getsockname()[1])
        await accepting.stop()


async def test_ipv6() -> None:
    """An IPv6 address stands in brackets in the URL."""
    accepting = Accepting(Protocol)
    assert (await accepting.start("::1", 0)).startswith("http://[::1]:")
    await accepting.stop()
