"""An account with files made for the occasion, and downloads and uploads of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from telethon.tl import types

from tests.telegram.messages import get_message
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.telegram.saved.items import remote_file
from tgbridge.telegram.transfer.download.downloader import Downloader
from tgbridge.telegram.transfer.upload.uploader import Uploader

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable

    from tests.telegram.conftest import MakePool, SignIn, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.blobs import Blob
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.mtproto.pieces import Bytes
    from tgbridge.telegram.transfer.download.download import Download
    from tgbridge.telegram.transfer.remote_file import RemoteFile
    from tgbridge.telegram.transfer.upload.upload import FileUpload
    from tgbridge.telegram.transfer.upload.ways import StoredFile

PHONE = "+9996610001"


class Readable(Protocol):
    """A download, or the rest of one."""

    async def __aenter__(self) -> AsyncIterable[Bytes]: ...

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> AsyncIterator[Bytes]: ...


@dataclass
class Reader:
    """One account's client, and the downloads that it makes."""

    sandbox: Sandbox
    client: BridgeClient
    downloader: Downloader
    until: Until
    blobs: dict[int, Blob] = field(default_factory=dict)
    refetched: list[int] = field(default_factory=list)
    find: Callable[[Any], RemoteFile] = remote_file
    """What is looked for in a message."""

    async def file(
        self, size: int, *, dc_id: int = 1, blob: Blob | None = None, cdn: bool = False
    ) -> RemoteFile:
        """Put a file into Saved Messages, and look it up."""
        account = self.sandbox.state.account_of(PHONE)
        blob = blob or Synthetic(size)
        document = account.document(blob, mime_type="application/octet-stream", dc_id=dc_id)
        stored = self.sandbox.state.files.get(document.id)
        assert stored is not None
        stored.cdn = cdn
        message = account.add_message(media=types.MessageMediaDocument(document=document))
        self.blobs[message.id] = blob
        return await self.look_up(message.id)

    async def look_up(self, message_id: int) -> RemoteFile:
        return self.find(await get_message(self.client, message_id))

    def open(self, file: RemoteFile, start: int = 0, stop: int | None = None) -> Download:
        return self.downloader.open(
            self.client,
            file,
            start,
            file.size if stop is None else stop,
            refetch=partial(self._refetch, file.message_id),
        )

    async def read(self, file: RemoteFile, start: int = 0, stop: int | None = None) -> bytes:
        body = bytearray()
        await self.read_into(body, self.open(file, start, stop))
        return bytes(body)

    async def read_into(self, body: bytearray, download: Readable) -> None:
        """Append what comes, so that it is there even if an error ends it."""
        async with download:
            async for chunk in download:
                body += bytes(chunk)

    def expected(self, file: RemoteFile, start: int = 0, stop: int | None = None) -> bytes:
        return self.blobs[file.message_id].read(start, (file.size if stop is None else stop) - start)

    def calls(self, method: str = "upload.getFile") -> int:
        return sum(count for (_, name), count in self.sandbox.calls.items() if name == method)

    def idle(self) -> bool:
        """Whether nothing is held and nothing is on its way."""
        budget = self.downloader.budget
        return (budget.held, budget.waiting, budget.streams) == (0, 0, 0)

    async def _refetch(self, message_id: int) -> RemoteFile:
        self.refetched.append(message_id)
        return await self.look_up(message_id)


class MakeReader(Protocol):
    """Makes readers; keywords are sections of the settings. Nothing may be held when the test ends."""

    async def __call__(self, **sections: dict[str, Any]) -> Reader: ...


@pytest.fixture
async def make_reader(
    sandbox: Sandbox, make_pool: MakePool, sign_in: SignIn, until: Until
) -> AsyncIterator[MakeReader]:
    readers: list[tuple[Reader, Any]] = []

    async def make(**sections: dict[str, Any]) -> Reader:
        pool = make_pool(**sections)
        session = await sign_in(pool, PHONE)
        lent = pool.borrow(session)
        client = await lent.__aenter__()
        downloader = Downloader(pool._settings.files, pool._settings.telegram)
        readers.append((Reader(sandbox, client, downloader, until), lent))
        return readers[-1][0]

    yield make
    for reader, lent in readers:
        assert reader.idle()
        await lent.__aexit__(None, None, None)


@pytest.fixture
async def reader(make_reader: MakeReader) -> Reader:
    return await make_reader()


@dataclass
class Writer:
    """One account's client, and the uploads that it makes."""

    sandbox: Sandbox
    client: BridgeClient
    uploader: Uploader

    def open(self, **options: Any) -> FileUpload:
        return self.uploader.open(self.client, PHONE, **options)

    async def store(self, data: bytes, *, piece: int = 300_000, **options: Any) -> StoredFile:
        """Upload a file whose bytes come in pieces."""
        async with self.open(**options) as upload:
            for start in range(0, len(data), piece):
                await upload.write(data[start : start + piece])
            return await upload.finish()

    def content(self, stored: StoredFile) -> bytes:
        """What Telegram makes of the parts, as it would for a message: checksum and number are checked."""
        owner = self.sandbox.state.account_of(PHONE).id
        blob = self.sandbox.state.uploads.finish(owner, self.client.home_dc_id, stored.named("file"))
        return blob.read(0, blob.size)

    def calls(self, method: str) -> int:
        return self.sandbox.counters.of(method)

    def idle(self) -> bool:
        """Whether nothing is held."""
        budget = self.uploader.budget
        return (budget.held, budget.waiting, budget.streams) == (0, 0, 0)


class MakeWriter(Protocol):
    """Makes writers; keywords are sections of the settings. Nothing may be held when the test ends."""

    async def __call__(self, *, admission_seconds: float = 5.0, **sections: dict[str, Any]) -> Writer: ...


@pytest.fixture
async def make_writer(sandbox: Sandbox, make_pool: MakePool, sign_in: SignIn) -> AsyncIterator[MakeWriter]:
    writers: list[tuple[Writer, Any]] = []

    async def make(*, admission_seconds: float = 5.0, **sections: dict[str, Any]) -> Writer:
        pool = make_pool(**sections)
        session = await sign_in(pool, PHONE)
        lent = pool.borrow(session)
        client = await lent.__aenter__()
        settings = pool._settings
        uploader = Uploader(settings.upload, settings.telegram, admission_seconds=admission_seconds)
        writers.append((Writer(sandbox, client, uploader), lent))
        return writers[-1][0]

    yield make
    for writer, lent in writers:
        assert writer.idle()
        await lent.__aexit__(None, None, None)


@pytest.fixture
async def writer(make_writer: MakeWriter) -> Writer:
    return await make_writer()
