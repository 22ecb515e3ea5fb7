"""Errors on Telegram's own side (500, -503 and the like): the same request may succeed the next moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tgbridge.errors import InternalError
from tgbridge.telegram.rpc.call import Backoff

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience


def repeat_internal_errors(call: Call) -> Call:
    """Ask again, with growing pauses, until patience ends; then raise the last InternalError.

    At once where the request may not be carried out twice: what is broken may have been half done.
    """

    async def repeated(request: TLRequest, patience: Patience) -> Any:
        backoff = Backoff(patience)
        while True:
            try:
                return await call(request, patience)
            except InternalError:
                if not patience.repeatable or not await backoff.pause():
                    raise

    return repeated
