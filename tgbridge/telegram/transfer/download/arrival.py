"""How a reader waits for the part that it needs next: with what patience, and when it asks once more."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tgbridge.errors import FloodWait, TelegramUnavailable
from tgbridge.telegram.futures import end_of
from tgbridge.telegram.rpc.call import Backoff, now
from tgbridge.telegram.rpc.patience import Patience
from tgbridge.telegram.transfer.download import hedging

if TYPE_CHECKING:
    from collections import deque

    from tgbridge.settings import TelegramSettings
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.transfer.download.cache import Fetch
    from tgbridge.telegram.transfer.download.source import Refetch, Source
    from tgbridge.telegram.transfer.window import Departure


class Slot(NamedTuple):
    """A part that the reader has not finished with."""

    fetch: Fetch
    position: int
    """Of the first byte that it brings to this reader."""
    departure: Departure
    own: bool
    """Whether nobody else had asked for it before."""

    @property
    def sent_at(self) -> float | None:
        """When it was asked for, as far as this reader is concerned; None while it waits for its turn."""
        return None if self.fetch.sent_at is None else max(self.fetch.sent_at, self.departure.at)

    @property
    def trip(self) -> hedging.Trip:
        """How it came, once it has landed."""
        return hedging.Trip(self.fetch.size, self.sent_at or self.fetch.landed_at, self.fetch.landed_at)


class Arrival:
    """One reader's waiting: short before its first bytes, and then long, from progress to progress."""

    def __init__(
        self,
        source: Source,
        connections: Router,
        refetch: Refetch,
        telegram: TelegramSettings,
        *,
        hedges: bool,
        begun: bool = False,
    ) -> None:
        """`hedges`: whether a part that is stuck may come by another connection."""
        self.begun = begun
        """Whether the reader has its first bytes: from then on nobody can be told why they do not come."""
        self._source = source
        self._connections = connections
        self._refetch = refetch
        self._telegram = telegram
        self._hedges = hedges
        self._latest: hedging.Trip | None = None  # of the parts that have been read

    async def read(self, fetch: Fetch, since: float | None = None) -> Bytes:
        """Fetch a part, with patience from `since` (by the loop's clock) or now on. Raises as `Source`."""
        patience = self._patience(since, fetch)
        return await self._source.read(self._connections, self._refetch, fetch.part, patience)

    async def front(self, slots: deque[Slot]) -> Bytes:
        """Wait for the bytes of the first slot. Raises as `Source.read` does.

        That part may have been asked for by somebody of less patience, or before there was progress: then it
        is asked for again, in another slot.
        """
        front = slots[0]
        if front.fetch.landed:
            return self._arrived(front)
        since = now()
        backoff = Backoff(self._patience(since))
        while True:
            try:
                data = await self._landing(slots, self._patience(since))
            except (FloodWait, TelegramUnavailable) as error:
                since = max(since, *(slot.fetch.landed_at for slot in slots))
                patience = self._patience(since)
                too_long = isinstance(error, FloodWait) and error.seconds > patience.flood_wait
                if too_long or self._connections.closed or now() >= patience.give_up_at:
                    raise
                if not await backoff.pause():
                    backoff = Backoff(patience)
                slots[0] = self._again(slots[0], since)
            else:
                if slots[0].fetch.landed:
                    return self._arrived(slots[0])
                self.begun = True  # it was the second attempt that came first
                return data

    def _arrived(self, slot: Slot) -> Bytes:
        self._latest = slot.trip
        self.begun = True
        return slot.fetch.task.result()

    async def _landing(self, slots: deque[Slot], patience: Patience) -> Bytes:
        """Wait for a part; one that is stuck is asked for once more."""
        front = slots[0]
        fetch, look_again = front.fetch, hedging.SHORTEST_PATIENCE
        while not fetch.task.done():
            if await end_of(fetch.task, seconds=look_again):
                break
            if not front.own and not self.begun:
                self._check_foreign(fetch, patience)
            look_again = hedging.SHORTEST_PATIENCE
            if front.sent_at is None or not self._hedges:
                continue  # what waits for its turn is not stuck
            others = [slot.trip for slot in slots if slot.fetch.landed]
            if self._latest is not None:
                others.append(self._latest)
            look_again = hedging.stuck_at(fetch.size, front.sent_at, others) - now()
            if look_again <= 0:
                again = partial(self._source.read, self._connections, self._refetch, fetch.part, patience)
                return await hedging.first_of(fetch.task, again, until=patience.give_up_at)
        return await fetch.wait()

    def _check_foreign(self, fetch: Fetch, patience: Patience) -> None:
        """Give up, before there is a status, what somebody of more patience waits for."""
        left = fetch.waits_until - now()
        if left > patience.flood_wait:
            raise FloodWait(math.ceil(left))
        if now() >= patience.give_up_at and fetch.sent_at is None:
            raise TelegramUnavailable("the part is still waited for")

    def _again(self, failed: Slot, since: float) -> Slot:
        """Have a part fetched anew, since its fetching has failed."""
        parts, old = self._source.parts, failed.fetch
        fetch = parts.join(old.part, partial(self.read, since=since), keep=old.keep)
        parts.leave(old)
        return failed._replace(
            fetch=fetch, departure=failed.departure._replace(at=now()), own=fetch.users == 1
        )

    def _patience(self, since: float | None = None, fetch: Fetch | None = None) -> Patience:
        make = Patience.of_transfer if self.begun else Patience.of_first_bytes
        if fetch is None:
            return make(self._telegram, since=since)
        return make(self._telegram, since=since, on_turn=fetch.sent, on_wait=fetch.told_to_wait)
