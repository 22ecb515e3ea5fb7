"""Futures and tasks that somebody else waits for as well, or nobody does."""

from __future__ import annotations

import asyncio
from typing import Any


def look_at(future: asyncio.Future[Any]) -> None:
    """Mark an error as seen, for ``add_done_callback``: asyncio complains of one that nobody asked for."""
    if not future.cancelled():
        future.exception()


async def end_of(future: asyncio.Future[Any], *, seconds: float | None = None) -> bool:
    """Wait until a future is done, or for `seconds` at most; tell whether it is.

    Whatever happens to who waits, the future is left as it is: asyncio.wait for one future, at half its cost.
    """
    if future.done():
        return True
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def wake(_future: object = None) -> None:
        if not ended.done():
            ended.set_result(None)

    future.add_done_callback(wake)
    timer = None if seconds is None else loop.call_later(seconds, wake)
    try:
        await ended
    finally:
        future.remove_done_callback(wake)
        if timer is not None:
            timer.cancel()
    return future.done()
