"""The creation of authorization keys: by stock clients, and step by step without any."""

from __future__ import annotations

import secrets
from contextlib import suppress
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any

import cryptg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import functions, types
from telethon.crypto import Factorization
from telethon.crypto import rsa as telethon_rsa
from telethon.extensions import BinaryReader

from tgbridge.sandbox.mtproto import rsa_keys
from tgbridge.sandbox.mtproto.handshake import (
    DH_PRIME,
    Handshake,
    HandshakeError,
    NewKey,
    Verdict,
    temporary_key,
)
from tgbridge.sandbox.mtproto.primes import is_prime, product_of_two_primes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.conftest import Telegram
    from tgbridge.sandbox import Sandbox

KEY = rsa_keys.process_key("tests")
NOW = 1_700_000_000


def random_nonce(length: int) -> int:
    return int.from_bytes(secrets.token_bytes(length), "little", signed=True)


def nonce_bytes(nonce: int, length: int) -> bytes:
    return nonce.to_bytes(length, "little", signed=True)


def rsa_old(data: bytes) -> bytes:
    """SHA-1, data, padding: as Telethon and all clients before 2021 do."""
    block = sha1(data).digest() + data
    return rsa_raw(block + secrets.token_bytes(255 - len(block)))


def rsa_pad(data: bytes) -> bytes:
    """Encrypt as the documentation's "4.1) RSA_PAD" says, https://core.telegram.org/mtproto/auth_key."""
    padded = data + secrets.token_bytes(192 - len(data))
    while True:
        temp_key = secrets.token_bytes(32)
        with_hash = padded[::-1] + sha256(temp_key + padded).digest()
        encrypted = cryptg.encrypt_ige(with_hash, temp_key, bytes(32))
        block = bytes(a ^ b for a, b in zip(temp_key, sha256(encrypted).digest(), strict=True)) + encrypted
        if int.from_bytes(block, "big") < KEY.modulus:
            return rsa_raw(block)


def rsa_raw(block: bytes) -> bytes:
    return pow(int.from_bytes(block, "big"), KEY.exponent, KEY.modulus).to_bytes(256, "big")


