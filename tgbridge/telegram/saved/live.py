"""What an account's library is told of Saved Messages as they change, and what it has to tell of them.

`AccountLibrary` has one: ``self.live = Live(account, self)``. Its `remember` leaves out what ``is_deleted``, and
hands the ids of the rest to ``seen``; its `changed` hands each change to ``note``; what it keeps is good for as
long as ``trusted`` says so, and it is not forgotten while somebody listens (``busy``).
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from telethon.tl import functions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.changes import Change
    from tgbridge.telegram.saved.saved_media import SavedMedia

STATE_SECONDS: Final = 60.0
"""How long a state is given out again without asking: an older one replays more, and misses nothing."""


class Position(NamedTuple):
    """What a page that shows Saved Messages knows of: the state ``pts`` of the account, or a later one.

    ``life`` names the memory that knows which ids the page was shown.
    """

    pts: int
    life: int


class Memory(Protocol):
    """The library of one account, as its live part sees it."""

    def remember(self, messages: Iterable[Any]) -> list[SavedMedia]:
        """Keep what messages of Saved Messages hold, and return it; others are left out."""

    def changed(self, change: Change) -> None:
        """Let the memory be as Saved Messages are after a change. Again makes no difference."""


class Live:
    """Of one account: its state (pts), who listens, and which ids are known to be of Saved Messages."""

    def __init__(self, account: object, memory: Memory) -> None:
        self._account = account
        self._memory = memory
        self._life = secrets.randbits(32)
        self._pts: int | None = None
        self._pts_at = 0.0

    @property
    def trusted(self) -> bool:
        """Whether the memory follows each change, so that what is in it is so at Telegram."""
        return False

    @property
    def busy(self) -> bool:
        """Whether somebody listens, so that this must not be forgotten."""
        return False

    async def state(self, client: BridgeClient) -> Position:
        """Return a state no newer than whatever is read after it, by a request if need be.

        Raises TelegramFailure kinds.
        """
        now = asyncio.get_running_loop().time()
        if self._pts is None or (not self.trusted and now - self._pts_at > STATE_SECONDS):
            answer = await client.patiently(functions.updates.GetStateRequest())
            self._pts, self._pts_at = max(answer.pts, self._pts or 0), now
        return Position(self._pts, self._life)

    def note(self, change: Change) -> None:
        """Take note of a change, whoever has told of it."""

    def seen(self, media: Iterable[int]) -> None:
        """Take note that these ids are of messages with media in Saved Messages, and may be shown."""

    def is_deleted(self, message_id: int) -> bool:
        """Whether a message has been deleted, so that an answer that still holds it came too late."""
        return False
