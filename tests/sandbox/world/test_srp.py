"""The server's side of SRP, against Telethon's own client side."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telethon.password import compute_check
from telethon.tl import types

from tgbridge.sandbox.world import srp


def password_object(verifier: srp.Verifier, challenge: srp.Challenge) -> types.account.Password:
    return types.account.Password(
        new_algo=types.PasswordKdfAlgoUnknown(),
        new_secure_algo=types.SecurePasswordKdfAlgoUnknown(),
        secure_random=b"",
        has_password=True,
        current_algo=verifier.algorithm,
        srp_B=challenge.public,
        srp_id=challenge.id,
    )


@settings(max_examples=3, deadline=None)
@given(password=st.text(min_size=1), salts=st.tuples(st.binary(min_size=8), st.binary(min_size=8)))
def test_the_password_is_proved(password: str, salts: tuple[bytes, bytes]) -> None:
    """Whatever the password and the salts, the client that knows it is accepted, and no other."""
    verifier = srp.make_verifier(password, *salts)
    challenge = srp.Challenge(verifier)
    proof = compute_check(password_object(verifier, challenge), password)
    assert proof.srp_id == challenge.id
    assert challenge.accepts(proof.A, proof.M1)
    assert not srp.Challenge(verifier).accepts(proof.A, proof.M1)
    assert not challenge.accepts(proof.A, proof.M1[:-1] + bytes([proof.M1[-1] ^ 1]))


@pytest.mark.parametrize("a", [0, 1, srp.PRIME - 1, srp.PRIME, 2 * srp.PRIME])
def test_values_that_give_the_secret_away_are_refused(a: int) -> None:
    """A multiple of the prime would make the shared secret zero for everybody."""
    challenge = srp.Challenge(srp.make_verifier("secret", b"salt1", b"salt2"))
    assert not challenge.accepts(a.to_bytes(257, "big"), secrets.token_bytes(32))


def test_nothing_secret_is_shown() -> None:
    """Neither repr tells what is inside."""
    verifier = srp.make_verifier("secret", b"salt1", b"salt2")
    for text in (repr(verifier), repr(srp.Challenge(verifier))):
        assert str(verifier.value) not in text
        assert "salt" not in text
