"""SHA-256 hashes of a file's blocks, as Telegram gives them, and parts checked against them.

https://core.telegram.org/constructor/fileHash, https://core.telegram.org/cdn#verifying-files. No I/O.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from tgbridge.errors import FileCorrupted
from tgbridge.telegram.mtproto.pieces import pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telethon.tl import types

    from tgbridge.telegram.mtproto.pieces import Bytes


class HashBook:
    """The hashes that are known of one file. Blocks are of 128 KiB as a rule, the last one shorter."""

    def __init__(self, hashes: Iterable[types.FileHash] = ()) -> None:
        self._blocks: dict[int, tuple[int, bytes]] = {}
        self.add(hashes)

    def add(self, hashes: Iterable[types.FileHash]) -> None:
        """Learn the hashes that Telegram gave."""
        for block in hashes:
            if block.limit > 0:
                self._blocks[block.offset] = (block.limit, bytes(block.hash))

    def missing(self, start: int, stop: int) -> int | None:
        """Return where the first unknown block of those that cover these bytes begins; None if none is."""
        position = start
        while position < stop:
            if position not in self._blocks:
                return position
            position += self._blocks[position][0]
        return None

    def check(self, start: int, data: Bytes) -> None:
        """Compare the bytes at `start` with their hashes, which must be known (see `missing`).

        Raises FileCorrupted when one differs, or when a block reaches beyond the bytes.
        """
        position = 0
        while position < len(data):
            limit, expected = self._blocks[start + position]
            block = data[position : position + limit]
            if len(block) != limit or not hmac.compare_digest(_digest(block), expected):
                raise FileCorrupted("a part of the file does not match its hash")
            position += limit


def _digest(block: Bytes) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces_of(block, len(block)):
        digest.update(piece)
    return digest.digest()
