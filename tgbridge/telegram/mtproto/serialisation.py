"""TL objects to bytes and back, without the copies of a file's bytes that the generated code makes.

Sources: https://core.telegram.org/mtproto/TL, https://core.telegram.org/mtproto/service_messages. No I/O.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from telethon.extensions import BinaryReader
from telethon.tl import TLRequest, functions, types
from telethon.tl.core import GzipPacked, MessageContainer

from tgbridge.telegram.mtproto.failures import ProtocolViolated, RpcFailed
from tgbridge.telegram.mtproto.pieces import joined
from tgbridge.telegram.mtproto.session import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.telegram.mtproto.encryption import Buffer
    from tgbridge.telegram.mtproto.pieces import Bytes

MOST_UNPACKED_BYTES: Final = 1 << 24
"""What a gzip_packed object may become."""

_WORD: Final = struct.Struct("<I")
_COUNT: Final = struct.Struct("<i")
_ITEM: Final = struct.Struct("<qii")  # message id, sequence number, length
_LONG_BYTES: Final = 254  # begins the length of a byte string that has 254 bytes or more

_MESSAGE_CONTAINER: Final[int] = MessageContainer.CONSTRUCTOR_ID
_GZIP_PACKED: Final[int] = GzipPacked.CONSTRUCTOR_ID
_RPC_ERROR: Final[int] = types.RpcError.CONSTRUCTOR_ID
_FILE: Final[int] = types.upload.File.CONSTRUCTOR_ID
_CDN_FILE: Final[int] = types.upload.CdnFile.CONSTRUCTOR_ID
_FILE_BYTES_AT: Final = 12  # behind the constructor, a storage.FileType (one word), and the time of change


@dataclass(frozen=True, slots=True, repr=False)
class FileBytes:
    """What upload.file and upload.cdnFile bring: read-only, in the pieces that it came in."""

    bytes: Bytes


class Nothing(TLRequest):  # type: ignore[misc]  # Telethon has no types
    """A request of no bytes: what is wrapped around it can be sent before any other one."""

    def _bytes(self) -> bytes:
        return b""


def constructor(body: Bytes) -> int:
    """Return the number of the constructor that `body` begins with."""
    return int.from_bytes(bytes(body[:4]), "little")


def serialise(request: TLRequest) -> tuple[Buffer, ...]:
    """Return the bytes of a request in pieces; a part of a file is not copied, and may be any buffer."""
    match request:
        case functions.upload.SaveBigFilePartRequest():
            head = struct.pack(
                "<Iqii",
                request.CONSTRUCTOR_ID,
                request.file_id,
                request.file_part,
                request.file_total_parts,
            )
        case functions.upload.SaveFilePartRequest():
            head = struct.pack("<Iqi", request.CONSTRUCTOR_ID, request.file_id, request.file_part)
        case _:
            return (bytes(request),)
    size = len(request.bytes)
    if size < _LONG_BYTES:
        return head, bytes((size,)), request.bytes, bytes(-(size + 1) % 4)
    return head, _WORD.pack(_LONG_BYTES | size << 8), request.bytes, bytes(-size % 4)


def read_result(request: TLRequest, body: Bytes) -> Any:
    """Return what a request's rpc_result says: `FileBytes`, or what Telethon makes of it.

    Raises RpcFailed for an rpc_error, ProtocolViolated for what cannot be read.
    """
    match constructor(body):
        case code if code == _FILE:
            return FileBytes(_read_bytes(body, _FILE_BYTES_AT))
        case code if code == _CDN_FILE:
            return FileBytes(_read_bytes(body, _WORD.size))
        case code if code == _GZIP_PACKED:
            return read_result(request, _unzip(body))
        case code if code == _RPC_ERROR:
            error = read_object(body)
            raise RpcFailed(error.error_code, error.error_message)
    return _read(request.read_result, body)


def read_object(body: Bytes) -> Any:
    """Return the TL object in `body`. Raises ProtocolViolated for what cannot be read."""
    return _read(BinaryReader.tgread_object, body)


def messages(message: Message) -> Iterator[Message]:
    """Return the messages in a message: those of its container, unpacked, or itself.

    The container itself comes first, since its id counts as well. Raises ProtocolViolated or struct.error.
    """
    code = constructor(message.body)
    if code == _GZIP_PACKED:
        message = message._replace(body=_unzip(message.body))
        code = constructor(message.body)
    yield message
    if code != _MESSAGE_CONTAINER:
        return
    at = _WORD.size
    (count,) = _COUNT.unpack(bytes(message.body[at : at + _COUNT.size]))
    at += _COUNT.size
    for _ in range(count):
        msg_id, seq_no, size = _ITEM.unpack(bytes(message.body[at : at + _ITEM.size]))
        at += _ITEM.size
        body = message.body[at : at + size]
        if len(body) != size:
            raise ProtocolViolated("a container that ends too early")
        at += size
        yield Message(msg_id, seq_no, _unzip(body) if constructor(body) == _GZIP_PACKED else body)


def _read(reader: Any, body: Bytes) -> Any:
    try:
        return reader(BinaryReader(bytes(body)))
    except Exception as error:  # noqa: BLE001 - generated code on bytes that do not fit raises anything
        reason = type(error).__name__
    # Not from that error, which shows what was in the bytes.
    raise ProtocolViolated(f"unreadable answer ({reason})")


def _read_bytes(body: Bytes, at: int) -> Bytes:
    try:
        (word,) = _WORD.unpack(bytes(body[at : at + _WORD.size]))
    except struct.error as error:
        raise ProtocolViolated("file bytes without a length") from error
    size, start = (word >> 8, at + 4) if word & 0xFF == _LONG_BYTES else (word & 0xFF, at + 1)
    if len(body) < start + size:
        raise ProtocolViolated("fewer file bytes than announced")
    return body[start : start + size]


def _unzip(body: Bytes) -> memoryview:
    inflate = zlib.decompressobj(wbits=31)  # gzip's header and trailer
    try:
        plain = inflate.decompress(joined(_read_bytes(body, _WORD.size)), MOST_UNPACKED_BYTES)
    except zlib.error as error:
        raise ProtocolViolated("damaged gzip_packed") from error
    if not inflate.eof:
        raise ProtocolViolated("gzip_packed too large or cut short")
    return memoryview(plain)
