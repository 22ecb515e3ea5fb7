"""The turns of one method's calls, of one account to one data centre, whichever of its clients makes them.

A wait that one call is told delays the others, and fails none that has the patience for it. Who gives up
while waiting has taken no turn. Among those who wait, the one whose patience ends first goes first: the first
bytes of a page before the middle of a film.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from itertools import count
from typing import TYPE_CHECKING, Any

from tgbridge.errors import FloodWait, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import RpcFailed
from tgbridge.telegram.rpc.answers import meaning
from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from collections.abc import Callable

    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.pace import Pace
    from tgbridge.telegram.rpc.patience import Patience


class _Waiter:
    def __init__(self, number: int, weight: int, patience: Patience) -> None:
        self.number = number
        self.weight = weight
        self.patience = patience
        self.turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def __lt__(self, other: _Waiter) -> bool:
        return (self.patience.give_up_at, self.number) < (other.patience.give_up_at, other.number)


class Gate:
    """Lets calls go when their pace allows, as many bytes at the same time as it allows."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.in_flight = 0
        """Bytes of the calls that have their turn and no answer yet."""
        self.calls = 0
        """How many calls that are."""
        self._waiting: list[_Waiter] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether anybody has a turn or waits for one."""
        return bool(self.calls) or any(not waiter.turn.done() for waiter in self._waiting)

    async def enter(self, weight: int, patience: Patience) -> float:
        """Wait for a turn; return when it was, by the loop's clock. It ends with `leave`.

        Raises FloodWait if the caller has not the patience for Telegram's wait, or for its turn after one;
        TelegramUnavailable if there is none for another reason.
        """
        self._check(patience)
        waiter = _Waiter(next(self._numbers), weight, patience)
        heapq.heappush(self._waiting, waiter)
        self._serve()
        departed_at = waiter.turn.result() if waiter.turn.done() else await self._turn(waiter)
        if patience.on_turn is not None:
            patience.on_turn()
        return departed_at

    async def _turn(self, waiter: _Waiter) -> float:
        try:
            async with asyncio.timeout_at(waiter.patience.give_up_at):
                return await waiter.turn
        except BaseException as error:
            if _succeeded(waiter.turn):  # in the same moment
                self.leave(waiter.weight)
            if isinstance(error, TimeoutError):
                raise self._too_late() from None
            raise

    def leave(self, weight: int) -> None:
        """Take note that a call has ended."""
        self.in_flight -= weight
        self.calls -= 1
        self._serve()

    def flooded(self, seconds: int, departed_at: float) -> None:
        """Take note that a call with the turn of `departed_at` was told to wait."""
        self.pace.flooded(now(), seconds, departed_at, self.in_flight, self.calls)
        for waiter in self._waiting:
            try:
                self._check(waiter.patience)
            except FloodWait as wait:
                if not waiter.turn.done():
                    waiter.turn.set_exception(wait)

    def _check(self, patience: Patience) -> None:
        """Raise FloodWait if Telegram's wait is longer than patience, else tell of it."""
        left = self.pace.waits_until - now()
        if left <= 0:
            return
        if left > patience.flood_wait or self.pace.waits_until >= patience.give_up_at:
            raise FloodWait(math.ceil(left))
        if patience.on_wait is not None:
            patience.on_wait(left)

    def _serve(self) -> None:
        """Let go who may, and look again when the next one may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting = self._waiting
        while waiting:
            first = waiting[0]
            if first.turn.done():
                heapq.heappop(waiting)
                continue
            at = now()
            ready_at = self.pace.ready_at(at)
            if ready_at > at:
                self._timer = asyncio.get_running_loop().call_at(ready_at, self._serve)
                return
            if self.calls and self.in_flight + first.weight > self.pace.window:
                return
            heapq.heappop(waiting)
            self.pace.depart(at)
            self.in_flight += first.weight
            self.calls += 1
            first.turn.set_result(at)

    def _too_late(self) -> FloodWait | TelegramUnavailable:
        if self.pace.has_learnt:
            return FloodWait(max(1, math.ceil(self.pace.ready_at(now()) - now())))
        return TelegramUnavailable("too much is asked of the data centre at once", retry_after=1)


def _succeeded(future: asyncio.Future[float]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def take_turns(
    call: Call, gate_of: Callable[[TLRequest], Gate | None], weight_of: Callable[[TLRequest], int]
) -> Call:
    """Have each attempt pass the gate of its method, if it has one, and tell the gate of flood waits.

    Around what raises RpcFailed: a FloodWait that an attempt raises by itself is of another method.
    """

    async def paced(request: TLRequest, patience: Patience) -> Any:
        gate, weight = gate_of(request), weight_of(request)
        if gate is None:
            return await call(request, patience)
        departed_at = await gate.enter(weight, patience)
        try:
            return await call(request, patience)
        except RpcFailed as error:
            wait = meaning(error)
            if isinstance(wait, FloodWait):
                gate.flooded(wait.seconds, departed_at)
            raise
        finally:
            gate.leave(weight)

    return paced
