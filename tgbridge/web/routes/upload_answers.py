"""What clients are told of an upload's errors, in an answer's status or as the last event."""

from __future__ import annotations

from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from tgbridge.errors import BridgeError, failure_of
from tgbridge.http import tus
from tgbridge.http.tus import Problem
from tgbridge.models import ErrorBody
from tgbridge.uploads import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web
    from aiohttp.typedefs import Handler

    from tgbridge.errors import HTTPFailure
    from tgbridge.uploads.errors import UploadError

FAILED: Final = "Failed to upload file to Telegram."

PROBLEMS: Final[Mapping[type[UploadError], Problem]] = MappingProxyType(
    {
        errors.UploadNotFound: tus.NOT_FOUND,
        errors.UploadGone: tus.GONE,
        errors.UploadFinished: tus.FINISHED,
        errors.UploadLocked: tus.LOCKED,
        errors.UploadIdInUse: tus.ID_IN_USE,
        errors.UploadBrokenOff: Problem(500, "UPLOAD_BROKEN_OFF", FAILED),
        errors.TooManyUploads: tus.TOO_MANY,
        errors.OffsetMismatch: tus.OFFSET_MISMATCH,
        errors.LengthChanged: tus.LENGTH_CHANGED,
        errors.LengthExceeded: tus.BEYOND_LENGTH,
        errors.EmptyUpload: tus.EMPTY,
        errors.ChunkTooLarge: tus.CHUNK_TOO_LARGE,
        errors.ChunkTooSlow: Problem(408, "REQUEST_TIMEOUT", "Request Timeout."),
        errors.ChecksumMismatch: tus.CHECKSUM_MISMATCH,
    }
)


def told_in_http(handler: Handler) -> Handler:
    """Let a handler raise an `UploadError`."""

    @wraps(handler)
    async def act(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except errors.UploadError as error:
            raise _failure(error) from error

    return act


def error_body(error: BridgeError) -> ErrorBody:
    """Say an error as an answer's body would."""
    failure = _failure(error)
    return ErrorBody(
        error=failure.text, details=failure.details, code=failure.code, retry_after=failure.retry_after
    )


def _failure(error: BridgeError) -> HTTPFailure:
    if not isinstance(error, errors.UploadError):
        return failure_of(error, failed=FAILED)
    headers = {hdrs.CONNECTION: "close"} if error.ousted else {}
    return PROBLEMS[type(error)].failure(details=error.details, retry_after=error.retry_after, **headers)
