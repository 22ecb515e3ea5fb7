from __future__ import annotations

import asyncio
import dataclasses
import gc
from datetime import UTC, datetime

import pytest

from tgbridge.errors import MediaNotFound
from tgbridge.telegram.transfer.lookup import FileLookup
from tgbridge.telegram.transfer.remote_file import RemoteFile

FILE = RemoteFile(
    message_id=7,
    kind="document",
    file_id=5,
    dc_id=2,
    access_hash=1,
    file_reference=b"1",
    thumb_size="",
    size=1000,
    mime_type="video/mp4",
    name="a.mp4",
    date=datetime(2024, 1, 1, tzinfo=UTC),
)


class Client:
    """Anything that has an identity."""


class Desk:
    """A lookup whose messages and clock the test holds in its hands."""

    def __init__(self, entries: int = 10) -> None:
        self.now = 0.0
        self.asked: list[tuple[int, str]] = []
        self.gone = False
        self.lookup = FileLookup[Client](
            self._fetch, lifetime_seconds=60, entries_per_account=entries, clock=lambda: self.now
        )

    async def _fetch(self, _client: Client, message_id: int, thumbnail: str) -> RemoteFile:
        self.asked.append((message_id, thumbnail))
        await asyncio.sleep(0)
        if self.gone:
            raise MediaNotFound
        reference = str(len(self.asked)).encode()
        return dataclasses.replace(FILE, message_id=message_id, file_reference=reference)


async def test_a_file_is_looked_up_once_while_its_lifetime_lasts() -> None:
    """The second request costs nothing, one after the lifetime asks again; thumbnails are files too."""
    desk, client = Desk(), Client()
    first = await desk.lookup.find(client, 7)
    desk.now = 59.9
    assert await desk.lookup.find(client, 7) is first
    await desk.lookup.find(client, 7, "m")
    desk.now = 60.0
    await desk.lookup.find(client, 7)
    assert desk.asked == [(7, ""), (7, "m"), (7, "")]


async def test_accounts_are_never_mixed() -> None:
    """The same message id of another client is another message."""
    desk, one, other = Desk(), Client(), Client()
    assert await desk.lookup.find(one, 7) is not await desk.lookup.find(other, 7)


async def test_requests_at_the_same_time_ask_once() -> None:
    """Ten players that start together make one request."""
    desk, client = Desk(), Client()
    files = await asyncio.gather(*(desk.lookup.find(client, 7) for _ in range(10)))
    assert desk.asked == [(7, "")]
    assert len({id(file) for file in files}) == 1


async def test_a_renewed_reference_is_remembered() -> None:
    """What a download had to fetch anew serves the next request, too."""
    desk, client = Desk(), Client()
    await desk.lookup.find(client, 7)
    renewed = await desk.lookup.refetch(client, 7)()
    assert renewed.file_reference == b"2"
    assert await desk.lookup.find(client, 7) is renewed


async def test_a_message_that_is_gone_is_not_remembered() -> None:
    """Neither its absence nor what was there before."""
    desk, client = Desk(), Client()
    await desk.lookup.find(client, 7)
    desk.gone = True
    for _ in range(2):
        with pytest.raises(MediaNotFound):
            await desk.lookup.renew(client, 7)
    desk.gone = False
    await desk.lookup.find(client, 7)
    assert len(desk.asked) == 4


async def test_it_is_bounded() -> None:
    """The message that was looked up longest ago goes first."""
    desk, client = Desk(entries=2), Client()
    for message_id in (1, 2, 3, 3, 2, 1):
        await desk.lookup.find(client, message_id)
    assert [message_id for message_id, _ in desk.asked] == [1, 2, 3, 1]


async def test_one_who_gives_up_does_not_spoil_it_for_the_next() -> None:
    """A request cancelled while it asks leaves nothing that a later one would stumble over."""
    desk, client = Desk(), Client()
    impatient = asyncio.create_task(desk.lookup.find(client, 7))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait((impatient,))
    assert (await desk.lookup.find(client, 7)).message_id == 7


async def test_what_is_known_of_a_client_goes_with_it() -> None:
    """No client is kept alive by being known."""
    desk, client = Desk(), Client()
    await desk.lookup.find(client, 7)
    del client
    gc.collect()
    assert not desk.lookup._accounts
