"""Stretch an MP4 over more bytes than it needs, so that a player has to ask for ranges to find its way.

The runs of samples inside its `mdat` are moved apart, and the index (`moov`) comes last: a short clip then
behaves like a long film, whose seconds lie far apart. Nothing is stored for the space between them.

Source: ISO/IEC 14496-12, 8.1.1 (media data may hold bytes that no sample refers to), 8.7.5 (chunk offsets).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.sandbox.world.blobs import Blob

_HEADER = struct.Struct(">I4s")
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


@dataclass(frozen=True, slots=True)
class Bytes:
    """A blob held in memory, for the few bytes that are made anew."""

    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.data)

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on."""
        return self.data[offset : offset + limit]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of ``length`` bytes of ``blob`` from ``offset`` on, to be found at ``start``."""

    start: int
    blob: Blob
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Patchwork:
    """Pieces of other blobs, in ascending order without overlap, and zeros between them."""

    size: int
    pieces: tuple[Piece, ...] = field(repr=False)

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on."""
        stop = min(offset + limit, self.size)
        out = bytearray(max(0, stop - offset))
        first = max(0, bisect_right(self.pieces, offset, key=lambda piece: piece.start) - 1)
        for piece in self.pieces[first:]:
            if piece.start >= stop:
                break
            begin, end = max(offset, piece.start), min(stop, piece.start + piece.length)
            if begin < end:
                data = piece.blob.read(piece.offset + begin - piece.start, end - begin)
                out[begin - offset : end - offset] = data
        return bytes(out)


def boxes(blob: Blob, start: int = 0, stop: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Go through the boxes between two offsets: type, offset, and length with its header.

    Raises ValueError for a box that is longer than its surroundings, and for one whose length is of 64 bits
    or open, which small files do not have.
    """
    stop = blob.size if stop is None else stop
    while start < stop:
        header = blob.read(start, _HEADER.size)
        length, kind = _HEADER.unpack(header.rjust(_HEADER.size, b"\0"))
        if length < _HEADER.size or start + length > stop:
            raise ValueError(f"no box of {length} bytes can stand at offset {start}")
        yield kind, start, length
        start += length


def stretch(blob: Blob, size: int, *, runs: int = 60) -> Patchwork:
    """Lay an MP4 whose ``moov`` comes last out over ``size`` bytes, its samples in ``runs`` runs far apart.

    Raises ValueError if ``size`` is too small, or the file has not one ``mdat`` followed by one ``moov``.
    """
    found = {kind: (start, length) for kind, start, length in boxes(blob)}
    if not {b"mdat", b"moov"} <= found.keys():
        raise ValueError("a film has media data and an index")
    (data, data_length), (index, index_length) = found[b"mdat"], found[b"moov"]
    moov = Bytes(blob.read(index, index_length))
    tables = list(_chunk_tables(moov, 0, moov.size))
    if index < data or index + index_length != blob.size or not tables:
        raise ValueError("the index must come last, with chunk offsets of 32 bits")
    if size < blob.size:
        raise ValueError(f"{size} bytes cannot hold {blob.size}")
    borders = _borders(
        sorted(offset for _, offsets in tables for offset in offsets), data + data_length, runs
    )
    gap = (size - blob.size) // (len(borders) - 1)

    new_index = size - index_length
    pieces = [
        Piece(0, blob, 0, data),
        Piece(data, Bytes(_HEADER.pack(new_index - data, b"mdat")), 0, _HEADER.size),
        *(
            Piece(run + gap * number, blob, run, end - run)
            for number, (run, end) in enumerate(pairwise(borders))
        ),
    ]
    edited = bytearray(moov.data)
    for at, offsets in tables:
        moved = [offset + gap * (bisect_right(borders, offset) - 1) for offset in offsets]
        struct.pack_into(f">{len(moved)}I", edited, at, *moved)
    return Patchwork(size, (*pieces, Piece(new_index, Bytes(bytes(edited)), 0, index_length)))


def _chunk_tables(blob: Blob, start: int, stop: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Find the tables of chunk offsets: where the numbers stand, and the numbers."""
    for kind, place, length in boxes(blob, start, stop):
        if kind in _CONTAINERS:
            yield from _chunk_tables(blob, place + _HEADER.size, place + length)
        elif kind == b"stco":
            (count,) = struct.unpack(">I", blob.read(place + 12, 4))
            yield place + 16, struct.unpack(f">{count}I", blob.read(place + 16, 4 * count))


def _borders(chunks: list[int], end: int, runs: int) -> list[int]:
    """Cut between chunks into about equal runs; the last border is the samples' end."""
    every = max(1, -(-len(chunks) // runs))
    return [*chunks[::every], end]
