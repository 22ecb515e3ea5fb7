"""A queue in which the one with the smallest rank is first, and ranks may change."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_STALE: Final = 64
"""Entries of a queue that have been replaced by later ones, beyond which it is tidied up."""


class RankedQueue(Generic[T]):
    """Members in the order of their ranks; equals as they came. One whose rank has changed enters anew.

    Each step takes logarithmic time: entries that have been replaced stay until they come to the front.
    """

    def __init__(self, rank: Callable[[T], tuple[int, ...]]) -> None:
        self._rank = rank
        self._heap: list[tuple[tuple[int, ...], int, T]] = []
        self._entered: dict[T, int] = {}
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._entered)

    def enter(self, member: T) -> None:
        """Put a member in, or where it belongs by now."""
        number = self._entered[member] = next(self._numbers)
        heappush(self._heap, (self._rank(member), number, member))
        if len(self._heap) > 2 * len(self._entered) + _STALE:
            self._heap = [entry for entry in self._heap if self._entered.get(entry[2]) == entry[1]]
            heapify(self._heap)

    def remove(self, member: T) -> None:
        """Take a member out, if it is in."""
        self._entered.pop(member, None)

    def first(self) -> T | None:
        """Return the member whose turn it is."""
        while self._heap:
            _, number, member = self._heap[0]
            if self._entered.get(member) == number:
                return member
            heappop(self._heap)
        return None
