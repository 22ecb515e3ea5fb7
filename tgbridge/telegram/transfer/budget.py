"""Bounds on the bytes that transfers hold, in flight or unread: per stream, per account, per process.

What is free goes to whoever asks, so that one stream alone may use all that the bounds allow. When it runs
out, the account that holds least is served first, in it the stream that holds least, and equals in the
order of their asking. Readers that stopped reading must not keep others out (browsers pause videos for
hours): a stream below its fair share may have what one above its own has fetched and not passed on.

Each step costs the same however many streams there are, but for the logarithm of a heap. Everything here is
a plain call on one event loop: no task, no lock, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Final, TypeAlias

from tgbridge.telegram.transfer.ranked_queue import RankedQueue

Wake = Callable[[], None]
"""Called once after a refused `take`, when the bytes it asked for are set aside."""

Reclaim = Callable[[int, int], int]
"""Called with how many bytes are wanted and how many may go at most; drops what it can, returns how many."""

Queue: TypeAlias = "RankedQueue[Share]"

_ASKED_AT_ONCE: Final = 8
"""How many of those that hold too much are asked to give something up, for one who waits."""


@dataclass(slots=True, eq=False)
class Account:
    """What one account's streams hold together, and which of them wait."""

    held: int = 0
    shares: dict[Share, None] = field(default_factory=dict)
    greedy: dict[Share, None] = field(default_factory=dict)
    """Those that may have something to give up."""
    waiting: Queue = field(default_factory=lambda: RankedQueue(_within_account))
    first: Share | None = None
    """Who stands for the account in the queue of the process."""


