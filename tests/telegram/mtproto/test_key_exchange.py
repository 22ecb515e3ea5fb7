"""Agreeing on a key with a data centre, and the checks on the way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import cryptg
import pytest
from telethon.tl import functions, types

from tgbridge.telegram.mtproto import key_exchange, modular
from tgbridge.telegram.mtproto.connection import Connection
from tgbridge.telegram.mtproto.failures import ProtocolViolated, TransportRefused
from tgbridge.telegram.mtproto.key_exchange import check_group, create_key, factorise
from tgbridge.telegram.mtproto.rsa_keys import PublicKeys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tgbridge.sandbox import Sandbox


@pytest.fixture
async def connection(sandbox: Sandbox) -> AsyncIterator[Connection]:
    connection = await Connection.open(*sandbox.data_centres[1].address, request_timeout=5)
    yield connection
    await connection.aclose()


@pytest.fixture
def keys(sandbox: Sandbox) -> PublicKeys:
    return PublicKeys.of_pem(sandbox.public_key_pem)


async def test_both_sides_have_the_same_key(
    sandbox: Sandbox, connection: Connection, keys: PublicKeys
) -> None:
    """The server knows the key, and the first salt needs no round trip to be learnt."""
    key = await create_key(connection.exchange, keys, 1)
    record = sandbox.auth_keys.get(1, key.key_id)
    assert record is not None
    assert record.key == key.key
    assert record.takes_salt(key.state.salt, sandbox.now())
    assert key.state.time_offset in (-1, 0, 1)


async def test_the_keys_of_a_cdn_are_its_own(
    sandbox: Sandbox, connection: Connection, keys: PublicKeys
) -> None:
    """They are given in PEM; those of the data centres do not count there."""
    key = await create_key(connection.exchange, PublicKeys.of_pem(sandbox.public_key_pem), 1)
    assert sandbox.auth_keys.get(1, key.key_id) is not None
    with pytest.raises(ProtocolViolated, match="known public keys"):
        await create_key(connection.exchange, PublicKeys([]), 1)


async def test_one_calculates_at_a_time(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, keys: PublicKeys
) -> None:
    """However many keys are made, no more of the processor goes to them, nor of Python's lock."""
    at_once, most = [0], [0]

    def power(base: int, exponent: int, modulus: int) -> int:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        result = modular.power(base, exponent, modulus)
        at_once[0] -= 1
        return result

    monkeypatch.setattr(key_exchange, "power", power)
    address = sandbox.data_centres[1].address
    connections = [await Connection.open(*address, request_timeout=5) for _ in range(4)]
    await asyncio.gather(*(create_key(connection.exchange, keys, 1) for connection in connections))
    await asyncio.gather(*(connection.aclose() for connection in connections))
    assert most == [1]


@pytest.mark.parametrize("pem", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "ключ"])
def test_a_damaged_public_key_is_refused(pem: str) -> None:
    """It comes from the configuration that a server sends."""
    with pytest.raises(ProtocolViolated):
        PublicKeys.of_pem(pem)


async def test_another_key_is_made_if_the_server_asks(
    sandbox: Sandbox, connection: Connection, keys: PublicKeys
) -> None:
    """dh_gen_retry: the server has such a key already."""
    sandbox.faults.key_exchange("retry", times=2)
    key = await create_key(connection.exchange, keys, 1)
    assert sandbox.auth_keys.get(1, key.key_id) is not None


async def test_a_refused_key_is_an_error(sandbox: Sandbox, connection: Connection, keys: PublicKeys) -> None:
    """dh_gen_fail, and dh_gen_retry without an end."""
    sandbox.faults.key_exchange("fail")
    with pytest.raises(ProtocolViolated, match="refused"):
        await create_key(connection.exchange, keys, 1)
    sandbox.faults.key_exchange("retry", times=100)
    with pytest.raises(ProtocolViolated, match="too many"):
        await create_key(connection.exchange, keys, 1)


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("ResPQ", "nonce"),
        ("ServerDHParamsOk", "nonce"),
        ("ServerDHParamsOk", "server_nonce"),
        ("DhGenOk", "nonce"),
        ("DhGenOk", "server_nonce"),
    ],
)
async def test_answers_to_others_are_refused(
    connection: Connection, keys: PublicKeys, method: str, field: str
) -> None:
    """Each answer has to repeat both nonces; the first one makes the server's."""

    async def exchange(request: Any) -> Any:
        answer = await connection.exchange(request)
        if type(answer).__name__ == method:
            setattr(answer, field, getattr(answer, field) ^ 1)
        return answer

    with pytest.raises(ProtocolViolated, match="another"):
        await create_key(exchange, keys, 1)


