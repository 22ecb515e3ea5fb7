"""The end of whatever calls are under way, wherever they wait, when their connections are closed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tgbridge.errors import TelegramUnavailable

if TYPE_CHECKING:
    from telethon.tl import TLRequest

    from tgbridge.telegram.rpc.call import Call
    from tgbridge.telegram.rpc.patience import Patience


class Closing:
    """A piece whose calls can be ended, all at once and for good."""

    def __init__(self, reason: str = "the client was closed") -> None:
        """`reason` is what callers are told, in a few words without secrets."""
        self._reason = reason
        self._limits: set[asyncio.Timeout] = set()
        self.closed = False
        """Whether no call will succeed any more."""

    def close(self) -> None:
        """End all calls, those to come too, by TelegramUnavailable. Idempotent."""
        self.closed = True
        for limit in self._limits:
            limit.reschedule(asyncio.get_running_loop().time())
        self._limits.clear()

    def __call__(self, call: Call) -> Call:
        """Put the end around calls."""

        async def ending(request: TLRequest, patience: Patience) -> Any:
            if self.closed:
                raise TelegramUnavailable(self._reason, retry_after=1)
            limit = asyncio.timeout(None)
            try:
                async with limit:
                    self._limits.add(limit)
                    return await call(request, patience)
            except TimeoutError as error:
                if not limit.expired():
                    raise
                raise TelegramUnavailable(self._reason, retry_after=1) from error
            finally:
                self._limits.discard(limit)

        return ending
