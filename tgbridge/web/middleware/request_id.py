"""Outermost: every request has an id, is counted while it lasts, and is known to have ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from multidict import istr

from tgbridge.web.beginning import HEADER, exchange_of
from tgbridge.web.logs import REQUEST_ID, log_request

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

    from tgbridge.web.exchange import Exchange
    from tgbridge.web.inflight import InFlight
    from tgbridge.web.middleware.checks import Finish
    from tgbridge.web.tally import RequestTally

_SERVER_TIMING: Final = istr("Server-Timing")


def counting(in_flight: InFlight, tally: RequestTally) -> Middleware:
    """Return the middleware that counts each request as in flight, and knows how it ends."""

    @web.middleware
    async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange = exchange_of(request)
        # aiohttp runs each request in a task of its own, with whose context this goes.
        REQUEST_ID.set(exchange.request_id)
        began, task = time.monotonic(), in_flight.begin()
        exchange.began = began
        try:
            return await handler(request)
        except BaseException as error:
            # aiohttp's access logger is not told of what ends without a response.
            by_stop = in_flight.ended_by_stop
            _count_broken(tally, request, exchange, by_service=by_stop)
            status = None if exchange.started is None else exchange.started.status
            reason = "the service stops" if by_stop else type(error).__name__
            log_request(request, status, time.monotonic() - began, reason)
            raise
        finally:
            in_flight.end(task)

    return request_id_middleware


def _count_broken(tally: RequestTally, request: web.Request, exchange: Exchange, *, by_service: bool) -> None:
    if exchange.started is None:
        tally.unanswered(request.method, exchange.route)
    else:
        tally.broke(exchange.route, "service" if by_service else "client")


def starting(in_flight: InFlight, tally: RequestTally) -> Finish:
    """Return the last thing that happens before a status line is sent: the request is named and counted."""

    def mark_started(request: web.Request, exchange: Exchange, response: web.StreamResponse) -> None:
        headers = response.headers
        headers[HEADER] = exchange.request_id
        headers[hdrs.SERVER] = "tgbridge"
        waits_for_continue = hdrs.EXPECT in request.headers and not exchange.continued
        if in_flight.draining or waits_for_continue:
            # A client that was not asked for its body may send it or not (RFC 9110, 10.1.1): what follows on
            # this connection could be either.
            headers[hdrs.CONNECTION] = "close"
        if headers.get(hdrs.CONNECTION) == "close":
            response.force_close()
        if exchange.timing is not None:
            headers[_SERVER_TIMING] = str(exchange.timing)
        if exchange.began is not None:  # or it answers an error beyond all middleware
            code = None if exchange.failure is None else exchange.failure.code
            seconds = time.monotonic() - exchange.began
            tally.answered(request.method, exchange.route, response.status, code, seconds)
        exchange.start(response)
        request.writer.on_body_write = exchange.count

    return mark_started
