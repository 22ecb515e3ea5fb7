"""Requests that come twice, at once or because the first answer was lost: done once, and answered alike."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    from tgbridge.completion import Completion

T = TypeVar("T")
_SECONDS: Final = 300.0  # whoever had no answer tries again within minutes, while the code is good
_MOST: Final = 4096


class Repeats:
    """What came of requests that were done lately, by what makes them the same. Failures are not kept.

    Work runs apart, so that it completes although one of those who wait for it goes away. ``clock`` gives
    seconds; it never goes backwards.
    """

    def __init__(
        self,
        completion: Completion,
        *,
        seconds: float = _SECONDS,
        most: int = _MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._completion = completion
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._secret = secrets.token_bytes(32)  # cookies and passwords are among the keys
        self._under_way: dict[bytes, asyncio.Task[Any]] = {}
        self._done: OrderedDict[bytes, tuple[float, Any]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._done)

    async def once(
        self, key: tuple[str, ...], work: Callable[[], Coroutine[Any, Any, T]], *, keep: bool = True
    ) -> T:
        """Return what came of ``key`` before, or comes of it just now, or of ``work``, which then begins.

        ``keep``: also for whoever comes when it is done.
        """
        done: T | None = self.recall(key)
        if done is not None:
            return done
        name = self._digest(key)
        task = self._under_way.get(name)
        if task is None:
            task = self._under_way[name] = self._completion.start(work())
            task.add_done_callback(lambda task: self._end(key, task, keep=keep))
        return await self._completion.wait(task)

    def recall(self, key: tuple[str, ...]) -> Any | None:
        """Return what came of ``key`` before, None if nothing is known of it."""
        until, result = self._done.get(self._digest(key), (0.0, None))
        return result if self._clock() < until else None

    def keep(self, key: tuple[str, ...], result: Any) -> None:
        """Remember what came of ``key``, forgetting the oldest if there are too many."""
        name = self._digest(key)
        self._done.pop(name, None)
        self._done[name] = self._clock() + self._seconds, result
        while len(self._done) > self._most or next(iter(self._done.values()))[0] <= self._clock():
            self._done.popitem(last=False)

    def _end(self, key: tuple[str, ...], task: asyncio.Task[Any], *, keep: bool) -> None:
        del self._under_way[self._digest(key)]
        if not task.cancelled() and task.exception() is None and keep:
            self.keep(key, task.result())

    def _digest(self, key: tuple[str, ...]) -> bytes:
        return hmac.digest(self._secret, repr(key).encode(), "sha256")
