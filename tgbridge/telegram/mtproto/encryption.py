"""MTProto 2.0 encryption: messages to the server at once, messages from it as their bytes arrive.

Source: https://core.telegram.org/mtproto/description. No I/O.

Decrypting piece by piece keeps the bytes in the processor's cache: as cheap as decrypting alone, where
collecting a packet of 1 MiB before it is decrypted costs half as much again. What was decrypted stays in the
pieces that it was decrypted into.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import cryptg

from tgbridge.telegram.mtproto.failures import ProtocolViolated
from tgbridge.telegram.mtproto.pieces import in_pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.pieces import Bytes

Buffer = bytes | bytearray | memoryview

BLOCK: Final = 16
"""Bytes of an AES block, of which all encrypted data is a multiple."""

ENVELOPE: Final = 24
"""Bytes before the encrypted data: key id and message key."""

PIECE_BYTES: Final = 258 * 1024
"""What is read and decrypted at once: with what cryptg needs, it fits a processor's second cache.

Four of them hold the packet that brings a mebibyte of a file, and the head of the next one.
"""

_LEAST_PADDING: Final = 12
_LEAST_PIECE: Final = 64 * 1024  # on slow paths there would be many small ones
_FROM_CLIENT: Final = 0  # the "x" of the description
_FROM_SERVER: Final = 8


def encrypt(key: AuthorizationKey, pieces: Sequence[Buffer]) -> tuple[bytes, bytes]:
    """Encrypt the concatenation of `pieces` for the server; the envelope, and what goes into it."""
    size = sum(map(len, pieces))
    plain = b"".join((*pieces, os.urandom(_LEAST_PADDING + (-size - _LEAST_PADDING) % BLOCK)))
    digest = sha256(key.key[88 + _FROM_CLIENT : 120 + _FROM_CLIENT])
    digest.update(plain)
    message_key = digest.digest()[8:24]
    return key.key_id + message_key, cryptg.encrypt_ige(plain, *_aes(key.key, message_key, _FROM_CLIENT))


class Decryption:
    """One message from the server, decrypted as its bytes arrive."""

    __slots__ = ("_aes_key", "_digest", "_iv", "_message_key", "_pieces", "_waiting", "missing")

    def __init__(self, key: AuthorizationKey, message_key: bytes, size: int) -> None:
        """Expect `size` bytes of encrypted data, a multiple of `BLOCK`."""
        self._message_key = message_key
        self._aes_key, self._iv = _aes(key.key, message_key, _FROM_SERVER)
        self._digest = sha256(key.key[88 + _FROM_SERVER : 120 + _FROM_SERVER])
        self._pieces: list[memoryview] = []
        self._waiting = bytearray()  # of a block that is not complete yet, or too little to be a piece
        self.missing = size
        """Bytes that have not come yet."""

    def update(self, data: memoryview) -> None:
        """Take the next bytes, one at least, and at most those that are `missing`."""
        self.missing -= len(data)
        size = len(self._waiting) + len(data)
        end = len(data) - size % BLOCK
        if self.missing and (size < _LEAST_PIECE or end <= 0):
            self._waiting += data
            return
        blocks = b"".join((self._waiting, data[:end]))  # cryptg takes nothing but bytes
        self._waiting = bytearray(data[end:])
        plain = cryptg.decrypt_ige(blocks, self._aes_key, self._iv)
        self._iv = blocks[-BLOCK:] + plain[-BLOCK:]
        self._digest.update(plain)
        self._pieces.append(memoryview(plain))

    def finish(self) -> Bytes:
        """Return the plain bytes once none are missing. Raises ProtocolViolated if they were altered."""
        if self._digest.digest()[8:24] != self._message_key:
            raise ProtocolViolated("the message key does not match")
        return in_pieces(self._pieces)


def _aes(key: bytes, message_key: bytes, x: int) -> tuple[bytes, bytes]:
    """Derive AES key and IV of one message.

    https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector
    """
    a = sha256(message_key + key[x : x + 36]).digest()
    b = sha256(key[40 + x : 76 + x] + message_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]
