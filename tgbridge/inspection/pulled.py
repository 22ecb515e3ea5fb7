"""Parsers that read a file as it passes by, written as if they could wait for their bytes.

Such a parser is a generator: it yields how many bytes it wants and is sent them, or yields minus the number
of bytes to skip and is sent b"". What it wants is in memory until it is whole, what it skips never is.

Where a file goes on in many small pieces (frames, pages, blocks), a parser yields `Strides`, which get the
rest: resuming a generator for each of them would take ten times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator
from typing import Final, TypeAlias

MOST_WANTED: Final = 4096
"""Bytes that a parser may want at once: one that wants more has met nonsense, and is ended."""

MOST_STRIDES: Final = 20_000
"""Pieces of a file that are looked at; they take 10 to 60 ms, and tell how long the others will be."""

MISLED: Final = (ArithmeticError, LookupError, ValueError, struct.error)
"""What a parser raises where the bytes are not what they should be."""

_SLICE: Final = 64 * 1024


class Strides:
    """Goes through the rest of a file in strides: looks at some bytes, and steps over as many as they say.

    `step` is given bytes and a place in them from which on there are at least `look`, and returns how far the
    next place is, or 0 to end. `begun` is what has been read of the rest already.
    """

    def __init__(self, look: int, step: Callable[[bytes, int], int], begun: bytes = b"") -> None:
        self.spent = False
        """Whether the rest was too long to be looked at as a whole."""
        self.passed = 0
        """How many bytes were looked at or stepped over until then."""
        self._look = look
        self._step = step
        self._left = MOST_STRIDES
        self._kept = begun
        self._skip = 0
        self._over = False

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""
        while data and not self._over:
            if self._skip:
                step = min(self._skip, len(data))
                self._skip -= step
            else:
                step = min(len(data), _SLICE)
                self._walk(self._kept + data[:step])
            data = data[step:]

    def end(self) -> None:
        """Say that the file has ended: what is shorter than a look is looked at as well."""
        if not self._skip:
            self.feed(memoryview(bytes(self._look - 1)))

    def whole(self, value: float, size: int) -> float:
        """Return what `value`, true of what `passed`, will be for `size` bytes."""
        return value * size / self.passed if self.spent and self.passed else value

    def _walk(self, data: bytes) -> None:
        at, last, step, left = 0, len(data) - self._look, self._step, self._left
        while at <= last:
            stride = step(data, at) if left else 0
            if stride <= 0:
                self.spent, self._over, self._kept = not left, True, b""
                self.passed += at
                return
            at += stride
            left -= 1
        self._left = left
        self.passed += at
        self._kept, self._skip = data[at:], max(0, at - len(data))


Parser: TypeAlias = Generator[int | Strides, bytes, None]


class Pulled:
    """Feeds a parser. One that has returned, or that the file's bytes have misled, is fed no more."""

    def __init__(self, parser: Parser) -> None:
        self.at = 0
        """How many bytes the parser has read and skipped."""
        self.size = 0
        """How many bytes there were."""
        self.strides: Strides | None = None
        """What has got the rest."""
        self._parser: Parser | None = parser
        self._got = bytearray()
        self._wanted = 0
        self._skipped = 0
        self._begun = False

    @property
    def over(self) -> bool:
        """Whether the parser has read all that it can."""
        return self._parser is None

    def feed(self, data: memoryview) -> None:
        """Hand on the next bytes."""
        self.size += len(data)
        if not self._begun:
            self._begun = True
            self._next(None)
        while self._parser is not None and data:
            if self._skipped:
                step = min(self._skipped, len(data))
                self._skipped -= step
            else:
                step = min(self._wanted - len(self._got), len(data))
                self._got += data[:step]
            self.at += step
            data = data[step:]
            if not self._skipped and len(self._got) == self._wanted:
                self._next(bytes(self._got))
        if self.strides is not None:
            self.strides.feed(data)

    def end(self) -> None:
        """Say that the file has ended."""
        if self.strides is not None:
            self.strides.end()

    def _next(self, answer: bytes | None) -> None:
        """Run the parser until it needs bytes that have not come."""
        self._got.clear()
        while self._parser is not None:
            try:
                wish = next(self._parser) if answer is None else self._parser.send(answer)
            except (StopIteration, *MISLED):
                wish = MOST_WANTED + 1
            if isinstance(wish, Strides):
                self.strides, wish = wish, MOST_WANTED + 1
            if wish > MOST_WANTED:
                self._parser = None
            self._wanted, self._skipped = max(wish, 0), max(-wish, 0)
            if wish:
                return
            answer = b""


def within(parser: Parser, size: int) -> Parser:
    """Let a parser read of the next `size` bytes, and skip what it leaves, or what has misled it."""
    answer: bytes | None = None
    while True:
        try:
            wish = next(parser) if answer is None else parser.send(answer)
        except (StopIteration, *MISLED):
            break
        if isinstance(wish, Strides) or wish > MOST_WANTED or abs(wish) > size:
            break
        size -= abs(wish)
        answer = yield wish
    yield -size
