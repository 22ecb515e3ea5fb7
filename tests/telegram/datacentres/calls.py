"""Single calls over an account's file connections, for the tests of those."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telethon.tl import functions

from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from tests.telegram.transfer.conftest import Reader
    from tgbridge.telegram.datacentres.router import Router
    from tgbridge.telegram.transfer.remote_file import RemoteFile

KIB = 1024
MIB = 1024 * KIB
GET_FILE = "upload.getFile"
HOME, FOREIGN = 1, 3
IMPATIENT = {"request_timeout_seconds": 0.3, "connect_timeout_seconds": 0.3}


def get_file(file: RemoteFile, offset: int = 0, limit: int = 4 * KIB) -> Any:
    return functions.upload.GetFileRequest(file.location(), offset, limit)


def patience(reader: Reader, *, under_way: bool = False) -> Patience:
    """That of whoever has no bytes yet, or of a body under way."""
    telegram = reader.downloader._rules.telegram
    return Patience.of_transfer(telegram) if under_way else Patience.of_first_bytes(telegram)


async def read(
    reader: Reader,
    file: RemoteFile,
    offset: int = 0,
    limit: int = 4 * KIB,
    dc_id: int = 0,
    *,
    under_way: bool = False,
) -> bool:
    """Fetch a part; whether it is the file's."""
    answer = await reader.client.files.call(
        dc_id or file.dc_id, get_file(file, offset, limit), patience(reader, under_way=under_way)
    )
    return bool(bytes(answer.bytes) == reader.blobs[file.message_id].read(offset, limit))


async def read_all(
    reader: Reader, file: RemoteFile, limit: int = 64 * KIB, *, under_way: bool = False
) -> bool:
    """Fetch all parts at the same time."""
    offsets = range(0, file.size, limit)
    reading = (read(reader, file, offset, limit, under_way=under_way) for offset in offsets)
    return all(await asyncio.gather(*reading))


def connections(reader: Reader) -> Router:
    return reader.client.files
