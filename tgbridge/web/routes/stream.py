"""The bytes of files and of their thumbnails, by RFC 9110. http/representation.py plans, this carries out.

stream_api.py declares the endpoints.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, get_args

from aiohttp import web

from tgbridge.errors import FileCorrupted, HTTPFailure, MediaNotFound
from tgbridge.http.representation import Representation, plan
from tgbridge.http.safety import is_for_execution
from tgbridge.telegram.reading import Reading
from tgbridge.telegram.saved.items import ThumbnailSize
from tgbridge.telegram.saved.saved_media import SavedMedia
from tgbridge.telegram.transfer.thumbnails import MOST_BYTES
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tgbridge.http.representation import AnswerPlan
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.loan import Loan
    from tgbridge.telegram.saved.items import Fit
    from tgbridge.telegram.saved.library import AccountLibrary
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import RemoteFile

_SIZES: Final[Mapping[str, ThumbnailSize]] = MappingProxyType(
    {size: size for size in get_args(ThumbnailSize)}
)
_MAX_DIGITS: Final = 10  # of a signed 32-bit integer, which a message's id is
PRECONDITION_FAILED: Final = "The file is not the one that the request expects."
RANGE_NOT_SATISFIABLE: Final = "The file has no such bytes."
INVALID_SIZE: Final = "Invalid size. Please use small, medium or large."
NOT_FOR_EXECUTION: Final = "Files are not served as scripts, style sheets, workers or manifests."
_NOT_ASKED_FOR: Final = frozenset({None, "", "0", "false"})


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


async def _send(request: web.Request, fit: Fit | None = None) -> web.StreamResponse:
    headers = _fields(request)
    if is_for_execution(headers):
        raise HTTPFailure(403, NOT_FOR_EXECUTION, code="NOT_FOR_EXECUTION")
    loan, message_id = request[keys.LOAN], _message_id(request)
    library = request.app[keys.LIBRARY].account(loan.account)
    pick = partial(SavedMedia.thumbnail, fit=fit) if fit else SavedMedia.file
    file = pick(await _looked_up(loan, library, message_id))
    refetch = partial(library.refetch, message_id=message_id, pick=pick)
    corrections = request.app[keys.CORRECTIONS]
    while True:
        try:
            right = await _corrected(request, file, refetch, is_thumbnail=fit is not None)
            answer = _plan(request, headers, right, ranges=not fit)
            if fit and answer.span and right.content is None and right.size <= MOST_BYTES:
                client = await loan.client()
                right = await request.app[keys.THUMBNAILS].fetch(client, right, refetch(client))
            return await _answer(request, right, answer, refetch)
        except FileCorrupted:
            may_try_again = corrections.doubt(file)
            if not may_try_again or keys.STARTED in request:
                raise


async def _looked_up(loan: Loan, library: AccountLibrary, message_id: int) -> SavedMedia:
    """Return what a message holds: of what is known, Telegram is not asked, but whether the session lives."""
    try:
        known = library.known(message_id)
    except MediaNotFound:
        await loan.vouch()
        raise
    if known is not None:
        await loan.vouch()
        return known
    client = await loan.client()
    # Most files are at home: the connection is made while the message is asked for.
    client.files.warm(client.home_dc_id)
    return await library.fetch(client, message_id)


async def _corrected(
    request: web.Request,
    file: RemoteFile,
    refetch: Callable[[BridgeClient], Refetch],
    *,
    is_thumbnail: bool,
) -> RemoteFile:
    """Return the file as it is, with its content if that is in memory."""
    loan, corrections = request[keys.LOAN], request.app[keys.CORRECTIONS]
    right = request.app[keys.THUMBNAILS].known(loan.account, file) if is_thumbnail else None
    right = right or corrections.known(file)
    if right is None:
        client = await loan.client()
        right = await corrections.apply(client, file, refetch(client))
    return right


async def _answer(
    request: web.Request, file: RemoteFile, answer: AnswerPlan, refetch: Callable[[BridgeClient], Refetch]
) -> web.StreamResponse:
    if answer.span is not None and file.content is not None:
        # One write, head and all.
        content = file.content[answer.span.start : answer.span.stop]
        return web.Response(status=answer.status, headers=answer.headers, body=content)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.span is None:
        await response.prepare(request)
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
    async with reading:
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
