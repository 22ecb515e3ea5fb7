"""Uploads that have named themselves, so that one that is sent twice is a message once.

A browser or proxy that has not heard an answer sends the whole request again, and can't know whether the
first one came to its end.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from tgbridge.telegram.saved.delivery import Borrow, Delivery, OnWait

KEEP_SECONDS: Final = 3600.0
"""How long a name is remembered."""

MOST: Final = 16_384
"""Names of all sessions together, some 300 bytes each; the oldest are forgotten first."""

_Key: TypeAlias = "tuple[bytes, str]"


@dataclass(frozen=True, slots=True)
class _Entry:
    end: tuple[int, ...] | Delivery
    until: float


class NamedUploads:
    """What became of each: the ids of its messages, or a delivery that may have arrived or not."""

    def __init__(self, *, keep_seconds: float = KEEP_SECONDS) -> None:
        self._keep_seconds = keep_seconds
        # The oldest comes first.
        self._entries: dict[_Key, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, session: str, name: str) -> tuple[int, ...] | Delivery | None:
        """Return how it ended; None for a name that is free.

        `session` is the Telegram session of the browser that has sent it.
        """
        entry = self._entries.get(_key(session, name))
        return None if entry is None or entry.until <= _now() else entry.end

    async def deliver(
        self, session: str, name: str | None, delivery: Delivery, borrow: Borrow, on_wait: OnWait
    ) -> list[int]:
        """Send an upload's messages; their ids. Without a name nothing is remembered.

        A name is free again if they are certainly not there. Raises as `Delivery.send` does.
        """
        try:
            ids = await delivery.send(borrow, on_wait)
        except BaseException:
            self._note(session, name, delivery if delivery.in_doubt else None)
            raise
        self._note(session, name, tuple(ids))
        return ids

    def _note(self, session: str, name: str | None, end: tuple[int, ...] | Delivery | None) -> None:
        if name is None:
            return
        now = _now()
        self._entries.pop(_key(session, name), None)
        if end is not None:
            self._entries[_key(session, name)] = _Entry(end, now + self._keep_seconds)
        while self._entries:
            oldest, entry = next(iter(self._entries.items()))
            if entry.until > now and len(self._entries) <= MOST:
                return
            del self._entries[oldest]


def _key(session: str, name: str) -> _Key:
    # Not the session itself: that is the key to an account, and may be signed out by now.
    return hashlib.sha256(session.encode()).digest(), name


def _now() -> float:
    return asyncio.get_running_loop().time()
