"""What the service is built on: whether it is there, does what it should, and how fast."""

from __future__ import annotations

import platform
import secrets
import ssl
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tgbridge import __version__
from tgbridge.doctor.findings import Finding, fault, ok, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK: Final = 16
_PIECE: Final = 1 << 20
_TRIES: Final = 5  # the best counts: others may be at work
_LEAST_SPEED: Final = 50  # MB/s; with AES instructions it is several hundred


def check_libraries() -> Iterator[Finding]:
    """Look at Python and its packages."""
    names = ("aiohttp", "telethon", "cryptg", "cryptography")
    versions = {name: _version(name) for name in names}
    told = ", ".join(f"{name} {number}" for name, number in versions.items())
    yield ok(
        "libraries.versions",
        f"tgbridge {__version__} on Python {platform.python_version()}; {told}.",
        python=platform.python_version(),
        **versions,
    )
    yield _cryptg()
    yield _openssl()
    if find_spec("uvloop") is None:
        yield unknown(
            "libraries.uvloop",
            "uvloop is not installed; asyncio's own loop is slower.",
            "pip install '.[uvloop]'",
        )
    else:
        yield ok("libraries.uvloop", "uvloop makes the event loop.")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _cryptg() -> Finding:
    remedy = "pip install --force-reinstall cryptg; there are wheels for Linux, macOS and Windows."
    try:
        import cryptg  # noqa: PLC0415 - whether it can be imported is the question
    except ImportError as error:
        return fault("libraries.cryptg", f"cryptg cannot be imported ({type(error).__name__}).", remedy)
    key, vector, plain = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(_PIECE)
    seconds = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        sealed = cryptg.encrypt_ige(plain, key, vector)
        seconds.append(time.perf_counter() - began)
    speed = round(_PIECE / min(seconds) / 1e6)
    # IGE's first block, by another library: E(plain XOR the first half of the vector) XOR the second half.
    mixed = bytes(a ^ b for a, b in zip(plain[:_BLOCK], vector[:_BLOCK], strict=True))
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block, of random bytes
    first = bytes(a ^ b for a, b in zip(encryptor.update(mixed), vector[_BLOCK:], strict=True))
    if sealed[:_BLOCK] != first or cryptg.decrypt_ige(sealed, key, vector) != plain:
        return fault("libraries.cryptg", "cryptg does not encrypt as MTProto wants it.", remedy)
    if speed < _LEAST_SPEED:
        return warning(
            "libraries.cryptg",
            f"AES-IGE does {speed} MB/s, which bounds every stream and upload.",
            "The processor, or its virtual machine, lacks AES instructions (grep aes /proc/cpuinfo).",
            mb_per_second=speed,
        )
    return ok("libraries.cryptg", f"AES-IGE is right, and does {speed} MB/s.", mb_per_second=speed)


def _openssl() -> Finding:
    ours = backend.openssl_version_text()
    told = f"cryptography has {ours}, Python's ssl {ssl.OPENSSL_VERSION}."
    if ssl.OPENSSL_VERSION_INFO < (3,):
        return warning(
            "libraries.openssl",
            told,
            "OpenSSL 1 gets no security updates any more: a newer Python.",
            ssl=ours,
        )
    return ok("libraries.openssl", told)
