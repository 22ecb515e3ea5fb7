"""Powers of secret numbers, by the OpenSSL that Python itself uses, where there is one.

Python's own pow() takes ten times as long (20 ms for 2048 bits), lets nobody else run meanwhile, since it
keeps the interpreter's lock, and takes longer for some exponents than for others. What `cryptography` offers,
Diffie-Hellman over finite fields, is deprecated, and checks the group anew for each public number (200 ms).
"""

from __future__ import annotations

import ctypes
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES: Final = ("libcrypto.so.4", "libcrypto.so.3")
"""Linux's. Others have pow(): macOS ends a process that loads its own by name."""

# https://docs.openssl.org/3.0/man3/BN_add/ and BN_bn2bin: pointers, and sizes of C's int.
_POINTER: Final = ctypes.c_void_p
_FUNCTIONS: Final = {
    "BN_CTX_new": (_POINTER, ()),
    "BN_CTX_free": (None, (_POINTER,)),
    "BN_bin2bn": (_POINTER, (ctypes.c_char_p, ctypes.c_int, _POINTER)),
    "BN_bn2binpad": (ctypes.c_int, (_POINTER, ctypes.c_char_p, ctypes.c_int)),
    "BN_clear_free": (None, (_POINTER,)),
    "BN_mod_exp_mont_consttime": (ctypes.c_int, (_POINTER,) * 6),
}


def _load() -> ctypes.CDLL | None:
    """Return OpenSSL, with what is used of it declared. Of a CDLL, functions run without Python's lock."""
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in _FUNCTIONS.items():
                getattr(library, function).restype = result
                getattr(library, function).argtypes = arguments
        except (OSError, AttributeError):  # no such file; no such function
            continue
        return library
    return None


_openssl = _load()


def power(base: int, exponent: int, modulus: int) -> int:
    """Return ``base ** exponent % modulus``, of which none is negative, and the modulus is odd and above 1.

    Meant for a thread: 2 ms for 2048 bits, in which others run; without OpenSSL 20 ms, in which they do not.
    """
    if _openssl is None:
        return pow(base, exponent, modulus)
    return _power(_openssl, base % modulus, exponent, modulus)


def _power(openssl: ctypes.CDLL, base: int, exponent: int, modulus: int) -> int:
    size = (modulus.bit_length() + 7) // 8
    with ExitStack() as stack:

        def number(value: int) -> int:
            data = value.to_bytes(max(size, (value.bit_length() + 7) // 8), "big")
            return owned(openssl.BN_bin2bn(data, len(data), None), openssl.BN_clear_free)

        def owned(pointer: int | None, free: Callable[[int], None]) -> int:
            if pointer is None:
                raise MemoryError
            stack.callback(free, pointer)
            return pointer

        context = owned(openssl.BN_CTX_new(), openssl.BN_CTX_free)
        result, odd = number(0), number(modulus)
        done = openssl.BN_mod_exp_mont_consttime(result, number(base), number(exponent), odd, context, None)
        found = ctypes.create_string_buffer(size)
        if done != 1 or openssl.BN_bn2binpad(result, found, size) != size:
            raise MemoryError  # nothing else can fail
        return int.from_bytes(found.raw, "big")
