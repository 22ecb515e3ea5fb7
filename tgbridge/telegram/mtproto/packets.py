"""The intermediate transport: packets with their length before them, and no checksum.

Source: https://core.telegram.org/mtproto/mtproto-transports#intermediate. No I/O.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from tgbridge.telegram.mtproto.encryption import BLOCK, ENVELOPE, Decryption
from tgbridge.telegram.mtproto.failures import ProtocolViolated, TransportRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
    from tgbridge.telegram.mtproto.encryption import Buffer
    from tgbridge.telegram.mtproto.pieces import Bytes

INTERMEDIATE: Final = b"\xee\xee\xee\xee"
"""What a client sends first, to choose this transport."""

MAX_PACKET_BYTES: Final = 1 << 24
"""What we take: far above an answer with 1 MiB of a file, far below what would fill the memory."""

_LENGTH: Final = struct.Struct("<I")
_ERROR: Final = struct.Struct("<i")
_NO_KEY: Final = bytes(8)
_LEAST_ENCRYPTED: Final = 48  # salt, session, message id, sequence number, length, a word, and the padding


class Packet(NamedTuple):
    """A whole packet: the plain bytes of an encrypted message, or all of an unencrypted one."""

    encrypted: bool
    data: Bytes


def frame(*pieces: Buffer) -> bytes:
    """Return the length of `pieces` together, to stand before them."""
    return _LENGTH.pack(sum(map(len, pieces)))


class PacketReader:
    """Cuts a connection's stream into packets, and decrypts the encrypted ones on the way."""

    def __init__(self) -> None:
        self.key: AuthorizationKey | None = None
        """What encrypted packets must be encrypted with."""
        self._head = bytearray()
        self._head_size = _LENGTH.size
        self._body: Decryption | _Unencrypted | None = None

    @property
    def inside(self) -> bool:
        """Whether a packet has begun to arrive, and not ended."""
        return self._body is not None

    def wanted(self, most: int) -> int:
        """Return how many bytes, up to `most`, to read next, so that a long packet comes in few equal pieces.

        Its end and the next one's head belong to the last of them: else each would be a small one by itself.
        """
        if self._body is None:
            return most
        missing = self._body.missing
        rest = missing + _LENGTH.size + ENVELOPE
        if rest <= most:
            return rest
        piece = -(-rest // -(-rest // most))
        # Whole blocks: what is left of one has to wait for the next piece.
        return piece - (piece - missing) % BLOCK

    def feed(self, data: memoryview) -> Iterator[Packet]:
        """Take what arrived; the packets that it completes, in order. To be exhausted before the next call.

        Raises TransportRefused where the server sent an error, ProtocolViolated where it sent no packet.
        """
        while data:
            if self._body is None:
                rest = self._head_size - len(self._head)
                self._head += data[:rest]
                data = data[rest:]
                if len(self._head) == self._head_size:
                    self._read_head()
                continue
            body, missing = self._body, self._body.missing
            if len(data) < missing:
                body.update(data)
                return
            body.update(data[:missing])
            data = data[missing:]
            self._body = None
            yield Packet(isinstance(body, Decryption), body.finish())

    def _read_head(self) -> None:
        head = bytes(self._head)
        (length,) = _LENGTH.unpack_from(head)
        if len(head) == _LENGTH.size:
            if length == _ERROR.size:
                self._head_size += _ERROR.size
            elif ENVELOPE <= length <= MAX_PACKET_BYTES:
                self._head_size += ENVELOPE
            else:
                raise ProtocolViolated("packet length out of bounds")
            return
        self._head.clear()
        self._head_size = _LENGTH.size
        envelope = head[_LENGTH.size :]
        if length == _ERROR.size:
            raise TransportRefused(*_ERROR.unpack(envelope))
        self._body = self._begin(envelope, length - ENVELOPE)

    def _begin(self, envelope: bytes, size: int) -> Decryption | _Unencrypted:
        key_id, message_key = envelope[:8], envelope[8:]
        if key_id == _NO_KEY and size:
            return _Unencrypted(envelope, size)
        if self.key is None or key_id != self.key.key_id:
            raise ProtocolViolated("encrypted with another key")
        if size < _LEAST_ENCRYPTED or size % BLOCK:
            raise ProtocolViolated("not a whole number of blocks")
        return Decryption(self.key, message_key, size)


class _Unencrypted:
    """An unencrypted message, of which only key exchanges are made."""

    def __init__(self, envelope: bytes, size: int) -> None:
        self._data = bytearray(envelope)
        self.missing = size

    def update(self, data: memoryview) -> None:
        self._data += data
        self.missing -= len(data)

    def finish(self) -> memoryview:
        return memoryview(self._data).toreadonly()
