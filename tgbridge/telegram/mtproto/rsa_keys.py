"""RSA as key exchanges use it: encrypting for the one server that has the private key.

Source: https://core.telegram.org/mtproto/auth_key#presenting-proof-of-work-server-authentication
"""

from __future__ import annotations

import re
import secrets
from hashlib import sha1, sha256
from typing import TYPE_CHECKING, Final

import cryptg
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from telethon.tl import TLObject

from tgbridge.telegram.mtproto.failures import ProtocolViolated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

MOST_BYTES: Final = 144
"""How long the data may be that RSA_PAD takes."""

_PADDED: Final = 192
_ENCRYPTED: Final = 256
_PEM: Final = re.compile(r"-----BEGIN (.+?)-----.*?-----END \1-----", re.DOTALL)


class PublicKeys:
    """The keys that are accepted of a server, by their fingerprints."""

    def __init__(self, keys: Iterable[RSAPublicKey]) -> None:
        self._keys: dict[int, tuple[int, int]] = {}
        for key in keys:
            numbers = key.public_numbers()
            self._keys[fingerprint(numbers.n, numbers.e)] = numbers.n, numbers.e

    @classmethod
    def of_pem(cls, text: str) -> Self:
        """Return those in `text`, in PEM one after the other. Raises ProtocolViolated for what is no key."""
        found = [_load(block[0]) for block in _PEM.finditer(text)]
        if not found:
            raise ProtocolViolated("no public key")
        return cls(found)

    def __contains__(self, number: int) -> bool:
        """Whether the key with this fingerprint is accepted."""
        return number in self._keys

    def encrypt(self, number: int, data: bytes) -> bytes:
        """Encrypt up to `MOST_BYTES` for the owner of the key with this fingerprint, by RSA_PAD."""
        n, e = self._keys[number]
        while True:
            padded = int.from_bytes(rsa_pad(data), "big")
            if padded < n:
                return pow(padded, e, n).to_bytes(_ENCRYPTED, "big")


def rsa_pad(data: bytes) -> bytes:
    """Return what is to be raised to the key's power: other 256 bytes each time.

    Source: https://core.telegram.org/mtproto/auth_key, 4.1
    """
    padded = data + secrets.token_bytes(_PADDED - len(data))
    temporary = secrets.token_bytes(32)
    hashed = padded[::-1] + sha256(temporary + padded).digest()
    encrypted = cryptg.encrypt_ige(hashed, temporary, bytes(32))
    return bytes(a ^ b for a, b in zip(temporary, sha256(encrypted).digest(), strict=True)) + encrypted


def fingerprint(n: int, e: int) -> int:
    """Return the lower 64 bits of the SHA-1 of the bare type rsa_public_key."""
    numbers = b"".join(
        TLObject.serialize_bytes(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (n, e)
    )
    return int.from_bytes(sha1(numbers).digest()[-8:], "little", signed=True)


def _load(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ProtocolViolated("a damaged public key") from error
    if not isinstance(key, RSAPublicKey):
        raise ProtocolViolated("a public key that is no RSA key")
    return key
