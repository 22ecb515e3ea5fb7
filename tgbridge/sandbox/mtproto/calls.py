"""Runs calls of methods, and sends what comes of them.

Source: https://core.telegram.org/mtproto/service_messages#rpc-query-and-response
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

from telethon.tl import TLObject, types
from telethon.tl.core import GzipPacked, RpcResult

from tgbridge.sandbox.dispatch import NO_ANSWER, Call, RpcError, method_name
from tgbridge.sandbox.mtproto import invocation
from tgbridge.sandbox.mtproto.session import Received

if TYPE_CHECKING:
    from tgbridge.sandbox.mtproto.connection import Connection
    from tgbridge.sandbox.mtproto.invocation import Parts
    from tgbridge.sandbox.mtproto.session import Session

_COMPRESSED_FROM_BYTES = 512
_BULK = frozenset(
    (
        types.upload.File.CONSTRUCTOR_ID,
        types.upload.CdnFile.CONSTRUCTOR_ID,
        types.upload.WebFile.CONSTRUCTOR_ID,
    )
)


def start(connection: Connection, session: Session, msg_id: int, body: bytes) -> None:
    """Begin to answer a message that is a call of a method."""
    received = session.received[msg_id] = Received()
    received.task = connection.sandbox.spawn(_run(connection, session, msg_id, received, body))


async def _run(
    connection: Connection, session: Session, msg_id: int, received: Received, body: bytes
) -> None:
    call = Call(connection.sandbox, connection.dc, session, connection, msg_id)
    parts: Parts | None
    try:
        parts = await _answer(call, invocation.parse(body))
    except RpcError as error:
        received.failed = True
        parts = [bytes(types.RpcError(error.code, error.message))]
    except Exception as error:  # noqa: BLE001 (a bug in a method, which is noted)
        received.failed = True
        parts = [bytes(invocation.failed(call, error))]
    if parts is None:
        received.acknowledged = True  # not a word about it
        return
    received.finished = True
    if not received.dropped:
        send_result(session, msg_id, parts, via=connection)


async def _answer(call: Call, wrapped: Any) -> Parts | None:
    sandbox = call.sandbox
    call.method = method_name(type(invocation.innermost(wrapped)))
    sandbox.counters.called(call.dc.id, call.method)
    fault = sandbox.faults.take(call)
    request = await invocation.unwrap(call, wrapped)
    sandbox.faults.check_key(call)
    # Those of upload.* subscribe to nothing in any case (https://core.telegram.org/api/invoking).
    if not call.without_updates and not call.method.startswith("upload."):
        call.session.receives_updates = True
    if fault is None:
        result = await invocation.execute(sandbox.methods, call, request)
    else:
        result = await fault.apply(call, lambda: invocation.execute(sandbox.methods, call, request))
    if result is NO_ANSWER:
        return None
    return invocation.serialise(result, request)


def send_result(session: Session, msg_id: int, parts: Parts, via: Connection | None) -> None:
    """Send the answer to a call, compressed where that makes it smaller."""
    body = [struct.pack("<Iq", RpcResult.CONSTRUCTOR_ID, msg_id), *_compressed(parts)]
    session.send(body, answer=True, content_related=True, answers=msg_id, via=via)


def _compressed(parts: Parts) -> Parts:
    size = sum(map(len, parts))
    if size < _COMPRESSED_FROM_BYTES or int.from_bytes(parts[0][:4], "little") in _BULK:
        return parts
    packer = zlib.compressobj(level=1, wbits=31)
    packed = b"".join((*map(packer.compress, parts), packer.flush()))
    if len(packed) >= size:
        return parts
    return [struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(packed)]
