"""Whatever is raised becomes the contract's JSON answer, or breaks the one that has begun."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import hdrs, web

from tgbridge.errors import BridgeError, HTTPFailure, failure_of
from tgbridge.http.statuses import failure_of_status
from tgbridge.web import keys
from tgbridge.web.answers import failure_answer
from tgbridge.web.endpoint import INTERNAL_ERROR
from tgbridge.web.logs import frames
from tgbridge.web.routing import endpoint_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_log = structlog.get_logger(__name__)


@web.middleware
async def errors_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever the rest of the way raises. A cancellation passes: nobody is there to be answered."""
    try:
        return await handler(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is answered
        exchange = request[keys.EXCHANGE]
        if exchange.started is None:
            exchange.failure = _failure(request, error)
            return failure_answer(exchange.failure)
        _break_off(request, error)
        return exchange.started


def _break_off(request: web.Request, error: Exception) -> None:
    """End the connection short of what was announced, which every client notices.

    A second response inside the first would look like its body. Raising would do as well, but aiohttp logs
    what is raised, messages included.
    """
    exchange = request[keys.EXCHANGE]
    exchange.broken = error
    if isinstance(error, BridgeError):
        exchange.failure = failure_of(error, failed="")
    endpoint, has_gone = exchange.endpoint, request.transport is None or request.transport.is_closing()
    route = None if endpoint is None else endpoint.path
    request.app[keys.TALLY].broke(route, "client" if has_gone else "service")
    if has_gone:
        _log.debug("browser gone", error=type(error).__name__)
        return
    _log.warning("answer broken off", error=type(error).__name__, frames=frames(error))
    request.protocol.force_close()


def _failure(request: web.Request, error: Exception) -> HTTPFailure:
    endpoint = endpoint_of(request)
    failed = (endpoint.failed if endpoint is not None else None) or INTERNAL_ERROR
    match error:
        case BridgeError():
            failure = failure_of(error, failed=failed, not_found=endpoint.not_found if endpoint else None)
            if failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.warning("request failed", code=failure.code, details=failure.details)
            return failure
        case web.HTTPException():
            return _of_http(error)
        case web.RequestPayloadError():
            # Broken chunks, a wrong length, a compression that is none.
            return HTTPFailure(400, "The request's body is malformed.", code="INVALID_BODY")
        case _:
            _log.error("unexpected error", error=type(error).__name__, frames=frames(error))
            return HTTPFailure(500, failed, code="INTERNAL_ERROR", details=type(error).__name__)


def _of_http(error: web.HTTPException) -> HTTPFailure:
    """Say an HTTP error of aiohttp's own (404, 405, 413, …) as ours, with the headers that belong to it."""
    headers = {"Allow": error.headers[hdrs.ALLOW]} if hdrs.ALLOW in error.headers else {}
    return failure_of_status(error.status, headers=headers)