async def test_an_altered_exchange_is_refused(connection: Connection, keys: PublicKeys) -> None:
    """The encrypted half is protected by its SHA-1, the end by the hash of the new nonce."""

    async def alter_params(request: Any) -> Any:
        answer = await connection.exchange(request)
        if isinstance(answer, types.ServerDHParamsOk):
            answer.encrypted_answer = answer.encrypted_answer[:-64] + bytes(64)
        return answer

    with pytest.raises(ProtocolViolated):
        await create_key(alter_params, keys, 1)

    async def alter_hash(request: Any) -> Any:
        answer = await connection.exchange(request)
        if isinstance(answer, types.DhGenOk):
            answer.new_nonce_hash1 ^= 1
        return answer

    with pytest.raises(ProtocolViolated, match="another key"):
        await create_key(alter_hash, keys, 1)


async def test_an_answer_of_another_kind_is_refused(connection: Connection, keys: PublicKeys) -> None:
    """Whatever the server thinks it was asked."""

    async def exchange(_: Any) -> Any:
        return await connection.exchange(functions.ReqPqMultiRequest(1))

    with pytest.raises(ProtocolViolated):
        await create_key(exchange, keys, 1)


async def test_the_servers_refusal_is_an_error(connection: Connection, keys: PublicKeys) -> None:
    """A wrong step is answered by a transport error, after which the server closes."""
    with pytest.raises(TransportRefused, match="404"):
        await connection.exchange(functions.ReqDHParamsRequest(1, 2, b"p", b"q", 3, b""))


@pytest.mark.parametrize(
    ("prime", "generator"),
    [
        (key_exchange._KNOWN_PRIME, 2),
        (key_exchange._KNOWN_PRIME, 8),
        (key_exchange._KNOWN_PRIME + 12, 4),
        ((1 << 1023) + 1155, 4),
    ],
    ids=["another-generator", "no-generator", "no-prime", "too-short"],
)
def test_unsafe_groups_are_refused(prime: int, generator: int) -> None:
    """2048 bits, a safe prime, a generator of the large subgroup."""
    with pytest.raises(ProtocolViolated, match="safe"):
        check_group(prime, generator)


def test_safe_primes_are_told() -> None:
    """The one that Telegram uses is known; others are checked by Miller and Rabin's test."""
    check_group(key_exchange._KNOWN_PRIME, 3)
    assert [n for n in range(11, 100, 4) if key_exchange._is_safe_prime(n)] == [11, 23, 47, 59, 83]


def test_cryptg_fails_where_the_next_test_says_so() -> None:
    """It panics, with what is no Exception; else nothing would be shown."""
    with pytest.raises(BaseException, match="failed to factorize") as raised:
        cryptg.factorize_pq_pair(7 * 13)
    assert not isinstance(raised.value, Exception)


@pytest.mark.parametrize(
    ("p", "q"), [(2, 7), (7, 13), (3, 1_000_003), (524_287, 524_309), (65_537, 2**31 - 1)]
)
def test_factors_are_found(p: int, q: int) -> None:
    """Where cryptg finds them, and where it panics: a key exchange does not fail now and then."""
    assert factorise(p * q) == (p, q)


@pytest.mark.parametrize("found", [lambda pq: (1, pq), lambda _: (3, 5)], ids=["none", "wrong"])
def test_wrong_factors_are_found_out(
    monkeypatch: pytest.MonkeyPatch, found: Callable[[int], tuple[int, int]]
) -> None:
    """Pollard's method may meet both factors in one step, and has then found none."""
    monkeypatch.setattr("cryptg.factorize_pq_pair", found)
    assert factorise(16_381 * 1_048_573) == (16_381, 1_048_573)


@pytest.mark.parametrize("pq", [0, 1, 2, 3, 4, 9, 16_381, 2**61 - 1, (2**31 - 1) ** 2, 2**63 + 1])
def test_what_has_no_two_factors_is_refused(pq: int) -> None:
    """cryptg would look for them for minutes, in which nothing else runs; anybody on the way may ask it."""
    with pytest.raises(ProtocolViolated, match="no product"):
        factorise(pq)
