"""RSA as key exchanges use it: with the servers' public keys that Telethon knows, or with a CDN's own.

Source: https://core.telegram.org/mtproto/auth_key, in the form that Telethon uses too: SHA1(data), data and
random bytes, 255 together, as one number.
"""

from __future__ import annotations

import secrets
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from telethon.crypto import rsa
from telethon.tl import TLObject

from tgbridge.telegram.mtproto.failures import ProtocolViolated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.telegram.mtproto.key_exchange import RsaEncrypt

_PADDED: Final = 255
_ENCRYPTED: Final = 256


def known(fingerprint: int, data: bytes) -> bytes | None:
    """Encrypt for a data centre, by the keys that Telethon was given or knows."""
    encrypted: bytes | None = rsa.encrypt(fingerprint, data) or rsa.encrypt(fingerprint, data, use_old=True)
    return encrypted


def of(pems: Iterable[str]) -> RsaEncrypt:
    """Return what encrypts for the owners of these keys alone. Raises ProtocolViolated for what is no key."""
    keys: dict[int, tuple[int, int]] = {}
    for pem in pems:
        try:
            key = load_pem_public_key(pem.encode())
        except ValueError as error:
            raise ProtocolViolated("a damaged public key") from error
        if not isinstance(key, RSAPublicKey):
            raise ProtocolViolated("a public key that is no RSA key")
        numbers = key.public_numbers()
        keys[_fingerprint(numbers.n, numbers.e)] = numbers.n, numbers.e

    def encrypt(fingerprint: int, data: bytes) -> bytes | None:
        if fingerprint not in keys:
            return None
        n, e = keys[fingerprint]
        padded = sha1(data).digest() + data
        padded += secrets.token_bytes(_PADDED - len(padded))
        return pow(int.from_bytes(padded, "big"), e, n).to_bytes(_ENCRYPTED, "big")

    return encrypt


def _fingerprint(n: int, e: int) -> int:
    """Return the lower 64 bits of the SHA-1 of the bare type rsa_public_key."""
    numbers = b"".join(
        TLObject.serialize_bytes(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (n, e)
    )
    return int.from_bytes(sha1(numbers).digest()[-8:], "little", signed=True)
