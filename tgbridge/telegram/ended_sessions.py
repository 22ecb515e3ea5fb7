"""Which sessions have ended, and why, for as long as somebody may still come with a cookie of theirs.

A cookie can't be called back: there are copies, and tabs that were asleep. Without this each of them would be
believed wherever Telegram is not asked, and elsewhere be a question to Telegram whose answer is known.

In memory alone: a process that was restarted asks Telegram, and remembers again.
"""

from __future__ import annotations

import secrets
import time
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from tgbridge.errors import SessionEnded
from tgbridge.telegram.datacentres.session_keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 65_536
"""How many are remembered, at a quarter of a kilobyte each; then the oldest is forgotten."""


class EndedSessions:
    """Sessions by a keyed hash of their authorization key, for ``seconds`` after their end.

    ``clock`` gives the seconds by which cookies expire.
    """

    def __init__(self, seconds: float, *, most: int = MOST, clock: Callable[[], float] = time.time) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        # What is remembered is nobody's session, and can't be compared with what another process remembers.
        self._secret = secrets.token_bytes(32)
        # The oldest comes first, and is the first to be forgotten: all are kept for the same time.
        self._ends: dict[bytes, tuple[str, float]] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def add(self, session: str, reason: str) -> None:
        """Remember that a session has ended, by ``reason``: Telegram's name for it. The first one stays."""
        now = self._clock()
        self._forget(now)
        self._ends.setdefault(self._hash(session), (reason, now + self._seconds))
        if len(self._ends) > self._most:
            del self._ends[next(iter(self._ends))]

    def discard(self, session: str) -> None:
        """Forget that a session has ended: somebody has signed in with its key again."""
        self._ends.pop(self._hash(session), None)

    def reason(self, session: str) -> str | None:
        """Return why a session has ended; None for one that has not, as far as is remembered."""
        if not self._ends:
            return None  # the hash costs 8 µs, and is wanted twice a request
        reason, until = self._ends.get(self._hash(session), (None, 0.0))
        return reason if self._clock() < until else None

    def _forget(self, now: float) -> None:
        while self._ends:
            oldest = next(iter(self._ends))
            if self._ends[oldest][1] > now:
                return
            del self._ends[oldest]

    def _hash(self, session: str) -> bytes:
        try:
            key = key_of(session)
        except SessionEnded:  # it is none
            key = session
        return blake2b(key.encode(errors="surrogatepass"), key=self._secret, digest_size=16).digest()
