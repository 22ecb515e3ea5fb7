"""Outermost: every request has an id, is counted while it lasts, and is known to have ended."""

from __future__ import annotations

import asyncio
import os
import re
import time
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import hdrs, web

from tgbridge.web import keys
from tgbridge.web.inflight import BodyBytes
from tgbridge.web.logs import log_request
from tgbridge.web.routing import endpoint_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler
    from aiohttp.web_request import BaseRequest

HEADER: Final = "X-Request-Id"
# A proxy's id is taken over, so that its log and ours go together; anything else could be an attack on a log.
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


@web.middleware
async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, and count it as in flight."""
    request_id = name_request(request)
    in_flight, loop = request.app[keys.IN_FLIGHT], asyncio.get_running_loop()
    began, task = loop.time(), in_flight.begin()
    request[keys.BEGAN] = time.perf_counter()
    bound = structlog.contextvars.bind_contextvars(request_id=request_id)
    try:
        return await handler(request)
    except BaseException as error:
        # aiohttp's access logger is not told of what ends without a response.
        started: web.StreamResponse | None = request.get(keys.STARTED)
        _count_broken(request, started, by_service=in_flight.ended_by_stop)
        reason = "the service stops" if in_flight.ended_by_stop else type(error).__name__
        log_request(request, None if started is None else started.status, loop.time() - began, reason)
        raise
    finally:
        structlog.contextvars.reset_contextvars(**bound)
        in_flight.end(task)


def _count_broken(request: web.Request, started: web.StreamResponse | None, *, by_service: bool) -> None:
    tally, route = request.app[keys.TALLY], _route(request)
    if started is None:
        tally.unanswered(request.method, route)
    else:
        tally.broke(route, "service" if by_service else "client")


def _count(request: web.Request, response: web.StreamResponse) -> None:
    began = request.get(keys.BEGAN)
    if began is None:
        return  # the answer to an error beyond all middleware
    failure, seconds = request.get(keys.FAILURE), time.perf_counter() - began
    code = None if failure is None else failure.code
    request.app[keys.TALLY].answered(request.method, _route(request), response.status, code, seconds)


def _route(request: web.Request) -> str | None:
    endpoint = endpoint_of(request)
    return None if endpoint is None else endpoint.path


def name_request(request: BaseRequest) -> str:
    """Give a request its id, if it has none yet, and return it."""
    request_id = request.get(keys.REQUEST_ID)
    if request_id is None:
        inbound = request.headers.get(HEADER, "")
        request_id = inbound if _WELL_FORMED.fullmatch(inbound) else os.urandom(16).hex()
        request[keys.REQUEST_ID] = request_id
    return request_id


async def mark_started(request: web.Request, response: web.StreamResponse) -> None:
    """Name the request in its answer. The last thing that happens before the status line is sent."""
    request_id = request.get(keys.REQUEST_ID)
    if request_id is not None:
        response.headers[HEADER] = request_id
    response.headers[hdrs.SERVER] = "tgbridge"
    waits_for_continue = hdrs.EXPECT in request.headers and not request.get(keys.CONTINUED, False)
    if request.app[keys.IN_FLIGHT].draining or waits_for_continue:
        # A client that was not asked for its body may send it or not (RFC 9110, 10.1.1): what follows on this
        # connection could be either.
        response.headers[hdrs.CONNECTION] = "close"
    if response.headers.get(hdrs.CONNECTION) == "close":
        response.force_close()
    if (timing := request.get(keys.TIMING)) is not None:
        response.headers["Server-Timing"] = str(timing)
    _count(request, response)
    request[keys.STARTED] = response
    request[keys.SENT] = request.writer.on_body_write = BodyBytes()
