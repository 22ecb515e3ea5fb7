"""Framing, by itself and under stock Telethon."""

from __future__ import annotations

import secrets
import struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from telethon import functions
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)

from tgbridge.sandbox.mtproto.transport import (
    MAX_PACKET_BYTES,
    Abridged,
    Detector,
    Framing,
    Full,
    Intermediate,
    Packet,
    PaddedIntermediate,
    TransportError,
)

if TYPE_CHECKING:
    from tests.sandbox.conftest import Telegram

TAGS: dict[type[Framing], bytes] = {
    Abridged: b"\xef",
    Intermediate: b"\xee" * 4,
    PaddedIntermediate: b"\xdd" * 4,
    Full: b"",
}
SIZES = (20, 504, 508, 512, 1 << 16, MAX_PACKET_BYTES)
PACKETS = [secrets.token_bytes(size) for size in SIZES]


def framed(kind: type[Framing], packets: list[bytes]) -> bytes:
    """Frame packets as a client does, which is not otherwise than a server."""
    framing = kind()
    return b"".join(b"".join(framing.frame([packet[:8], packet[8:]])) for packet in packets)


def obfuscated(kind: type[Framing]) -> tuple[bytes, Any]:
    """Make a client's first 64 bytes, and give what encrypts the rest."""
    tag = TAGS[kind] * (4 // len(TAGS[kind]))
    head = b"\x01" + secrets.token_bytes(3) + b"\x01" + secrets.token_bytes(51) + tag + secrets.token_bytes(4)
    cipher = Cipher(algorithms.AES(head[8:40]), modes.CTR(head[40:56])).encryptor()
    return head[:56] + cipher.update(head)[56:], cipher


def detect(stream: bytes, step: int) -> tuple[Framing, list[Packet]]:
    """Feed a stream in pieces to whatever it turns out to be."""
    detector = Detector()
    framing: Framing | None = None
    packets: list[Packet] = []
    for start in range(0, len(stream), step):
        piece = stream[start : start + step]
        if framing is None:
            found = detector.feed(piece)
            if found is None:
                continue
            framing, piece = found
        packets += framing.feed(piece)
    assert framing is not None
    return framing, packets


@pytest.mark.parametrize("step", [1, 7, 1 << 21])
@pytest.mark.parametrize("kind", TAGS)
def test_the_framing_is_told_from_the_first_bytes(kind: type[Framing], step: int) -> None:
    """Whatever the pieces in which it arrives, a stream comes apart into the packets that were sent."""
    packets = PACKETS if step > 1 else PACKETS[:4]
    framing, found = detect(TAGS[kind] + framed(kind, packets), step)
    assert type(framing) is kind
    assert [packet.data[: len(sent)] for packet, sent in zip(found, packets, strict=True)] == packets
    assert not any(packet.quick_ack for packet in found)


@pytest.mark.parametrize("kind", [Abridged, Intermediate, PaddedIntermediate])
def test_obfuscated_framings(kind: type[Framing]) -> None:
    """Under AES-CTR are the same framings, and answers are encrypted by the same header turned round."""
    head, cipher = obfuscated(kind)
    framing, found = detect(head + cipher.update(framed(kind, PACKETS)), 1000)
    assert [packet.data[: len(sent)] for packet, sent in zip(found, PACKETS, strict=True)] == PACKETS
    turned = head[55:7:-1]
    decryptor = Cipher(algorithms.AES(turned[:32]), modes.CTR(turned[32:])).decryptor()
    answers = b"".join(b"".join(parts) for parts in (framing.frame([PACKETS[0]]), framing.quick_ack(1 << 31)))
    plain = decryptor.update(answers)
    assert kind().feed(plain)[0].data[:20] == PACKETS[0]


def test_padding_can_be_told_from_the_packet() -> None:
    """At most three bytes follow a packet, so that its length is known from that of the whole."""
    lengths = {
        int.from_bytes(b"".join(PaddedIntermediate().frame([bytes(40)]))[:4], "little") for _ in range(200)
    }
    assert lengths == {40, 41, 42, 43}


@pytest.mark.parametrize(
    ("kind", "head", "answer"),
    [
        (Abridged, bytes([5 | 0x80]), b"\x81\x02\x03\x04"),
        (Abridged, b"\xff\x05\x00\x00", b"\x81\x02\x03\x04"),
        (Intermediate, struct.pack("<I", 20 | 1 << 31), b"\x04\x03\x02\x81"),
        (PaddedIntermediate, struct.pack("<I", 20 | 1 << 31), b"\x04\x03\x02\x81"),
    ],
)
def test_quick_acknowledgements(kind: type[Framing], head: bytes, answer: bytes) -> None:
    """The highest bit of a length asks for one, and the token is sent with its highest bit first."""
    framing = kind()
    assert framing.feed(head + PACKETS[0]) == [Packet(PACKETS[0], quick_ack=True)]
    assert b"".join(framing.quick_ack(0x81020304)) == answer
    assert Full().quick_ack(0x81020304) == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (Abridged, b"\x01\x6c\xfe\xff\xff"),
        (Intermediate, b"\x04\x00\x00\x00\x6c\xfe\xff\xff"),
    ],
)
def test_transport_errors_are_packets_of_four_bytes(kind: type[Framing], error: bytes) -> None:
    """An error is the negative code in place of a packet."""
    assert b"".join(kind().error(404)) == error
    assert struct.unpack("<IiiI", b"".join(Full().error(429)))[:3] == (16, 0, -429)


