"""A file of which only some spans were kept, for readers that seek."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Excerpts:
    """Keeps a file's first and last bytes, and one more span, as it passes by."""

    def __init__(self, *, head: int, tail: int) -> None:
        self.head = bytearray()
        self._head_bytes = head
        self._tail = bytearray()
        self._tail_bytes = tail
        self._span = bytearray()
        self._span_start = self._span_stop = 0
        self._size = 0

    def also(self, start: int, length: int) -> None:
        """Keep `length` bytes from `start` on, as far as they have not passed yet."""
        self._span_start, self._span_stop = max(start, self._size), start + length

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""
        self.head += data[: max(0, self._head_bytes - len(self.head))]
        first = max(self._span_start + len(self._span) - self._size, 0)
        if first < len(data):
            self._span += data[first : max(first, self._span_stop - self._size)]
        self._tail += data[-self._tail_bytes :]
        del self._tail[: -self._tail_bytes]
        self._size += len(data)

    def open(self) -> ExcerptsFile:
        """Return the file with gaps."""
        spans = (
            (0, bytes(self.head)),
            (self._span_start, bytes(self._span)),
            (self._size - len(self._tail), bytes(self._tail)),
        )
        return ExcerptsFile(spans, self._size)

    def spliced(self, mark: bytes) -> ExcerptsFile:
        """Return a file without gaps, of which the middle is missing: it is cut where `mark` begins."""
        if self._size <= len(self.head):
            return self.open()
        head, tail = bytes(self.head), bytes(self._tail)
        overlap = len(head) + len(tail) - self._size
        if overlap < 0:
            head, tail = head[: max(head.rfind(mark), 0)], tail[max(tail.find(mark), 0) :]
        joined = head + tail[max(overlap, 0) :]
        return ExcerptsFile(((0, joined),), len(joined))


class ExcerptsFile(io.RawIOBase):
    """Reads what was kept; what was not looks like the file's end."""

    def __init__(self, spans: Iterable[tuple[int, bytes]], size: int) -> None:
        """Put the file together of `spans`, each with its place, and its true size."""
        super().__init__()
        self.missed_at: int | None = None
        """The last place of which something was wanted that was not kept."""
        self._spans = tuple(spans)
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that any place can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place. Raises OSError for one before the beginning."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Tell the place."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes from here on, as many as were kept."""
        wanted = max(0, self._size - self._at)
        wanted = wanted if size < 0 else min(size, wanted)
        pieces = []
        while wanted:
            piece = self._piece(wanted)
            if not piece:
                self.missed_at = max(self._at, self.missed_at or 0)
                break
            pieces.append(piece)
            self._at += len(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def _piece(self, most: int) -> bytes:
        for start, data in self._spans:
            if start <= self._at < start + len(data):
                within = self._at - start
                return data[within : within + most]
        return b""
