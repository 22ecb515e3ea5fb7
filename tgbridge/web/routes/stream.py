"""The bytes of files and of their thumbnails, by RFC 9110. http/representation.py plans, this carries out.

stream_api.py declares the endpoints.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_args

from aiohttp import web

from tgbridge.errors import FileCorrupted, HTTPFailure, MediaNotFound
from tgbridge.http.representation import Representation, plan
from tgbridge.http.safety import is_for_execution
from tgbridge.http.server_timing import SERVER_TIMING, ServerTiming
from tgbridge.telegram.reading import Reading
from tgbridge.telegram.saved import messages as media
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tgbridge.http.representation import AnswerPlan
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import RemoteFile

_SIZES: Final[Mapping[str, media.ThumbnailSize]] = MappingProxyType(
    {size: size for size in get_args(media.ThumbnailSize)}
)
_MAX_DIGITS: Final = 10  # of a signed 32-bit integer, which a message's id is
PRECONDITION_FAILED: Final = "The file is not the one that the request expects."
RANGE_NOT_SATISFIABLE: Final = "The file has no such bytes."
INVALID_SIZE: Final = "Invalid size. Please use small, medium or large."
NOT_FOR_EXECUTION: Final = "Files are not served as scripts, style sheets, workers or manifests."
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


async def stream_named_media(request: web.Request) -> web.StreamResponse:
    """Send it under a name of the caller's choice, for players that go by extensions."""
    return await _send(request)


async def stream_thumbnail(request: web.Request) -> web.StreamResponse:
    """Send the thumbnail of a message's file, whole."""
    size = _SIZES.get(request.query.get("size", "medium"))
    if size is None:
        raise HTTPFailure(400, INVALID_SIZE, code="INVALID_SIZE")
    return await _send(request, size)


async def _send(request: web.Request, thumbnail: str = "") -> web.StreamResponse:
    headers = _fields(request)
    if is_for_execution(headers):
        raise HTTPFailure(403, NOT_FOR_EXECUTION, code="NOT_FOR_EXECUTION")
    client, lookup, message_id = request[keys.CLIENT], request.app[keys.LOOKUP], _message_id(request)
    # A player asks for many ranges of what it plays. Who asks for the whole, wants it as it is now.
    find = lookup.find if "range" in headers else lookup.renew
    timing = ServerTiming()
    with timing.of("lookup"):
        file = await find(client, message_id, thumbnail)
    refetch = partial(lookup.refetch, message_id=message_id, thumbnail=thumbnail)
    corrections = request.app[keys.CORRECTIONS]
    while True:
        try:
            right = await corrections.apply(client, file, refetch(client))
            answer = _plan(request, headers, right, ranges=not thumbnail)
            return await _answer(request, right, answer, refetch, timing)
        except FileCorrupted:
            may_try_again = corrections.doubt(file)
            if not may_try_again or keys.STARTED in request:
                raise


async def _answer(
    request: web.Request,
    file: RemoteFile,
    answer: AnswerPlan,
    refetch: Callable[[BridgeClient], Refetch],
    timing: ServerTiming,
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.span is None or file.content is not None:
        response.headers[SERVER_TIMING] = str(timing)
        await response.prepare(request)
        if answer.span is not None and file.content is not None:
            await response.write(file.content[answer.span.start : answer.span.stop])
        return response
    reading = Reading(
        request.app[keys.DOWNLOADER],
        request[keys.LOAN],
        file,
        answer.span.start,
        answer.span.stop,
        refetch=refetch,
        settings=request.app[keys.SETTINGS],
        abandon=partial(_break_off, request),
    )
    # Entering fetches the first part: what fails there has a status, what fails later breaks the connection.
    async with AsyncExitStack() as stack:
        with timing.of("first"):
            await stack.enter_async_context(reading)
        response.headers[SERVER_TIMING] = str(timing)
        await response.prepare(request)
        missing = answer.span.length
        async for piece in reading:
            # Waits while the socket's buffer is full, and the download with it.
            await response.write(piece)
            missing -= len(piece)
    if missing:
        raise FileCorrupted("the file has another length than its size promises")
    await response.write_eof()
    return response


def _break_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _fields(request: web.Request) -> dict[str, str]:
    """Give the request's fields by lower-case names; lines of one name are one list (RFC 9110, 5.3)."""
    return {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers}


def _plan(request: web.Request, headers: Mapping[str, str], file: RemoteFile, *, ranges: bool) -> AnswerPlan:
    answer = plan(
        request.method,
        headers,
        Representation(file.size, file.etag, file.date, file.mime_type, file.name, ranges=ranges),
        now=datetime.now(UTC),
        download=request.query.get("download") not in _NOT_ASKED_FOR,
    )
    _refuse(answer)
    return answer


def _refuse(answer: AnswerPlan) -> None:
    """Raise what the plan refuses: error bodies are made elsewhere."""
    if answer.status == web.HTTPPreconditionFailed.status_code:
        raise HTTPFailure(412, PRECONDITION_FAILED, code="PRECONDITION_FAILED", headers=answer.headers)
    if answer.status == web.HTTPRequestRangeNotSatisfiable.status_code:
        raise HTTPFailure(416, RANGE_NOT_SATISFIABLE, code="RANGE_NOT_SATISFIABLE", headers=answer.headers)


def _message_id(request: web.Request) -> int:
    """Return the id in the path; raise MediaNotFound for what can't be one, since no message has it."""
    text = request.match_info["message_id"]
    # Python takes the digits of any script, and refuses to convert thousands of them.
    digits = text.lstrip("0") if text.isascii() and text.isdigit() else ""
    if not 0 < len(digits) <= _MAX_DIGITS:
        raise MediaNotFound
    return int(digits)
