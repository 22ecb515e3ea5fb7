"""In which order updates count: each once, and none before those that came earlier.

The account's message box has a state, pts; an update says which state it leads to, and by how many events.
Source: https://core.telegram.org/api/updates#update-handling. No I/O.
"""

from __future__ import annotations

from bisect import insort
from typing import Any, Final, NamedTuple

MOST_WAITING: Final = 1000
"""Updates that wait for earlier ones. More are not kept: they are asked for with those that are missing."""


class Piece(NamedTuple):
    """An update that leads to the state ``pts``, from ``count`` events before. None: nothing of interest."""

    pts: int
    events: int
    update: Any = None


class Sequence:
    """The account's state, and the updates that wait."""

    def __init__(self, pts: int) -> None:
        self.pts = pts
        self.held = False
        """Whether all have to wait, since a difference is being asked for."""
        self._waiting: list[Piece] = []
        self._has_dropped = False

    @property
    def has_gap(self) -> bool:
        """Whether there are updates that others have to come before."""
        return (bool(self._waiting) or self._has_dropped) and not self.held

    def hold(self) -> None:
        """Let all wait, since what has happened from here on is asked for."""
        self.held, self._has_dropped = True, False

    def take(self, *pieces: Piece) -> list[Piece]:
        """Take updates that have come, and return those whose turn it is, in order."""
        for piece in pieces:
            if piece.pts > self.pts or (piece.events == 0 and piece.pts == self.pts):
                insort(self._waiting, piece, key=_order)
        self._has_dropped |= len(self._waiting) > MOST_WAITING
        del self._waiting[MOST_WAITING:]
        return [] if self.held else self._due()

    def advance(self, pts: int) -> None:
        """Go on from a later state, up to which all is known; `take` returns whose turn it is then."""
        self.pts = max(self.pts, pts)

    def _due(self) -> list[Piece]:
        due: list[Piece] = []
        while self._waiting:
            piece = self._waiting[0]
            if piece.pts < self.pts or (piece.pts == self.pts and piece.events):
                del self._waiting[0]  # it has counted already
            elif piece.pts - piece.events <= self.pts:
                del self._waiting[0]
                self.pts = piece.pts
                due.append(piece)
            else:
                break
        return due


def _order(piece: Piece) -> tuple[int, int]:
    return piece.pts - piece.events, piece.pts
