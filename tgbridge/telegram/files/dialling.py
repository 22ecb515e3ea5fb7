"""Reaching a data centre at the first of its addresses that answers."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from tgbridge.telegram.mtproto.connection import FileConnection
from tgbridge.telegram.mtproto.failures import ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.telegram.files.account import Address

STAGGER_SECONDS: Final = 1.0
"""After so long without an answer the next address is tried too (RFC 8305 has less, but no preference)."""

FORGET_SECONDS: Final = 300.0
"""For so long an address that failed is tried after the others."""


class Dialler:
    """Connects to addresses in their order, except that those which failed lately come last."""

    def __init__(self, *, request_timeout: float) -> None:
        self._request_timeout = request_timeout
        self._failed_at: dict[Address, float] = {}

    def failed(self, address: Address) -> None:
        """Take note that an address is of no use for now."""
        self._failed_at[address] = asyncio.get_running_loop().time()

    async def dial(self, addresses: Iterable[Address]) -> tuple[Address, FileConnection]:
        """Connect; has no time-out of its own. Raises ConnectionFailed when no address is left."""
        left = deque(self._order(addresses))
        tried: dict[asyncio.Task[FileConnection], Address] = {}
        try:
            while left or tried:
                if left:
                    address = left.popleft()
                    tried[asyncio.create_task(self._open(address))] = address
                done, _ = await asyncio.wait(
                    tried, timeout=STAGGER_SECONDS if left else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    address = tried.pop(task)
                    if task.exception() is None:
                        return address, task.result()
                    self.failed(address)
        finally:
            for address in tried.values():
                self.failed(address)  # silent for too long, or just slower
            await _abandon(tried)
        raise ConnectionFailed("no address of the data centre answers")

    def _order(self, addresses: Iterable[Address]) -> list[Address]:
        forgiven = asyncio.get_running_loop().time() - FORGET_SECONDS
        return sorted(addresses, key=lambda address: self._failed_at.get(address, forgiven) > forgiven)

    async def _open(self, address: Address) -> FileConnection:
        return await FileConnection.open(address.host, address.port, request_timeout=self._request_timeout)


async def _abandon(tasks: Iterable[asyncio.Task[FileConnection]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, FileConnection):  # connected in the last moment
            await outcome.aclose()
