"""The server's side of the creation of an authorization key, without any I/O.

Source: https://core.telegram.org/mtproto/auth_key
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import cryptg
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from tgbridge.sandbox.mtproto.primes import product_of_two_primes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.sandbox.mtproto.rsa_keys import ServerKey

Verdict: TypeAlias = Literal["ok", "retry", "fail"]

GENERATOR = 3
DH_PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db"
    "fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41"
    "0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf"
    "6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
"""The prime that Telegram's own servers use, so that clients which know it spare themselves its check."""

_SAFETY = 1 << (2048 - 64)
_EXPONENT_BITS = (
    256  # twice the 128 bits of strength that the group has, and an eighth of the time of a full one
)
_TEST_SERVER = 10_000  # what clients add to the number of a test server's data centre
_DIGEST = 20


class HandshakeError(Exception):
    """The client did not keep to the protocol. ``code``: the transport error to answer with."""

    def __init__(self, reason: str, code: int = 404) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class NewKey:
    """An authorization key that both sides have now. Its repr does not show it."""

    key: bytes = field(repr=False)
    first_salt: int = field(repr=False)


@dataclass(slots=True)
class _Exchange:
    nonce: int
    server_nonce: int
    p: int
    q: int
    new_nonce: bytes = b""
    exponent: int = 0
    aes_key: bytes = b""
    aes_iv: bytes = b""
    answer: Any = None
    retry_id: int = 0


class Handshake:
    """One client's key exchange, or several in a row."""

    def __init__(
        self,
        server_key: ServerKey,
        dc_id: int,
        *,
        now: Callable[[], float],
        pq_bits: int,
        verdict: Callable[[bytes], Verdict] = lambda _: "ok",
    ) -> None:
        """Take what the client is to be told.

        ``verdict`` is asked about each new key: "retry" makes the client choose another one, "fail" refuses
        it.
        """
        self._server_key = server_key
        self._dc_id = dc_id
        self._now = now
        self._pq_bits = pq_bits
        self._verdict = verdict
        self._exchange: _Exchange | None = None

    def answer(self, body: bytes) -> tuple[bytes, NewKey | None]:
        """Answer one unencrypted message, with the new key where this completes it. Raises HandshakeError."""
        request = _read(body)
        match request:
            case functions.ReqPqRequest() | functions.ReqPqMultiRequest():
                return bytes(self._res_pq(request)), None
            case functions.ReqDHParamsRequest():
                return bytes(self._server_dh_params(self._current(request), request)), None
            case functions.SetClientDHParamsRequest():
                answer, made = self._dh_gen(self._current(request), request)
                return bytes(answer), made
            case types.MsgsAck():
                return b"", None  # some clients acknowledge even here
            case _:
                raise HandshakeError("a message that has to be encrypted")

    def _current(self, request: Any) -> _Exchange:
        exchange = self._exchange
        if exchange is None or (exchange.nonce, exchange.server_nonce) != (
            request.nonce,
            request.server_nonce,
        ):
            raise HandshakeError("unknown nonce")
        return exchange

    def _res_pq(self, request: Any) -> types.ResPQ:
        p, q = product_of_two_primes(self._pq_bits)
        server_nonce = int.from_bytes(secrets.token_bytes(16), "little", signed=True)
        self._exchange = _Exchange(request.nonce, server_nonce, p, q)
        return types.ResPQ(
            nonce=request.nonce,
            server_nonce=server_nonce,
            pq=_to_bytes(p * q),
            server_public_key_fingerprints=[self._server_key.fingerprint],
        )

    def _server_dh_params(self, exchange: _Exchange, request: Any) -> types.ServerDHParamsOk:
        if exchange.answer is not None:
            return exchange.answer  # asked again, since the answer was lost
        if request.public_key_fingerprint != self._server_key.fingerprint:
            raise HandshakeError("unknown fingerprint")
        inner = _read(open_pq_inner_data(self._server_key, request.encrypted_data))
        match inner:
            case types.PQInnerDataDc():
                if abs(inner.dc) % _TEST_SERVER != self._dc_id:
                    raise HandshakeError("meant for another data centre", 444)
            case types.PQInnerData():
                pass
            case _:
                raise HandshakeError("not an inner data of a permanent key")
        p, q = _to_bytes(exchange.p), _to_bytes(exchange.q)
        if (inner.nonce, inner.server_nonce) != (exchange.nonce, exchange.server_nonce):
            raise HandshakeError("nonce does not match")
        if (request.p, request.q, inner.p, inner.q) != (p, q, p, q):
            raise HandshakeError("wrong factors")
        exchange.new_nonce = _nonce(inner.new_nonce, 32)
        exchange.exponent, g_a = _key_pair()
        exchange.aes_key, exchange.aes_iv = temporary_key(
            _nonce(exchange.server_nonce, 16), exchange.new_nonce
        )
        answer = bytes(
            types.ServerDHInnerData(
                nonce=exchange.nonce,
                server_nonce=exchange.server_nonce,
                g=GENERATOR,
                dh_prime=_to_bytes(DH_PRIME),
                g_a=g_a.to_bytes(256, "big"),
                server_time=int(self._now()),
            )
        )
        padding = secrets.token_bytes(-(_DIGEST + len(answer)) % 16)
        exchange.answer = types.ServerDHParamsOk(
            nonce=exchange.nonce,
            server_nonce=exchange.server_nonce,
            encrypted_answer=cryptg.encrypt_ige(
                sha1(answer).digest() + answer + padding, exchange.aes_key, exchange.aes_iv
            ),
        )
        return exchange.answer

    def _dh_gen(self, exchange: _Exchange, request: Any) -> tuple[Any, NewKey | None]:
        if not exchange.exponent or len(request.encrypted_data) % 16:
            raise HandshakeError("not the time for a client's half")
        plain = cryptg.decrypt_ige(request.encrypted_data, exchange.aes_key, exchange.aes_iv)
        inner = _read(plain[_DIGEST:])
        if not isinstance(inner, types.ClientDHInnerData) or not _digest_matches(plain, inner):
            raise HandshakeError("damaged inner data")
        if (inner.nonce, inner.server_nonce) != (exchange.nonce, exchange.server_nonce):
            raise HandshakeError("nonce does not match")
        if inner.retry_id != exchange.retry_id:
            raise HandshakeError("not the retry that was asked for")
        g_b = int.from_bytes(inner.g_b, "big")
        if not _SAFETY <= g_b <= DH_PRIME - _SAFETY:
            raise HandshakeError("g_b out of range")
        key = pow(g_b, exchange.exponent, DH_PRIME).to_bytes(256, "big")
        verdict = self._verdict(key)
        answer = _gen_answer(verdict, exchange, key)
        if verdict == "retry":
            exchange.retry_id = int.from_bytes(sha1(key).digest()[:8], "little", signed=True)
            return answer, None
        self._exchange = None
        if verdict == "fail":
            return answer, None
        salt = bytes(
            a ^ b for a, b in zip(exchange.new_nonce[:8], _nonce(exchange.server_nonce, 16), strict=False)
        )
        return answer, NewKey(key, int.from_bytes(salt, "little", signed=True))


