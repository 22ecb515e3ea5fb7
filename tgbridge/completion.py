"""Work that must complete although nobody waits for it any more, such as signing in."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Completion:
    """Runs coroutines in tasks of their own, which a caller's cancellation does not reach, and keeps them.

    What runs here must borrow for itself whatever it uses: the request that started it may be over first.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin ``work``, for any number of callers to ``wait`` for."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def detach(self, work: Coroutine[Any, Any, object]) -> None:
        """Begin ``work`` that nobody waits for. A failure is logged."""
        self.start(work).add_done_callback(_report)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work``. If the caller is cancelled meanwhile, ``work`` goes on."""
        return await self.wait(self.start(work))

    async def wait(self, task: asyncio.Task[T]) -> T:
        """Await what was started. If the caller is cancelled meanwhile, it goes on."""
        try:
            await asyncio.wait({task})  # unlike awaiting the task itself, it leaves it alone when cancelled
        except asyncio.CancelledError:
            # Nobody awaits its outcome any more, but a failure should be seen.
            task.add_done_callback(_report)
            raise
        return task.result()

    async def drain(self, seconds: float | None = None) -> None:
        """Wait until all has completed; after ``seconds``, cancel what has not, until it has cleaned up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._tasks:  # what completes may begin more
                    await asyncio.wait(self._tasks)
        left = set(self._tasks)
        if left:
            _log.warning("gave up work that took too long for a stop", count=len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left)


def _report(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        _log.warning("work whose caller had gone failed", error=type(error).__name__)
