"""Errors on Telegram's own side (500, -503 and the like): the same request may succeed the next moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import InternalError
from tgbridge.telegram.rpc.call import Backoff

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience

_PERHAPS_CARRIED_OUT: Final = frozenset({"TIMEDOUT", "TIMEOUT"})


def repeat_internal_errors(call: Call) -> Call:
    """Ask again, with growing pauses, until patience ends; then raise the last InternalError.

    At once where the request may not be carried out twice, and the server does not know whether it was.
    """

    async def repeated(request: TLRequest, patience: Patience) -> Any:
        backoff = Backoff(patience)
        while True:
            try:
                return await call(request, patience)
            except InternalError as error:
                if not patience.repeatable and error.name in _PERHAPS_CARRIED_OUT:
                    raise
                if not await backoff.pause():
                    raise

    return repeated
