"""Files to be read, and what is read of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tgbridge.inspection import inspector_for
from tgbridge.inspection import media_types as mediatypes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.inspection import Facts

# Made by files/make.sh, with the programs that people have.
FILES: Final = {
    path.name: path.read_bytes()
    for path in sorted(Path(__file__).with_name("files").glob("*.*"))
    if path.suffix != ".sh"
}


def type_of(name: str) -> str:
    return mediatypes.canonical(mediatypes.claimed("", name))


def cut(data: bytes, piece: int) -> Iterable[bytes]:
    return (data[start : start + piece] for start in range(0, len(data), piece))


def facts(data: bytes | Iterable[bytes], mime_type: str, *, piece: int = 65_536) -> Facts:
    """Read a file as it comes in pieces."""
    inspector = inspector_for(mime_type)
    for part in cut(data, piece) if isinstance(data, bytes) else data:
        inspector.feed(memoryview(part))
    return inspector.facts()
