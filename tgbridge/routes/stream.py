"""The bytes of files and of their thumbnails, by RFC 9110. http/representation.py plans, this carries out."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_args

from aiohttp import hdrs, web

from tgbridge import keys
from tgbridge.errors import FileCorrupted, HTTPFailure, MediaNotFound
from tgbridge.http.representation import Representation, plan
from tgbridge.routes.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.telegram import media

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.http.representation import AnswerPlan
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.files.remote import RemoteFile

_SIZES: Final[Mapping[str, media.ThumbnailSize]] = MappingProxyType(
    {size: size for size in get_args(media.ThumbnailSize)}
)
_MAX_DIGITS: Final = 10  # of a signed 32-bit integer, which a message's id is
_NO_MEDIA: Final = "Media not found or message ID is invalid."
_NO_THUMBNAIL: Final = "Thumbnail not found for this message or message ID is invalid."
_PRECONDITION_FAILED: Final = "The file is not the one that the request expects."
_RANGE_NOT_SATISFIABLE: Final = "The file has no such bytes."
_INVALID_SIZE: Final = "Invalid size. Please use small, medium or large."
_WRITTEN_AT_ONCE: Final = 256 * 1024  # bytes: asyncio copies what the socket does not take of one write
_NOT_ASKED_FOR: Final = frozenset({None, "", "0", "false"})


async def fetch_file(client: BridgeClient, message_id: int, thumbnail: str = "") -> RemoteFile:
    """Ask Telegram for a message's file, or for its thumbnail of a size. For the FileLookup."""
    # Most files are at home: the connection is made while the message is asked for.
    client.files.warm(client.home_dc_id)
    message = await media.get_message(client, message_id)
    return media.remote_thumbnail(message, _SIZES[thumbnail]) if thumbnail else media.remote_file(message)


async def stream_media(request: web.Request) -> web.StreamResponse:
    """Send a message's file, whole or in part."""
    return await _send(request)


async def stream_thumbnail(request: web.Request) -> web.StreamResponse:
    """Send the thumbnail of a message's file, whole."""
    size = _SIZES.get(request.query.get("size", "medium"))
    if size is None:
        raise HTTPFailure(400, _INVALID_SIZE, code="INVALID_SIZE")
    return await _send(request, size)


async def _send(request: web.Request, thumbnail: str = "") -> web.StreamResponse:
    client, lookup, message_id = request[keys.CLIENT], request.app[keys.LOOKUP], _message_id(request)
    # A player asks for many ranges of what it plays. Who asks for the whole, wants it as it is now.
    find = lookup.find if hdrs.RANGE in request.headers else lookup.renew
    file = await find(client, message_id, thumbnail)
    answer = _plan(request, file, ranges=not thumbnail)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.span is None:
        await response.prepare(request)
        return response
    start, stop = answer.span.start, answer.span.stop
    refetch = lookup.refetch(client, message_id, thumbnail)
    # Entering fetches the first part: what fails there has a status, what fails later breaks the connection.
    async with request.app[keys.DOWNLOADER].open(client, file, start, stop, refetch=refetch) as download:
        await response.prepare(request)
        missing = answer.span.length
        async for chunk in download:
            for start in range(0, len(chunk), _WRITTEN_AT_ONCE):
                # Waits while the socket's buffer is full, and the download with it.
                await response.write(chunk[start : start + _WRITTEN_AT_ONCE])
            missing -= len(chunk)
    if missing:
        raise FileCorrupted("the file has another length than its size promises")
    await response.write_eof()
    return response


def _plan(request: web.Request, file: RemoteFile, *, ranges: bool) -> AnswerPlan:
    answer = plan(
        request.method,
        # Field lines of the same name are one list (RFC 9110 section 5.3).
        {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers},
        Representation(file.size, file.etag, file.date, file.mime_type, file.name, ranges=ranges),
        now=datetime.now(UTC),
        download=request.query.get("download") not in _NOT_ASKED_FOR,
    )
    _refuse(answer)
    return answer


