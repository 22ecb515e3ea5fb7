"""What can go wrong with an upload as such; ``routes/upload_answers.py`` says what clients are told of it.

::

    UploadError
    ├── UploadNotFound      there has never been such an upload
    ├── UploadGone          it can't be resumed any more
    ├── UploadFinished      all of its bytes have come
    ├── UploadLocked        another request is at work on it
    ├── UploadIdInUse       another upload under way has this name
    ├── UploadBrokenOff     its sender has gone before its end
    ├── TooManyUploads      of one account, under way or watched
    ├── OffsetMismatch      it goes on at another offset
    ├── LengthChanged       its length is known already, or fewer than the bytes that came
    ├── LengthExceeded      more bytes came than its length
    ├── EmptyUpload         its length is 0
    ├── ChunkTooLarge       to have a checksum of its own
    ├── ChunkTooSlow        to be waited for, as long as all of it has to be kept
    └── ChecksumMismatch    the bytes of a request are not those that its client has meant
"""

from __future__ import annotations

from tgbridge.errors import BridgeError


class UploadError(BridgeError):
    """The root of them. ``retry_after`` is in seconds.

    ``details`` are for debugging. ``ousted`` says that a request is told so in its middle, since another one
    has taken its place: nobody reads the rest of it.
    """

    def __init__(
        self, details: str | None = None, *, retry_after: int | None = None, ousted: bool = False
    ) -> None:
        super().__init__(details or type(self).__name__)
        self.details = details
        self.retry_after = retry_after
        self.ousted = ousted


class UploadNotFound(UploadError):
    """There has never been such an upload, or it is somebody else's."""


class UploadGone(UploadError):
    """The upload was there, and can't be resumed any more."""


class UploadFinished(UploadError):
    """All bytes of the upload have come: its message is being made, or is there."""


class UploadLocked(UploadError):
    """Another request is at work on the upload."""


class UploadIdInUse(UploadError):
    """Another upload that is under way has this name."""


class UploadBrokenOff(UploadError):
    """The sender has gone before the upload's end."""


class TooManyUploads(UploadError):
    """An account has too many uploads under way, or too many that are watched."""


class OffsetMismatch(UploadError):
    """The upload goes on at another offset."""


class LengthChanged(UploadError):
    """The upload's length is known already, or is fewer than the bytes that came."""


class LengthExceeded(UploadError):
    """More bytes came than the upload's length."""


class EmptyUpload(UploadError):
    """The upload's length is 0."""


class ChunkTooLarge(UploadError):
    """So many bytes can't have a checksum of their own."""


class ChunkTooSlow(UploadError):
    """Bytes with a checksum are kept until all have come, which took too long."""


class ChecksumMismatch(UploadError):
    """The bytes of a request do not have the checksum that it has named."""
