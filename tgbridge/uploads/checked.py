"""Bytes that have a checksum, held back until it has been verified: nothing of a wrong chunk may count.

They wait under a budget of their own, beside what uploads hold on their way. Under one and the same, chunks
that wait to be complete could take all memory, and leave none for those that are complete to go on.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from tgbridge.errors import PoolExhausted
from tgbridge.telegram.transfer.budget import Budget
from tgbridge.uploads.errors import ChecksumMismatch, ChunkTooLarge, ChunkTooSlow

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Hashable

    from tgbridge.http.tus import Checksum
    from tgbridge.settings import UploadSettings
    from tgbridge.telegram.transfer.budget import Share

MOST_BYTES: Final = 16 * 1024 * 1024
"""The largest chunk that may have a checksum: it has to be in memory as a whole."""

ADMISSION_SECONDS: Final = 20.0
"""How long a chunk waits for its place in memory."""

ARRIVAL_SECONDS: Final = 120.0
"""How long a chunk may take to arrive: the whole of its place is kept for it meanwhile. Slow telephones send
smaller ones."""

GRACE_SECONDS: Final = 5.0
"""By how much a chunk may be behind at any time: who trickles does not keep a place for all of that."""


def checked_budget(settings: UploadSettings) -> Budget:
    """Return the bounds on all chunks that wait: half as much as uploads hold on their way."""
    return Budget(
        process_bytes=settings.window_bytes_per_process // 2,
        account_bytes=settings.window_bytes_per_account // 2,
        stream_bytes=min(settings.window_bytes_per_upload, MOST_BYTES),
    )


async def checked(
    body: AsyncGenerator[bytes, None],
    checksum: Checksum,
    budget: Budget,
    account: Hashable,
    *,
    expected: int | None,
) -> AsyncGenerator[bytes, None]:
    """Yield a chunk's bytes once all have come and have the right checksum.

    `expected` is their number, if it is known. Nothing is held before the first of them.
    Raises ChunkTooLarge, ChunkTooSlow, ChecksumMismatch, and PoolExhausted if memory is short for long.
    """
    most = budget.stream_bytes
    too_large = ChunkTooLarge(f"at most {most} bytes")
    if expected is not None and expected > most:
        raise too_large
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(aclosing(body))
        pieces = [await anext(body, b"")]
        reserved = most if expected is None else expected
        share = await stack.enter_async_context(_reserved(budget, account, reserved))
        size = len(pieces[0])
        behind_at = asyncio.get_running_loop().time() + GRACE_SECONDS
        try:
            async with asyncio.timeout_at(behind_at) as patience:
                async for piece in body:
                    size += len(piece)
                    if size > most:
                        raise too_large
                    pieces.append(piece)
                    patience.reschedule(behind_at + ARRIVAL_SECONDS * size / reserved)
        except TimeoutError:
            raise ChunkTooSlow(ousted=True) from None
        if not await asyncio.to_thread(checksum.matches, pieces):
            raise ChecksumMismatch
        pieces.reverse()
        while pieces:
            share.give(len(pieces[-1]))
            yield pieces.pop()


@asynccontextmanager
async def _reserved(budget: Budget, account: Hashable, size: int) -> AsyncIterator[Share]:
    woken = asyncio.Event()
    share = budget.enter(account, wake=woken.set, reclaim=lambda _wanted, _most: 0)
    try:
        try:
            async with asyncio.timeout(ADMISSION_SECONDS):
                while size and not share.take(size):
                    await woken.wait()
                    woken.clear()
        except TimeoutError:
            raise PoolExhausted from None
        yield share
    finally:
        share.leave()