def _refuse(answer: AnswerPlan) -> None:
    """Raise what the plan refuses: error bodies are made elsewhere."""
    if answer.status == web.HTTPPreconditionFailed.status_code:
        raise HTTPFailure(412, _PRECONDITION_FAILED, code="PRECONDITION_FAILED", headers=answer.headers)
    if answer.status == web.HTTPRequestRangeNotSatisfiable.status_code:
        raise HTTPFailure(416, _RANGE_NOT_SATISFIABLE, code="RANGE_NOT_SATISFIABLE", headers=answer.headers)


def _message_id(request: web.Request) -> int:
    """Return the id in the path; raise MediaNotFound for what can't be one, since no message has it."""
    text = request.match_info["message_id"]
    # Python takes the digits of any script, and refuses to convert thousands of them.
    digits = text.lstrip("0") if text.isascii() and text.isdigit() else ""
    if not 0 < len(digits) <= _MAX_DIGITS:
        raise MediaNotFound
    return int(digits)


_MESSAGE_ID: Final = Parameter("message_id", "path", int, "The message's id, as in the list.")
_DOWNLOAD: Final = Parameter(
    "download",
    "query",
    str,
    "Asks the browser to save the file, whatever its type, unless it is 0, false or empty.",
)
_CONDITIONS: Final = tuple(
    Parameter(name, "header", str, f"RFC 9110 section {section}.")
    for name, section in (
        ("If-Match", "13.1.1"),
        ("If-None-Match", "13.1.2"),
        ("If-Modified-Since", "13.1.3"),
        ("If-Unmodified-Since", "13.1.4"),
    )
)
_NOT_MODIFIED: Final = Success("The copy that the client has is still right.", None, status=304)

ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/stream_media/{message_id}",
        stream_media,
        summary="The bytes of a file",
        failed="Failed to stream media.",
        not_found=_NO_MEDIA,
        signed_in=True,
        parameters=(
            _MESSAGE_ID,
            _DOWNLOAD,
            Parameter("Range", "header", str, "RFC 9110 section 14.2: one range of bytes."),
            Parameter("If-Range", "header", str, "RFC 9110 section 13.1.5."),
            *_CONDITIONS,
        ),
        answers=(
            Success(
                "The whole file, with its own Content-Type.",
                None,
                media_type="*/*",
                headers=(
                    ("Accept-Ranges", "bytes"),
                    ("ETag", "A strong tag, of the file and not of the message."),
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
            Refusal(404, _NO_MEDIA),
            Refusal(412, _PRECONDITION_FAILED, "PRECONDITION_FAILED"),
            Refusal(
                416,
                _RANGE_NOT_SATISFIABLE,
                "RANGE_NOT_SATISFIABLE",
                headers=(("Content-Range", "The file's size: bytes */size."),),
            ),
        ),
    ),
    Endpoint(
        "GET",
        "/stream_thumbnail/{message_id}",
        stream_thumbnail,
        summary="The bytes of a file's thumbnail",
        failed="Failed to stream thumbnail.",
        not_found=_NO_THUMBNAIL,
        signed_in=True,
        parameters=(
            _MESSAGE_ID,
            Parameter(
                "size",
                "query",
                media.ThumbnailSize,
                "The thumbnail nearest to 100, 320 or 800 pixels on its longer side; medium by default.",
            ),
            _DOWNLOAD,
            *_CONDITIONS,
        ),
        answers=(
            Success(
                "The thumbnail, usually image/jpeg.",
                None,
                media_type="image/*",
                headers=(("ETag", "A strong tag of the thumbnail."),),
            ),
            _NOT_MODIFIED,
            Refusal(400, _INVALID_SIZE, "INVALID_SIZE"),
            Refusal(404, _NO_THUMBNAIL),
            Refusal(412, _PRECONDITION_FAILED, "PRECONDITION_FAILED"),
        ),
    ),
)
