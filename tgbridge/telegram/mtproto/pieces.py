"""Bytes that came in pieces and stay so: a part of a file is handed on as it was decrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Bytes: TypeAlias = "memoryview | Pieces"
"""Read-only bytes, in one piece or in several."""


class Pieces:
    """Several pieces as one: `len`, slices that copy nothing, and `bytes`, which copies."""

    __slots__ = ("_size", "pieces")

    def __init__(self, pieces: Sequence[memoryview]) -> None:
        self.pieces = pieces
        """All of it, in order; none is empty."""
        self._size = sum(map(len, pieces))

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)

    def __getitem__(self, span: slice) -> Bytes:
        """Return a part of it, a memoryview where that is of one piece."""
        start, stop, step = span.indices(self._size)
        if step != 1:
            raise ValueError("no steps")
        if start == 0 and stop == self._size:
            return self
        found = []
        for piece in self.pieces:
            if stop <= 0:
                break
            size = len(piece)
            if start < size:
                found.append(piece[start:stop] if start or stop < size else piece)
            start, stop = max(start - size, 0), stop - size
        return in_pieces(found)


def in_pieces(pieces: Sequence[memoryview]) -> Bytes:
    """Return pieces as one, none of them empty; what is but one stays what it is."""
    if len(pieces) == 1:
        return pieces[0]
    return Pieces(pieces) if pieces else memoryview(b"")


def pieces_of(data: Bytes, most: int) -> Iterable[memoryview]:
    """Return the pieces of `data` in order, those cut that have more than `most` bytes."""
    for piece in data.pieces if isinstance(data, Pieces) else (data,):
        for at in range(0, len(piece), most):
            yield piece[at : at + most]


def joined(data: Bytes) -> memoryview:
    """Return the bytes as one piece, for whoever needs a buffer; copied where they are several."""
    return data if isinstance(data, memoryview) else memoryview(bytes(data))
