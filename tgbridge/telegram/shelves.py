"""Memory of many accounts under two bounds: what one account may keep, and what all of them may together."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K")
V = TypeVar("V")


class Shelves(Generic[K, V]):
    """One shelf for each account. `account_most` and `most` are in whatever `put` is told the cost in.

    When all are full together, the account that nobody has come for the longest gives way. What has been
    unused for longest on a shelf goes first.
    """

    def __init__(self, *, account_most: int, most: int) -> None:
        self.cost = 0
        """What all shelves hold together."""
        self.hits = 0
        """How often something was there that could be used, as those who use it say."""
        self.misses = 0
        self._account_most = account_most
        self._most = most
        self._shelves: OrderedDict[Hashable, _Shelf[K, V]] = OrderedDict()  # none of them is empty

    def get(self, account: Hashable, key: K) -> V | None:
        """Return what is kept for an account under a key."""
        shelf = self._shelves.get(account)
        found = None if shelf is None else shelf.kept.get(key)
        if shelf is None or found is None:
            return None
        shelf.kept.move_to_end(key)
        self._shelves.move_to_end(account)
        return found[0]

    def asked(self, *, hit: bool) -> None:
        """Count a use, or the lack of anything to use."""
        self.hits += hit
        self.misses += not hit

    def put(self, account: Hashable, key: K, value: V, cost: int = 1) -> None:
        """Keep something in place of what is kept under the key, at the cost of what is older."""
        self.pop(account, key)
        if cost > min(self._account_most, self._most):
            return
        shelf = self._shelves.setdefault(account, _Shelf())
        self._shelves.move_to_end(account)
        shelf.kept[key] = value, cost
        self._count(shelf, cost)
        while shelf.cost > self._account_most:
            self._discard_oldest(account)
        while self.cost > self._most:
            self._discard_oldest(next(iter(self._shelves)))

    def pop(self, account: Hashable, key: K) -> None:
        """Keep it no longer, if it is kept."""
        shelf = self._shelves.get(account)
        if shelf is not None and key in shelf.kept:
            shelf.kept.move_to_end(key, last=False)
            self._discard_oldest(account)

    def clear(self, account: Hashable) -> None:
        """Keep nothing for an account any more."""
        while account in self._shelves:
            self._discard_oldest(account)

    def _discard_oldest(self, account: Hashable) -> None:
        shelf = self._shelves[account]
        _, (_, cost) = shelf.kept.popitem(last=False)
        self._count(shelf, -cost)
        if not shelf.kept:
            del self._shelves[account]

    def _count(self, shelf: _Shelf[K, V], cost: int) -> None:
        shelf.cost += cost
        self.cost += cost


class _Shelf(Generic[K, V]):
    """What is kept for one account, the longest unused first, each with its cost."""

    def __init__(self) -> None:
        self.cost = 0
        self.kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
