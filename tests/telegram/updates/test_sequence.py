"""Updates in their order, each once."""

from __future__ import annotations

import random

import pytest

from tgbridge.telegram.updates import sequence as sequence_module
from tgbridge.telegram.updates.sequence import Piece, Sequence


def states(pieces: list[Piece]) -> list[int]:
    return [piece.pts for piece in pieces]


def test_updates_that_come_in_order() -> None:
    """Each counts at once; one of several events moves the state by all of them."""
    sequence = Sequence(10)
    assert states(sequence.take(Piece(11, 1), Piece(14, 3))) == [11, 14]
    assert (sequence.pts, sequence.has_gap) == (14, False)


def test_updates_that_have_counted() -> None:
    """They are passed over, however they come again; one of no events at all is not known to have."""
    sequence = Sequence(10)
    assert states(sequence.take(Piece(11, 1), Piece(11, 1), Piece(9, 1), Piece(11, 0))) == [11, 11]
    assert states(sequence.take(Piece(11, 1), Piece(10, 5))) == []


def test_a_gap() -> None:
    """What comes too early waits for what is missing."""
    sequence = Sequence(10)
    assert sequence.take(Piece(12, 1), Piece(15, 2)) == []
    assert sequence.has_gap
    assert states(sequence.take(Piece(11, 1))) == [11, 12]
    assert sequence.has_gap
    assert states(sequence.take(Piece(13, 1))) == [13, 15]
    assert not sequence.has_gap


def test_while_a_difference_is_told() -> None:
    """All wait, and of what has come meanwhile counts what the difference has not told."""
    sequence = Sequence(10)
    sequence.hold()
    assert sequence.take(Piece(11, 1), Piece(13, 1), Piece(14, 1)) == []
    assert not sequence.has_gap
    sequence.advance(12)
    sequence.held = False
    assert states(sequence.take()) == [13, 14]
    sequence.advance(5)
    assert sequence.pts == 14


@pytest.mark.parametrize("seed", range(20))
def test_any_order(seed: int) -> None:
    """However they are mixed and repeated, each counts once and in order."""
    chance = random.Random(seed)
    pieces, pts = [], 1
    for _ in range(50):
        events = chance.randint(1, 3)
        pts += events
        pieces.append(Piece(pts, events))
    told = pieces * 2
    chance.shuffle(told)
    sequence = Sequence(1)
    found: list[Piece] = []
    while told:
        found += sequence.take(*(told.pop() for _ in range(min(len(told), chance.randint(1, 4)))))
    assert found == pieces


def test_a_flood_before_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is bounded; what is not kept is a gap, which is asked for."""
    monkeypatch.setattr(sequence_module, "MOST_WAITING", 3)
    sequence = Sequence(10)
    sequence.take(*(Piece(pts, 1) for pts in range(12, 20)))
    assert states(sequence.take(Piece(11, 1))) == [11, 12, 13]
    assert sequence.has_gap
    sequence.hold()
    sequence.advance(20)
    sequence.held = False
    assert not sequence.has_gap
