"""Parts of files on their way in.

Parts may come in any order, over any connection, and again. Those of one upload go to one file on disk in the
order of their arrival; nothing is copied when the file is put together.

Source: https://core.telegram.org/api/files#uploading-files
"""

from __future__ import annotations

import hashlib
import os
import secrets
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from telethon.tl import types

from tgbridge.sandbox.dispatch import RpcError
from tgbridge.sandbox.world.blobs import PartedBlob, chunks

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Place: TypeAlias = tuple[int, int, int]
_Key: TypeAlias = tuple[int, int, int, bool]

MAX_PARTS = 4000
MAX_PARTS_PREMIUM = 8000
MAX_PART_SIZE = 512 * 1024
MAX_SMALL_SIZE = 10 * 1024 * 1024
STREAMED = -1

_ABSENT = (1 << 64) - 1


@dataclass(slots=True, eq=False)
class Upload:
    """The parts of one file.

    All but the last have the same size, ``part_size``, known as soon as there is one that can't be the last.
    """

    path: Path
    touched: float
    total_parts: int = STREAMED
    part_size: int | None = None
    written: int = 0
    finished: bool = False
    positions: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("I"))

    def save(self, part: int, content: bytes, *, last: bool | None) -> None:
        """Keep a part; sent again it takes the place of the earlier one.

        ``last`` is None where nobody knows.
        Raises RpcError 400 FILE_PART_SIZE_INVALID, FILE_PART_SIZE_CHANGED.
        """
        self._check_size(part, len(content), last)
        while len(self.positions) <= part:
            self.positions.append(_ABSENT)
            self.lengths.append(0)
        position = self.positions[part]
        if position == _ABSENT or self.lengths[part] != len(content):
            position, self.written = self.written, self.written + len(content)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, content, position)
        finally:
            os.close(descriptor)
        self.positions[part], self.lengths[part] = position, len(content)

    def holds(self, part: int, content: bytes) -> bool:
        """Tell whether this very part is there."""
        if part >= len(self.positions) or self.lengths[part] != len(content):
            return False
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            return os.pread(descriptor, len(content), self.positions[part]) == content
        finally:
            os.close(descriptor)

    def blob(self, parts: int) -> PartedBlob:
        """Put the file together. Raises RpcError 400 FILE_PARTS_INVALID, FILE_PART_n_MISSING."""
        if parts < len(self.positions):
            raise RpcError(400, "FILE_PARTS_INVALID")
        for part in range(parts):
            if part >= len(self.positions) or self.positions[part] == _ABSENT:
                raise RpcError(400, f"FILE_PART_{part}_MISSING")
        return PartedBlob(self.path, sum(self.lengths), self.lengths[0], self.positions)

    def _check_size(self, part: int, size: int, last: bool | None) -> None:
        top = len(self.positions) - 1
        if last is None:
            last = part >= top
        if last:
            if part > top >= 0:  # so that what was thought to be the last is not
                self._settle(self.lengths[top])
            if self.part_size is not None and size > self.part_size:
                raise RpcError(400, "FILE_PART_SIZE_CHANGED")
        else:
            self._settle(size)
            if top >= 0 and self.lengths[top] > size:  # the last came first, and was longer
                raise RpcError(400, "FILE_PART_SIZE_CHANGED")

    def _settle(self, size: int) -> None:
        if size % 1024 or MAX_PART_SIZE % size:
            raise RpcError(400, "FILE_PART_SIZE_INVALID")
        if self.part_size is None:
            self.part_size = size
        elif self.part_size != size:
            raise RpcError(400, "FILE_PART_SIZE_CHANGED")


