"""Reaching a data centre at the first of its addresses that answers."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from tgbridge.telegram.mtproto.failures import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tgbridge.telegram.datacentres.account import Address
    from tgbridge.telegram.mtproto.connection import Connection
    from tgbridge.telegram.mtproto.connector import Connector

STAGGER_SECONDS: Final = 1.0
"""After so long without an answer the next address is tried too (RFC 8305 has less, but no preference)."""

FORGET_SECONDS: Final = 300.0
"""For so long an address that failed is tried after the others."""


class Dialler:
    """Connects to addresses in their order, except that those which failed lately come last."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._failed_at: dict[Address, float] = {}

    def failed(self, address: Address) -> None:
        """Take note that an address is of no use for now."""
        self._failed_at[address] = asyncio.get_running_loop().time()

    async def dial(self, addresses: Iterable[Address]) -> tuple[Address, Connection]:
        """Connect; has no time-out of its own. Raises ConnectionFailed when no address is left."""
        tried: dict[asyncio.Task[Connection], Address] = {}
        try:
            winner = await self._race(deque(self._order(addresses)), tried)
            await _abandon([task for task in tried if task is not winner])
        except BaseException:
            # Cancelled while the others are abandoned, the winner has to be closed as well.
            await _abandon(tried)
            raise
        if winner is None:
            raise ConnectionFailed("no address of the data centre answers")
        return tried[winner], winner.result()

    async def _race(
        self, left: deque[Address], tried: dict[asyncio.Task[Connection], Address]
    ) -> asyncio.Task[Connection] | None:
        """Try one after the other, adding to `tried`, until one has succeeded; None if none has."""
        under_way: set[asyncio.Task[Connection]] = set()
        while left or under_way:
            if left:
                address = left.popleft()
                task = asyncio.create_task(self._connector.open(address.host, address.port))
                tried[task] = address
                under_way.add(task)
            done, under_way = await asyncio.wait(
                under_way, timeout=STAGGER_SECONDS if left else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                if task.exception() is None:
                    return task
                self.failed(tried[task])
        return None

    def _order(self, addresses: Iterable[Address]) -> list[Address]:
        forgiven = asyncio.get_running_loop().time() - FORGET_SECONDS
        return sorted(addresses, key=lambda address: self._failed_at.get(address, forgiven) > forgiven)


async def _abandon(tasks: Collection[asyncio.Task[Connection]]) -> None:
    """Give up attempts; connections that were made already, or in the last moment, are closed."""
    for task in tasks:
        task.cancel()
        task.add_done_callback(_close)
    if tasks:
        await asyncio.wait(tasks)


def _close(task: asyncio.Task[Connection]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
