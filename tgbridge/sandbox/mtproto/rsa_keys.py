"""The data centre's RSA key, by which clients know that it is the right one.

Source: https://core.telegram.org/mtproto/auth_key#presenting-proof-of-work-server-authentication
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha1
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from telethon.tl import TLObject

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 256
"""Length of the modulus; MTProto knows no other."""


@dataclass(frozen=True, slots=True)
class ServerKey:
    """An RSA key pair of 2048 bits. Its repr hides the private exponent."""

    modulus: int
    exponent: int
    fingerprint: int
    """The lower 64 bits of the SHA-1 of the key's TL form, signed."""
    public_pem: str
    """The public half, PKCS#1 in PEM: what a client has to be given."""
    private_pem: bytes = field(repr=False)
    private: rsa.RSAPrivateNumbers = field(repr=False)

    def decrypt(self, block: bytes) -> bytes:
        """Apply the private key to a block of 256 bytes. Raises ValueError if that is not the length."""
        number = int.from_bytes(block, "big")
        if len(block) != KEY_BYTES or number >= self.modulus:
            raise ValueError("not a block of this key")
        # By the Chinese remainder theorem, a quarter of the time that the private exponent itself would take.
        key = self.private
        low = pow(number, key.dmq1, key.q)
        high = (pow(number, key.dmp1, key.p) - low) * key.iqmp % key.p
        return (low + high * key.q).to_bytes(KEY_BYTES, "big")


def fingerprint_of(modulus: int, exponent: int) -> int:
    """Compute the number by which MTProto names a public key."""
    parts = (number.to_bytes((number.bit_length() + 7) // 8, "big") for number in (modulus, exponent))
    digest = sha1(b"".join(map(TLObject.serialize_bytes, parts))).digest()
    (fingerprint,) = struct.unpack("<q", digest[-8:])
    return int(fingerprint)


def _of(private_key: rsa.RSAPrivateKey) -> ServerKey:
    numbers = private_key.private_numbers()
    public = numbers.public_numbers
    return ServerKey(
        modulus=public.n,
        exponent=public.e,
        fingerprint=fingerprint_of(public.n, public.e),
        public_pem=private_key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
        .decode("ascii"),
        private_pem=private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ),
        private=numbers,
    )


def generate() -> ServerKey:
    """Make a new key (a tenth of a second or so)."""
    return _of(rsa.generate_private_key(public_exponent=65537, key_size=KEY_BYTES * 8))


@cache
def process_key(name: str) -> ServerKey:  # noqa: ARG001 (one key for each name)
    """Give the key that sandboxes without a state directory share: making one takes a while."""
    return generate()


def load_or_create(path: Path) -> ServerKey:
    """Read a private key in PEM, or make one and store it, readable by its owner alone.

    Raises ValueError where the file holds no RSA key of 2048 bits, OSError where it can't be read or written.
    """
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BYTES * 8:
            raise ValueError(f"{path} holds no RSA key of 2048 bits")
        return _of(key)
    made = generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_bytes(made.private_pem)
    return made