class Uploads:
    """The uploads of all accounts, forgotten when nothing came for ``lifetime`` seconds.

    Each is named by its place: the owner's account id, the data centre, and the client's own file id. One
    that was sent in a message can be sent in another one while it is remembered.
    """

    def __init__(self, directory: Path, now: Callable[[], float]) -> None:
        self._directory = directory
        self._now = now
        self._uploads: dict[_Key, Upload] = {}
        self.lifetime = 24 * 3600.0
        self.strict_totals = False
        """Whether a part of a file whose number of parts is known may not say any more that it is not."""

    def __len__(self) -> int:
        """Count the uploads that were not sent in a message yet."""
        return sum(not upload.finished for upload in self._uploads.values())

    def save_small(self, place: Place, part: int, content: bytes, *, limit: int) -> None:
        """Keep a part of a small file, ``limit`` being how many parts the owner may use.

        Raises RpcError 400: FILE_PART_INVALID, FILE_PART_EMPTY, FILE_PART_TOO_BIG, FILE_PART_SIZE_INVALID,
        FILE_PART_SIZE_CHANGED.
        """
        self._check(part, content, limit)
        self._save((*place, False), part, content, last=None)

    def save_big(self, place: Place, part: int, total: int, content: bytes, *, limit: int) -> None:
        """Keep a part of a big file of ``total`` parts, or -1 until the last one.

        Raises RpcError 400: FILE_PARTS_INVALID and those of `save_small`.
        """
        if total != STREAMED and not 0 < total <= limit:
            raise RpcError(400, "FILE_PARTS_INVALID")
        self._check(part, content, limit if total == STREAMED else total)
        key = (*place, True)
        known = self._uploads[key].total_parts if key in self._uploads else STREAMED
        if known not in {STREAMED, total} and (total != STREAMED or self.strict_totals):
            raise RpcError(400, "FILE_PARTS_INVALID")
        upload = self._save(key, part, content, last=total != STREAMED and part == total - 1)
        upload.total_parts = max(total, upload.total_parts)

    def finish(self, owner: int, dc_id: int, file: types.InputFile | types.InputFileBig) -> PartedBlob:
        """Put an upload together.

        Raises RpcError 400: FILE_PARTS_INVALID, FILE_PART_n_MISSING, MD5_CHECKSUM_INVALID.
        """
        big = isinstance(file, types.InputFileBig)
        upload = self._uploads.get((owner, dc_id, file.id, big))
        if file.parts < 1:
            raise RpcError(400, "FILE_PARTS_INVALID")
        if upload is None or upload.touched + self.lifetime <= self._now():
            raise RpcError(400, "FILE_PART_0_MISSING")
        if big and upload.total_parts != file.parts:
            raise RpcError(400, "FILE_PARTS_INVALID")
        blob = upload.blob(file.parts)
        if not big:
            if blob.size > MAX_SMALL_SIZE:
                raise RpcError(400, "FILE_PARTS_INVALID")
            if file.md5_checksum and _md5(blob) != file.md5_checksum.lower():
                raise RpcError(400, "MD5_CHECKSUM_INVALID")
        return blob

    def keep(self, blob: PartedBlob) -> None:
        """Note that a file became part of a message: its bytes do not go with the upload any more."""
        for upload in self._uploads.values():
            if upload.path == blob.path:
                upload.finished = True

    def expire(self) -> None:
        """Forget all uploads."""
        for key in list(self._uploads):
            self._drop(key)

    def _check(self, part: int, content: bytes, limit: int) -> None:
        if not 0 <= part < limit:
            raise RpcError(400, "FILE_PART_INVALID")
        if not content:
            raise RpcError(400, "FILE_PART_EMPTY")
        if len(content) > MAX_PART_SIZE:
            raise RpcError(400, "FILE_PART_TOO_BIG")

    def _save(self, key: _Key, part: int, content: bytes, *, last: bool | None) -> Upload:
        upload = self._uploads.get(key)
        if upload is not None and upload.finished:
            if upload.holds(part, content):
                return upload
            self._drop(key)
            upload = None
        if upload is None:
            self._sweep()
            path = self._directory / secrets.token_hex(8)
            upload = self._uploads[key] = Upload(path, self._now())
        upload.touched = self._now()
        upload.save(part, content, last=last)
        return upload

    def _sweep(self) -> None:
        old = self._now() - self.lifetime
        for key in [key for key, upload in self._uploads.items() if upload.touched <= old]:
            self._drop(key)

    def _drop(self, key: _Key) -> None:
        upload = self._uploads.pop(key)
        if not upload.finished:
            upload.path.unlink(missing_ok=True)


def _md5(blob: PartedBlob) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in chunks(blob):
        digest.update(chunk)
    return digest.hexdigest()
