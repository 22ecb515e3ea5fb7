"""What a server answers by an rpc_error, as the tree of tgbridge/errors.py has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.errors import rpc_message_to_error
from telethon.tl import types

from tgbridge.telegram.mtproto.failures import RpcFailed
from tgbridge.telegram.rpc.errors import failure

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.errors import TelegramFailure
    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience


def meaning(error: RpcFailed) -> TelegramFailure:
    """Return what an rpc_error means: FloodWait, SessionEnded, InternalError, or another refusal."""
    # Without the request, which may hold a phone number or a code.
    known = failure(rpc_message_to_error(types.RpcError(error.code, error.message), None))
    assert known is not None  # noqa: S101 - each rpc_error has a meaning
    return known


def translate_answers(call: Call) -> Call:
    """Raise what the server answers as a TelegramFailure, from the RpcFailed that it was."""

    async def translated(request: TLRequest, patience: Patience) -> Any:
        try:
            return await call(request, patience)
        except RpcFailed as error:
            raise meaning(error) from error

    return translated
