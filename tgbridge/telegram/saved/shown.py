"""Which messages pages may have been shown, so that of deletions those are told that are of interest.

Telegram names deleted messages of private chats and of Saved Messages alike by nothing but their ids, and
afterwards nobody can ask whose they were. So an id counts as one of Saved Messages where it is known to be.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_SHOWN: Final = 250_000
"""Ids that are known of one account, at 0.1 KB each. With more of them, all begin anew."""

MOST_IN_ALL: Final = 1_000_000
"""Those of all accounts. Beyond it, the account that was first to have any begins anew."""


class Told(NamedTuple):
    """Of ids that are gone: those of messages with media in Saved Messages, and whether others may be."""

    media: tuple[int, ...]
    in_doubt: bool


class Tally:
    """How many ids are known in all, and of which accounts."""

    def __init__(self) -> None:
        self._owners: dict[Shown, int] = {}
        self._total = 0

    def add(self, owner: Shown) -> None:
        """Count one more."""
        self._owners[owner] = self._owners.get(owner, 0) + 1
        self._total += 1
        while self._total > MOST_IN_ALL:
            next(iter(self._owners)).forget()

    def forget(self, owner: Shown) -> None:
        """Count an account's no more."""
        self._total -= self._owners.pop(owner, 0)


class Shown:
    """The ids of an account's messages with media that lists, updates and lookups have told of.

    ``life`` is a random number that names this memory: a page that has it has been shown no other ids.
    """

    def __init__(self, tally: Tally) -> None:
        self.life = _life()
        self._tally = tally
        self._ids: set[int] = set()
        self._complete: tuple[int, int] | None = None

    def add(self, message_id: int) -> None:
        """Take note of a message with media."""
        if message_id in self._ids:
            return
        if len(self._ids) >= MOST_SHOWN:
            self.forget()
        self._ids.add(message_id)
        self._tally.add(self)

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._ids

    @property
    def is_complete(self) -> bool:
        """Whether there is anything of which all is known."""
        return self._complete is not None

    def complete(self, since_id: int, pts: int) -> None:
        """Take note that all messages from an id on are known that are there after the state `pts`."""
        self._complete = since_id, pts

    def incomplete(self) -> None:
        """Take note that changes have been missed: of no message it is known that it is not there."""
        self._complete = None

    def forget(self) -> None:
        """Begin another life."""
        self.life = _life()
        self._ids.clear()
        self._tally.forget(self)
        self._complete = None

    def of_deleted(self, ids: Iterable[int], pts: int) -> Told:
        """Say what is known of messages whose deletion has led to the state `pts`."""
        ids = tuple(ids)
        since_id, since_pts = self._complete or (0, pts)
        others = [message_id for message_id in ids if message_id not in self._ids]
        in_doubt = any(message_id < since_id or pts <= since_pts for message_id in others)
        return Told(tuple(message_id for message_id in ids if message_id in self._ids), in_doubt)


def _life() -> int:
    return secrets.randbits(32) or 1  # 0 is nobody's
