"""A cache for many accounts, under two bounds: what one may keep, and what all of them may together."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K")
V = TypeVar("V")


class AccountCache(Generic[K, V]):
    """Each account has a part of its own. `account_most` and `most` are in the unit of the costs for `put`.

    When all are full together, the account that nobody has come for the longest gives way. What has been
    unused for longest in it goes first.
    """

    def __init__(self, *, account_most: int, most: int) -> None:
        self.cost = 0
        """What all of it costs together."""
        self.hits = 0
        """How often something was there that could be used, as those who use it say."""
        self.misses = 0
        self._account_most = account_most
        self._most = most
        self._accounts: OrderedDict[Hashable, _Part[K, V]] = OrderedDict()  # none of them is empty

    def get(self, account: Hashable, key: K) -> V | None:
        """Return what is kept for an account under a key."""
        part = self._accounts.get(account)
        found = None if part is None else part.entries.get(key)
        if part is None or found is None:
            return None
        part.entries.move_to_end(key)
        self._accounts.move_to_end(account)
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
        part = self._accounts.setdefault(account, _Part())
        self._accounts.move_to_end(account)
        part.entries[key] = value, cost
        self._count(part, cost)
        while part.cost > self._account_most:
            self._discard_oldest(account)
        while self.cost > self._most:
            self._discard_oldest(next(iter(self._accounts)))

    def pop(self, account: Hashable, key: K) -> None:
        """Keep it no longer, if it is kept."""
        part = self._accounts.get(account)
        if part is not None and key in part.entries:
            part.entries.move_to_end(key, last=False)
            self._discard_oldest(account)

    def clear(self, account: Hashable) -> None:
        """Keep nothing for an account any more."""
        while account in self._accounts:
            self._discard_oldest(account)

    def _discard_oldest(self, account: Hashable) -> None:
        part = self._accounts[account]
        _, (_, cost) = part.entries.popitem(last=False)
        self._count(part, -cost)
        if not part.entries:
            del self._accounts[account]

    def _count(self, part: _Part[K, V], cost: int) -> None:
        part.cost += cost
        self.cost += cost


class _Part(Generic[K, V]):
    """What is kept for one account, the longest unused first, each with its cost."""

    def __init__(self) -> None:
        self.cost = 0
        self.entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
