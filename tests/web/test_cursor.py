"""Names of places in an account's events."""

from __future__ import annotations

import itertools

import pytest
from cryptography.fernet import Fernet

from tgbridge.telegram.saved.meaning import Position
from tgbridge.web.cursor import PURPOSE, Cursors
from tgbridge.web.derived_keys import DerivedKeys

ACCOUNT = 770_010_001
PLACE = Position(4711, 2**32 - 1)


@pytest.fixture(scope="module")
def secret() -> str:
    return Fernet.generate_key().decode()


@pytest.fixture(scope="module")
def cursors(secret: str) -> Cursors:
    return Cursors(DerivedKeys([secret]).of(PURPOSE))


@pytest.mark.parametrize("place", [PLACE, Position(0, 0), Position(2**31 - 1, 1)])
def test_there_and_back(cursors: Cursors, place: Position) -> None:
    """All have one length, fit into a header and a query as they are, and name one place, always alike."""
    text = cursors.write(ACCOUNT, place)
    assert len(text) == 32
    assert text.replace("-", "").replace("_", "").isalnum()
    assert cursors.read(ACCOUNT, text) == place
    assert cursors.write(ACCOUNT, place) == text


def test_nothing_can_be_read_from_one(cursors: Cursors) -> None:
    """Neighbouring places have nothing in common."""
    one, next_one = (cursors.write(ACCOUNT, PLACE._replace(pts=pts)) for pts in (1, 2))
    assert sum(a == b for a, b in zip(one, next_one, strict=True)) < 8


def test_of_one_account(cursors: Cursors) -> None:
    """Another account's names none."""
    assert cursors.read(ACCOUNT + 1, cursors.write(ACCOUNT, PLACE)) is None


def test_each_character_counts(cursors: Cursors) -> None:
    """There is no second spelling, and no forgery."""
    text = cursors.write(ACCOUNT, PLACE)
    for index in range(len(text)):
        other = "A" if text[index] != "A" else "B"
        assert cursors.read(ACCOUNT, text[:index] + other + text[index + 1 :]) is None
    for wrong in (
        "",
        text[:-1],
        text + "=",
        " " + text[1:],
        "é" * 32,
        "=" * 32,
        text.replace(text[0], "/", 1),
    ):
        assert cursors.read(ACCOUNT, wrong) is None


def test_keys_that_were_rotated(secret: str, cursors: Cursors) -> None:
    """The first key makes new names, all read old ones; none that was rotated out."""
    new = Fernet.generate_key().decode()
    both = Cursors(DerivedKeys([new, secret]).of(PURPOSE))
    assert both.read(ACCOUNT, cursors.write(ACCOUNT, PLACE)) == PLACE
    assert cursors.read(ACCOUNT, both.write(ACCOUNT, PLACE)) is None


def test_another_spelling_is_none(cursors: Cursors) -> None:
    """Nor is one that has characters in it which base64 passes over, or hardly any others."""
    names = (cursors.write(ACCOUNT, PLACE._replace(pts=pts)) for pts in itertools.count())
    text = next(name for name in names if "-" in name or "_" in name)
    assert cursors.read(ACCOUNT, text) is not None
    assert cursors.read(ACCOUNT, text.replace("-", "+").replace("_", "/")) is None
    for kept in (0, 4, 20, 28):
        assert cursors.read(ACCOUNT, text[:kept] + "*" * (32 - kept)) is None
