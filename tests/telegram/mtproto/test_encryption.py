"""Encryption beside Telethon's own, whole and in pieces."""

from __future__ import annotations

import os
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon.crypto import AES, AuthKey
from telethon.network.mtprotostate import MTProtoState

from tgbridge.telegram.mtproto.auth_key import AuthorizationKey, KeyState
from tgbridge.telegram.mtproto.encryption import ENVELOPE, PIECE_BYTES, Decryption, encrypt
from tgbridge.telegram.mtproto.failures import ProtocolViolated
from tgbridge.telegram.mtproto.pieces import Pieces
from tgbridge.telegram.transfer.parts import KIB, MIB

KEY = AuthorizationKey(os.urandom(256))


def sealed_by_server(plain: bytes) -> tuple[bytes, bytes]:
    """What a server would send: message key and encrypted data."""
    message_key = sha256(KEY.key[96:128] + plain).digest()[8:24]
    return message_key, AES.encrypt_ige(plain, *MTProtoState._calc_key(KEY.key, message_key, client=False))


def test_the_key_id_is_telethons() -> None:
    """Server and client name a key in the same way."""
    assert int.from_bytes(KEY.key_id, "little") == AuthKey(KEY.key).key_id


@given(st.lists(st.binary(max_size=100), min_size=1))
def test_what_is_encrypted_can_be_decrypted_by_the_servers_rules(pieces: list[bytes]) -> None:
    """The message key fits, the padding has 12 to 1024 bytes, and the pieces stand one after the other."""
    envelope, data = encrypt(KEY, pieces)
    assert envelope[:8] == KEY.key_id
    plain = AES.decrypt_ige(data, *MTProtoState._calc_key(KEY.key, envelope[8:ENVELOPE], client=True))
    assert sha256(KEY.key[88:120] + plain).digest()[8:24] == envelope[8:]
    whole = b"".join(pieces)
    assert plain[: len(whole)] == whole
    assert 12 <= len(plain) - len(whole) < 12 + 16
    assert len(data) % 16 == 0


def test_any_buffer_can_be_encrypted() -> None:
    """The bytes of a file need not be copied into `bytes` first."""
    _, one = encrypt(KEY, [memoryview(bytearray(b"x" * 1000))])
    assert len(one) == 1024


@given(st.integers(1, 40), st.lists(st.integers(1, 100)))
def test_pieces_of_any_size_are_decrypted_as_they_come(blocks: int, cuts: list[int]) -> None:
    """Where a message was cut on its way changes nothing."""
    plain = os.urandom(16 * blocks)
    message_key, data = sealed_by_server(plain)
    decryption = Decryption(KEY, message_key, len(data))
    view = memoryview(data)
    for cut in [*cuts, len(data)]:
        if view:
            decryption.update(view[:cut])
        view = view[cut:]
    assert decryption.missing == 0
    assert bytes(decryption.finish()) == plain


@pytest.mark.parametrize("arriving", [1460, 5000, 64 * KIB, 128 * KIB, PIECE_BYTES])
def test_a_long_message_is_not_copied_together(arriving: int) -> None:
    """It stays in the pieces that it was decrypted into: of some length, however little came at a time."""
    plain = os.urandom(MIB)
    message_key, data = sealed_by_server(plain)
    decryption, view = Decryption(KEY, message_key, len(data)), memoryview(data)
    for at in range(0, len(data), arriving):
        decryption.update(view[at : at + arriving])
    opened = decryption.finish()
    assert isinstance(opened, Pieces)
    assert bytes(opened) == plain
    assert all(piece.readonly for piece in opened.pieces)
    *sizes, last = map(len, opened.pieces)
    assert min(sizes) >= 64 * KIB
    assert max(*sizes, last) <= PIECE_BYTES + 64 * KIB


@pytest.mark.parametrize("at", [0, 500, 1023])
def test_an_altered_message_is_refused(at: int) -> None:
    """One bit, wherever it is, is noticed."""
    message_key, data = sealed_by_server(os.urandom(1024))
    altered = bytearray(data)
    altered[at] ^= 1
    decryption = Decryption(KEY, message_key, len(data))
    decryption.update(memoryview(altered))
    with pytest.raises(ProtocolViolated):
        decryption.finish()


def test_a_key_has_2048_bits() -> None:
    """A key that lost a leading zero on its way is not taken for one."""
    with pytest.raises(ValueError, match="2048"):
        AuthorizationKey(bytes(255))


def test_a_key_does_not_show_itself() -> None:
    """Neither key nor salt is in its repr."""
    key = AuthorizationKey(b"k" * 256, KeyState(salt=4711, time_offset=3))
    assert repr(key) == "AuthorizationKey(state=KeyState(time_offset=3))"
