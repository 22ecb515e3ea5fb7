"""An inspector whose errors cost nobody his upload, and whose findings can be true."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tgbridge.inspection.facts import Facts, Nothing, sane

if TYPE_CHECKING:
    from tgbridge.inspection.facts import Inspector


class Guarded:
    """Stands between a reader, ours or a library's, and what it is made to read.

    Whatever a reader raises means that nothing more can be known of the file.
    """

    def __init__(self, inspector: Inspector) -> None:
        self.keeps = inspector.keeps
        self._inspector = inspector

    def feed(self, data: memoryview) -> None:
        """Look at the next bytes."""
        try:
            self._inspector.feed(data)
        except Exception:  # noqa: BLE001 - a stranger's bytes decide what is raised
            self._inspector = Nothing()

    def facts(self) -> Facts:
        """Say what was found, each of it sane."""
        with suppress(Exception):
            return sane(self._inspector.facts())
        return Facts()
