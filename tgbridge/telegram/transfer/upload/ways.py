"""The two ways in which Telegram takes a file, by its size, and what is left of the file in the end.

Sources: https://core.telegram.org/api/files#uploading-files, https://core.telegram.org/type/InputFile
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from telethon.tl import functions, types

from tgbridge.telegram.transfer.parts import MIB

Buffer = bytes | bytearray | memoryview

SMALL_FILE_BYTES: Final = 10 * MIB
"""Up to here a file goes by upload.saveFilePart and carries an MD5, beyond by upload.saveBigFilePart."""

UNKNOWN_TOTAL: Final = -1
"""How many parts a big file has, while nobody knows: in all of its parts but the last."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose parts Telegram holds, for some hours, until a message is made of it.

    `size` is in bytes. `md5` is in hexadecimal, None of a big file.
    """

    file_id: int = field(repr=False)
    parts: int
    size: int
    md5: str | None = field(repr=False)

    def named(self, name: str) -> types.InputFile | types.InputFileBig:
        """Return what messages.uploadMedia is given."""
        if self.md5 is None:
            return types.InputFileBig(self.file_id, self.parts, name)
        return types.InputFile(self.file_id, self.parts, name, self.md5)


class Way:
    """One of the two, under a file id of its own: what is sent both ways is two uploads for Telegram."""

    def __init__(self, *, big: bool) -> None:
        self.big = big
        self.file_id = secrets.randbits(63)
        self.stored = 0
        """Bytes that Telegram has confirmed."""
        self.left = False
        """Whether the file turned out to go the other way."""

    def request(
        self, index: int, data: Buffer, total: int
    ) -> functions.upload.SaveFilePartRequest | functions.upload.SaveBigFilePartRequest:
        """Return what sends one part; `total` is how many there are, or `UNKNOWN_TOTAL`."""
        if self.big:
            return functions.upload.SaveBigFilePartRequest(self.file_id, index, total, data)
        return functions.upload.SaveFilePartRequest(self.file_id, index, data)
