"""tus 1.0.0, resumable uploads: what its header fields say, read and written.

Source: https://tus.io/protocols/resumable-upload (core, creation, creation-with-upload,
creation-defer-length, expiration, checksum, termination). Header fields come as a mapping from lower-case
names, fields of the same name joined by commas.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tgbridge.errors import FILE_TOO_LARGE, INVALID_FILE, HTTPFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

VERSION: Final = "1.0.0"

EXTENSIONS: Final = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "expiration",
    "checksum",
    "termination",
)

BODY_TYPE: Final = "application/offset+octet-stream"

_ALGORITHMS: Final[Mapping[str, Callable[[], Any]]] = MappingProxyType(
    {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "md5": hashlib.md5}
)
# What 64 bits with a sign hold is beyond any file.
_SIZE: Final = re.compile(r"[0-9]{1,18}")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ALGORITHM: Final = re.compile(r"[!-~]+")
# Visible ASCII without the comma: it goes back into a header field.
_KEY: Final = re.compile(r"[!-+\--~]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer that the protocol has a status for; `code` and `text` are ours."""

    status: int
    code: str
    text: str

    def failure(
        self, *, details: str | None = None, retry_after: int | None = None, **headers: str
    ) -> HTTPFailure:
        """Return what to raise; `headers` are further fields, their names with underscores for hyphens."""
        return HTTPFailure(
            self.status,
            self.text,
            code=self.code,
            details=details,
            retry_after=retry_after,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


VERSION_UNSUPPORTED: Final = Problem(
    412, "TUS_VERSION_UNSUPPORTED", "Only version 1.0.0 of tus is spoken here."
)
INVALID_LENGTH: Final = Problem(
    400, "INVALID_UPLOAD_LENGTH", "Upload-Length takes a number of bytes, or Upload-Defer-Length takes 1."
)
LENGTH_CHANGED: Final = Problem(
    400, "UPLOAD_LENGTH_CHANGED", "The upload's length is known already, or fewer than the bytes that came."
)
CONCATENATION_UNSUPPORTED: Final = Problem(
    400, "CONCATENATION_UNSUPPORTED", "A file is one upload here, and can't be put together of several."
)
INVALID_METADATA: Final = Problem(
    400, "INVALID_UPLOAD_METADATA", "Upload-Metadata takes pairs of a key and a value in Base64."
)
INVALID_OFFSET: Final = Problem(400, "INVALID_UPLOAD_OFFSET", "Upload-Offset takes a number of bytes.")
INVALID_CHECKSUM: Final = Problem(
    400, "INVALID_UPLOAD_CHECKSUM", "Upload-Checksum takes an algorithm and a checksum in Base64."
)
ALGORITHM_UNSUPPORTED: Final = Problem(
    400, "CHECKSUM_UNSUPPORTED", f"The algorithms for checksums are {', '.join(_ALGORITHMS)}."
)
CHECKSUM_MISMATCH: Final = Problem(460, "CHECKSUM_MISMATCH", "The bytes do not have the given checksum.")
WRONG_TYPE: Final = Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"Bytes are sent as {BODY_TYPE}, not encoded.")
OFFSET_MISMATCH: Final = Problem(409, "UPLOAD_OFFSET_MISMATCH", "The upload goes on at another offset.")
LOCKED: Final = Problem(423, "UPLOAD_LOCKED", "Another request is sending bytes of this upload.")
BEYOND_LENGTH: Final = Problem(
    413, "UPLOAD_LENGTH_EXCEEDED", "There are more bytes than the upload's length."
)
CHUNK_TOO_LARGE: Final = Problem(413, "CHUNK_TOO_LARGE", "So many bytes can't have a checksum of their own.")
EMPTY: Final = Problem(400, "EMPTY_FILE", INVALID_FILE)
TOO_LARGE: Final = Problem(413, "FILE_TOO_LARGE", FILE_TOO_LARGE)
NOT_FOUND: Final = Problem(404, "UPLOAD_NOT_FOUND", "There is no such upload.")
GONE: Final = Problem(410, "UPLOAD_GONE", "The upload can't be resumed any more. Please start again.")
FINISHED: Final = Problem(409, "UPLOAD_FINISHED", "All of the file has come already.")
ID_IN_USE: Final = Problem(409, "UPLOAD_ID_IN_USE", "Another upload under way has this id.")
INVALID_ID: Final = Problem(
    400, "INVALID_UPLOAD_ID", "An upload's id is 8 to 64 letters, digits, hyphens and underscores."
)
TOO_MANY: Final = Problem(429, "TOO_MANY_UPLOADS", "Too many uploads are under way.")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client said of its upload: the field as it came, for HEAD, and the pairs in it."""

    header: str = field(repr=False)
    values: Mapping[str, bytes] = field(repr=False)

    def raw(self, *names: str) -> bytes:
        """Return the first value that is there, b"" if there is none."""
        return next((self.values[name] for name in names if self.values.get(name)), b"")

    def text(self, *names: str) -> str:
        """Return the first value that is there, "" if there is none. Raises HTTPFailure 400 for no UTF-8."""
        try:
            return self.raw(*names).decode()
        except UnicodeDecodeError:
            raise INVALID_METADATA.failure() from None


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a request's bytes must hash to."""

    algorithm: str
    digest: bytes

    def matches(self, pieces: Iterable[bytes | bytearray | memoryview]) -> bool:
        """Tell whether the bytes have this checksum."""
        digest = _ALGORITHMS[self.algorithm]()
        for piece in pieces:
            digest.update(piece)
        return hmac.compare_digest(digest.digest(), self.digest)


