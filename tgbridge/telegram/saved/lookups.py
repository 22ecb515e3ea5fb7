"""Messages by their ids, asked for together: those wanted in one turn of the event loop are one request.

Source: https://core.telegram.org/method/messages.getMessages
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

MOST_IDS: Final = 100
"""How many ids one messages.getMessages takes."""

ClientT = TypeVar("ClientT")
FoundT = TypeVar("FoundT")


class _Batch(Generic[FoundT]):
    """One request: open for ids until it goes out, in the next turn, and given up with its last user."""

    def __init__(self, ask: Callable[[Sequence[int]], Awaitable[dict[int, FoundT]]]) -> None:
        self.ids: dict[int, None] = {}
        self.is_open = True
        self.users = 0
        self.task = asyncio.create_task(self._run(ask))

    async def _run(self, ask: Callable[[Sequence[int]], Awaitable[dict[int, FoundT]]]) -> dict[int, FoundT]:
        self.is_open = False
        return await ask(tuple(self.ids))

    def result(self) -> dict[int, FoundT]:
        error = None if self.task.cancelled() else self.task.exception()
        if error is not None:
            # The same error for all who waited: each has a traceback of its own.
            raise error.with_traceback(None)
        return self.task.result()


class Lookups(Generic[ClientT, FoundT]):
    """What is being asked at the moment. `ask(client, ids)` returns those that it finds, by their ids.

    Each client asks for itself, so that one session's end is not another one's.
    """

    def __init__(self, ask: Callable[[ClientT, Sequence[int]], Awaitable[dict[int, FoundT]]]) -> None:
        self._ask = ask
        self._asking: dict[ClientT, dict[int, _Batch[FoundT]]] = {}

    def __len__(self) -> int:
        """How many clients ask at the moment."""
        return len(self._asking)

    async def fetch(self, client: ClientT, ids: Iterable[int]) -> dict[int, FoundT]:
        """Return those of `ids` that `ask` finds, each of which is asked for once at a time.

        Raises what `ask` does. Cancelling one who waits leaves the others their requests.
        """
        wanted = tuple(ids)
        batches = {self._join(client, message_id): None for message_id in wanted}
        for batch in batches:
            batch.users += 1
        try:
            if batches:
                await asyncio.wait([batch.task for batch in batches])
            found: dict[int, FoundT] = {}
            for batch in batches:
                found |= batch.result()
        finally:
            for batch in batches:
                self._leave(client, batch)
        return {message_id: found[message_id] for message_id in wanted if message_id in found}

    def _join(self, client: ClientT, message_id: int) -> _Batch[FoundT]:
        asking = self._asking.setdefault(client, {})
        batch = asking.get(message_id)
        if batch is None:
            latest = next(reversed(asking.values()), None)
            if latest is None or not latest.is_open or len(latest.ids) == MOST_IDS:
                latest = _Batch(lambda ids: self._ask(client, ids))
                latest.task.add_done_callback(partial(self._forget, client, latest))
            batch = asking[message_id] = latest
            batch.ids[message_id] = None
        return batch

    def _leave(self, client: ClientT, batch: _Batch[FoundT]) -> None:
        batch.users -= 1
        if not batch.users and not batch.task.done():
            batch.task.cancel()
            self._forget(client, batch)

    def _forget(self, client: ClientT, batch: _Batch[FoundT], _task: object = None) -> None:
        asking = self._asking.get(client, {})
        for message_id in batch.ids:
            if asking.get(message_id) is batch:
                del asking[message_id]
        if not asking:
            self._asking.pop(client, None)
        if batch.task.done() and not batch.task.cancelled():
            batch.task.exception()  # nobody may be left to whom it would be news
