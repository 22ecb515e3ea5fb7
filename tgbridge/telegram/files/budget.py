"""Bounds on the bytes that downloads hold, in flight or unread: per stream, per account, per process.

What is free goes to whoever asks, so that one stream alone may use all that the bounds allow. When it runs
out, the account that holds least is served first, in it the stream that holds least, and equals in the
order of their asking. Readers that stopped reading must not keep others out (browsers pause videos for
hours): a stream below its fair share may have what one above its own has fetched and not passed on.

Everything here is a plain call on one event loop: no task, no lock, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from itertools import count

Wake = Callable[[], None]
"""Called once after a refused `take`, when the bytes it asked for are set aside."""

Reclaim = Callable[[int, int], int]
"""Called with how many bytes are wanted and how many may go at most; drops what it can, returns how many."""


@dataclass(slots=True, eq=False)
class Account:
    """What one account's streams hold together, and which of them wait, in the order of asking."""

    held: int = 0
    shares: dict[Share, None] = field(default_factory=dict)
    waiting: dict[Share, None] = field(default_factory=dict)


class Budget:
    """The bounds, in bytes, and all that is held under them.

    `relieve` is called with the bytes that are left whenever they become fewer: a cache may use what
    nobody needs, as long as it gives way at once. The last `reserved_bytes` of the process are for accounts
    that have no more than `little_bytes` then: what can't be taken back from many is not all there is.
    """

    def __init__(
        self,
        *,
        process_bytes: int,
        account_bytes: int,
        stream_bytes: int,
        reserved_bytes: int = 0,
        little_bytes: int = 0,
        relieve: Callable[[int], None] = lambda _left: None,
    ) -> None:
        self.process_bytes = process_bytes
        self.account_bytes = min(account_bytes, process_bytes)
        self.stream_bytes = min(stream_bytes, self.account_bytes)
        self.reserved_bytes = reserved_bytes
        self.little_bytes = little_bytes
        self.relieve = relieve
        self.held = 0
        self.waiting = 0
        self.accounts: dict[Hashable, Account] = {}
        self.numbers = count()
        """For those who begin to wait, in their order."""
        self._settling = False

    @property
    def left(self) -> int:
        """Bytes that nobody holds."""
        return self.process_bytes - self.held

    def free_for(self, share: Share) -> int:
        """Return how many bytes there are for what a stream asks for."""
        is_little = share.account.held + share.wanted <= self.little_bytes
        return self.left - (0 if is_little else self.reserved_bytes)

    @property
    def streams(self) -> int:
        """Streams that have a share, whether or not they hold anything."""
        return sum(len(account.shares) for account in self.accounts.values())

    def enter(self, key: Hashable, *, wake: Wake, reclaim: Reclaim) -> Share:
        """Give a new stream of the account named `key` its share; it must `leave`."""
        return Share(self, key, wake, reclaim)

    def fair(self, account: Account) -> int:
        """Return what each stream of an account may have however greedy the others are, in bytes."""
        of_account = min(self.account_bytes, self.process_bytes // max(1, len(self.accounts)))
        return min(self.stream_bytes, of_account // max(1, len(account.shares)))

    def settle(self, asking: Share | None = None) -> None:
        """Serve those who wait, as far as the bytes go; `asking` is served without being called.

        To be called, too, when a stream has something to reclaim that it had not before.
        """
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
        candidates = []
        for account in self.accounts.values():
            # Nobody overtakes within an account: what is freed there goes to the one that holds least.
            share = min(account.waiting, key=_held, default=None)
            if share is not None and self._fits_account(share):
                candidates.append(share)
        best = min(candidates, key=_turn, default=None)
        if best is None:
            return None
        missing = best.wanted - self.free_for(best)
        return best if self._make_room(best, missing, self.accounts.values()) else None

    def _fits_account(self, share: Share) -> bool:
        missing = share.account.held + share.wanted - self.account_bytes
        return self._make_room(share, missing, (share.account,))

    def _make_room(self, asking: Share, missing: int, accounts: Iterable[Account]) -> bool:
        """Take from the greedy among `accounts` until `missing` bytes are free; tell whether they are."""
        if missing <= 0:
            return True
        held_then = asking.held + asking.wanted
        if asking.held and held_then > self.fair(asking.account):
            return False
        greedy = []
        for account in accounts:
            fair = self.fair(account)
            greedy += [share for share in account.shares if share.held > fair]
        for share in sorted(greedy, key=_held, reverse=True):
            # Nobody is left with less than the one who asks has then: it would only ask in turn.
            missing -= share.give_up(missing, share.held - held_then)
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
        self.wake = wake
        self.held = 0
        """Bytes that count as this stream's, those that are set aside for it included."""
        self.wanted = 0
        """Bytes of the latest question."""
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
        if self._nobody_waits_and_it_fits():
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

    def leave(self) -> None:
        """Give back everything, and wait for nothing any more. Idempotent."""
        self._stop_waiting()
        self._count(-self.held)
        self._granted = 0
        self.account.shares.pop(self, None)
        if not self.account.shares and self.budget.accounts.get(self.key) is self.account:
            del self.budget.accounts[self.key]
        self.budget.settle()

    def grant(self) -> None:
        """Set aside what was wanted. For the budget."""
        self._stop_waiting()
        self._granted = self.wanted
        self._count(self.wanted)
        self.budget.relieve(self.budget.left)

    def give_up(self, wanted: int, most: int) -> int:
        """Drop up to `most` bytes that nobody has read yet; return how many went. For the budget."""
        freed = self._reclaim(wanted, most)
        if freed:
            self._count(-freed)
            # It still has something to read, and asks again when it has read it.
            self._stop_waiting()
        return freed

    def _nobody_waits_and_it_fits(self) -> bool:
        budget = self.budget
        return (
            not budget.waiting
            and self.wanted <= budget.free_for(self)
            and self.account.held + self.wanted <= budget.account_bytes
        )

    def _wait(self) -> None:
        if self not in self.account.waiting:
            self.account.waiting[self] = None
            self.number = next(self.budget.numbers)
            self.budget.waiting += 1

    def _stop_waiting(self) -> None:
        if self in self.account.waiting:
            del self.account.waiting[self]
            self.budget.waiting -= 1

    def _count(self, size: int) -> None:
        self.held += size
        self.account.held += size
        self.budget.held += size


def _held(share: Share) -> int:
    return share.held


def _turn(share: Share) -> tuple[int, int, int]:
    return share.account.held, share.held, share.number
