"""Keys with one purpose each, derived from the service's secret keys, so that no token passes for another.

HKDF (RFC 5869): who finds out one derived key learns nothing of another, nor of the secret key. The cookie
alone is made with the secret keys themselves.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_BYTES: Final = 32


class DerivedKeys:
    """Derives from each secret key, in their order. What ``of`` returns is as secret as they are."""

    def __init__(self, secret_keys: Iterable[str]) -> None:
        """``secret_keys`` are Fernet keys (32 bytes in Base64), at least one; the first is the newest."""
        self._secrets = tuple(urlsafe_b64decode(key) for key in secret_keys)

    def of(self, purpose: str) -> tuple[bytes, ...]:
        """Return a key of 32 bytes for each secret key. The first makes what is new, all read what is old.

        ``purpose`` is RFC 5869's info: a few words that nothing else in the service uses.
        """
        # HKDF objects are good for one use.
        return tuple(
            HKDF(SHA256(), KEY_BYTES, salt=None, info=f"tgbridge {purpose}".encode()).derive(secret)
            for secret in self._secrets
        )
