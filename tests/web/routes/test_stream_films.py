"""A film whose index stands at its end, as players of browsers ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.sandbox.seeds import IDS
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import Get, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PATH = f"/stream_media/{IDS['video_moov_last']}"


@pytest.mark.parametrize("first", ["bytes=0-", "bytes=0-1", None], ids=["Chromium", "Safari", "whole"])
async def test_moov_last(
    get: Get,
    signed_in: ClientSession,
    service: Service,
    sandbox: Sandbox,
    until: Until,
    first: str | None,
) -> None:
    """The second request is answered from memory, and so is the third, wherever the first one was left."""
    blob = DOCUMENTS["sea-stretched"].blob
    headers = {} if first is None else {"Range": first}
    async with signed_in.get(PATH, headers=headers) as response:
        head = await response.content.readexactly(2 if first == "bytes=0-1" else 40_000)
        assert head == blob.read(0, len(head))
        await until(lambda: not service.app[keys.DOWNLOADER]._ahead)
    await until(lambda: not service.app[keys.DOWNLOADER].budget.streams)
    asked = sandbox.counters.of("upload.getFile")
    index = blob.read(0, blob.size).rfind(b"moov") - 4
    tail = await get(PATH, headers={"Range": f"bytes={index}-"})
    assert (tail.status, tail.body) == (206, blob.read(index, blob.size))
    again = await get(PATH, headers={"Range": "bytes=0-65535"})
    assert (again.status, again.body) == (206, blob.read(0, 65536))
    assert sandbox.counters.of("upload.getFile") == asked
