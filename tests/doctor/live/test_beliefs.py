"""docs/telegram.md and the doctor go together: each line has a check, or a reason why there is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tgbridge.doctor.live import run
from tgbridge.doctor.live.beliefs import UNCHECKED, looks

LINES: Final = [
    line
    for line in (Path(__file__).parents[3] / "docs" / "telegram.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("- ")
]
NAMED: Final = re.compile(r"- \[([a-z0-9]+(?:-[a-z0-9]+)*)\] \S")


def names() -> list[str]:
    return [found[1] for line in LINES if (found := NAMED.match(line)) is not None]


def test_each_line_has_a_name() -> None:
    """What is believed can be spoken of, and no two lines have one name."""
    assert [line for line in LINES if not NAMED.match(line)] == []
    assert len(names()) == len(set(names())) > 60


def test_each_line_has_a_check_or_a_reason() -> None:
    """A new belief comes with a check of it, in doctor/live, or with a reason in UNCHECKED."""
    looked_at = looks().keys() | run.IN_SESSION
    assert set(names()) - looked_at - UNCHECKED.keys() == set()
    assert looked_at | UNCHECKED.keys() <= set(names())
    assert looked_at & UNCHECKED.keys() == set()


def test_all_checks_are_made() -> None:
    """No check is in a module that the run leaves out."""
    modules = {module.__name__ for module in run.MODULES}
    assert {look.__module__ for look in looks().values()} == modules


def test_reasons() -> None:
    """Reasons are sentences."""
    assert all(reason.endswith(".") and len(reason) > 15 for reason in UNCHECKED.values())
