"""How often Python's garbage collector looks, and at what."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tgbridge.collecting import AFTER, collecting_rarely, importing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Whatever the test does, what conftest.py has set aside for the rest of the run stays so."""
    gc.unfreeze()
    yield
    gc.freeze()


def test_what_is_imported_is_passed_over() -> None:
    """Nothing is collected while modules are imported, nor are they looked at later."""
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() > len(gc.get_objects())


def test_what_is_there_already_is_passed_over() -> None:
    """A full collection looks at what was made since, and afterwards all is as it was."""
    before = gc.get_threshold()
    with collecting_rarely():
        assert gc.get_threshold() == AFTER
        assert gc.get_freeze_count() > len(gc.get_objects())
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
