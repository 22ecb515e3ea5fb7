"""Connections that fail under a request: it goes to another one, or waits until there is one again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tgbridge.errors import InternalError, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.rpc.call import Backoff
from tgbridge.telegram.rpc.errors import failure

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience


def outlast_lost_connections(call: Call) -> Call:
    """Ask again, with growing pauses, until patience ends; then raise TelegramUnavailable.

    At once where the request may not be carried out twice, unless it certainly was not: its answer may be
    what got lost.
    """

    async def outlasting(request: TLRequest, patience: Patience) -> Any:
        backoff = Backoff(patience)
        while True:
            try:
                return await call(request, patience)
            except InternalError:
                raise
            except (ConnectionFailed, TelegramUnavailable) as error:
                repeatable = patience.repeatable or getattr(error, "not_received", False)
                if repeatable and await backoff.pause():
                    continue
                meaning = failure(error)
                if meaning is None or meaning is error:  # what another connection met that this one needs
                    raise
                raise meaning from error

    return outlasting
