"""The bytes of files and of their thumbnails, by RFC 9110. http/representation.py plans, this carries out.

stream_api.py declares the endpoints.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Final

from aiohttp import web
from multidict import istr

from tgbridge.errors import FileCorrupted, HTTPFailure, MediaNotFound
from tgbridge.http.representation import FIELDS, Representation, plan
from tgbridge.http.safety import FETCH_FIELDS, is_for_execution
from tgbridge.http.server_timing import ServerTiming
from tgbridge.telegram.reading import Reading
from tgbridge.telegram.transfer.thumbnails import MOST_BYTES
from tgbridge.web import keys
from tgbridge.web.message_id import message_id_of
from tgbridge.web.routes.wanted import Wanted, wanted_file, wanted_thumbnail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tgbridge.http.representation import AnswerPlan
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.loan import Loan
    from tgbridge.telegram.saved.library import AccountLibrary
    from tgbridge.telegram.saved.saved_media import SavedMedia
    from tgbridge.telegram.transfer.download.source import Refetch
    from tgbridge.telegram.transfer.remote_file import RemoteFile
    from tgbridge.web.routes.wanted import Pick

PRECONDITION_FAILED: Final = "The file is not the one that the request expects."
RANGE_NOT_SATISFIABLE: Final = "The file has no such bytes."
NOT_FOR_EXECUTION: Final = "Files are not served as scripts, style sheets, workers or manifests."
_LOOKED_AT: Final = tuple((istr(name), name) for name in (*sorted(FIELDS), *FETCH_FIELDS))
_NOT_ASKED_FOR: Final = frozenset({None, "", "0", "false"})


async def stream_media(request: web.Request) -> web.StreamResponse:
    """Send a message's file, whole or in part."""
    return await send(request, _wanted(request, wanted_file(request.query)))


async def stream_named_media(request: web.Request) -> web.StreamResponse:
    """Send it under a name of the caller's choice, for players that go by extensions."""
    return await stream_media(request)


async def stream_thumbnail(request: web.Request) -> web.StreamResponse:
    """Send the thumbnail of a message's file, whole."""
    return await send(request, _wanted(request, wanted_thumbnail(request.query), is_thumbnail=True))


async def send(request: web.Request, wanted: Wanted) -> web.StreamResponse:
    """Answer with a file of the account's that the request's loan is of.

    Raises HTTPFailure 403, 412 and 416, MediaNotFound, and TelegramFailure kinds.
    """
    headers = _fields(request)
    if is_for_execution(headers):
        raise HTTPFailure(403, NOT_FOR_EXECUTION, code="NOT_FOR_EXECUTION")
    app, loan, is_thumbnail = request.app, request[keys.LOAN], wanted.is_thumbnail
    library = app[keys.LIBRARY].account(loan.account)
    timing = request[keys.EXCHANGE].timing = ServerTiming()
    began = perf_counter()
    file = wanted.pick(await looked_up(loan, library, wanted.message_id))
    timing.add("lookup", perf_counter() - began)
    refetch = partial(library.refetch, message_id=wanted.message_id, pick=wanted.pick)
    corrections = app[keys.CORRECTIONS]
    while True:
        try:
            right = app[keys.THUMBNAILS].known(loan.account, file) if is_thumbnail else None
            right = right or corrections.known(file)
            if right is None:
                began = perf_counter()
                client = await loan.client()
                right = await corrections.apply(client, file, refetch(client))
                timing.add("lookup", perf_counter() - began)
            answer = _plan(request, headers, right, wanted)
            if is_thumbnail and answer.span and right.content is None and right.size <= MOST_BYTES:
                began = perf_counter()
                client = await loan.client()
                right = await app[keys.THUMBNAILS].fetch(client, right, refetch(client))
                timing.add("first", perf_counter() - began)
            return await _answer(request, right, answer, refetch, timing)
        except FileCorrupted:
            may_try_again = corrections.doubt(file)
            if not may_try_again or request[keys.EXCHANGE].started is not None:
                raise


async def looked_up(loan: Loan, library: AccountLibrary, message_id: int) -> SavedMedia:
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


async def _answer(
    request: web.Request,
    file: RemoteFile,
    answer: AnswerPlan,
    refetch: Callable[[BridgeClient], Refetch],
    timing: ServerTiming,
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
    request[keys.EXCHANGE].may_pause = True
    # Entering fetches the first part: what fails there has a status, what fails later breaks the connection.
    async with AsyncExitStack() as stack:
        began = perf_counter()
        await stack.enter_async_context(reading)
        timing.add("first", perf_counter() - began)
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
    """Give what counts of the request's fields, lines of one name as one list (RFC 9110, section 5.3)."""
    headers = request.headers
    return {name: ", ".join(headers.getall(field)) for field, name in _LOOKED_AT if field in headers}


def _plan(request: web.Request, headers: Mapping[str, str], file: RemoteFile, wanted: Wanted) -> AnswerPlan:
    answer = plan(
        request.method,
        headers,
        Representation(
            file.size, file.etag, file.date, file.mime_type, file.name, ranges=not wanted.is_thumbnail
        ),
        now=datetime.now(UTC),
        download=wanted.download,
        immutable=wanted.version is not None and wanted.version == file.version,
    )
    _refuse(answer)
    return answer


def _refuse(answer: AnswerPlan) -> None:
    """Raise what the plan refuses: error bodies are made elsewhere."""
    if answer.status == web.HTTPPreconditionFailed.status_code:
        raise HTTPFailure(412, PRECONDITION_FAILED, code="PRECONDITION_FAILED", headers=answer.headers)
    if answer.status == web.HTTPRequestRangeNotSatisfiable.status_code:
        raise HTTPFailure(416, RANGE_NOT_SATISFIABLE, code="RANGE_NOT_SATISFIABLE", headers=answer.headers)


def _wanted(request: web.Request, pick: Pick, *, is_thumbnail: bool = False) -> Wanted:
    return Wanted(
        message_id_of(request),
        pick,
        is_thumbnail=is_thumbnail,
        download=request.query.get("download") not in _NOT_ASKED_FOR,
        version=request.query.get("v"),
    )