def open_pq_inner_data(server_key: ServerKey, encrypted: bytes) -> bytes:
    """Decrypt the proof of work in either of its forms. Raises HandshakeError.

    RSA_PAD is what the documentation prescribes; before 2021, and in Telethon until today, it was SHA-1,
    data, padding.
    """
    try:
        block = server_key.decrypt(encrypted)
    except ValueError as error:
        raise HandshakeError("not encrypted for this key") from error
    if block[0] == 0:
        data = block[1:]
        inner = _try_read(data[_DIGEST:])
        if inner is not None and _digest_matches(data, inner):
            return data[_DIGEST:]
    encrypted_data = block[32:]
    temporary = bytes(a ^ b for a, b in zip(block[:32], sha256(encrypted_data).digest(), strict=True))
    with_hash = cryptg.decrypt_ige(encrypted_data, temporary, bytes(32))
    padded, digest = with_hash[:192][::-1], with_hash[192:]
    if not hmac.compare_digest(digest, sha256(temporary + padded).digest()):
        raise HandshakeError("damaged inner data")
    return padded


def temporary_key(server_nonce: bytes, new_nonce: bytes) -> tuple[bytes, bytes]:
    """Derive the AES key and initialisation vector that protect the two halves of the exchange."""
    first, second = sha1(new_nonce + server_nonce).digest(), sha1(server_nonce + new_nonce).digest()
    return first + second[:12], second[12:] + sha1(new_nonce + new_nonce).digest() + new_nonce[:4]


def _gen_answer(verdict: Verdict, exchange: _Exchange, key: bytes) -> Any:
    constructors = {"ok": types.DhGenOk, "retry": types.DhGenRetry, "fail": types.DhGenFail}
    number = 1 + list(constructors).index(verdict)
    digest = sha1(exchange.new_nonce + bytes([number]) + sha1(key).digest()[:8]).digest()[-16:]
    return constructors[verdict](
        exchange.nonce, exchange.server_nonce, int.from_bytes(digest, "little", signed=True)
    )


def _key_pair() -> tuple[int, int]:
    while True:
        exponent = secrets.randbits(_EXPONENT_BITS)
        public = pow(GENERATOR, exponent, DH_PRIME)
        if _SAFETY <= public <= DH_PRIME - _SAFETY:
            return exponent, public


def _read(body: bytes) -> Any:
    read = _try_read(body)
    if read is None:
        raise HandshakeError("malformed message")
    return read


def _try_read(body: bytes) -> Any:
    try:
        return BinaryReader(body).tgread_object()
    except Exception:  # noqa: BLE001 (malformed bytes make generated code raise anything)
        return None


def _digest_matches(data: bytes, inner: Any) -> bool:
    return hmac.compare_digest(data[:_DIGEST], sha1(bytes(inner)).digest())


def _nonce(value: int, length: int) -> bytes:
    return value.to_bytes(length, "little", signed=True)


def _to_bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
