"""Outermost: every request has an id, is counted while it lasts, and is known to have ended."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web
from multidict import istr

from tgbridge.web import keys
from tgbridge.web.exchange import Exchange
from tgbridge.web.logs import REQUEST_ID, log_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp.typedefs import Handler
    from aiohttp.web_request import BaseRequest

HEADER: Final = istr("X-Request-Id")
_SERVER_TIMING: Final = istr("Server-Timing")
# A proxy's id is taken over, so that its log and ours go together; anything else could be an attack on a log.
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_ID_BYTES: Final = 16


def _random_ids() -> Iterator[str]:
    """Give ids, of which the system makes many at once: that is cheaper."""
    digits = 2 * _ID_BYTES
    while True:
        many = os.urandom(64 * _ID_BYTES).hex()
        yield from (many[start : start + digits] for start in range(0, len(many), digits))


_RANDOM_IDS: Final = _random_ids()


@web.middleware
async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, and count it as in flight."""
    exchange = exchange_of(request)
    # aiohttp runs each request in a task of its own, with whose context this goes.
    REQUEST_ID.set(exchange.request_id)
    in_flight = request.app[keys.IN_FLIGHT]
    began, task = time.monotonic(), in_flight.begin()
    exchange.began = began
    try:
        return await handler(request)
    except BaseException as error:
        # aiohttp's access logger is not told of what ends without a response.
        _count_broken(request, exchange, by_service=in_flight.ended_by_stop)
        status = None if exchange.started is None else exchange.started.status
        reason = "the service stops" if in_flight.ended_by_stop else type(error).__name__
        log_request(request, status, time.monotonic() - began, reason)
        raise
    finally:
        in_flight.end(task)


def _count_broken(request: web.Request, exchange: Exchange, *, by_service: bool) -> None:
    tally = request.app[keys.TALLY]
    if exchange.started is None:
        tally.unanswered(request.method, exchange.route)
    else:
        tally.broke(exchange.route, "service" if by_service else "client")


def _count(request: web.Request, exchange: Exchange, response: web.StreamResponse) -> None:
    if exchange.began is None:
        return  # the answer to an error beyond all middleware
    code = None if exchange.failure is None else exchange.failure.code
    seconds = time.monotonic() - exchange.began
    request.app[keys.TALLY].answered(request.method, exchange.route, response.status, code, seconds)


def exchange_of(request: BaseRequest) -> Exchange:
    """Return what is noted of a request; give it its id, if it has none yet."""
    exchange: Exchange | None = request.get(keys.EXCHANGE)
    if exchange is None:
        inbound = request.headers.get(HEADER)
        request_id = inbound if inbound and _WELL_FORMED.fullmatch(inbound) else next(_RANDOM_IDS)
        exchange = request[keys.EXCHANGE] = Exchange(request_id)
    return exchange


def mark_started(request: web.Request, response: web.StreamResponse) -> None:
    """Name the request in its answer. The last thing that happens before the status line is sent."""
    exchange, headers = request[keys.EXCHANGE], response.headers
    headers[HEADER] = exchange.request_id
    headers[hdrs.SERVER] = "tgbridge"
    waits_for_continue = hdrs.EXPECT in request.headers and not exchange.continued
    if request.app[keys.IN_FLIGHT].draining or waits_for_continue:
        # A client that was not asked for its body may send it or not (RFC 9110, 10.1.1): what follows on this
        # connection could be either.
        headers[hdrs.CONNECTION] = "close"
    if headers.get(hdrs.CONNECTION) == "close":
        response.force_close()
    if exchange.timing is not None:
        headers[_SERVER_TIMING] = str(exchange.timing)
    _count(request, exchange, response)
    exchange.start(response)
    request.writer.on_body_write = exchange.count
