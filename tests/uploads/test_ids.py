"""Names of uploads that tell whose they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgbridge.http.tus import check_id
from tgbridge.uploads.ids import UploadIds

OWNER, OTHER = 770010001, 770010002
IDS = UploadIds([b"first", b"second"])


@given(st.integers(-(2**63), 2**63 - 1))
def test_own(owner: int) -> None:
    """A name is known to be its owner's, by each service with the same key."""
    upload_id = IDS.issue(owner)
    check_id(upload_id)
    assert IDS.issued(upload_id, owner)
    assert UploadIds([b"new", b"first"]).issued(upload_id, owner)


def test_foreign() -> None:
    """Nobody else has it, and a service with other keys has never given it out."""
    upload_id = IDS.issue(OWNER)
    assert not IDS.issued(upload_id, OTHER)
    assert not UploadIds([b"other"]).issued(upload_id, OWNER)
    assert not UploadIds([b"second"]).issued(upload_id, OWNER)


def test_rotated_keys() -> None:
    """What an older key has signed is known for as long as the key is."""
    assert IDS.issued(UploadIds([b"second"]).issue(OWNER), OWNER)


@pytest.mark.parametrize("upload_id", ["", "a" * 31, "a" * 32, "a" * 33, "ä" * 32, "-" * 32, "a" * 31 + "="])
def test_made_up(upload_id: str) -> None:
    """Names that nobody has given out are not known."""
    assert not IDS.issued(upload_id, OWNER)


def test_changed() -> None:
    """Not one letter may be another."""
    upload_id = IDS.issue(OWNER)
    for place, letter in enumerate(upload_id):
        changed = upload_id[:place] + ("A" if letter != "A" else "B") + upload_id[place + 1 :]
        assert not IDS.issued(changed, OWNER)


def test_each_is_new() -> None:
    """No two uploads have one name."""
    assert len({IDS.issue(OWNER) for _ in range(1000)}) == 1000
