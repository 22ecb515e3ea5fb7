"""What names a place in an account's events: opaque, always of one length, and nothing is kept of it here.

It is the account's state at Telegram (pts), encrypted and bound to the account: another's is none. The same
place has the same name each time (RFC 5297, deterministic authenticated encryption), however many read it.
"""

from __future__ import annotations

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from tgbridge.telegram.saved.meaning import Position

if TYPE_CHECKING:
    from collections.abc import Iterable

PURPOSE: Final = "event ids"
_PLAIN: Final = struct.Struct(">II")
_ACCOUNT: Final = struct.Struct(">q")
_LENGTH: Final = 32  # characters: 16 bytes that authenticate, and 8 of content


class Cursors:
    """Makes and reads them."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """``keys`` are those derived for ``PURPOSE``: the first writes, all read."""
        self.change_keys(keys)

    def change_keys(self, keys: Iterable[bytes]) -> None:
        """Write with the first of other keys, and read only what one of them has written."""
        self._ciphers = tuple(AESSIV(key) for key in keys)

    def write(self, account: int, position: Position) -> str:
        """Name a place in the events of the user with the id ``account``, in A-Z a-z 0-9 - _."""
        plain = _PLAIN.pack(position.pts, position.life)
        return urlsafe_b64encode(self._ciphers[0].encrypt(plain, [_ACCOUNT.pack(account)])).decode()

    def read(self, account: int, text: str) -> Position | None:
        """Return the place that a text names; None if it is none of this account's."""
        if len(text) != _LENGTH or not text.isascii():
            return None
        try:
            sealed = urlsafe_b64decode(text)
        except ValueError:
            return None
        if urlsafe_b64encode(sealed).decode() != text:
            return None  # another spelling
        for cipher in self._ciphers:
            try:
                return Position(*_PLAIN.unpack(cipher.decrypt(sealed, [_ACCOUNT.pack(account)])))
            except InvalidTag:
                continue
        return None
