"""Powers of secret numbers."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tgbridge.telegram.mtproto import modular
from tgbridge.telegram.mtproto.modular import power

if TYPE_CHECKING:
    import pytest

_NUMBERS = st.integers(0, 1 << 256)


@given(_NUMBERS, _NUMBERS, st.integers(1, 1 << 255).map(lambda number: 2 * number + 1))
def test_powers_are_those_of_python(base: int, exponent: int, modulus: int) -> None:
    """Zeros, and bases and exponents above the modulus, among them."""
    assert power(base, exponent, modulus) == pow(base, exponent, modulus)


def test_without_openssl_python_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slower, and with the same result."""
    monkeypatch.setattr(modular, "_NAMES", ("libcrypto.so.none",))
    monkeypatch.setattr(modular, "_openssl", modular._load())
    assert modular._openssl is None
    assert power(3, 1000, 1001) == pow(3, 1000, 1001)


def test_others_run_meanwhile() -> None:
    """On Linux it is OpenSSL that is called, and not with the interpreter's lock, as a PyDLL would be."""
    assert sys.platform != "linux" or type(modular._openssl) is ctypes.CDLL
