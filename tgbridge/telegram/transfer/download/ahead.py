"""What a player will ask for next: the index of a film that has it behind its pictures.

A player needs the index (`moov`) before the first picture. Where the pictures (`mdat`) come first, it reads
the head, asks for what stands behind them, and then for the beginning again. The head tells where that is, so
that it can be on its way before the player asks. Source: ISO/IEC 14496-12, sections 4.2 and 8.1.1.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tgbridge.telegram.mtproto.pieces import Bytes

MOST_BYTES: Final = MIB
"""An hour's index has about as much; of a longer one the player has its beginning at once."""

LINGER_SECONDS: Final = 2.0
"""So long the rest is waited for after its reader has left: players end one request, then make the next."""

# Players do not begin at the very byte: Chromium begins at a multiple of 32 KiB, Safari at one of 64.
_MARGIN: Final = 64 * KIB
# What may stand before the pictures, and has nothing in it that a player needs.
_PASSED_OVER: Final = frozenset({b"ftyp", b"free", b"skip", b"wide", b"uuid", b"pnot"})
_SIZE_FOLLOWS: Final = 1
_MOST_BOXES: Final = 64  # a hostile file has any number


def behind_the_pictures(head: Bytes, size: int) -> int | None:
    """Return where a film of ``size`` bytes goes on behind its pictures, by its first bytes.

    None where the index comes first, for all that is no film, and where nothing is behind them.
    """
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 16 > len(head):
            break
        kind, length = bytes(head[at + 4 : at + 8]), int.from_bytes(bytes(head[at : at + 4]))
        if length == _SIZE_FOLLOWS:
            length = int.from_bytes(bytes(head[at + 8 : at + 16]))
        if length < 8 or kind not in _PASSED_OVER | {b"mdat"}:
            return None
        at += length
        if kind == b"mdat":
            return at if len(head) < at < size else None
    return None


def span_behind(head: Bytes, size: int) -> tuple[int, int] | None:
    """Return from where up to where the file is worth reading ahead; None if it is not."""
    position = behind_the_pictures(head, size)
    if position is None:
        return None
    start = max(len(head), position - _MARGIN)
    return start, min(size, start + MOST_BYTES)


class Ahead:
    """A span that nobody has asked for yet, on its way into the cache."""

    def __init__(self, reading: Coroutine[Any, Any, None]) -> None:
        self.task = asyncio.create_task(reading)

    def leave(self) -> None:
        """Give up what has not come soon, unless somebody waits for it by then. Idempotent."""
        if not self.task.done():
            timer = asyncio.get_running_loop().call_later(LINGER_SECONDS, self.task.cancel)
            self.task.add_done_callback(lambda _task: timer.cancel())
