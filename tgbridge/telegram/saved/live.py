"""What an account's library is told of Saved Messages as they change, and what it has to tell of them.

`AccountLibrary` has one: ``self.live = Live(account, self)``. It hands over what Telegram has said in answers
(``seen``, by its `remember`), and asks ``holds`` before it believes what it has kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from telethon.tl import functions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.changes import Change
    from tgbridge.telegram.saved.saved_media import SavedMedia

STATE_SECONDS: Final = 60.0
"""How long a state is given out again without asking: an older one replays more, and misses nothing."""


class Memory(Protocol):
    """The library of one account, as its live part sees it."""

    def remember(self, messages: Iterable[object]) -> list[SavedMedia]:
        """Keep what messages of Saved Messages hold; others are left out."""

    def follow(self, change: Change) -> None:
        """Let the memory be as Saved Messages are after a change."""


class Live:
    """Of one account: its state (pts), who listens, and which ids are known to be of Saved Messages."""

    def __init__(self, account: object, memory: Memory) -> None:
        self._account = account
        self._memory = memory
        self._pts: int | None = None
        self._pts_at = 0.0

    @property
    def trusted(self) -> bool:
        """Whether the memory follows each change, so that what is in it is so at Telegram."""
        return False

    async def state(self, client: BridgeClient) -> int:
        """Return a pts no newer than whatever is read after it, by a request if need be.

        Raises TelegramFailure kinds.
        """
        now = asyncio.get_running_loop().time()
        if self._pts is None or (not self.trusted and now - self._pts_at > STATE_SECONDS):
            answer = await client.patiently(functions.updates.GetStateRequest())
            self._pts, self._pts_at = max(answer.pts, self._pts or 0), now
        return self._pts

    def changed(self, change: Change) -> None:
        """Take note of a change that a request of our own has made, of which Telegram tells the others only."""
        self._memory.follow(change)

    def seen(self, media: Iterable[int]) -> None:
        """Take note that these ids are of messages with media in Saved Messages."""

    def is_deleted(self, message_id: int) -> bool:
        """Whether a message has been deleted, so that an answer that still holds it came too late."""
        return False
