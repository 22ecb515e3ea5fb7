"""The requests that are being answered, so that a shutdown can wait for them, and end them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


class InFlight:
    """Knows the task of every request that is being answered."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._endless: set[asyncio.Task[Any]] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._tasks)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the current task as answering a request."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    @contextmanager
    def endless(self) -> Iterator[None]:
        """Cancel the current task at once when draining begins: its answer would never end by itself."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._endless.add(task)
        if self.draining:
            task.cancel()
        try:
            yield
        finally:
            self._endless.discard(task)

    async def drain(self, seconds: float) -> int:
        """Give running requests ``seconds`` to end, then cancel them and wait until they have cleaned up.

        From now on each answer closes its connection. Returns how many had to be cancelled in the end.
        """
        self.draining = True
        for task in self._endless:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:  # a connection that is open may bring another request
                    await asyncio.wait(self._tasks)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        return len(left)