@dataclass(frozen=True, slots=True)
class Creation:
    """A request for a new upload: its `length` in bytes, None while that is deferred."""

    length: int | None
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class Continuation:
    """A request to go on at `offset`; `length` is given once if it was deferred. Both are in bytes."""

    offset: int
    length: int | None


def check_version(headers: Mapping[str, str]) -> None:
    """Raise HTTPFailure 412 unless the client speaks this version of the protocol."""
    if headers.get("tus-resumable", "").strip() != VERSION:
        raise VERSION_UNSUPPORTED.failure(Tus_Version=VERSION)


def check_id(upload_id: str) -> None:
    """Raise HTTPFailure 400 unless this can be an upload's id."""
    if not _ID.fullmatch(upload_id):
        raise INVALID_ID.failure()


def parse_creation(headers: Mapping[str, str]) -> Creation:
    """Read what a POST creates. Raises HTTPFailure 400."""
    # Clients ask for it without looking whether it is spoken, and each partial upload would be a message.
    if "upload-concat" in headers:
        raise CONCATENATION_UNSUPPORTED.failure()
    length, deferred = headers.get("upload-length"), headers.get("upload-defer-length")
    if (length is None) == (deferred is None) or deferred not in {None, "1"}:
        raise INVALID_LENGTH.failure()
    metadata = parse_metadata(headers.get("upload-metadata", ""))
    return Creation(None if length is None else _size(length, INVALID_LENGTH), metadata)


def parse_continuation(headers: Mapping[str, str]) -> Continuation:
    """Read where a PATCH goes on. Raises HTTPFailure 400."""
    offset = _size(headers.get("upload-offset", ""), INVALID_OFFSET)
    length = headers.get("upload-length")
    return Continuation(offset, None if length is None else _size(length, INVALID_LENGTH))


def parse_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Read the checksum of a request's bytes, None without one. Raises HTTPFailure 400."""
    value = headers.get("upload-checksum")
    if value is None:
        return None
    algorithm, _, encoded = value.strip().partition(" ")
    if not _ALGORITHM.fullmatch(algorithm):
        raise INVALID_CHECKSUM.failure()
    if algorithm not in _ALGORITHMS:
        raise ALGORITHM_UNSUPPORTED.failure()
    digest = _from_base64(encoded, INVALID_CHECKSUM)
    if len(digest) != _ALGORITHMS[algorithm]().digest_size:
        raise INVALID_CHECKSUM.failure()
    return Checksum(algorithm, digest)


def parse_metadata(value: str) -> Metadata:
    """Read Upload-Metadata. Raises HTTPFailure 400."""
    header = value.strip()
    values: dict[str, bytes] = {}
    for pair in header.split(",") if header else ():
        key, _, encoded = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in values:
            raise INVALID_METADATA.failure()
        values[key] = _from_base64(encoded, INVALID_METADATA)
    return Metadata(header, MappingProxyType(values))


def describe(max_bytes: int) -> dict[str, str]:
    """Return the header fields that answer OPTIONS; `max_bytes` is the largest upload."""
    return {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(max_bytes),
        "Tus-Checksum-Algorithm": ",".join(_ALGORITHMS),
    }


def _size(text: str, problem: Problem) -> int:
    if not _SIZE.fullmatch(text.strip()):
        raise problem.failure()
    return int(text)


def _from_base64(text: str, problem: Problem) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (ValueError, UnicodeError):  # of the form, of the alphabet
        raise problem.failure() from None