def full(sequence: int, packet: bytes, *, length: int | None = None, damage: int = 0) -> bytes:
    body = struct.pack("<Ii", len(packet) + 12 if length is None else length, sequence) + packet
    return body + struct.pack("<I", crc32(body) ^ damage)


@pytest.mark.parametrize(
    "stream",
    [
        full(0, PACKETS[0], damage=1),
        full(1, PACKETS[0]),
        full(0, PACKETS[0]) + full(0, PACKETS[0]),
        full(0, PACKETS[0], length=11),
        full(0, PACKETS[0], length=MAX_PACKET_BYTES + 20),
        full(0, PACKETS[0], length=(1 << 32) - 1),
    ],
    ids=["checksum", "sequence", "sequence later", "shorter than its frame", "too long", "negative"],
)
def test_damaged_full_packets_are_refused(stream: bytes) -> None:
    """A packet that is not what was sent, or not the next one, ends the connection."""
    with pytest.raises(TransportError):
        Full().feed(stream)


@pytest.mark.parametrize("kind", [Abridged, Intermediate])
def test_packets_beyond_a_mebibyte_are_refused(kind: type[Framing]) -> None:
    """The length alone decides, before the packet has arrived."""
    with pytest.raises(TransportError):
        kind().feed(framed(kind, [bytes(MAX_PACKET_BYTES + 20)])[:8])


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\n", b"POST /api", b"\x16\x03\x01\x02\x00\x01\x00\x01"])
def test_other_protocols_are_refused(start: bytes) -> None:
    """HTTP and TLS are not waited for until there are 64 bytes of them."""
    with pytest.raises(TransportError):
        Detector().feed(start)


def test_obfuscation_of_an_unknown_framing_is_refused() -> None:
    """What does not decrypt to a known tag is no MTProto."""
    head, _ = obfuscated(Abridged)
    with pytest.raises(TransportError):
        Detector().feed(head[:56] + bytes(byte ^ 0x55 for byte in head[56:]))


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_no_bytes_do_harm(pieces: list[bytes]) -> None:
    """Whatever is sent is read as packets or refused."""
    detector = Detector()
    framing = None
    try:
        for sent in pieces:
            piece = sent
            if framing is None:
                found = detector.feed(piece)
                if found is None:
                    continue
                framing, piece = found
            framing.feed(piece)
    except TransportError:
        pass


@pytest.mark.parametrize(
    "connection",
    [ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpObfuscated],
)
async def test_stock_clients_connect(telegram: Telegram, connection: type) -> None:
    """A stock client creates a key and gets the configuration over each of its transports."""
    client = await telegram(connection=connection, new_key=True)
    config = await client(functions.help.GetConfigRequest())
    assert config.this_dc == 2
