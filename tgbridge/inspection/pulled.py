"""Parsers that read a file as it passes by, written as if they could wait for their bytes.

Such a parser is a generator: it yields how many bytes it wants and is sent them, or yields minus the number
of bytes to skip and is sent b"". What it wants is in memory until it is whole, what it skips never is.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from typing import Final

Parser = Generator[int, bytes, None]

MOST_WANTED: Final = 4096
"""Bytes that a parser may want at once: one that wants more has met nonsense, and is ended."""


class Pulled:
    """Feeds a parser. One that has returned, or that the file's bytes have misled, is fed no more."""

    def __init__(self, parser: Parser) -> None:
        self._parser: Parser | None = parser
        self._got = bytearray()
        self._wanted = 0
        self._skipped = 0
        self._next(None)

    def feed(self, data: memoryview) -> None:
        """Hand on the next bytes."""
        while self._parser is not None and data:
            if self._skipped:
                step = min(self._skipped, len(data))
                self._skipped -= step
                data = data[step:]
                if self._skipped:
                    return
                self._next(b"")
                continue
            missing = self._wanted - len(self._got)
            self._got += data[:missing]
            data = data[missing:]
            if len(self._got) == self._wanted:
                self._next(bytes(self._got))

    def _next(self, answer: bytes | None) -> None:
        """Run the parser until it needs bytes that have not come."""
        self._got.clear()
        while self._parser is not None:
            try:
                wish = next(self._parser) if answer is None else self._parser.send(answer)
            except (StopIteration, ArithmeticError, LookupError, ValueError, struct.error):
                wish = MOST_WANTED + 1
            if wish > MOST_WANTED:
                self._parser = None
            self._wanted, self._skipped = max(wish, 0), max(-wish, 0)
            if wish:
                return
            answer = b""