class Budget:
    """The bounds, in bytes, and all that is held under them.

    `always_bytes` is what each stream may have in any case, whatever the others hold: the bounds may be
    exceeded by so much for each stream. The last `reserved_bytes` of the process are for accounts that have
    no more than `little_bytes` then: what can't be taken back from many is not all there is. `relieve` is
    called with the bytes that are left whenever they become fewer: a cache may use what nobody needs, as
    long as it gives way at once.
    """

    def __init__(
        self,
        *,
        process_bytes: int,
        account_bytes: int,
        stream_bytes: int,
        always_bytes: int = 0,
        reserved_bytes: int = 0,
        little_bytes: int = 0,
        relieve: Callable[[int], None] = lambda _left: None,
    ) -> None:
        self.process_bytes = process_bytes
        self.account_bytes = min(account_bytes, process_bytes)
        self.stream_bytes = min(stream_bytes, self.account_bytes)
        self.always_bytes = always_bytes
        self.reserved_bytes = reserved_bytes
        self.little_bytes = little_bytes
        self.relieve = relieve
        self.held = 0
        self.waiting = 0
        self.streams = 0
        """Streams that have a share, whether or not they hold anything."""
        self.accounts: dict[Hashable, Account] = {}
        self.greedy: dict[Share, None] = {}
        self.numbers = count()
        """For those who begin to wait, in their order."""
        self._queue: Queue = RankedQueue(_within_process)
        self._settling = False

    @property
    def left(self) -> int:
        """Bytes that nobody holds; negative where streams have what they may have in any case."""
        return self.process_bytes - self.held

    def free_for(self, share: Share) -> int:
        """Return how many bytes there are for what a stream asks for."""
        is_little = share.account.held + share.wanted <= self.little_bytes
        return self.left - (0 if is_little else self.reserved_bytes)

    def enter(self, key: Hashable, *, wake: Wake, reclaim: Reclaim) -> Share:
        """Give a new stream of the account named `key` its share; it must `leave`."""
        return Share(self, key, wake, reclaim)

    def fair(self, account: Account) -> int:
        """Return what each stream of an account may have however greedy the others are, in bytes."""
        of_account = min(self.account_bytes, self.process_bytes // max(1, len(self.accounts)))
        return min(self.stream_bytes, of_account // max(1, len(account.shares)))

    def moved(self, account: Account) -> None:
        """Put an account where it belongs in the queue, since it holds more or less, or others wait."""
        first = account.waiting.first()
        if account.first is not None and account.first is not first:
            self._queue.remove(account.first)
        account.first = first
        if first is not None:
            self._queue.enter(first)

    def settle(self, asking: Share | None = None) -> None:
        """Serve those who wait, as far as the bytes go; `asking` is served without being called."""
        if self._settling:  # called from a callback: the loop below goes round again
            return
        self._settling = True
        try:
            while self.waiting and (share := self._next()) is not None:
                share.grant()
                if share is not asking:
                    share.wake()
        finally:
            self._settling = False

    def _next(self) -> Share | None:
        """Choose who is served now, after making room for it where that is fair."""
        while (share := self._queue.first()) is not None:
            account = share.account
            missing = account.held + share.wanted - self.account_bytes
            if not self._make_room(share, missing, account.greedy):
                self._queue.remove(share)  # until the account holds less
                continue
            if self._queue.first() is not share:
                continue  # it has made room, and another's turn is before it now
            return share if self._make_room(share, share.wanted - self.free_for(share), self.greedy) else None
        return None

    def _make_room(self, asking: Share, missing: int, greedy: dict[Share, None]) -> bool:
        """Take from the `greedy` until `missing` bytes are free; tell whether they are."""
        if missing <= 0:
            return True
        held_then = asking.held + asking.wanted
        if asking.held and held_then > asking.fair:
            return False
        for _ in range(min(_ASKED_AT_ONCE, len(greedy))):
            share = next(iter(greedy))
            share.spare()
            # Nobody is left with less than the one who asks has then: it would only ask in turn.
            most = share.held - held_then if share.held > share.fair else 0
            freed = share.give_up(missing, most) if most > 0 else 0
            missing -= freed
            if missing <= 0 or freed >= most:
                share.offer()  # it may have more to give, if only to somebody who holds less
            if missing <= 0:
                return True
        return False


class Share:
    """One stream's part of the budget."""

    __slots__ = ("_granted", "_reclaim", "account", "budget", "held", "key", "number", "wake", "wanted")

    def __init__(self, budget: Budget, key: Hashable, wake: Wake, reclaim: Reclaim) -> None:
        self.budget = budget
        self.key = key
        self.account = budget.accounts.setdefault(key, Account())
        self.account.shares[self] = None
        budget.streams += 1
        self.wake = wake
        self.held = 0
        """Bytes that count as this stream's, those that are set aside for it included."""
        self.wanted = 0
        """Bytes of the latest question; 0 while it does not wait."""
        self.number = 0
        """Grows with each time that it begins to wait."""
        self._reclaim = reclaim
        self._granted = 0

    @property
    def fair(self) -> int:
        """What this stream may have however greedy the others are, in bytes."""
        return self.budget.fair(self.account)

    def take(self, size: int) -> bool:
        """Count `size` bytes as held; False if that has to wait.

        Beyond the stream's own bound nothing but its own `give` helps, and nobody is called. Otherwise
        `wake` is called as soon as the bytes are set aside: take them then. The latest question counts.
        """
        if self._granted:
            granted, self._granted = self._granted, 0
            if granted == size:
                return True
            self._count(-granted)
        if self.held and self.held + size > self.budget.stream_bytes:
            self._stop_waiting()
            self.budget.settle()
            return False
        self.wanted = size
        if self._at_once():
            self.grant()
        else:
            self._wait()
            self.budget.settle(asking=self)
        taken, self._granted = bool(self._granted), 0
        return taken

    def give(self, size: int) -> None:
        """Count `size` bytes as held no more."""
        self._count(-size)
        self.budget.settle()

    def landed(self) -> None:
        """Say that there is something to reclaim that was not before."""
        self.offer()
        if self.budget.waiting:
            self.budget.settle()

    def leave(self) -> None:
        """Give back everything, and wait for nothing any more. Idempotent."""
        if self not in self.account.shares:
            return
        self._stop_waiting()
        self._count(-self.held)
        self._granted = 0
        self.spare()
        del self.account.shares[self]
        self.budget.streams -= 1
        if not self.account.shares:
            del self.budget.accounts[self.key]
        self.budget.settle()

    # For the budget

    def grant(self) -> None:
        """Set aside what was wanted."""
        wanted = self.wanted
        self._stop_waiting()
        self._granted = wanted
        self._count(wanted)
        self.offer()
        self.budget.relieve(self.budget.left)

    def give_up(self, wanted: int, most: int) -> int:
        """Drop up to `most` bytes that nobody has read yet; return how many went."""
        freed = self._reclaim(wanted, most)
        if freed:
            # It still has something to read, and asks again when it has read it.
            self._stop_waiting()
            self._count(-freed)
        return freed

    def offer(self) -> None:
        """Stand, last, among those that may be asked to give something up."""
        self.account.greedy[self] = self.budget.greedy[self] = None

    def spare(self) -> None:
        """Stand there no more."""
        self.account.greedy.pop(self, None)
        self.budget.greedy.pop(self, None)

    # Inside

    def _at_once(self) -> bool:
        budget = self.budget
        if not self.held and self.wanted <= budget.always_bytes:
            return True
        return (
            not budget.waiting
            and self.wanted <= budget.free_for(self)
            and self.account.held + self.wanted <= budget.account_bytes
        )

    def _wait(self) -> None:
        if not self.number:
            self.number = next(self.budget.numbers) + 1
            self.budget.waiting += 1
        self.account.waiting.enter(self)
        self.budget.moved(self.account)

    def _stop_waiting(self) -> None:
        self.wanted = 0
        if self.number:
            self.number = 0
            self.budget.waiting -= 1
            self.account.waiting.remove(self)
            self.budget.moved(self.account)

    def _count(self, size: int) -> None:
        self.held += size
        self.account.held += size
        self.budget.held += size
        if self.number:
            self.account.waiting.enter(self)
        if self.account.first is not None:
            self.budget.moved(self.account)


def _within_account(share: Share) -> tuple[int, ...]:
    return share.held, share.number


def _within_process(share: Share) -> tuple[int, ...]:
    return share.account.held, share.held, share.number
