"""How many calls there are, and what comes of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tgbridge.errors import FloodWait, InternalError, TelegramFailure, TelegramUnavailable
from tgbridge.telegram.mtproto.failures import ConnectionFailed
from tgbridge.telegram.rpc.log import method

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience
    from tgbridge.telegram.statistics import Statistics


def count_calls(call: Call, statistics: Statistics) -> Call:
    """Count each attempt. To be put around `translate_answers`, which tells what an error means."""

    async def counted(request: TLRequest, patience: Patience) -> Any:
        try:
            answer = await call(request, patience)
        except FloodWait as wait:
            statistics.heard()
            statistics.called(method(request), "flood_wait", wait.seconds)
            raise
        except (TelegramUnavailable, ConnectionFailed, OSError) as error:
            if isinstance(error, InternalError):
                statistics.heard()
            statistics.called(method(request), "failed")
            raise
        except TelegramFailure:
            statistics.heard()
            statistics.called(method(request), "refused")
            raise
        except asyncio.CancelledError:
            statistics.called(method(request), "given_up")
            raise
        statistics.heard()
        statistics.called(method(request), "answered")
        return answer

    return counted
