"""What ends a reading whose file turns out to be another one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from tgbridge.errors import SessionEnded
from tgbridge.telegram.finding import Finding

if TYPE_CHECKING:
    from tgbridge.telegram.transfer.remote_file import RemoteFile


async def test_bad_news_may_come_as_the_block_ends() -> None:
    """It is raised, and what was to end the block finds it ended."""
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    news = loop.create_future()

    async def ask() -> RemoteFile | None:
        return cast("RemoteFile | None", await news)

    nobody: Any = None
    async with Finding(nobody, nobody, 1, nobody, is_read=True) as finding:
        finding._ask(nobody, ask())
        asking = finding._asking
        assert asking is not None

        async def read() -> None:
            async with finding.confirming():
                news.set_exception(SessionEnded("SESSION_REVOKED"))
                while not asking.done():
                    await asyncio.sleep(0)

        with pytest.raises(SessionEnded):
            await read()
    await asyncio.sleep(0)
    assert complaints == []
