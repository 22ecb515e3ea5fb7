"""FLOOD_WAIT and FLOOD_PREMIUM_WAIT: the request is fine, later.

Clients have to repeat what was told FLOOD_PREMIUM_WAIT by themselves, after the seconds that it names
(https://core.telegram.org/api/errors#420-flood).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tgbridge.errors import FloodWait
from tgbridge.telegram.rpc.call import now

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience


def sit_out_flood_waits(call: Call) -> Call:
    """Wait as long as told and ask again; raise FloodWait if that is more than the caller's patience.

    However many waits there are: only time counts.
    """

    async def sitting_out(request: TLRequest, patience: Patience) -> Any:
        while True:
            try:
                return await call(request, patience)
            except FloodWait as wait:
                if wait.seconds > patience.flood_wait or now() + wait.seconds >= patience.give_up_at:
                    raise
                if patience.on_wait is not None:
                    patience.on_wait(wait.seconds)
                await asyncio.sleep(wait.seconds)

    return sitting_out
