"""The creation of an authorization key, from the client's side.

Source: https://core.telegram.org/mtproto/auth_key, with all the checks of
https://core.telegram.org/mtproto/security_guidelines. Telethon's own does not tell the first salt (which
costs a further round trip), factorises in Python for a while, fails when the key begins with a zero, and does
not check the group.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Any, Final

import cryptg
from telethon.crypto import Factorization
from telethon.tl import functions, types

from tgbridge.telegram.mtproto.auth_key import AuthorizationKey, KeyState
from tgbridge.telegram.mtproto.failures import ProtocolViolated
from tgbridge.telegram.mtproto.modular import power
from tgbridge.telegram.mtproto.rsa_keys import MOST_BYTES
from tgbridge.telegram.mtproto.serialisation import read_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from telethon.tl import TLRequest

    from tgbridge.telegram.mtproto.rsa_keys import PublicKeys

    Exchange = Callable[[TLRequest], Awaitable[Any]]
    """Sends an unencrypted request, and returns the answer."""

_ATTEMPTS: Final = 5
_BITS: Final = 2048
_KEY_BYTES: Final = 256
_SAFETY: Final = 1 << (_BITS - 64)
_MILLER_RABIN_ROUNDS: Final = 30
_DIGEST: Final = 20  # bytes of SHA-1

# What Telegram's servers use. Knowing it spares the check of an unknown prime, which takes a while.
_KNOWN_PRIME: Final = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db"
    "fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41"
    "0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf"
    "6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)

# For which primes p a generator makes the subgroup of order (p - 1) / 2: {generator: (modulus, remainders)}.
_GROUPS: Final = {
    2: (8, (7,)),
    3: (3, (2,)),
    4: (1, (0,)),
    5: (5, (1, 4)),
    6: (24, (19, 23)),
    7: (7, (3, 5, 6)),
}

# One calculates at a time, however many log in: the rest of the processor is for those who have.
_calculating: Final = ThreadPoolExecutor(1, thread_name_prefix="key-exchange")


@dataclass(frozen=True, slots=True, repr=False)
class _Nonces:
    ours: int
    server: int
    new: bytes

    def check(self, answer: Any) -> None:
        if (answer.nonce, answer.server_nonce) != (self.ours, self.server):
            raise ProtocolViolated("an answer to another key exchange")

    @property
    def first_salt(self) -> int:
        mixed = zip(self.new[:8], _to_bytes(self.server, 16)[:8], strict=True)
        return int.from_bytes(bytes(a ^ b for a, b in mixed), "little", signed=True)

    def new_hash(self, number: int, key: bytes) -> int:
        digest = sha1(self.new + bytes((number,)) + sha1(key).digest()[:8]).digest()
        return int.from_bytes(digest[4:], "little", signed=True)


def factorise(pq: int) -> tuple[int, int]:
    """Find two factors of `pq`, the smaller first; it is below 2 ** 63, as the protocol has it.

    cryptg does it in no time, but would hold the interpreter for minutes over a prime or a square, and fails
    now and then: it panics, or has found 1 and `pq`. Telethon takes longer, and begins with other random
    numbers each time, of which few find nothing else.

    Raises ProtocolViolated where `pq` is no product of two different factors.
    """
    if not 3 < pq < 1 << 63 or math.isqrt(pq) ** 2 == pq or _is_prime(pq):
        raise ProtocolViolated("no product of two primes to be factorised")
    try:
        p, q = cryptg.factorize_pq_pair(pq)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust, which is no Exception and has no other name
            raise
        p, q = 1, pq
    while p * q != pq or 1 in {p, q}:
        p, q = Factorization.factorize(pq)
    return min(p, q), max(p, q)


async def create_key(exchange: Exchange, keys: PublicKeys, dc: int) -> AuthorizationKey:
    """Agree with a server, which has one of `keys`, on a new key; three round trips.

    `dc` is what p_q_inner_data_dc says: the data centre's number, 10000 more at the test servers, negative at
    a `media_only` address. What takes the processor longer than a moment is done in a thread, for one at a
    time.

    Raises ProtocolViolated where a check fails, and what `exchange` raises.
    """
    loop = asyncio.get_running_loop()
    ours = int.from_bytes(secrets.token_bytes(16), "little", signed=True)
    res_pq = _expect(types.ResPQ, await exchange(functions.ReqPqMultiRequest(ours)))
    nonces = _Nonces(ours, res_pq.server_nonce, secrets.token_bytes(32))
    nonces.check(res_pq)
    request = await loop.run_in_executor(_calculating, _req_dh_params, res_pq, nonces, keys, dc)
    params = _expect(types.ServerDHParamsOk, await exchange(request))
    nonces.check(params)
    aes_key, aes_iv = _temporary_aes(nonces)
    inner = _open_inner(params.encrypted_answer, aes_key, aes_iv)
    nonces.check(inner)
    time_offset = inner.server_time - int(time.time())
    prime, g_a = int.from_bytes(inner.dh_prime, "big"), int.from_bytes(inner.g_a, "big")
    await loop.run_in_executor(_calculating, check_group, prime, inner.g)
    _check_public(g_a, prime)

    retry_id = 0
    for _ in range(_ATTEMPTS):
        g_b, key = await loop.run_in_executor(_calculating, _agree, inner.g, g_a, prime)
        _check_public(g_b, prime)
        client_inner = types.ClientDHInnerData(ours, nonces.server, retry_id, g_b.to_bytes(_KEY_BYTES, "big"))
        data = sha1(bytes(client_inner)).digest() + bytes(client_inner)
        data += secrets.token_bytes(-len(data) % 16)
        answer = await exchange(
            functions.SetClientDHParamsRequest(ours, nonces.server, cryptg.encrypt_ige(data, aes_key, aes_iv))
        )
        if _is_agreed(answer, nonces, key):
            return AuthorizationKey(key, KeyState(nonces.first_salt, time_offset))
        retry_id = int.from_bytes(sha1(key).digest()[:8], "little", signed=True)
    raise ProtocolViolated("the server asked for too many keys")


def check_group(prime: int, generator: int) -> None:
    """Raise ProtocolViolated unless `prime` is a safe prime of 2048 bits and `generator` fits it.

    Takes a tenth of a second for an unknown prime, once; see `power`.
    """
    modulus, remainders = _GROUPS.get(generator, (1, ()))
    if prime % modulus not in remainders or prime.bit_length() != _BITS or not _is_safe_prime(prime):
        raise ProtocolViolated("the Diffie-Hellman group is not safe")


@lru_cache(maxsize=8)
def _is_safe_prime(prime: int) -> bool:
    return prime == _KNOWN_PRIME or (_is_prime(prime) and _is_prime((prime - 1) // 2))


def _is_prime(number: int) -> bool:
    """Miller-Rabin; an odd composite passes with a probability of 4 ** -rounds. Of numbers above 3."""
    if number % 2 == 0:
        return False
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for _ in range(_MILLER_RABIN_ROUNDS):
        x = power(secrets.randbelow(number - 3) + 2, odd, number)
        if x in (1, number - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % number
            if x == number - 1:
                break
        else:
            return False
    return True


def _req_dh_params(
    res_pq: types.ResPQ, nonces: _Nonces, keys: PublicKeys, dc: int
) -> functions.ReqDHParamsRequest:
    known = next((number for number in res_pq.server_public_key_fingerprints if number in keys), None)
    if known is None:
        raise ProtocolViolated("the server has none of the known public keys")
    p, q = map(_to_big_endian, factorise(int.from_bytes(res_pq.pq, "big")))
    new_nonce = int.from_bytes(nonces.new, "little", signed=True)
    inner = bytes(types.PQInnerDataDc(res_pq.pq, p, q, nonces.ours, nonces.server, new_nonce, dc))
    if len(inner) > MOST_BYTES:
        raise ProtocolViolated("the number to be factorised is too long")
    return functions.ReqDHParamsRequest(nonces.ours, nonces.server, p, q, known, keys.encrypt(known, inner))


def _open_inner(encrypted: bytes, aes_key: bytes, aes_iv: bytes) -> types.ServerDHInnerData:
    if not encrypted or len(encrypted) % 16:
        raise ProtocolViolated("not a whole number of blocks")
    plain = cryptg.decrypt_ige(encrypted, aes_key, aes_iv)
    inner = _expect(types.ServerDHInnerData, read_object(memoryview(plain)[_DIGEST:]))
    if sha1(bytes(inner)).digest() != plain[:_DIGEST]:
        raise ProtocolViolated("the key exchange was altered")
    return inner


def _agree(generator: int, g_a: int, prime: int) -> tuple[int, bytes]:
    b = secrets.randbits(_BITS)
    return power(generator, b, prime), power(g_a, b, prime).to_bytes(_KEY_BYTES, "big")


def _check_public(number: int, prime: int) -> None:
    if not _SAFETY <= number <= prime - _SAFETY:
        raise ProtocolViolated("a Diffie-Hellman value out of bounds")


def _is_agreed(answer: Any, nonces: _Nonces, key: bytes) -> bool:
    match answer:
        case types.DhGenOk():
            number, given = 1, answer.new_nonce_hash1
        case types.DhGenRetry():
            number, given = 2, answer.new_nonce_hash2
        case types.DhGenFail():
            number, given = 3, answer.new_nonce_hash3
        case _:
            raise ProtocolViolated("not an answer to set_client_DH_params")
    nonces.check(answer)
    if given != nonces.new_hash(number, key):
        raise ProtocolViolated("the server has another key")
    if isinstance(answer, types.DhGenFail):
        raise ProtocolViolated("the server refused the key")
    return isinstance(answer, types.DhGenOk)


def _temporary_aes(nonces: _Nonces) -> tuple[bytes, bytes]:
    new, server = nonces.new, _to_bytes(nonces.server, 16)
    new_server = sha1(new + server).digest()
    server_new = sha1(server + new).digest()
    new_new = sha1(new + new).digest()
    return new_server + server_new[:12], server_new[12:] + new_new + new[:4]


def _expect(kind: type[Any], answer: Any) -> Any:
    if not isinstance(answer, kind):
        raise ProtocolViolated(f"not a {kind.__name__}")
    return answer


def _to_bytes(number: int, size: int) -> bytes:
    return number.to_bytes(size, "little", signed=True)


def _to_big_endian(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
