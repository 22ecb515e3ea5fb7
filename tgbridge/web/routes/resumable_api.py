"""Resumable uploads as the router and the API description see them; ``resumable.py`` does what they say."""

from __future__ import annotations

from typing import Final, Literal

from tgbridge.errors import INVALID_FILE
from tgbridge.http import tus
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success, refusals
from tgbridge.web.overridable import OVERRIDE
from tgbridge.web.routes import file_checks, resumable
from tgbridge.web.routes.resumable import PATH
from tgbridge.web.routes.upload_answers import FAILED
from tgbridge.web.routes.upload_form import INVALID_FIELDS

_ID: Final = Parameter("upload_id", "path", str, "As in the Location of the answer that created it.")
_RESUMABLE: Final = Parameter(
    "Tus-Resumable", "header", Literal["1.0.0"], "The protocol's version.", required=True
)
_CHECKSUM: Final = Parameter(
    "Upload-Checksum",
    "header",
    str,
    "sha1, sha256 or md5, and the checksum of this request's bytes in Base64.",
)
_LENGTH: Final = Parameter("Upload-Length", "header", int, "Bytes of the whole file.")

_STATE: Final = (
    ("Upload-Offset", "Bytes that need not be sent again."),
    ("Upload-Expires", "When an unfinished upload is forgotten if nothing is heard of it."),
    ("X-Message-Id", "The message that the file has become."),
)


def _refused(*problems: tus.Problem) -> tuple[Refusal, ...]:
    return tuple(Refusal(problem.status, problem.text, problem.code) for problem in problems)


_OF_BYTES: Final = (
    *_refused(
        tus.INVALID_CHECKSUM,
        tus.ALGORITHM_UNSUPPORTED,
        tus.CHECKSUM_MISMATCH,
        tus.WRONG_TYPE,
        tus.BEYOND_LENGTH,
        tus.CHUNK_TOO_LARGE,
        tus.TOO_LARGE,
        tus.EMPTY,
    ),
    Refusal(400, INVALID_FILE, file_checks.MISMATCH),
    Refusal(400, INVALID_FILE, "IMAGE_PROCESS_FAILED"),
    *refusals("MEDIA_CAPTION_TOO_LONG"),
    Refusal(408, "Request Timeout.", "REQUEST_TIMEOUT"),
)
_UNKNOWN: Final = _refused(tus.VERSION_UNSUPPORTED, tus.NOT_FOUND, tus.GONE)

_DESCRIBED: Final = Success(
    "What of tus 1.0 is spoken here.",
    None,
    status=204,
    headers=(
        ("Tus-Version", "The protocol's version."),
        ("Tus-Extension", "Its extensions."),
        ("Tus-Max-Size", "The largest upload, in bytes."),
        ("Tus-Checksum-Algorithm", "The algorithms for checksums."),
    ),
)
_NOT_ALLOWED: Final = Refusal(405, "Method Not Allowed.", "METHOD_NOT_ALLOWED")

