"""What Telegram's updates mean for Saved Messages, as far as they hold media.

Those of other private chats and of texts mean nothing, and yet move the state. Deleted messages are told
without their chat: see `Shown`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from telethon.tl import types

from tgbridge.telegram.saved.changes import Added, Deleted, Edited

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.telegram.saved.changes import Change
    from tgbridge.telegram.saved.saved_media import SavedMedia
    from tgbridge.telegram.saved.shown import Shown


class Position(NamedTuple):
    """What a page that shows Saved Messages knows of: the state ``pts`` of the account, or a later one.

    ``life`` names the memory that knows which ids the page was shown (`Shown`).
    """

    pts: int
    life: int


class Happened(NamedTuple):
    """A step from one state to another, ``through``; ``pts`` is a state from which it would be told again.

    ``in_doubt``: messages were deleted of which nobody here knows whether they were in Saved Messages.
    """

    change: Change | None
    pts: int
    through: int
    in_doubt: bool = False


class Memory(Protocol):
    """The library of one account, as its live part sees it."""

    def remember(self, messages: Iterable[Any], *, asked_at: float | None = None) -> list[SavedMedia]:
        """Keep what messages of Saved Messages hold, and return it; others are left out."""

    def follow(self, message: Any, *, asked_at: float) -> SavedMedia | None:
        """Keep what an update says that a message holds, and return it; None if it is none of these."""

    def changed(self, change: Change) -> None:
        """Let the memory be as Saved Messages are after a change. Again makes no difference."""

    def clear(self) -> None:
        """Forget all messages, and that any were shown."""

    def trust(self, *, unbroken: bool = False) -> None:
        """Believe from now on what is kept; ``unbroken``: nothing was missed since it was trusted last."""

    def distrust(self) -> None:
        """Believe nothing for long: changes may be missed."""


class Meaning:
    """Says what updates mean, and lets the memory and what is known to be shown follow."""

    def __init__(self, memory: Memory, shown: Shown) -> None:
        self._memory = memory
        self._shown = shown

    def of_difference(self, answer: Any, since: int, through: int, asked_at: float) -> list[Happened]:
        """Give the steps of a difference: all but the last one lead nowhere that could be gone on from."""
        new = [types.UpdateNewMessage(message, since, 0) for message in answer.new_messages]
        steps = [
            self.of_update(update, getattr(update, "pts", since), asked_at)
            for update in (*new, *answer.other_updates)
        ]
        told = [step for step in steps if step.change is not None or step.in_doubt]
        return [
            *(step._replace(pts=since, through=through) for step in told[:-1]),
            *(step._replace(pts=through, through=through) for step in told[-1:] or [Happened(None, 0, 0)]),
        ]

    def of_update(self, update: Any, pts: int, asked_at: float) -> Happened:
        """Say what an update means for Saved Messages, and let the memory follow."""
        match update:
            case types.UpdateNewMessage(message=message):
                change = self._added(message, pts, asked_at)
            case types.UpdateEditMessage(message=message):
                change = self._edited(message, pts, asked_at)
            case types.UpdateDeleteMessages(messages=ids):
                told = self._shown.of_deleted(ids, pts)
                self._memory.changed(Deleted(tuple(ids), pts))
                change = Deleted(told.media, pts) if told.media else None
                return Happened(change, pts, pts, told.in_doubt)
            case _:
                change = None
        return Happened(change, pts, pts)

    def _added(self, message: Any, pts: int, asked_at: float) -> Change | None:
        media = self._memory.follow(message, asked_at=asked_at)
        return None if media is None else Added(media, pts)

    def _edited(self, message: Any, pts: int, asked_at: float) -> Change | None:
        was_shown = message.id in self._shown
        media = self._memory.follow(message, asked_at=asked_at)
        if media is not None:
            return Edited(media, pts)
        if not was_shown:
            return None
        # Its media has expired, or was taken out.
        gone = Deleted((message.id,), pts)
        self._memory.changed(gone)
        return gone
