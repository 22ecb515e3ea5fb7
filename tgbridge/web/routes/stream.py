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

from tgbridge.errors import BridgeError, FileCorrupted, HTTPFailure
from tgbridge.http.representation import FIELDS, Representation, plan
from tgbridge.http.safety import FETCH_FIELDS, is_for_execution
from tgbridge.http.server_timing import ServerTiming
from tgbridge.telegram.finding import Finding, Outdated
from tgbridge.telegram.reading import Reading
from tgbridge.telegram.transfer.thumbnails import MOST_BYTES
from tgbridge.web import keys
from tgbridge.web.message_id import message_id_of
from tgbridge.web.routes.wanted import Wanted, wanted_file, wanted_thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.http.representation import AnswerPlan
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
    exchange, loan = request[keys.EXCHANGE], request[keys.LOAN]
    library = request.app[keys.LIBRARY].account(loan.account)
    timing = exchange.timing = ServerTiming()
    # Thumbnails are in memory, as a rule.
    is_read = request.method == "GET" and not wanted.is_thumbnail
    async with Finding(loan, library, wanted.message_id, wanted.pick, is_read=is_read) as finding:
        began = perf_counter()
        file = await finding.file()
        timing.add("lookup", perf_counter() - began)
        while True:
            try:
                return await _send(request, headers, wanted, finding, file=file, timing=timing)
            except Outdated as outdated:
                file = outdated.file
            except FileCorrupted:
                may_try_again = request.app[keys.CORRECTIONS].doubt(file)
                if not may_try_again or exchange.started is not None:
                    raise


async def _send(
    request: web.Request,
    headers: Mapping[str, str],
    wanted: Wanted,
    finding: Finding,
    *,
    file: RemoteFile,
    timing: ServerTiming,
) -> web.StreamResponse:
    app, loan, is_thumbnail = request.app, request[keys.LOAN], wanted.is_thumbnail
    try:
        right = app[keys.THUMBNAILS].known(loan.account, file) if is_thumbnail else None
        right = right or app[keys.CORRECTIONS].known(file)
        if right is None:
            began = perf_counter()
            client = await loan.client()
            async with finding.confirming():
                right = await app[keys.CORRECTIONS].apply(client, file, finding.refetch(client))
            timing.add("lookup", perf_counter() - began)
        answer = _plan(request, headers, right, wanted)
        if is_thumbnail and answer.span and right.content is None and right.size <= MOST_BYTES:
            began = perf_counter()
            client = await loan.client()
            async with finding.confirming():
                right = await app[keys.THUMBNAILS].fetch(client, right, finding.refetch(client))
            timing.add("first", perf_counter() - began)
        return await _answer(request, right, answer, finding, timing)
    except BridgeError:
        # Before what has failed comes that the session has ended, or the message holds it no more.
        await finding.confirm()
        raise


async def _answer(
    request: web.Request,
    file: RemoteFile,
    answer: AnswerPlan,
    finding: Finding,
    timing: ServerTiming,
) -> web.StreamResponse:
    if answer.span is not None and file.content is not None:
        await finding.confirm()
        # One write, head and all.
        content = file.content[answer.span.start : answer.span.stop]
        return web.Response(status=answer.status, headers=answer.headers, body=content)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    if answer.span is None:
        await finding.confirm()
        await response.prepare(request)
        return response
    reading = Reading(
        request.app[keys.DOWNLOADER],
        request[keys.LOAN],
        file,
        answer.span.start,
        answer.span.stop,
        refetch=finding.refetch,
        settings=request.app[keys.SETTINGS],
        abandon=partial(_break_off, request),
    )
    request[keys.EXCHANGE].may_pause = True
    # Entering fetches the first part: what fails there has a status, what fails later breaks the connection.
    async with AsyncExitStack() as stack:
        began = perf_counter()
        async with finding.confirming():
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
