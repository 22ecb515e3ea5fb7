"""Work that several wait for, done once, and given up when the last of them is gone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """A task with as many owners as wait for it. It starts at once, and ends with the last `wait`."""

    __slots__ = ("_given_up", "_task", "_users")

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.create_task(work)
        self._users = 0
        self._given_up = False

    @property
    def over(self) -> bool:
        """Whether it is too late to wait for it: it is done, or being given up."""
        return self._given_up or self._task.done()

    async def wait(self) -> T:
        """Return the outcome or raise its error. Cancelling one who waits leaves the others their work."""
        self._users += 1
        try:
            await asyncio.wait((self._task,))
            return self._task.result()
        finally:
            self._users -= 1
            if not self._users and not self._task.done():
                self._given_up = True
                self._task.cancel()
