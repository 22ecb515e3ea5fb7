"""MTProto 2.0's encryption of messages, the server's side.

Source: https://core.telegram.org/mtproto/description
"""

from __future__ import annotations

import hmac
import secrets
import struct
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import cryptg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.sandbox.mtproto.transport import Buffer

_HEAD = struct.Struct("<qqqii")  # salt, session, msg_id, seq_no, length
_CLEAR_BYTES = 24  # auth_key_id and msg_key
_PADDING_MIN, _PADDING_MAX = 12, 1024

# Where in the key each side's secrets begin: the x of the documentation.
_FROM_CLIENT, _FROM_SERVER = 0, 8


class EnvelopeError(Exception):
    """A message that was not encrypted with this key, or is malformed within."""


class Opened(NamedTuple):
    """A message from a client. ``token``: what confirms it when a quick acknowledgement was asked for."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    body: bytes
    token: int


class Letter(NamedTuple):
    """A message for a client. ``body`` comes in pieces, whose lengths add up to a multiple of 4."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    body: Sequence[Buffer]


def seal(key: bytes, key_id: bytes, letter: Letter) -> list[Buffer]:
    """Encrypt one message for a client; the packet comes in pieces, too."""
    salt, session_id, msg_id, seq_no, body = letter
    size = sum(map(len, body))
    padding = secrets.token_bytes(_PADDING_MIN + -(_HEAD.size + size + _PADDING_MIN) % 16)
    plain = b"".join((_HEAD.pack(salt, session_id, msg_id, seq_no, size), *body, padding))
    msg_key = _digest(key, _FROM_SERVER, plain)[8:24]
    return [key_id + msg_key, cryptg.encrypt_ige(plain, *_aes(key, msg_key, _FROM_SERVER))]


def open_(key: bytes, packet: bytes) -> Opened:
    """Decrypt a client's message. Raises EnvelopeError."""
    size = len(packet) - _CLEAR_BYTES
    size -= size % 16  # the transport may have padded the packet
    if size < _HEAD.size:
        raise EnvelopeError("too short")
    msg_key = packet[8:_CLEAR_BYTES]
    plain = cryptg.decrypt_ige(packet[_CLEAR_BYTES : _CLEAR_BYTES + size], *_aes(key, msg_key, _FROM_CLIENT))
    digest = _digest(key, _FROM_CLIENT, plain)
    if not hmac.compare_digest(digest[8:24], msg_key):
        raise EnvelopeError("msg_key does not match")
    salt, session_id, msg_id, seq_no, length = _HEAD.unpack_from(plain)
    padding = size - _HEAD.size - length
    if length < 0 or length % 4 or not _PADDING_MIN <= padding <= _PADDING_MAX:
        raise EnvelopeError("length does not match")
    token = int.from_bytes(digest[:4], "little") | 1 << 31
    return Opened(salt, session_id, msg_id, seq_no, plain[_HEAD.size : _HEAD.size + length], token)


def _digest(key: bytes, x: int, plain: bytes) -> bytes:
    digest = sha256(key[88 + x : 120 + x])
    digest.update(plain)
    return digest.digest()


def _aes(key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]
