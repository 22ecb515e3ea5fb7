"""Futures and tasks whose outcome may find nobody who waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio


def look_at(future: asyncio.Future[Any]) -> None:
    """Mark an error as seen, for ``add_done_callback``: asyncio complains of one that nobody asked for."""
    if not future.cancelled():
        future.exception()
