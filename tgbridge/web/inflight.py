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
        self._ended: set[asyncio.Task[Any]] = set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self) -> asyncio.Task[Any]:
        """Count the current task as answering a request, until ``end`` is told of it."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._tasks.add(task)
        return task

    def end(self, task: asyncio.Task[Any]) -> None:
        """The task answers no request any more."""
        self._tasks.discard(task)
        if self._ended:
            self._ended.discard(task)

    @property
    def ended_by_stop(self) -> bool:
        """Whether the current task was cancelled by ``drain``."""
        return asyncio.current_task() in self._ended

    def forgive_stop(self) -> bool:
        """Let the current task, which is being cancelled, go on if only ``drain`` has cancelled it.

        Returns whether it may: it then ends soon, by itself.
        """
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        if task not in self._ended:
            return False
        self._ended.discard(task)
        return task.uncancel() == 0

    @contextmanager
    def endless(self) -> Iterator[None]:
        """Cancel the current task at once when draining begins: its answer would never end by itself."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._endless.add(task)
        if self.draining:
            self._end({task})
        try:
            yield
        finally:
            self._endless.discard(task)

    def begin_draining(self) -> None:
        """From now on each answer closes its connection, and what is endless ends. Idempotent."""
        if not self.draining:
            self.draining = True
            self._end(self._endless)

    async def drain(self, seconds: float) -> int:
        """Give running requests ``seconds`` to end, then cancel them and wait until they have cleaned up.

        Begins to drain, if that has not begun. Returns how many had to be cancelled in the end.
        """
        self.begin_draining()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:  # a connection that is open may bring another request
                    await asyncio.wait(self._tasks)
        left = set(self._tasks)
        self._end(left)
        if left:
            await asyncio.wait(left)
        return len(left)

    def _end(self, tasks: set[asyncio.Task[Any]]) -> None:
        self._ended |= tasks
        for task in tasks:
            task.cancel()
