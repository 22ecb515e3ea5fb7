"""RSA_PAD, by which the proof of work is encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from telethon.tl import types

from tgbridge.sandbox.mtproto import handshake
from tgbridge.sandbox.mtproto import rsa_keys as server
from tgbridge.telegram.mtproto.connection import Connection
from tgbridge.telegram.mtproto.key_exchange import create_key
from tgbridge.telegram.mtproto.rsa_keys import MOST_BYTES, PublicKeys

if TYPE_CHECKING:
    from tgbridge.sandbox import Sandbox

KEY = server.process_key("tests")


@pytest.mark.parametrize("size", [4, 100, MOST_BYTES])
def test_the_server_reads_it(size: int) -> None:
    """The data, and then random bytes."""
    data = bytes(range(size))
    keys = PublicKeys.of_pem(KEY.public_pem)
    assert KEY.fingerprint in keys
    encrypted = [keys.encrypt(KEY.fingerprint, data) for _ in range(20)]
    assert len(set(encrypted)) == 20
    for one in encrypted:
        opened = handshake.open_pq_inner_data(KEY, one)
        assert opened[:size] == data
        assert len(opened) == 192


@pytest.mark.parametrize("dc", [1, -1, 10_001, -10_001])
async def test_a_key_exchange_names_the_data_centre(
    dc: int, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By p_q_inner_data_dc, in RSA_PAD and not in the form of before 2021."""
    seen: list[Any] = []

    def read(key: server.ServerKey, encrypted: bytes) -> bytes:
        plain = opened(key, encrypted)
        seen.append(handshake._read(plain))
        assert len(plain) == 192
        return plain

    opened = handshake.open_pq_inner_data
    monkeypatch.setattr(handshake, "open_pq_inner_data", read)
    connection = await Connection.open(*sandbox.data_centres[1].address, request_timeout=5)
    await create_key(connection.exchange, PublicKeys.of_pem(sandbox.public_key_pem), dc)
    await connection.aclose()
    assert [(type(one), one.dc) for one in seen] == [(types.PQInnerDataDc, dc)]
