"""Where a file's bytes are: on disk, in the parts of an upload, or made up by a function of the offset.

Nothing here holds a file in memory. Reads are plain ``pread`` calls on a local file system: handing a
mebibyte to a thread and back costs more than reading it from the page cache.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 1 << 20
_STRIDE = 65_537


class Blob(Protocol):
    """Bytes of a known number that can be read from any offset."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on; fewer at the end, none past it."""


def chunks(blob: Blob, length: int = BLOCK) -> Iterator[bytes]:
    """Give the whole of a blob, in pieces of up to ``length`` bytes."""
    for offset in range(0, blob.size, length):
        yield blob.read(offset, length)


@dataclass(frozen=True, slots=True)
class DiskBlob:
    """A file on disk, which must not change while it is in use."""

    path: Path
    size: int

    @classmethod
    def of(cls, path: Path) -> DiskBlob:
        """Take a file as it is now. Raises OSError where there is none."""
        return cls(path, path.stat().st_size)

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return os.pread(descriptor, max(0, min(limit, self.size - offset)), offset)
        finally:
            os.close(descriptor)


@lru_cache(maxsize=8)
def _noise(seed: int) -> bytes:
    block = random.Random(seed).randbytes(BLOCK)
    return block + block  # twice, so that every rotation of it is one slice


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Incompressible bytes made up as they are asked for.

    ``noise = random.Random(seed).randbytes(2**20)``; the byte at offset ``o`` is
    ``noise[(o + (o >> 20) * 65537) % 2**20]``: each mebibyte is the same noise, turned by another amount, so
    that parts put together in a wrong order are noticed up to a size of a tebibyte.
    """

    size: int
    seed: int = 0

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on."""
        noise = _noise(self.seed)
        stop = min(offset + limit, self.size)
        pieces = []
        while offset < stop:
            block, within = divmod(offset, BLOCK)
            length = min(BLOCK - within, stop - offset)
            start = (within + block * _STRIDE) % BLOCK
            pieces.append(noise[start : start + length])
            offset += length
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


@dataclass(frozen=True, slots=True)
class PartedBlob:
    """An uploaded file: its parts in one file on disk, in the order in which they happened to arrive."""

    path: Path
    size: int
    part_size: int
    positions: array[int] = field(repr=False)

    def read(self, offset: int, limit: int) -> bytes:
        """Give up to ``limit`` bytes from ``offset`` on."""
        stop = min(offset + limit, self.size)
        pieces = []
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            while offset < stop:
                part, within = divmod(offset, self.part_size)
                length = min(self.part_size - within, stop - offset)
                pieces.append(os.pread(descriptor, length, self.positions[part] + within))
                offset += length
        finally:
            os.close(descriptor)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
