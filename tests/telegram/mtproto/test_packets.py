"""The intermediate transport beside Telethon's codec."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AES
from telethon.network.connection.tcpintermediate import IntermediatePacketCodec
from telethon.network.mtprotostate import MTProtoState

from tgbridge.telegram.mtproto.auth_key import AuthorizationKey
from tgbridge.telegram.mtproto.encryption import PIECE_BYTES
from tgbridge.telegram.mtproto.failures import ConnectionFailed, ProtocolViolated, TransportRefused
from tgbridge.telegram.mtproto.packets import INTERMEDIATE, MAX_PACKET_BYTES, PacketReader, frame
from tgbridge.telegram.mtproto.pieces import Pieces

MIB = 1 << 20
KEY = AuthorizationKey(os.urandom(256))
CODEC = IntermediatePacketCodec(None)


def encrypted(plain: bytes) -> bytes:
    """A packet as a server sends it, without its frame."""
    message_key = sha256(KEY.key[96:128] + plain).digest()[8:24]
    keys = MTProtoState._calc_key(KEY.key, message_key, client=False)
    return b"".join((KEY.key_id, message_key, AES.encrypt_ige(plain, *keys)))


def read(*chunks: bytes, key: AuthorizationKey | None = KEY) -> list[tuple[bool, bytes]]:
    reader = PacketReader()
    reader.key = key
    packets = (packet for chunk in chunks for packet in reader.feed(memoryview(chunk)))
    return [(packet.encrypted, bytes(packet.data)) for packet in packets]


def test_what_brings_a_part_is_read_in_four_equal_pieces() -> None:
    """None of them is left with a few bytes, be it of this packet or of the next one's head."""
    plain = os.urandom(MIB + 96)
    stream = memoryview(CODEC.encode_packet(encrypted(plain)) * 3)
    reader = PacketReader()
    reader.key = KEY
    reads: list[int] = []
    while stream:
        room = reader.wanted(PIECE_BYTES)
        packets = list(reader.feed(stream[:room]))
        reads.append(len(stream[:room]))
        stream = stream[room:]
        for packet in packets:
            assert isinstance(packet.data, Pieces)
            assert bytes(packet.data) == plain
            assert len(packet.data.pieces) == 4
    assert len(reads) == 3 * 4
    assert min(reads) > 250 * 1024


def test_frames_are_telethons() -> None:
    """A server that understands Telethon's intermediate transport understands ours."""
    assert CODEC.tag == INTERMEDIATE
    assert frame(b"abcd", b"efgh") + b"abcdefgh" == CODEC.encode_packet(b"abcdefgh")


@given(
    st.lists(st.tuples(st.booleans(), st.integers(3, 20)), max_size=5),
    st.lists(st.integers(1, 200)),
)
def test_a_stream_is_cut_into_its_packets(shapes: list[tuple[bool, int]], cuts: list[int]) -> None:
    """Encrypted or not, however the stream was cut on its way."""
    packets = [(kind, os.urandom(16 * blocks)) for kind, blocks in shapes]
    stream = b"".join(
        CODEC.encode_packet(encrypted(data) if kind else bytes(8) + data) for kind, data in packets
    )
    chunks = []
    for cut in cuts:
        chunks.append(stream[:cut])
        stream = stream[cut:]
    expected = [(kind, data if kind else bytes(8) + data) for kind, data in packets]
    assert read(*chunks, stream) == expected


def test_packets_before_a_broken_one_are_given() -> None:
    """What came whole is not lost."""
    reader = PacketReader()
    packets = reader.feed(memoryview(CODEC.encode_packet(bytes(40)) + b"\x01\x00\x00\x00"))
    assert bytes(next(packets).data) == bytes(40)
    with pytest.raises(ProtocolViolated):
        next(packets)


@pytest.mark.parametrize("code", [-404, -429, -444])
def test_an_error_of_the_transport_is_raised(code: int) -> None:
    """Four bytes are a number in place of a packet, even when they come one by one."""
    stream = CODEC.encode_packet(struct.pack("<i", code))
    with pytest.raises(TransportRefused, match=str(code)) as refused:
        read(*(stream[at : at + 1] for at in range(len(stream))))
    assert refused.value.code == code


@pytest.mark.parametrize("length", [0, 3, 5, 23, MAX_PACKET_BYTES + 1, 1 << 31])
def test_absurd_lengths_are_refused(length: int) -> None:
    """Before anything is set aside for them."""
    with pytest.raises(ProtocolViolated, match="length"):
        read(struct.pack("<I", length) + bytes(28))


@pytest.mark.parametrize("size", [32, 49, 50, 63])
def test_encrypted_data_has_a_least_size_and_whole_blocks(size: int) -> None:
    """AES has no other."""
    with pytest.raises(ProtocolViolated, match="blocks"):
        read(CODEC.encode_packet(KEY.key_id + bytes(16) + bytes(size)))


@pytest.mark.parametrize("key", [None, AuthorizationKey(os.urandom(256))])
def test_another_key_is_refused(key: AuthorizationKey | None) -> None:
    """Only packets of the connection's own key are decrypted."""
    with pytest.raises(ProtocolViolated, match="key"):
        read(CODEC.encode_packet(encrypted(bytes(64))), key=key)


def test_it_knows_when_it_is_inside_a_packet() -> None:
    """By which a slow connection is told from a silent one."""
    reader = PacketReader()
    packet = CODEC.encode_packet(bytes(100))
    seen = [reader.inside]
    for half in (packet[:50], packet[50:]):
        list(reader.feed(memoryview(half)))
        seen.append(reader.inside)
    assert seen == [False, True, False]


@given(
    st.lists(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda data: frame(data) + data)))
)
def test_no_bytes_crash_the_reader(chunks: list[bytes]) -> None:
    """Whatever comes is packets, or ends the connection."""
    with suppress(ConnectionFailed):
        read(*chunks)
