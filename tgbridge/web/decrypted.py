"""Cookies that were decrypted a moment ago: a page's hundred thumbnails all bring the same one.

Decrypting and validating it was a fifth of what a cached thumbnail costs; finding it here is a fiftieth.
"""

from __future__ import annotations

import secrets
import time
from base64 import urlsafe_b64decode
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from tgbridge.logins.session_state import BrowserSession

SECONDS: Final = 60
"""How long one is remembered."""

MOST: Final = 4096
"""How many are remembered, at two kilobytes each; then the oldest is forgotten."""

_MAX_CLOCK_SKEW_SECONDS: Final = 60  # Fernet's own


class _Entry(NamedTuple):
    value: BrowserSession
    forgotten: float
    encrypted: int
    expires: int


class DecryptedCookies:
    """What good cookies hold, by a keyed hash of their text, for at most ``SECONDS``.

    A cookie is refused from the second on in which decrypting it would refuse it: ``max_age`` seconds after
    it was made, and where the clock is set back behind that.
    """

    def __init__(self, max_age: int) -> None:
        self._max_age = max_age
        # A secret before the text is all of a key that a hash needs which nobody is shown.
        self._keyed = sha256(secrets.token_bytes(32))
        # The oldest comes first: all are kept for the same time.
        self._entries: dict[bytes, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, cookie: str) -> BrowserSession | None:
        """Return what ``cookie`` holds; None if it has to be decrypted."""
        now = time.time()
        self._forget(now)
        entry = self._entries.get(self._hash(cookie))
        if entry is None or not entry.encrypted - _MAX_CLOCK_SKEW_SECONDS <= int(now) <= entry.expires:
            return None
        return entry.value

    def keep(self, cookie: str, created: int, value: BrowserSession) -> None:
        """Remember a good cookie; ``created`` is the time inside it, in seconds since the epoch."""
        # A token begins with its version, one byte, and the time, eight: github.com/fernet/spec.
        encrypted = int.from_bytes(urlsafe_b64decode(cookie[:12])[1:9])
        expires = min(encrypted, created) + self._max_age
        self._entries[self._hash(cookie)] = _Entry(value, time.time() + SECONDS, encrypted, expires)
        if len(self._entries) > MOST:
            del self._entries[next(iter(self._entries))]

    def _forget(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries))
            if now < self._entries[oldest].forgotten <= now + SECONDS:
                return
            del self._entries[oldest]

    def _hash(self, cookie: str) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(cookie.encode())
        return keyed.digest()
