"""Bytes that a client carries for us and can neither read nor change: encrypted, authenticated, as text.

Each has one spelling: whoever changes a character, adds padding or leaves something out has nothing.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

if TYPE_CHECKING:
    from collections.abc import Iterable

_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16


class Sealed:
    """Seals by the first of the keys that it is given; opens what any has sealed.

    AES-GCM-SIV (RFC 8452): unlike AES-GCM it stands any number of random nonces. Tags are compared in
    constant time.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        """``keys`` are 32 bytes each, at least one, as ``DerivedKeys.of`` returns them for one purpose."""
        self._ciphers = tuple(AESGCMSIV(key) for key in keys)

    def seal(self, content: bytes, associated: bytes = b"") -> str:
        """Return letters, digits, hyphens and underscores: four for each three bytes, and 38 more.

        ``associated`` is not in them, but has to be the same when they are opened. ``content`` has at least
        one byte. Its length can be seen.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _encode(nonce + self._ciphers[0].encrypt(nonce, content, associated))

    def open(self, text: str, associated: bytes = b"") -> bytes | None:
        """Return what was sealed; None if ``text`` is not, letter by letter, what ``seal`` has returned."""
        raw = _decode(text)
        if raw is None or len(raw) <= _NONCE_BYTES + _TAG_BYTES:
            return None
        nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(nonce, sealed, associated)
            except InvalidTag:
                continue
        return None


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes | None:
    """Undo ``_encode``. Base64 has several spellings of most texts: those that are not ours are None."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if _encode(raw) == text else None
