"""How often Python's garbage collector looks, and at what."""

from __future__ import annotations

import gc

from tgbridge.collecting import AFTER, collecting_rarely


def test_what_is_there_already_is_passed_over() -> None:
    """A full collection looks at what was made since, and afterwards all is as it was."""
    before = gc.get_threshold()
    with collecting_rarely():
        assert gc.get_threshold() == AFTER
        assert gc.get_freeze_count() > len(gc.get_objects())
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
