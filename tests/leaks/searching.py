"""Looking for secrets in whatever came out, in all the ways to write them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.sandbox import Sandbox

# Numbers in which no clock, port or line number is found by chance.
PHONE, WITH_PASSWORD, SCANNED = "+9996617395", "+9996622739", "+9996618417"
PASSWORD, WRONG_PASSWORD, WRONG_CODE = "quiet-Heron-5521", "loud-Heron-9917", "739184"
API_HASH, CAPTION, FILE_NAME = "a91f0c27d5e84b36", "caption-of-Marigold", "Marigold-tax-return.txt"
CONTENT: Final = b"What is in the file of Marigold is nobody's business"
_LAST_DIGITS: Final = 6


def known_from_the_beginning() -> dict[str, str]:
    return {
        "phone": PHONE,
        "phone of another": WITH_PASSWORD,
        "phone of the scanned": SCANNED,
        "password": PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "wrong code": WRONG_CODE,
        "API hash": API_HASH,
        "caption": CAPTION,
        "file name": FILE_NAME,
        "content": CONTENT.decode(),
    }


@dataclass(slots=True)
class Output:
    """All that came out, by where; and all that must not be in it, by what it is."""

    texts: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=known_from_the_beginning)

    def learn(self, sandbox: Sandbox) -> None:
        """Learn what is secret by now: the keys that were agreed on, and the hashes of codes."""
        for key in sandbox.auth_keys:
            self.secrets |= dict(_of_key(f"key {key.name}", key.key))
        for phone_code_hash in sandbox.state.logins._codes:
            self.secrets[f"phone_code_hash {phone_code_hash}"] = phone_code_hash

    def leaks(self) -> list[tuple[str, str]]:
        """Which secrets are where."""
        return [
            (what, where)
            for what, secret in self.secrets.items()
            for where, text in self.texts.items()
            if any(written in text for written in _spellings(secret))
        ]


def _spellings(secret: str) -> Iterator[str]:
    """The ways in which a text, or parts of it that say as much, may be written."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
    yield secret.encode().hex()
    if secret.startswith("+"):
        yield secret[1:]
        yield secret[-_LAST_DIGITS:]
    if len(secret) > 60:
        yield secret[20:40]
        yield secret[-40:-20]


def _of_key(name: str, key: bytes) -> Iterator[tuple[str, str]]:
    """The ways in which an authorization key may be written: any part of it says too much."""
    part = key[64:88]
    yield f"{name} in hexadecimal", part.hex()
    # Whether repr escapes an apostrophe depends on the quotation marks in all that is written with the part.
    for apostrophe in ("'", "\\'"):
        escaped = (apostrophe if byte == ord("'") else repr(bytes([byte]))[2:-1] for byte in part)
        yield f"{name} as bytes", "".join(escaped)
    yield f"{name} as a number", str(int.from_bytes(key))[50:80]
    for shift in range(3):
        yield f"{name} in base64, {shift}", base64.b64encode(key[63 + shift : 87 + shift]).decode()
        yield f"{name} in URLs, {shift}", base64.urlsafe_b64encode(key[63 + shift : 87 + shift]).decode()
