"""Where connections come in: none that was accepted is dropped."""

from __future__ import annotations

import asyncio
import socket
from typing import cast

import pytest
from yarl import URL

from tgbridge.web.listening import Listening


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
        listening = Listening(Protocol)
        url = URL(await listening.start("", 0, [given.dup()]))
        address = cast("str", url.host), cast("int", url.port)
        clients = [socket.create_connection(address) for _ in range(10)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await listening.stop()
        await listening.stop()
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
        listening = Listening(Protocol)
        with pytest.raises(OSError, match="in use"):
            await listening.start("127.0.0.1", taken.getsockname()[1])
        await listening.stop()


async def test_ipv6() -> None:
    """An IPv6 address stands in brackets in the URL."""
    listening = Listening(Protocol)
    assert (await listening.start("::1", 0)).startswith("http://[::1]:")
    await listening.stop()
