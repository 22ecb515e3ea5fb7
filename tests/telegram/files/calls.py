"""Single calls over an account's file connections, for the tests of those."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from telethon.tl import functions

if TYPE_CHECKING:
    from tests.telegram.files.conftest import Reader
    from tgbridge.telegram.files.connections import FileConnections
    from tgbridge.telegram.files.remote import RemoteFile

KIB = 1024
MIB = 1024 * KIB
GET_FILE = "upload.getFile"
HOME, FOREIGN = 1, 3
IMPATIENT = {"request_timeout_seconds": 0.3, "connect_timeout_seconds": 0.3}


def get_file(file: RemoteFile, offset: int = 0, limit: int = 4 * KIB) -> Any:
    return functions.upload.GetFileRequest(file.location(), offset, limit)


async def read(
    reader: Reader, file: RemoteFile, offset: int = 0, limit: int = 4 * KIB, dc_id: int = 0
) -> bool:
    """Fetch a part; whether it is the file's."""
    answer = await reader.client.files.call(
        dc_id or file.dc_id, get_file(file, offset, limit), weight_bytes=limit
    )
    return bool(answer.bytes == reader.blobs[file.message_id].read(offset, limit))


async def read_all(reader: Reader, file: RemoteFile, limit: int = 64 * KIB) -> bool:
    """Fetch all parts at the same time."""
    offsets = range(0, file.size, limit)
    return all(await asyncio.gather(*(read(reader, file, offset, limit) for offset in offsets)))


def connections(reader: Reader) -> FileConnections:
    return reader.client.files
