"""Requests and results as bytes: what stands between a session's messages and the methods.

Sources: https://core.telegram.org/api/invoking, https://core.telegram.org/mtproto/serialize
"""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING, Any, TypeAlias

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER
from telethon.tl.tlobject import TLRequest

from tgbridge.sandbox.dispatch import ClientInfo, RpcError

if TYPE_CHECKING:
    from tgbridge.sandbox.dispatch import Call, Registry
    from tgbridge.sandbox.mtproto.transport import Buffer

logger = logging.getLogger(__name__)

Parts: TypeAlias = "list[Buffer]"
"""One message in pieces, which are only put together when it is encrypted."""

_VECTOR = 0x1CB5C415
_BOOL_TRUE = struct.pack("<I", 0x997275B5)
_BOOL_FALSE = struct.pack("<I", 0xBC799737)


def parse(body: bytes) -> Any:
    """Read a request by Telethon's own classes.

    Raises RpcError 400: INPUT_METHOD_INVALID (no such method in this layer), INPUT_CONSTRUCTOR_INVALID (no
    such object within it), INPUT_FETCH_ERROR (cut short or malformed).
    """
    try:
        request = BinaryReader(body).tgread_object()
    except TypeNotFoundError as error:
        outermost = len(error.remaining) == len(body)
        raise RpcError(400, "INPUT_METHOD_INVALID" if outermost else "INPUT_CONSTRUCTOR_INVALID") from error
    except Exception as error:  # whatever malformed bytes make generated code raise
        raise RpcError(400, "INPUT_FETCH_ERROR") from error
    if not isinstance(request, TLRequest):
        raise RpcError(400, "INPUT_METHOD_INVALID")
    return request


_WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeAfterMsgRequest,
    functions.InvokeAfterMsgsRequest,
    functions.InvokeWithMessagesRangeRequest,
    functions.InvokeWithTakeoutRequest,
)


async def unwrap(call: Call, request: Any) -> Any:
    """Take the wrappers off a request and note what they say. Raises RpcError where that can't be."""
    while isinstance(request, _WRAPPERS):
        match request:
            case functions.InvokeWithLayerRequest():
                # Objects are written in the layer of Telethon's classes, so no other can be spoken.
                if request.layer != LAYER:
                    raise RpcError(400, "CONNECTION_LAYER_INVALID")
                call.auth_key.layer = request.layer
            case functions.InitConnectionRequest():
                if call.layer is None:
                    raise RpcError(400, "CONNECTION_NOT_INITED")
                call.auth_key.client_info = ClientInfo(
                    request.api_id,
                    request.device_model,
                    request.system_version,
                    request.app_version,
                    request.lang_code,
                    _tz_offset(request.params),
                )
            case functions.InvokeWithoutUpdatesRequest():
                call.without_updates = True
            case functions.InvokeAfterMsgRequest():
                await call.session.answered(request.msg_id)
            case functions.InvokeAfterMsgsRequest():
                await call.session.answered(*request.msg_ids)
        # The others, message ranges and takeouts, do not change what a sandbox answers.
        request = request.query
    return request


def _tz_offset(params: Any) -> int | None:
    """Take the one parameter that there is (https://core.telegram.org/method/initConnection)."""
    for entry in getattr(params, "value", None) or ():
        if entry.key == "tz_offset" and isinstance(entry.value, types.JsonNumber):
            return int(entry.value.value)
    return None


def innermost(request: Any) -> Any:
    """Give the request within all wrappers."""
    while isinstance(request, _WRAPPERS):
        request = request.query
    return request


async def execute(methods: Registry, call: Call, request: Any) -> Any:
    """Answer an unwrapped request: the method's result. Raises RpcError, and whatever a method's bug does."""
    if call.layer is None:
        raise RpcError(400, "CONNECTION_NOT_INITED")
    return await methods.handler(request)(call, request)


def failed(call: Call, error: Exception) -> types.RpcError:
    """Note a bug in a method, and give what the client is answered."""
    logger.error("method failed: %s", call.method, exc_info=error)
    call.sandbox.failures.append(error)
    return types.RpcError(500, "RPC_CALL_FAIL")


def serialise(result: Any, request: Any) -> Parts:
    """Write a method's result as the pieces that make up the body of its rpc_result. Raises TypeError."""
    match result:
        case bool():
            return [_BOOL_TRUE if result else _BOOL_FALSE]
        case types.upload.File():
            return _file(result)
        case list() | tuple():
            return [struct.pack("<II", _VECTOR, len(result)), *_items(list(result), request)]
        case _:
            return [bytes(result)]


def _items(items: list[Any], request: Any) -> Parts:
    if items and isinstance(items[0], int):
        return [struct.pack(f"<{len(items)}{_integer_format(type(request))}", *items)]
    return [bytes(item) for item in items]


def _integer_format(request_class: Any) -> str:
    """Tell Vector<int> from Vector<long> by how far the client's own reader goes."""
    reader = BinaryReader(struct.pack("<IIq", _VECTOR, 1, 0))
    request_class.read_result(reader)
    return "i" if reader.tell_position() == struct.calcsize("<III") else "q"


_LONG_STRING = 254


def _file(file: types.upload.File) -> Parts:
    """Write an upload.file without copying what it holds (a File writes itself in three copies)."""
    size = len(file.bytes)
    # TL's strings: a byte of length, or 254 and 24 bits of it; https://core.telegram.org/mtproto/serialize
    length = bytes([size]) if size < _LONG_STRING else struct.pack("<I", size << 8 | _LONG_STRING)
    head = struct.pack("<I", file.CONSTRUCTOR_ID) + bytes(file.type) + struct.pack("<i", file.mtime) + length
    return [head, file.bytes, bytes(-(len(length) + size) % 4)]
