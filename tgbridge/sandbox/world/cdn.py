"""Files by way of a CDN data centre, which is not trusted: it has them encrypted, clients check hashes.

Hashes are of the decrypted bytes, which is what Telegram's own apps compare them with.

Source: https://core.telegram.org/cdn
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from telethon.tl import types

if TYPE_CHECKING:
    from tgbridge.sandbox.world.blobs import Blob
    from tgbridge.sandbox.world.files import StoredFile

HASHED = 128 * 1024
_HASHES = 8
_AES_BLOCK = 16


def hashes(blob: Blob, offset: int) -> list[types.FileHash]:
    """Give the hashes of up to a mebibyte of a file, from the piece on that holds the offset."""
    first = max(offset, 0) // HASHED * HASHED
    found = []
    for start in range(first, min(first + _HASHES * HASHED, blob.size), HASHED):
        piece = blob.read(start, HASHED)
        found.append(types.FileHash(start, len(piece), sha256(piece).digest()))
    return found


@dataclass(slots=True, eq=False)
class CdnFile:
    """A file that was handed over: ``stored`` tells whether the CDN data centre has it at the moment."""

    file: StoredFile
    token: bytes = field(default_factory=lambda: secrets.token_bytes(48), repr=False)
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    iv: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)
    request_token: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    stored: bool = False

    @property
    def blob(self) -> Blob:
        """The bytes as they were."""
        return self.file.blobs[self.file.main]

    def read(self, offset: int, limit: int) -> bytes:
        """Give encrypted bytes. The offset is a multiple of 16."""
        counter = offset // _AES_BLOCK
        cipher = Cipher(AES(self.key), CTR(self.iv[:-4] + counter.to_bytes(4, "big"))).encryptor()
        return cipher.update(self.blob.read(offset, limit)) + cipher.finalize()


class Cdn:
    """What was handed over to the CDN data centre ``dc_id``."""

    def __init__(self) -> None:
        self.dc_id = 203
        self._files: dict[bytes, CdnFile] = {}
        self._by_id: dict[int, CdnFile] = {}

    def redirect(self, stored: StoredFile) -> types.upload.FileCdnRedirect:
        """Give the answer that sends a client to the CDN data centre."""
        file = self._by_id.get(stored.id)
        if file is None:
            file = self._by_id[stored.id] = CdnFile(stored)
            self._files[file.token] = file
        return types.upload.FileCdnRedirect(self.dc_id, file.token, file.key, file.iv, hashes(file.blob, 0))

    def get(self, token: bytes) -> CdnFile | None:
        """Find a file by its token."""
        return self._files.get(token)

    def evict(self) -> None:
        """Let the CDN data centre forget all files: they have to be handed over again."""
        for file in self._files.values():
            file.stored = False

    def expire_tokens(self) -> None:
        """Make the tokens given out so far void."""
        self._files.clear()
        self._by_id.clear()
