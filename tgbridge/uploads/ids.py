"""Names of resumable uploads that tell, without a store, whether and for whom they were once given out.

A service that has been restarted, or has forgotten an upload for want of memory, still knows which names were
its own: those answer 410, "start again", and only to the account that they were given to. For everybody else
there has never been such an upload.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PURPOSE: Final = "upload ids"
_NONCE_BYTES: Final = 12
_MAC_BYTES: Final = 12
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9_-]{32}")


class UploadIds:
    """Gives out names, signed by the first of the keys that it is given; takes those signed by any."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """``keys`` are secret, at least one, and used for nothing else: those derived for ``PURPOSE``."""
        self.change_keys(keys)

    def change_keys(self, keys: Iterable[bytes]) -> None:
        """Sign with the first of other keys, and take those signed by any of them."""
        self._keys = tuple(keys)

    def issue(self, owner: int) -> str:
        """Return a new name for an account: 32 letters, digits, hyphens and underscores."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + _mac(self._keys[0], owner, nonce)).decode()

    def issued(self, upload_id: str, owner: int) -> bool:
        """Tell whether this name was once given to this account."""
        if not _WELL_FORMED.fullmatch(upload_id):
            return False
        raw = base64.urlsafe_b64decode(upload_id)
        nonce, mac = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        return any(hmac.compare_digest(_mac(key, owner, nonce), mac) for key in self._keys)


def _mac(key: bytes, owner: int, nonce: bytes) -> bytes:
    return hmac.digest(key, owner.to_bytes(8, "big", signed=True) + nonce, "sha256")[:_MAC_BYTES]
