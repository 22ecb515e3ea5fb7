"""How MTProto packets are cut out of a TCP stream, without any I/O.

A server learns from the first bytes which of the framings the client chose: :class:`Detector` collects them
and gives the :class:`Framing` for the rest of the connection, its obfuscated variant included.

Source: https://core.telegram.org/mtproto/mtproto-transports
"""

from __future__ import annotations

import secrets
import struct
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Buffer = bytes | bytearray | memoryview

MAX_PACKET_BYTES = 1 << 20
"""What Telegram takes in one packet; a client that sends more is cut off."""

# Transport errors, https://core.telegram.org/mtproto/mtproto-transports#transport-errors
UNKNOWN_AUTH_KEY = 404
TRANSPORT_FLOOD = 429

_QUICK_ACK = 1 << 31


class TransportError(Exception):
    """The client sent what is no packet; the connection can only be closed."""


class Packet(NamedTuple):
    """One packet from a client. ``quick_ack``: it asked for the packet's receipt to be confirmed at once."""

    data: bytes
    quick_ack: bool = False


class Framing(ABC):
    """Cuts one connection's stream into packets, and frames those that go out."""

    @abstractmethod
    def feed(self, data: Buffer) -> list[Packet]:
        """Take what arrived and give the packets that it completes. Raises TransportError."""

    @abstractmethod
    def frame(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put a packet, given in pieces whose lengths add up to a multiple of 4, into its frame."""

    @abstractmethod
    def quick_ack(self, token: int) -> list[Buffer]:
        """Confirm a packet by its token of 32 bits, the highest set; nothing where the framing has none."""

    def error(self, code: int) -> list[Buffer]:
        """Frame a transport error, given as a positive number."""
        return self.frame([struct.pack("<i", -code)])


class _LengthFirst(Framing):
    """What all framings share: they begin by a length."""

    def __init__(self, max_bytes: int = MAX_PACKET_BYTES) -> None:
        self._buffer = bytearray()
        self._wanted = 1  # no packet can be complete before the buffer is as long as this
        self._max_bytes = max_bytes

    def feed(self, data: Buffer) -> list[Packet]:
        """Take what arrived and give the packets that it completes. Raises TransportError."""
        buffer = self._buffer
        buffer += data
        packets = []
        position = 0
        while len(buffer) - position >= self._wanted:
            header = self._read_header(buffer, position)
            if header is None:
                break
            header_bytes, total_bytes, quick_ack = header
            if not header_bytes <= total_bytes <= self._max_bytes + 16:
                raise TransportError("packet length out of bounds")
            if len(buffer) - position < total_bytes:
                self._wanted = total_bytes
                break
            with memoryview(buffer) as view:
                packet = bytes(view[position + header_bytes : position + total_bytes])
                packets.append(Packet(self._unframe(packet, view[position : position + 8]), quick_ack))
            position += total_bytes
            self._wanted = 1
        del buffer[:position]
        return packets

    @abstractmethod
    def _read_header(self, buffer: bytearray, position: int) -> tuple[int, int, bool] | None:
        """Give the lengths of header and whole, and whether to confirm it; None if more bytes are needed."""

    def _unframe(self, packet: bytes, header: memoryview) -> bytes:  # noqa: ARG002 (full has use for it)
        return packet


def _size(parts: Iterable[Buffer]) -> int:
    return sum(map(len, parts))


class Full(_LengthFirst):
    """Length, sequence number, packet, CRC32. The one framing that detects damage; it has no quick ack."""

    def __init__(self, max_bytes: int = MAX_PACKET_BYTES) -> None:
        super().__init__(max_bytes)
        self._received = 0
        self._sent = 0

    def _read_header(self, buffer: bytearray, position: int) -> tuple[int, int, bool] | None:
        if len(buffer) - position < 8:
            return None
        (length,) = struct.unpack_from("<I", buffer, position)
        if length < 12:
            raise TransportError("packet shorter than its frame")
        return 8, length, False

    def _unframe(self, packet: bytes, header: memoryview) -> bytes:
        (sequence,) = struct.unpack_from("<i", header, 4)
        if sequence != self._received:
            raise TransportError("packet out of sequence")
        body = packet[:-4]
        if crc32(body, crc32(header)) != int.from_bytes(packet[-4:], "little"):
            raise TransportError("checksum does not match")
        self._received += 1
        return body

    def frame(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put a packet into its frame."""
        header = struct.pack("<Ii", _size(parts) + 12, self._sent)
        self._sent += 1
        checksum = crc32(header)
        for part in parts:
            checksum = crc32(part, checksum)
        return [header, *parts, struct.pack("<I", checksum)]

    def quick_ack(self, token: int) -> list[Buffer]:  # noqa: ARG002
        """Give nothing: this framing has no quick acks."""
        return []


class Abridged(_LengthFirst):
    """One byte of length in units of 4 bytes; 0x7f and three bytes from 508 bytes on."""

    _LONG = 0x7F

    def _read_header(self, buffer: bytearray, position: int) -> tuple[int, int, bool] | None:
        first = buffer[position]
        length = first & self._LONG
        if length < self._LONG:
            return 1, 1 + length * 4, first > self._LONG
        if len(buffer) - position < 4:
            return None
        length = int.from_bytes(buffer[position + 1 : position + 4], "little")
        return 4, 4 + length * 4, first > self._LONG

    def frame(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put a packet into its frame."""
        length = _size(parts) >> 2
        if length < self._LONG:
            return [bytes([length]), *parts]
        return [struct.pack("<I", length << 8 | self._LONG), *parts]

    def quick_ack(self, token: int) -> list[Buffer]:
        """Send the token with its bytes turned round, so that the set bit is seen first."""
        return [token.to_bytes(4, "big")]


class Intermediate(_LengthFirst):
    """Four bytes of length."""

    def _read_header(self, buffer: bytearray, position: int) -> tuple[int, int, bool] | None:
        if len(buffer) - position < 4:
            return None
        (length,) = struct.unpack_from("<I", buffer, position)
        return 4, 4 + (length & ~_QUICK_ACK), bool(length & _QUICK_ACK)

    def frame(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put a packet into its frame."""
        return [struct.pack("<I", _size(parts)), *parts]

    def quick_ack(self, token: int) -> list[Buffer]:
        """Send the token as it is."""
        return [token.to_bytes(4, "little")]


class PaddedIntermediate(Intermediate):
    """Intermediate with random bytes after the packet, which whoever reads its contents cuts off."""

    def frame(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put a packet into its frame, with 0 to 3 bytes of padding, since some clients know no more."""
        return super().frame([*parts, secrets.token_bytes(secrets.randbelow(4))])


class Obfuscated(Framing):
    """Another framing under AES-256-CTR, one keystream for each direction."""

    def __init__(self, inner: Framing, decryptor: CipherContext, encryptor: CipherContext) -> None:
        self.inner = inner
        self._decryptor = decryptor
        self._encryptor = encryptor

    def feed(self, data: Buffer) -> list[Packet]:
        """Take what arrived and give the packets that it completes. Raises TransportError."""
        return self.inner.feed(self._decryptor.update(data))

    def frame(self, parts: Sequence[Buffer]) -> list[Buffer]:
        """Put a packet into its frame."""
        return self._encrypt(self.inner.frame(parts))

    def quick_ack(self, token: int) -> list[Buffer]:
        """Confirm a packet as the inner framing does."""
        return self._encrypt(self.inner.quick_ack(token))

    def _encrypt(self, parts: Sequence[Buffer]) -> list[Buffer]:
        return [self._encryptor.update(b"".join(parts))]


_TAGS: dict[bytes, type[Framing]] = {
    b"\xef\xef\xef\xef": Abridged,
    b"\xee\xee\xee\xee": Intermediate,
    b"\xdd\xdd\xdd\xdd": PaddedIntermediate,
}
_OTHER_PROTOCOLS = (b"GET ", b"POST", b"HEAD", b"OPTI", b"PVrG", b"\x16\x03\x01\x02")
_OBFUSCATED_HEADER_BYTES = 64


class Detector:
    """Tells the framing from the first bytes of a connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: Buffer) -> tuple[Framing, bytes] | None:
        """Give the framing and the bytes left over; None if more are needed. Raises TransportError."""
        self._buffer += data
        head = bytes(self._buffer[:_OBFUSCATED_HEADER_BYTES])
        if head[:1] == b"\xef":
            return Abridged(), bytes(self._buffer[1:])
        if len(head) < 8:
            return None
        if head[:4] in _TAGS:
            return _TAGS[head[:4]](), bytes(self._buffer[4:])
        if head[4:8] == bytes(4):  # the full framing's first sequence number
            return Full(), bytes(self._buffer)
        if head.startswith(_OTHER_PROTOCOLS):
            raise TransportError("not MTProto over TCP")
        if len(head) < _OBFUSCATED_HEADER_BYTES:
            return None
        return _deobfuscate(head), bytes(self._buffer[_OBFUSCATED_HEADER_BYTES:])


def _deobfuscate(head: bytes) -> Obfuscated:
    # https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
    turned = head[55:7:-1]
    decryptor = Cipher(algorithms.AES(head[8:40]), modes.CTR(head[40:56])).decryptor()
    encryptor = Cipher(algorithms.AES(turned[:32]), modes.CTR(turned[32:48])).encryptor()
    framing = _TAGS.get(decryptor.update(head)[56:60])
    if framing is None:
        raise TransportError("no framing of that tag")
    return Obfuscated(framing(), decryptor, encryptor)
