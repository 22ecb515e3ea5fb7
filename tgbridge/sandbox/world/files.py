"""Files a data centre holds, and the references by which they may be asked for.

Sources: https://core.telegram.org/api/files, https://core.telegram.org/api/file_reference
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import secrets
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from telethon.tl import types

from tgbridge.sandbox.dispatch import RpcError
from tgbridge.sandbox.world.blobs import Blob, DiskBlob
from tgbridge.sandbox.world.holding import with_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Source = bytes | bytearray | memoryview | Blob
_REFERENCE = struct.Struct(">BII16s")
_REFERENCE_VERSION = 1
_MAGIC = (
    (b"\xff\xd8\xff", types.storage.FileJpeg),
    (b"\x89PNG", types.storage.FilePng),
    (b"GIF8", types.storage.FileGif),
    (b"%PDF", types.storage.FilePdf),
    (b"ID3", types.storage.FileMp3),
    (b"\xff\xfb", types.storage.FileMp3),
)


@dataclass(slots=True, eq=False)
class StoredFile:
    """A photo or a document with all its sizes.

    ``blobs`` maps a size's letter to its bytes; the document itself has the empty letter. ``media`` is
    Telegram's object for it. ``cdn`` marks a file that clients who can are to fetch from a CDN data centre.
    """

    id: int
    access_hash: int = field(repr=False)
    owner: int
    dc_id: int
    kind: Literal["photo", "document"]
    mime_type: str
    blobs: dict[str, Blob] = field(repr=False)
    cdn: bool = False
    mtime: int = 0
    media: Any = field(default=None, repr=False)
    _types: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def main(self) -> str:
        """The letter of the file itself: the largest size of a photo."""
        return "" if self.kind == "document" else max(self.blobs, key=lambda letter: self.blobs[letter].size)

    def storage_type(self, letter: str) -> Any:
        """Tell by its first bytes what kind of file a size is, one of Telegram's storage.FileType."""
        found = self._types.get(letter)
        if found is None:
            found = self._types[letter] = _storage_type(self.blobs[letter].read(0, 12))
        return found


def _storage_type(head: bytes) -> Any:
    if head[4:8] == b"ftyp":
        return types.storage.FileMov() if head[8:12] == b"qt  " else types.storage.FileMp4()
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return types.storage.FileWebp()
    for start, kind in _MAGIC:
        if head.startswith(start):
            return kind()
    return types.storage.FileUnknown()


class FileStore:
    """All files of all accounts. What it is given as bytes it keeps on disk, once for the same content."""

    def __init__(self, directory: Path, secret: bytes | None = None) -> None:
        """Keep contents in a directory. The same ``secret`` gives the same ids and references again."""
        self._directory = directory
        self._secret = secret or secrets.token_bytes(32)
        self._generation = 1
        self._files: dict[int, StoredFile] = {}
        self._counts: Counter[int] = Counter()

    @property
    def directory(self) -> Path:
        """Give the directory of the contents."""
        return self._directory

    def blob(self, source: Source | Path) -> Blob:
        """Take bytes (kept on disk), a path (read where it is) or anything that reads like a blob."""
        if isinstance(source, bytes | bytearray | memoryview):
            path = self._directory / hashlib.sha256(source).hexdigest()
            if not path.exists():
                path.write_bytes(source)
            return DiskBlob(path, len(source))
        if hasattr(source, "read") and hasattr(source, "size"):
            return source
        return DiskBlob.of(source)

    def add(
        self,
        owner: int,
        kind: Literal["photo", "document"],
        blobs: Mapping[str, Source | Path],
        *,
        dc_id: int,
        mime_type: str,
        cdn: bool = False,
    ) -> StoredFile:
        """Store a file of ``owner`` (an account's id) at a data centre, under a new id."""
        file_id, access_hash = self._new_name(owner)
        stored = StoredFile(
            id=file_id,
            access_hash=access_hash,
            owner=owner,
            dc_id=dc_id,
            kind=kind,
            mime_type=mime_type,
            blobs={letter: self.blob(source) for letter, source in blobs.items()},
            cdn=cdn,
        )
        self._files[stored.id] = stored
        return stored

    def restore(self, stored: StoredFile) -> None:
        """Take a file back that was stored in an earlier life."""
        self._files[stored.id] = stored

    def get(self, file_id: int) -> StoredFile | None:
        """Look a file up."""
        return self._files.get(file_id)

    def of(self, owner: int) -> list[StoredFile]:
        """Give all files of an account, by its id."""
        return [stored for stored in self._files.values() if stored.owner == owner]

    def find(self, kind: str, file_id: int, access_hash: int, owner: int) -> StoredFile | None:
        """Look a file up for one who claims to know it: kind, access hash and owner must be right."""
        stored = self._files.get(file_id)
        if (
            stored is None
            or stored.kind != kind
            or stored.owner != owner
            or stored.access_hash != access_hash
        ):
            return None
        return stored

    def reference(self, file_id: int, message_id: int = 0) -> bytes:
        """Give a reference that is good until the next `expire_references`."""
        return _REFERENCE.pack(
            _REFERENCE_VERSION, self._generation, message_id, self._tag(file_id, self._generation, message_id)
        )

    def check_reference(self, file_id: int, reference: bytes) -> None:
        """Take a reference if it is good for the file.

        Raises RpcError 400 FILE_REFERENCE_EMPTY, FILE_REFERENCE_INVALID, FILE_REFERENCE_EXPIRED.
        """
        if not reference:
            raise RpcError(400, "FILE_REFERENCE_EMPTY")
        if len(reference) != _REFERENCE.size:
            raise RpcError(400, "FILE_REFERENCE_INVALID")
        version, generation, message_id, tag = _REFERENCE.unpack(reference)
        if version != _REFERENCE_VERSION or not hmac.compare_digest(
            tag, self._tag(file_id, generation, message_id)
        ):
            raise RpcError(400, "FILE_REFERENCE_INVALID")
        if generation != self._generation:
            raise RpcError(400, "FILE_REFERENCE_EXPIRED")

    def expire_references(self) -> None:
        """Let all references given out so far expire; messages fetched from now on carry good ones."""
        self._generation += 1

    def stamp(self, message: Any) -> Any:
        """Give a message as it is sent: a copy whose photos and documents carry a good file reference."""
        fresh = copy.copy(message)
        if getattr(fresh, "media", None) is not None:
            fresh.media = self.stamp_media(fresh.media, message.id)
        return fresh

    def stamp_media(self, media: Any, message_id: int = 0) -> Any:
        """Do the same for media outside a message."""

        def stamped(held: Any) -> Any:
            held = copy.copy(held)
            held.file_reference = self.reference(held.id, message_id)
            return held

        return with_files(media, stamped)

    def _new_name(self, owner: int) -> tuple[int, int]:
        while True:
            self._counts[owner] += 1
            name = hmac.digest(self._secret, struct.pack(">qq", owner, self._counts[owner]), "sha256")
            file_id = int.from_bytes(name[:8], "big") >> 2 | 1 << 62
            if file_id not in self._files:  # as one that was restored may be
                return file_id, int.from_bytes(name[8:16], "big", signed=True)

    def _tag(self, file_id: int, generation: int, message_id: int) -> bytes:
        body = struct.pack(">qII", file_id, generation, message_id)
        return hmac.digest(self._secret, body, "sha256")[:16]
