"""RSA public keys of a Telegram-compatible server, from a PEM file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from pathlib import Path

# PKCS#1 (RFC 8017, what Telegram publishes) says RSA PUBLIC KEY, SubjectPublicKeyInfo (RFC 7468) PUBLIC KEY.
_PEM_BLOCK: Final = re.compile(rb"-----BEGIN ((?:RSA )?PUBLIC KEY)-----.*?-----END \1-----", re.DOTALL)


def read_public_keys(path: Path) -> tuple[RSAPublicKey, ...]:
    """All RSA public keys in the file at ``path``, in their order; there is at least one.

    Raises OSError if the file cannot be read, and ValueError if it holds no key or something else than an RSA
    key; the message says what is wrong and does not repeat the file.
    """
    keys = []
    for block in _PEM_BLOCK.finditer(path.read_bytes()):
        try:
            key = load_pem_public_key(block[0])
        except ValueError as error:
            raise ValueError("a public key in it is damaged") from error
        if not isinstance(key, RSAPublicKey):
            raise ValueError("a public key in it is no RSA key")  # noqa: TRY004 - the file's content, not a type
        keys.append(key)
    if not keys:
        raise ValueError("it holds no RSA public key in PEM")
    return tuple(keys)
