"""Which of a data centre's addresses is used."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tgbridge.telegram.datacentres import dialling
from tgbridge.telegram.datacentres.account import Address
from tgbridge.telegram.datacentres.dialling import Dialler
from tgbridge.telegram.mtproto.connector import Connector
from tgbridge.telegram.mtproto.failures import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.telegram.conftest import Until
    from tgbridge.sandbox import Sandbox


@pytest.fixture
def addresses(sandbox: Sandbox) -> list[Address]:
    """A data centre's two addresses, the one for media first."""
    centre = sandbox.data_centres[1]
    return [Address(*centre.media_address, media_only=True), Address(*centre.address)]


@pytest.fixture
def dead() -> Address:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return Address(*server.getsockname())


@pytest.fixture
def deaf() -> Iterator[Address]:
    """An address that answers no connection request: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = Address(*server.getsockname())
        waiting = []
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex((address.host, address.port))
            waiting.append(client)
        yield address
        for client in waiting:
            client.close()


@pytest.fixture
def dialler() -> Dialler:
    return Dialler(Connector(request_timeout=5))


async def chosen(dialler: Dialler, *addresses: Address) -> Address:
    address, connection = await dialler.dial(addresses)
    await connection.aclose()
    return address


async def test_the_first_address_is_used(dialler: Dialler, addresses: list[Address]) -> None:
    """Which is the one for media."""
    assert await chosen(dialler, *addresses) == addresses[0]
    assert await chosen(dialler, *reversed(addresses)) == addresses[1]


async def test_the_next_one_is_used_where_the_first_refuses(
    dialler: Dialler, addresses: list[Address], dead: Address
) -> None:
    """Without a delay; and the first is asked last from then on."""
    assert await chosen(dialler, dead, addresses[1]) == addresses[1]
    assert dialler._order([dead, *addresses]) == [*addresses, dead]


async def test_the_next_one_is_used_where_the_first_is_deaf(
    dialler: Dialler, addresses: list[Address], deaf: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a moment, while the first may still answer; being slower is not failing."""
    monkeypatch.setattr(dialling, "STAGGER_SECONDS", 0.05)
    assert await chosen(dialler, deaf, addresses[1]) == addresses[1]
    assert dialler._order([deaf, addresses[1]]) == [deaf, addresses[1]]


async def test_an_address_is_forgiven_in_time(
    dialler: Dialler, addresses: list[Address], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trouble may be over."""
    dialler.failed(addresses[0])
    assert dialler._order(addresses)[0] == addresses[1]
    monkeypatch.setattr(dialling, "FORGET_SECONDS", 0.0)
    assert dialler._order(addresses)[0] == addresses[0]


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_no_address_at_all_is_an_error(dialler: Dialler, dead: Address, count: int) -> None:
    """None is known, or none answers."""
    with pytest.raises(ConnectionFailed):
        await dialler.dial([Address(dead.host, dead.port, bool(n)) for n in range(count)])


async def test_giving_up_leaves_nothing(dialler: Dialler, deaf: Address) -> None:
    """No task and no socket."""
    tasks = asyncio.all_tasks()
    dialling = asyncio.create_task(dialler.dial([deaf]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    dialling.cancel()
    await asyncio.wait((dialling,))
    assert asyncio.all_tasks() == tasks


async def test_a_winner_is_not_lost_while_the_others_are_given_up(
    dialler: Dialler,
    addresses: list[Address],
    sandbox: Sandbox,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Cancelled in that moment, nobody has the connection that was made: it is closed."""
    monkeypatch.setattr(dialling, "STAGGER_SECONDS", 0.0)
    entered, stay = asyncio.Event(), asyncio.Event()
    abandon = dialling._abandon

    async def slowly(tasks: Any) -> None:
        entered.set()
        await stay.wait()
        await abandon(tasks)

    monkeypatch.setattr(dialling, "_abandon", slowly)
    dial = asyncio.create_task(dialler.dial(addresses))
    await entered.wait()
    await until(lambda: sandbox.connections[1])
    dial.cancel()
    await asyncio.sleep(0)
    stay.set()
    await asyncio.wait((dial,))
    assert dial.cancelled()
    await until(lambda: not sandbox.connections[1])
