"""How many streams of events are open, of each session and in all."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tgbridge.errors import TOO_MANY_REQUESTS, HTTPFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.settings.events import EventsSettings

TOO_MANY: Final = "TOO_MANY_STREAMS"
FULL: Final = "Too many pages follow their Saved Messages here. Please try again later."

_FREE_AGAIN_SECONDS: Final = 15  # a page that has gone is noticed by the next heartbeat


class OpenStreams:
    """Counts them, within the settings' bounds."""

    def __init__(self, settings: EventsSettings) -> None:
        self._settings = settings
        self._by_session: Counter[str] = Counter()
        self._total = 0

    def __len__(self) -> int:
        return self._total

    @contextmanager
    def open(self, session: str) -> Iterator[None]:
        """Count one more, by a session key's hash, while the block runs. Raises HTTPFailure 429 or 503."""
        if self._by_session[session] >= self._settings.streams_per_session:
            raise HTTPFailure(429, TOO_MANY_REQUESTS, code=TOO_MANY, retry_after=_FREE_AGAIN_SECONDS)
        if self._total >= self._settings.streams_per_process:
            raise HTTPFailure(503, FULL, code=TOO_MANY, retry_after=_FREE_AGAIN_SECONDS)
        self._by_session[session] += 1
        self._total += 1
        try:
            yield
        finally:
            self._total -= 1
            self._by_session[session] -= 1
            if not self._by_session[session]:
                del self._by_session[session]
