"""What clients carry for us and can neither read nor change."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.web.sealed import Sealed

OLD, NEW = b"o" * 32, b"n" * 32
SEALED = Sealed([NEW, OLD])
LETTERS = string.ascii_letters + string.digits + "-_"


@given(st.binary(min_size=1, max_size=300), st.binary(max_size=20))
def test_there_and_back(content: bytes, associated: bytes) -> None:
    """What was sealed comes out again, with the same associated data only."""
    text = SEALED.seal(content, associated)
    assert set(text) <= set(LETTERS)
    assert len(text) <= len(content) * 4 / 3 + 39
    assert SEALED.open(text, associated) == content
    assert SEALED.open(text, associated + b"x") is None


def test_no_two_alike() -> None:
    """The same content is never the same text: nobody learns that it is the same."""
    assert len({SEALED.seal(b"content") for _ in range(100)}) == 100


def test_rotation() -> None:
    """An older key still opens what it has sealed, and seals nothing; one that is gone opens nothing."""
    assert SEALED.open(Sealed([OLD]).seal(b"content")) == b"content"
    assert Sealed([OLD]).open(SEALED.seal(b"content")) is None


@pytest.mark.parametrize("size", range(1, 5))
def test_one_spelling(size: int) -> None:
    """No character may be another, at any place: not even in the last, whose low bits Base64 leaves open."""
    text = SEALED.seal(b"c" * size)
    for place, right in enumerate(text):
        for letter in {*LETTERS, "+", "/", "=", "%", " ", "\n", "ä", "٣", "\ud800"} - {right}:
            assert SEALED.open(text[:place] + letter + text[place + 1 :]) is None


@pytest.mark.parametrize("size", range(1, 5))
def test_no_more_and_no_less(size: int) -> None:
    """Nothing may be left out or added, padding included."""
    text = SEALED.seal(b"c" * size)
    for place in range(len(text)):
        assert SEALED.open(text[:place]) is None
        assert SEALED.open(text[place + 1 :]) is None
    for addition in ("=", "==", "===", "A", "AA", "AAAA", "\n", " ", "/", "\0", "ä"):
        assert SEALED.open(text + addition) is None
        assert SEALED.open(addition + text) is None


@given(st.text(max_size=120))
def test_made_up(text: str) -> None:
    """Whatever it is, it is nothing, and no error."""
    assert SEALED.open(text) is None
