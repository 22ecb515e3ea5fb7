"""Pages that come one after the other: the next one is fetched while the present one is being sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

PageT = TypeVar("PageT")


class Ahead(Generic[PageT]):
    """Reads a generator one page ahead of who takes them, and no further. Leaving its context closes both."""

    def __init__(self, pages: AsyncGenerator[PageT, None]) -> None:
        self._pages = pages
        self._fetching: asyncio.Task[PageT | None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to fetch the first one."""
        self._fetching = asyncio.create_task(self._fetch())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Give up what is being fetched."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait((self._fetching,))
        await self._pages.aclose()

    async def take(self) -> PageT | None:
        """Return the next page, and begin to fetch the one after it; None after the last one.

        Raises what fetching it did.
        """
        fetching = self._fetching
        if fetching is None:
            return None
        await asyncio.wait((fetching,))
        page = fetching.result()
        self._fetching = None if page is None else asyncio.create_task(self._fetch())
        return page

    async def is_there(self, *, until: float) -> bool:
        """Wait for the next page, until some time of the loop's clock at most; tell whether it has come."""
        if self._fetching is not None:
            seconds = max(0.0, until - asyncio.get_running_loop().time())
            await asyncio.wait((self._fetching,), timeout=seconds)
        return self._fetching is None or self._fetching.done()

    async def _fetch(self) -> PageT | None:
        return await anext(self._pages, None)
