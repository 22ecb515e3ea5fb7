"""Messages by their ids, asked for together: what is wanted until a request goes out is in it.

A hundred thumbnails of a page are wanted within many turns of the event loop. The first goes out at once; the
others gather while its answer is on its way.
Source: https://core.telegram.org/method/messages.getMessages
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_IDS: Final = 100
"""How many ids one messages.getMessages takes."""

GATHER_SECONDS: Final = 0.05
"""How long ids gather at most while an earlier request has no answer: one that is slow delays no other."""

ClientT = TypeVar("ClientT")
FoundT = TypeVar("FoundT")

Take: TypeAlias = Callable[[], Sequence[int]]
Ask: TypeAlias = Callable[[Take], Awaitable[dict[int, FoundT]]]


class _Batch(Generic[FoundT]):
    """One request: takes ids until it goes out or is full, and is given up with its last user.

    ``earlier``: one that is under way, while which ids gather.
    """

    def __init__(self, ask: Ask[FoundT], earlier: asyncio.Task[Any] | None) -> None:
        self.ids: dict[int, None] = {}
        self.has_gone = False
        self.users = 0
        self._full = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._run(ask, earlier))

    @property
    def is_open(self) -> bool:
        return not self.has_gone and not self._full.done()

    def add(self, message_id: int) -> None:
        self.ids[message_id] = None
        if len(self.ids) == MOST_IDS:
            self._full.set_result(None)

    async def _run(self, ask: Ask[FoundT], earlier: asyncio.Task[Any] | None) -> dict[int, FoundT]:
        if earlier is not None:
            reasons = (earlier, self._full)
            await asyncio.wait(reasons, timeout=GATHER_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return await ask(self._take)

    def _take(self) -> tuple[int, ...]:
        self.has_gone = True
        return tuple(self.ids)

    def result(self) -> dict[int, FoundT]:
        error = None if self.task.cancelled() else self.task.exception()
        if error is not None:
            # The same error for all who waited: each has a traceback of its own.
            raise error.with_traceback(None)
        return self.task.result()


class Lookups(Generic[ClientT, FoundT]):
    """What is being asked at the moment. `ask(client, take)` returns those that it finds, by their ids.

    Which ids those are, `take()` tells when the request goes out, however long the way to it takes.
    Each client asks for itself, so that one session's end is not another one's.
    """

    def __init__(self, ask: Callable[[ClientT, Take], Awaitable[dict[int, FoundT]]]) -> None:
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
            if latest is None or not latest.is_open:
                earlier = latest.task if latest is not None and latest.has_gone else None
                latest = _Batch(partial(self._ask, client), earlier)
                latest.task.add_done_callback(partial(self._forget, client, latest))
            batch = asking[message_id] = latest
            batch.add(message_id)
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