ENDPOINTS: Final = (
    Endpoint(
        "OPTIONS",
        PATH,
        resumable.describe_uploads,
        summary="What of tus, the protocol for resumable uploads, is spoken",
        answers=(_DESCRIBED,),
    ),
    Endpoint(
        "POST",
        PATH,
        resumable.create_upload,
        summary="Begin a resumable upload",
        overridable=True,
        failed=FAILED,
        signed_in=True,
        borrows=False,
        parameters=(
            _RESUMABLE,
            _LENGTH,
            Parameter(
                "Upload-Defer-Length", "header", Literal["1"], "Instead of a length that is not known."
            ),
            Parameter(
                "Upload-Metadata",
                "header",
                str,
                "filename, filetype, caption, as, duration, width and height, each with its value in Base64.",
            ),
            _CHECKSUM,
        ),
        bytes_type=tus.BODY_TYPE,
        answers=(
            Success(
                "It has begun. With the whole file in the request it is a message already.",
                None,
                status=201,
                headers=(("Location", "Where it goes on, relative to this URL."), *_STATE),
            ),
            *_refused(tus.VERSION_UNSUPPORTED, tus.INVALID_LENGTH, tus.INVALID_METADATA, tus.TOO_MANY),
            *_refused(tus.CONCATENATION_UNSUPPORTED),
            Refusal(400, INVALID_FILE, file_checks.NOT_ALLOWED),
            *(Refusal(400, failure.text, failure.code) for failure in INVALID_FIELDS),
            *_OF_BYTES,
        ),
    ),
    Endpoint(
        "OPTIONS",
        f"{PATH}/{{upload_id}}",
        resumable.describe_upload,
        summary="The same for one upload",
        parameters=(_ID,),
        answers=(_DESCRIBED,),
    ),
    Endpoint(
        "HEAD",
        f"{PATH}/{{upload_id}}",
        resumable.upload_state,
        summary="Where a resumable upload goes on",
        signed_in=True,
        borrows=False,
        parameters=(_ID, _RESUMABLE),
        answers=(
            Success(
                "It can go on, or is finished.",
                None,
                headers=(
                    *_STATE,
                    ("Upload-Length", "Bytes of the whole file."),
                    ("Upload-Defer-Length", "1 while the length is not known."),
                    ("Upload-Metadata", "As it was given."),
                ),
            ),
            *_UNKNOWN,
        ),
    ),
    Endpoint(
        "PATCH",
        f"{PATH}/{{upload_id}}",
        resumable.continue_upload,
        summary="Send the next bytes of a resumable upload",
        failed=FAILED,
        signed_in=True,
        borrows=False,
        parameters=(
            _ID,
            _RESUMABLE,
            Parameter(
                "Upload-Offset", "header", int, "Where the bytes belong: where HEAD said.", required=True
            ),
            _LENGTH,
            Parameter(
                "Upload-Metadata",
                "header",
                str,
                "caption, in Base64, in place of the one before. After MEDIA_CAPTION_TOO_LONG the upload "
                "stays, and a PATCH without bytes, at its end, tries again with a caption that fits.",
            ),
            _CHECKSUM,
        ),
        bytes_type=tus.BODY_TYPE,
        answers=(
            Success(
                "They are kept; if they were the last, the file is a message.", None, 204, headers=_STATE
            ),
            *_refused(
                tus.INVALID_OFFSET, tus.INVALID_LENGTH, tus.LENGTH_CHANGED, tus.OFFSET_MISMATCH, tus.LOCKED
            ),
            *_refused(tus.INVALID_METADATA),
            *_UNKNOWN,
            *_OF_BYTES,
        ),
    ),
    Endpoint(
        "DELETE",
        f"{PATH}/{{upload_id}}",
        resumable.terminate_upload,
        summary="Forget a resumable upload; a message that it has become stays",
        signed_in=True,
        borrows=False,
        parameters=(_ID, _RESUMABLE),
        answers=(Success("It is forgotten.", None, status=204), *_UNKNOWN),
    ),
    Endpoint(
        "POST",
        f"{PATH}/{{upload_id}}",
        resumable.override_method,
        summary=f"Whatever {OVERRIDE} names, for clients that know only GET and POST",
        overridable=True,
        failed=FAILED,
        signed_in=True,
        borrows=False,
        parameters=(
            _ID,
            _RESUMABLE,
            Parameter(
                OVERRIDE,
                "header",
                Literal["HEAD", "PATCH", "DELETE"],
                "The method that is meant.",
                required=True,
            ),
            Parameter("Upload-Offset", "header", int, "As of PATCH."),
            _LENGTH,
            _CHECKSUM,
        ),
        bytes_type=tus.BODY_TYPE,
        answers=(
            Success("As of the method that is meant: HEAD.", None, headers=_STATE),
            Success("As of the method that is meant: PATCH, DELETE.", None, status=204, headers=_STATE),
            *_refused(
                tus.INVALID_OFFSET, tus.INVALID_LENGTH, tus.LENGTH_CHANGED, tus.OFFSET_MISMATCH, tus.LOCKED
            ),
            _NOT_ALLOWED,
            *_UNKNOWN,
            *_OF_BYTES,
        ),
    ),
)
