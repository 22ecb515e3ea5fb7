"""Small primes for the proof of work, which the client has to find again."""

from __future__ import annotations

import secrets

PQ_BITS_MIN, PQ_BITS_MAX = 32, 62

# The smaller factor decides how long the search takes. Of factors alike, Pollard's method may find both in
# the same step, which some clients take for an answer: with primes of 19 bits once in 700 times.
_SMALLER_BITS = 14

# Enough bases for a deterministic answer below 3.3e24, https://oeis.org/A014233
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)


def product_of_two_primes(bits: int) -> tuple[int, int]:
    """Choose primes p < q whose product has about ``bits`` bits (32 to 62), and none that reads as a sign.

    Raises ValueError for any other number of bits.
    """
    if not PQ_BITS_MIN <= bits <= PQ_BITS_MAX:
        raise ValueError(f"pq_bits is {PQ_BITS_MIN} to {PQ_BITS_MAX}")
    while True:
        p, q = _prime(_SMALLER_BITS), _prime(bits - _SMALLER_BITS)
        # Some clients read the product as a signed number, which Telegram's never are.
        if (p * q).bit_length() % 8:
            return p, q


def _prime(bits: int) -> int:
    while True:
        candidate = secrets.randbits(bits - 1) | 1 << (bits - 1) | 1
        if is_prime(candidate):
            return candidate


def is_prime(number: int) -> bool:
    """Decide by Miller and Rabin whether a number below 3.3e24 is prime."""
    if number < 2:
        return False
    if any(number % base == 0 for base in _BASES):
        return number in _BASES
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(number, base, odd, twos) for base in _BASES)


def _passes(number: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, number)
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False
