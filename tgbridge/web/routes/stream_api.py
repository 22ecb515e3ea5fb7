"""The endpoints of stream.py, as the router and the API description know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge.errors import NotFound
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.routes import stream, wanted

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

NO_MEDIA: Final = NotFound("Media not found or message ID is invalid.", "MEDIA_NOT_FOUND")
_NO_THUMBNAIL: Final = NotFound(
    "Thumbnail not found for this message or message ID is invalid.", "THUMBNAIL_NOT_FOUND"
)

MESSAGE_ID: Final = Parameter("message_id", "path", int, "The message's id, as in the list.")
_DOWNLOAD: Final = Parameter(
    "download",
    "query",
    str,
    "Asks the browser to save the file, whatever its type, unless it is 0, false or empty.",
)
RANGES: Final = (
    Parameter("Range", "header", str, "RFC 9110 section 14.2: one range of bytes."),
    Parameter("If-Range", "header", str, "RFC 9110 section 13.1.5."),
)
CONDITIONS: Final = tuple(
    Parameter(name, "header", str, f"RFC 9110 section {section}.")
    for name, section in (
        ("If-Match", "13.1.1"),
        ("If-None-Match", "13.1.2"),
        ("If-Modified-Since", "13.1.3"),
        ("If-Unmodified-Since", "13.1.4"),
    )
)
_CACHE_CONTROL: Final = (
    "Cache-Control",
    "To be asked for again each time; with v of the present version, good for a year.",
)
_NOT_MODIFIED: Final = Success("The copy that the client has is still right.", None, status=304)
_REFUSALS: Final = (
    Refusal(403, stream.NOT_FOR_EXECUTION, "NOT_FOR_EXECUTION"),
    Refusal(412, stream.PRECONDITION_FAILED, "PRECONDITION_FAILED"),
)


def _file(path: str, handler: Handler, summary: str, *parameters: Parameter) -> Endpoint:
    return Endpoint(
        "GET",
        path,
        handler,
        summary=summary,
        failed="Failed to stream media.",
        not_found=NO_MEDIA,
        signed_in=True,
        borrows=False,
        parameters=(
            MESSAGE_ID,
            *parameters,
            *wanted.FILE_PARAMETERS,
            _DOWNLOAD,
            *RANGES,
            *CONDITIONS,
        ),
        answers=(
            Success(
                "The whole file, with its own Content-Type; scripts and style sheets are text/plain.",
                None,
                media_type="*/*",
                headers=(
                    ("Accept-Ranges", "bytes"),
                    ("ETag", "A strong tag, of the file and not of the message."),
                    ("Server-Timing", "Milliseconds that finding the file and its first part took."),
                    _CACHE_CONTROL,
                    ("Last-Modified", "When the file came to Telegram."),
                    ("Content-Disposition", "The file's name, and whether a browser may show it."),
                ),
            ),
            Success(
                "The bytes that Range asked for.",
                None,
                status=206,
                media_type="*/*",
                headers=(("Content-Range", "Which bytes of how many."),),
            ),
            _NOT_MODIFIED,
            *_REFUSALS,
            *wanted.FILE_REFUSALS,
            Refusal(
                416,
                stream.RANGE_NOT_SATISFIABLE,
                "RANGE_NOT_SATISFIABLE",
                headers=(("Content-Range", "The file's size: bytes */size."),),
            ),
        ),
    )


MEDIA: Final = _file("/stream_media/{message_id}", stream.stream_media, "The bytes of a file")
THUMBNAIL: Final = Endpoint(
    "GET",
    "/stream_thumbnail/{message_id}",
    stream.stream_thumbnail,
    summary="The bytes of a file's thumbnail",
    failed="Failed to stream thumbnail.",
    not_found=_NO_THUMBNAIL,
    signed_in=True,
    borrows=False,
    parameters=(
        MESSAGE_ID,
        *wanted.THUMBNAIL_PARAMETERS,
        _DOWNLOAD,
        *CONDITIONS,
    ),
    answers=(
        Success(
            "The thumbnail, usually image/jpeg.",
            None,
            media_type="image/*",
            headers=(("ETag", "A strong tag of the thumbnail."), _CACHE_CONTROL),
        ),
        _NOT_MODIFIED,
        *_REFUSALS,
        *wanted.THUMBNAIL_REFUSALS,
    ),
)

ENDPOINTS: Final = (
    MEDIA,
    _file(
        "/stream_media/{message_id}/{name}",
        stream.stream_named_media,
        "The bytes of a file, at a path that ends in a name",
        Parameter("name", "path", str, "Any, for players that go by extensions. It changes nothing."),
    ),
    THUMBNAIL,
)
