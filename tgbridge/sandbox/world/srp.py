"""The server's side of the two-step password check.

Names and formulas are those of https://core.telegram.org/api/srp: ``H`` is SHA-256, numbers go into it as
256 bytes, ``x`` is never known here but while a verifier is made.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import lru_cache

from telethon.tl import types

# The prime of Telegram's own servers, with its generator; clients know it and skip the primality test.
PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f48198a0aa7c14058229493d22530f4db"
    "fa336f6e0ac925139543aed44cce7c3720fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4a4a695811051907e162753b56b0f6b41"
    "0dba74d8a84b2a14b3144e0ef1284754fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959"
    "d956850ce929851f0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
GENERATOR = 3
_SIZE = 256
_SECRET_BITS = 256
"""Of b. Twice the 128 bits of strength that the group has, and an eighth of the time of a full one."""
_ITERATIONS = 100_000


def _bytes(number: int) -> bytes:
    return number.to_bytes(_SIZE, "big")


def _hash(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def _number(*parts: bytes) -> int:
    return int.from_bytes(_hash(*parts), "big")


_P = _bytes(PRIME)
_G = _bytes(GENERATOR)
_K = _number(_P, _G)


@dataclass(frozen=True, slots=True, repr=False)
class Verifier:
    """What the server keeps instead of a password."""

    salt1: bytes
    salt2: bytes
    value: int

    @property
    def algorithm(self) -> types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow:
        """Give the object that tells a client how to make its proof."""
        return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
            self.salt1, self.salt2, GENERATOR, _P
        )


@lru_cache(maxsize=128)
def make_verifier(password: str, salt1: bytes, salt2: bytes) -> Verifier:
    """Make a verifier. It takes some 50 ms of CPU time the first time: call it in a thread."""
    first = _hash(salt2, _hash(salt1, password.encode(), salt1), salt2)
    stretched = hashlib.pbkdf2_hmac("sha512", first, salt1, _ITERATIONS)
    x = _number(salt2, stretched, salt2)
    return Verifier(salt1, salt2, pow(GENERATOR, x, PRIME))


class Challenge:
    """The server's half of one exchange, good for one check: ``id``, and ``public`` which is ``g_b``."""

    __slots__ = ("_secret", "_verifier", "id", "public")

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier
        self._secret = secrets.randbits(_SECRET_BITS)
        self.id = secrets.randbits(63)
        # g_b = (k * v + g^b) mod p
        self.public = _bytes((_K * verifier.value + pow(GENERATOR, self._secret, PRIME)) % PRIME)

    def accepts(self, a: bytes, m1: bytes) -> bool:
        """Tell whether the client that sent ``A`` and ``M1`` knows the password."""
        g_a = int.from_bytes(a, "big")
        if not 1 < g_a < PRIME - 1:
            return False  # or anybody could know s
        u = _number(_bytes(g_a), self.public)
        s = pow(g_a * pow(self._verifier.value, u, PRIME) % PRIME, self._secret, PRIME)
        mixed = bytes(p ^ g for p, g in zip(_hash(_P), _hash(_G), strict=True))
        expected = _hash(
            mixed,
            _hash(self._verifier.salt1),
            _hash(self._verifier.salt2),
            _bytes(g_a),
            self.public,
            _hash(_bytes(s)),
        )
        return hmac.compare_digest(expected, m1)