class Client:
    """The other side of a key exchange, one step at a time."""

    def __init__(self, verdicts: list[Verdict] | None = None) -> None:
        answers = verdicts or []
        self.server = Handshake(
            KEY, 2, now=lambda: NOW, pq_bits=32, verdict=lambda _: answers.pop(0) if answers else "ok"
        )
        self.nonce = random_nonce(16)
        self.new_nonce = random_nonce(32)
        self.retry_id = 0

    def ask(self, request: Any) -> tuple[Any, NewKey | None]:
        answer, made = self.server.answer(bytes(request))
        return BinaryReader(answer).tgread_object(), made

    def begin(self) -> None:
        self.res_pq, _ = self.ask(functions.ReqPqMultiRequest(self.nonce))
        assert self.res_pq.nonce == self.nonce
        assert self.res_pq.server_public_key_fingerprints == [KEY.fingerprint]
        self.p, self.q = (
            number.to_bytes((number.bit_length() + 7) // 8, "big")
            for number in Factorization.factorize(int.from_bytes(self.res_pq.pq, "big"))
        )

    def inner(self, **fields: Any) -> Any:
        values = {
            "pq": self.res_pq.pq,
            "p": self.p,
            "q": self.q,
            "nonce": self.nonce,
            "server_nonce": self.res_pq.server_nonce,
            "new_nonce": self.new_nonce,
        }
        return (types.PQInnerDataDc if "dc" in fields else types.PQInnerData)(**values | fields)

    def prove(self, encrypted: bytes | None = None, **fields: Any) -> types.ServerDHInnerData:
        values = {
            "nonce": self.nonce,
            "server_nonce": self.res_pq.server_nonce,
            "p": self.p,
            "q": self.q,
            "public_key_fingerprint": KEY.fingerprint,
            "encrypted_data": rsa_pad(bytes(self.inner(dc=2))) if encrypted is None else encrypted,
        }
        answer, _ = self.ask(functions.ReqDHParamsRequest(**values | fields))
        self.aes = temporary_key(nonce_bytes(self.res_pq.server_nonce, 16), nonce_bytes(self.new_nonce, 32))
        plain = cryptg.decrypt_ige(answer.encrypted_answer, *self.aes)
        inner = BinaryReader(plain[20:]).tgread_object()
        assert sha1(bytes(inner)).digest() == plain[:20]
        assert (inner.g, inner.dh_prime, inner.server_time) == (3, DH_PRIME.to_bytes(256, "big"), NOW)
        return inner

    def finish(self, dh: types.ServerDHInnerData, g_b: int | None = None) -> tuple[Any, NewKey | None]:
        exponent = secrets.randbits(2048)
        public = pow(dh.g, exponent, DH_PRIME) if g_b is None else g_b
        self.key = pow(int.from_bytes(dh.g_a, "big"), exponent, DH_PRIME).to_bytes(256, "big")
        inner = bytes(
            types.ClientDHInnerData(
                self.nonce, self.res_pq.server_nonce, self.retry_id, public.to_bytes(256, "big")
            )
        )
        plain = sha1(inner).digest() + inner
        encrypted = cryptg.encrypt_ige(plain + bytes(-len(plain) % 16), *self.aes)
        return self.ask(functions.SetClientDHParamsRequest(self.nonce, self.res_pq.server_nonce, encrypted))

    def hash_of(self, number: int) -> int:
        data = nonce_bytes(self.new_nonce, 32) + bytes([number]) + sha1(self.key).digest()[:8]
        return int.from_bytes(sha1(data).digest()[-16:], "little", signed=True)


@pytest.mark.parametrize("encrypt", [rsa_old, rsa_pad])
@pytest.mark.parametrize("dc", [{}, {"dc": 2}, {"dc": 10_002}, {"dc": -2}, {"dc": -10_002}])
def test_both_sides_have_the_same_key(encrypt: Any, dc: dict[str, int]) -> None:
    """A client that keeps to either form of the protocol ends up with the server's key and salt."""
    client = Client()
    client.begin()
    answer, made = client.finish(client.prove(encrypt(bytes(client.inner(**dc)))))
    assert isinstance(answer, types.DhGenOk)
    assert answer.new_nonce_hash1 == client.hash_of(1)
    assert made is not None
    assert made.key == client.key
    salt = bytes(
        a ^ b
        for a, b in zip(
            nonce_bytes(client.new_nonce, 32)[:8],
            nonce_bytes(client.res_pq.server_nonce, 16)[:8],
            strict=True,
        )
    )
    assert made.first_salt == int.from_bytes(salt, "little", signed=True)


def test_a_key_can_be_asked_for_again() -> None:
    """dh_gen_retry lets the client choose another number, and name the key before."""
    client = Client(["retry"])
    client.begin()
    dh = client.prove()
    answer, made = client.finish(dh)
    assert (type(answer), made) == (types.DhGenRetry, None)
    assert answer.new_nonce_hash2 == client.hash_of(2)
    first = client.key
    with pytest.raises(HandshakeError):
        client.finish(dh)
    client.retry_id = int.from_bytes(sha1(first).digest()[:8], "little", signed=True)
    answer, made = client.finish(dh)
    assert isinstance(answer, types.DhGenOk)
    assert made is not None
    assert made.key == client.key != first


def test_a_key_can_be_refused() -> None:
    """dh_gen_fail ends the exchange without a key."""
    client = Client(["fail"])
    client.begin()
    answer, made = client.finish(client.prove())
    assert (type(answer), made) == (types.DhGenFail, None)
    assert answer.new_nonce_hash3 == client.hash_of(3)


@pytest.mark.parametrize(
    "g_b", [0, 1, (1 << 1984) - 1, DH_PRIME - 1, DH_PRIME - (1 << 1984) + 1, (1 << 2048) - 1]
)
def test_halves_out_of_range_are_refused(g_b: int) -> None:
    """The client's half of the key has to lie well within the prime."""
    client = Client()
    client.begin()
    with pytest.raises(HandshakeError):
        client.finish(client.prove(), g_b)


@pytest.mark.parametrize(
    "wrong",
    [{"public_key_fingerprint": 1}, {"nonce": 1}, {"server_nonce": 1}, {"p": b"\x03"}, {"q": b"\x03"}],
)
def test_wrong_proofs_are_refused(wrong: dict[str, Any]) -> None:
    """Fingerprint, nonces and factors have to be right, in the open."""
    client = Client()
    client.begin()
    with pytest.raises(HandshakeError):
        client.prove(**wrong)


@pytest.mark.parametrize("wrong", [{"p": b"\x03"}, {"q": b"\x03"}, {"nonce": 1}, {"server_nonce": 1}])
def test_wrong_encrypted_proofs_are_refused(wrong: dict[str, Any]) -> None:
    """The same holds for what is encrypted."""
    client = Client()
    client.begin()
    with pytest.raises(HandshakeError):
        client.prove(rsa_pad(bytes(client.inner(**wrong))))


def test_another_data_centre_is_refused() -> None:
    """A client that means another data centre is told so by the transport's -444."""
    client = Client()
    client.begin()
    with pytest.raises(HandshakeError) as caught:
        client.prove(rsa_pad(bytes(client.inner(dc=4))))
    assert caught.value.code == 444


def test_damage_is_refused() -> None:
    """What was not encrypted for this key, or was changed on its way, is not read."""
    client = Client()
    client.begin()
    for encrypted in (b"", bytes(255), b"\xff" * 256, secrets.token_bytes(256), rsa_old(b"")):
        with pytest.raises(HandshakeError):
            client.prove(encrypted)


def test_steps_have_an_order() -> None:
    """A step without the ones before it is refused, one that is repeated is answered alike."""
    client = Client()
    with pytest.raises(HandshakeError):
        client.ask(functions.PingRequest(1))
    with pytest.raises(HandshakeError):
        client.ask(functions.SetClientDHParamsRequest(1, 1, bytes(16)))
    client.begin()
    with pytest.raises(HandshakeError):
        client.ask(functions.SetClientDHParamsRequest(client.nonce, client.res_pq.server_nonce, bytes(16)))
    assert client.prove().g_a == client.prove().g_a


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(body: bytes) -> None:
    """Whatever is sent is answered or refused."""
    with suppress(HandshakeError):
        Client().server.answer(body)


async def test_stock_clients_try_again(sandbox: Sandbox, telegram: Telegram) -> None:
    """Telethon begins anew when it is to choose another key, or is refused."""
    sandbox.faults.key_exchange("retry")
    sandbox.faults.key_exchange("fail")
    client = await telegram(new_key=True)
    assert client.is_connected()
    assert sandbox.counters.auth_keys == len(list(sandbox.auth_keys)) == 1


def test_fingerprints_are_telethons() -> None:
    """The key's PEM and fingerprint are those that the client computes."""
    telethon_rsa.add_key(KEY.public_pem, old=False)
    assert telethon_rsa._server_keys.pop(KEY.fingerprint)[0].n == KEY.modulus


def test_keys_are_kept(tmp_path: Path) -> None:
    """The same file gives the same key, which only its owner can read; other files are refused."""
    path = tmp_path / "sub" / "key.pem"
    made = rsa_keys.load_or_create(path)
    assert rsa_keys.load_or_create(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert made.private_pem.decode() not in repr(made)
    path.write_text("no key")
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the parser says)
        rsa_keys.load_or_create(path)


def test_blocks_have_to_fit() -> None:
    """A block that is longer or larger than the modulus can't have been encrypted by it."""
    for block in (bytes(255), bytes(257), KEY.modulus.to_bytes(256, "big")):
        with pytest.raises(ValueError, match="block"):
            KEY.decrypt(block)
    assert KEY.decrypt(rsa_raw(b"\x00" * 255 + b"\x07"))[-1] == 7


@pytest.mark.parametrize("bits", [32, 39, 46, 62])
def test_factors_are_different_primes(bits: int) -> None:
    """A product of two primes, the smaller quickly found, whose highest bit is not a sign's."""
    for _ in range(5):
        p, q = product_of_two_primes(bits)
        assert p < q
        assert is_prime(p)
        assert is_prime(q)
        assert p.bit_length() == 14
        assert bits - 1 <= (p * q).bit_length() <= bits
        assert (p * q).bit_length() % 8


@pytest.mark.parametrize("bits", [31, 63])
def test_factors_have_bounds(bits: int) -> None:
    """Fewer bits have no two primes, more do not fit the protocol."""
    with pytest.raises(ValueError, match="pq_bits"):
        product_of_two_primes(bits)


def test_primes() -> None:
    """Primes below 200, and numbers that lesser tests take for primes."""
    sieve = [n for n in range(200) if n > 1 and all(n % d for d in range(2, n))]
    assert [n for n in range(200) if is_prime(n)] == sieve
    assert not any(map(is_prime, (561, 3_215_031_751, 3_474_749_660_383, 341_550_071_728_321)))
