"""Connections that fail under a request: it goes to another one, or waits until there is one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import InternalError, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.rpc.call import Backoff

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience

_RETRY_AFTER: Final = 5  # seconds


def outlast_lost_connections(call: Call) -> Call:
    """Ask again, with growing pauses, until patience ends; then raise TelegramUnavailable.

    At once where the request may not be carried out twice: its answer may be what got lost.
    """

    async def outlasting(request: TLRequest, patience: Patience) -> Any:
        backoff = Backoff(patience)
        while True:
            try:
                return await call(request, patience)
            except InternalError:
                raise
            except (ConnectionFailed, TelegramUnavailable) as error:
                if patience.repeatable and await backoff.pause():
                    continue
                if isinstance(error, TelegramUnavailable):  # what another connection met that this one needs
                    raise
                raise TelegramUnavailable(f"the connection failed: {error}", _RETRY_AFTER) from error

    return outlasting
