"""What has to be known of a file at Telegram to read it, as a value shared by routes and engine."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from telethon.tl import types

from tgbridge.inspection import media_types as mediatypes
from tgbridge.inspection import signatures

if TYPE_CHECKING:
    from datetime import datetime


_VERSION_BYTES: Final = 9  # a multiple of 3, so that Base64 needs no padding


def version_of(kind: Literal["photo", "document"], file_id: int) -> str:
    """Return what `?v=` says of a file in all its sizes: another file, another one. Safe in URLs."""
    digest = blake2b(f"{kind}{file_id}".encode(), digest_size=_VERSION_BYTES).digest()
    return urlsafe_b64encode(digest).decode()


class FileKey(NamedTuple):
    """Names a file's bytes: equal keys, equal bytes, whichever message and file reference led to them."""

    kind: str
    file_id: int
    thumb_size: str


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A document, a photo, or a thumbnail of either, as some message showed it.

    `size` is in bytes; of a document it is exact, of a picture Telegram is wrong now and then, and 0 is
    unknown (download/corrections.py). `thumb_size` is the type letter of the wanted photo size, "" for a
    document itself; a photo always needs one. `file_reference` expires after some hours
    (https://core.telegram.org/api/file_reference), all else stays true as long as the file exists.
    """

    message_id: int
    kind: Literal["photo", "document"]
    file_id: int
    dc_id: int
    access_hash: int = field(repr=False)
    file_reference: bytes = field(repr=False)
    thumb_size: str
    size: int
    mime_type: str
    name: str
    date: datetime
    content: bytes | None = field(default=None, repr=False)
    """All the bytes, where the message itself brought them (photoCachedSize)."""
    is_guessed: bool = False
    """Whether `mime_type` is a guess, and the first bytes know better."""
    stem: str = ""
    """Of a `name` whose extension was made from the type: what stands before it."""

    def __post_init__(self) -> None:
        """Refuse what no data centre would serve."""
        if self.size < 0:
            raise ValueError("size is negative")
        if self.kind == "photo" and not self.thumb_size:
            raise ValueError("a photo is read in one of its sizes")

    def recognised(self, head: bytes) -> RemoteFile:
        """Return it with the type that its first bytes tell; an extension that was made up follows."""
        mime_type = signatures.recognise(head) or self.mime_type
        name = f"{self.stem}{mediatypes.extension(mime_type)}" if self.stem else self.name
        return replace(self, mime_type=mime_type, name=name, is_guessed=False)

    @property
    def key(self) -> FileKey:
        """What names the bytes themselves."""
        return FileKey(self.kind, self.file_id, self.thumb_size)

    @property
    def etag(self) -> str:
        """The opaque tag, without its quotes (RFC 9110 section 8.8.3): of the file and not of the message."""
        tag = f"{self.kind[0]}{self.file_id & 0xFFFF_FFFF_FFFF_FFFF:016x}-{self.size:x}"
        return f"{tag}-{self.thumb_size.encode().hex()}" if self.thumb_size else tag

    @property
    def version(self) -> str:
        """What `?v=` says of it."""
        return version_of(self.kind, self.file_id)

    def location(self) -> types.InputPhotoFileLocation | types.InputDocumentFileLocation:
        """Where upload.getFile finds it (https://core.telegram.org/api/files#downloading-files)."""
        kind = types.InputPhotoFileLocation if self.kind == "photo" else types.InputDocumentFileLocation
        return kind(
            id=self.file_id,
            access_hash=self.access_hash,
            file_reference=self.file_reference,
            thumb_size=self.thumb_size,
        )
