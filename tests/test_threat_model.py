"""THREAT_MODEL.md names tests that exist, and each of its lines names one."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
MODEL: Final = (ROOT / "THREAT_MODEL.md").read_text(encoding="utf-8")
# Of each table, what stands below its line of dashes.
ROWS: Final = [
    row
    for body in re.findall(r"^\|(?: --- \|)+\n((?:\|.*\n)+)", MODEL, re.MULTILINE)
    for row in body.splitlines()
]
NAMED: Final = re.compile(r"`(?:(tests/[\w/]+\.py))?::(\w+)`")


def defined_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_line_is_shown() -> None:
    """No claim stands without a test, which is there by that very name."""
    assert len(ROWS) > 30
    for row in ROWS:
        path = ""
        named = NAMED.findall(row)
        assert named, row
        for given, name in named:
            path = given or path
            assert name in defined_in(path), (path, name)


def test_one_page() -> None:
    """It stays short enough to be read."""
    assert len(MODEL.split()) < 1700
