"""Sessions beyond their lifetime: nobody may use them any more, so they are signed out at Telegram.

The cookie is all that there is of a session, so that this can only be done when it comes once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge.telegram.account.log_out import abandon_session

if TYPE_CHECKING:
    from tgbridge.completion import Completion
    from tgbridge.telegram.pool import ClientPool

MOST: Final = 8
"""How many are signed out at a time. The others are when their cookie comes again."""


class OutlivedSessions:
    """Signs them out in the background, each once; where that fails, again with its next cookie."""

    def __init__(self, pool: ClientPool, completion: Completion) -> None:
        self._pool = pool
        self._completion = completion
        self._under_way: set[str] = set()

    def end(self, telegram: str) -> None:
        """Begin to sign a session out, unless that is under way or done."""
        is_done = self._pool.ended.reason(telegram) is not None
        if is_done or telegram in self._under_way or len(self._under_way) >= MOST:
            return
        self._under_way.add(telegram)
        self._completion.detach(self._end(telegram))

    async def _end(self, telegram: str) -> None:
        try:
            await abandon_session(self._pool, telegram)
        finally:
            self._under_way.discard(telegram)
