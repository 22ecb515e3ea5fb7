"""Codes that have just signed somebody in, so that whoever sent one can send it again.

The answer to a login may never have reached the browser, which then tries again with the cookie of before and
the same code. Telegram calls that code expired, and the session is signed in. But the cookie of before may
have been copied, or planted: what shows that it is the same person is that they know the code.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Final

_MOST: Final = 1000


class SpentCodes:
    """The last codes, in memory, as hashes."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._codes: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._codes)

    def add(self, phone_code_hash: str, code: str) -> None:
        """Remember that ``code`` was right, forgetting the oldest if there are too many."""
        self._codes[_digest(phone_code_hash, code)] = None
        if len(self._codes) > self._most:
            self._codes.popitem(last=False)

    def __contains__(self, attempt: tuple[str, str]) -> bool:
        """Tell whether this phone_code_hash and code have signed somebody in."""
        return _digest(*attempt) in self._codes


def _digest(phone_code_hash: str, code: str) -> bytes:
    return sha256(f"{phone_code_hash}\0{code}".encode()).digest()
