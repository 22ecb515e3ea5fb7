"""Memory of many accounts under two bounds: what one account may keep, and what all of them may together."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Shelves(Generic[K, V]):
    """The shelves of all accounts. `shelf_most` and `most` are in whatever `Shelf.put` is told the cost in.

    When all are full, the account that nobody has come for the longest gives way, its oldest thing first.
    """

    def __init__(self, *, shelf_most: int, most: int) -> None:
        self.shelf_most = shelf_most
        self.cost = 0
        """What all shelves hold together."""
        self._most = most
        self._used: OrderedDict[Shelf[K, V], None] = OrderedDict()  # those with something on them

    def add(self, shelf: Shelf[K, V], cost: int) -> None:
        """Count what has come to a shelf, and make room for it. For Shelf."""
        self.cost += cost
        self.touch(shelf)
        while self.cost > self._most:
            next(iter(self._used)).discard_oldest()

    def remove(self, shelf: Shelf[K, V], cost: int) -> None:
        """Count what has gone from a shelf. For Shelf."""
        self.cost -= cost
        if not len(shelf):
            del self._used[shelf]

    def touch(self, shelf: Shelf[K, V]) -> None:
        """Take note that somebody has come for a shelf. For Shelf."""
        self._used[shelf] = None
        self._used.move_to_end(shelf)


class Shelf(Generic[K, V]):
    """What is kept for one account, the longest unused first."""

    def __init__(self, shelves: Shelves[K, V]) -> None:
        self.cost = 0
        self._shelves = shelves
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        """How many things there are."""
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Return what is kept under a key."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        self._shelves.touch(self)
        return found[0]

    def put(self, key: K, value: V, cost: int = 1) -> None:
        """Keep something in place of what is kept under the key, at the cost of what is older."""
        self.pop(key)
        if cost > self._shelves.shelf_most:
            return
        self._kept[key] = value, cost
        self.cost += cost
        while self.cost > self._shelves.shelf_most:
            self.discard_oldest()
        self._shelves.add(self, cost)

    def pop(self, key: K) -> None:
        """Keep it no longer, if it is kept."""
        if key in self._kept:
            self._kept.move_to_end(key, last=False)
            self.discard_oldest()

    def clear(self) -> None:
        """Keep nothing any more."""
        while self._kept:
            self.discard_oldest()

    def discard_oldest(self) -> None:
        """Throw out what has been unused for longest."""
        _, (_, cost) = self._kept.popitem(last=False)
        self.cost -= cost
        self._shelves.remove(self, cost)
