"""What is answered without any middleware: to what is no HTTP, or too much, and to an error beyond all of it.

aiohttp's own answer repeats what was sent, a cookie perhaps, and in debug mode shows a traceback.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, cast

import structlog
from aiohttp import hdrs, web
from aiohttp.web_protocol import RequestHandler

from tgbridge.http.statuses import failure_of_status
from tgbridge.web import keys
from tgbridge.web.answers import failure_answer
from tgbridge.web.logs import frames, log_request
from tgbridge.web.middleware.headers import SAFE_HEADERS
from tgbridge.web.middleware.request_id import HEADER, exchange_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.web_request import BaseRequest

    from tgbridge.errors import HTTPFailure
    from tgbridge.web.tally import RequestTally

MAX_HEAD_BYTES: Final = 32 * 1024
"""Of all header fields together, as nginx by default; aiohttp takes 128, and bounds each of them."""

MAX_SEGMENTS: Final = 64
"""Of a path, ten times what any has here. aiohttp's router cuts them off one by one, in quadratic time."""

_log = structlog.get_logger(__name__)


class _Protocol(RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Answer in the contract's words, and end the connection.

        Raises ConnectionError if an answer has begun, since nothing else can be sent then.
        """
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            told = [] if exc is None else frames(exc)
            request_id = exchange_of(request).request_id
            _log.error(
                "error beyond all middleware", request_id=request_id, error=type(exc).__name__, frames=told
            )
        else:
            # Anybody can send anything: nothing that somebody should have to look at.
            request_id = exchange_of(request).request_id
            _log.info("no HTTP", request_id=request_id, address=request.remote, error=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        failure = failure_of_status(status, details=type(exc).__name__)
        return _answer(request, failure, cast("_Server", self._manager).tally)

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send what is left of an answer: all of it, unless it was streamed. No middleware sees this."""
        try:
            return await super().finish_response(request, resp, start_time)
        except asyncio.CancelledError as error:
            # The reader has gone; aiohttp logs nothing then.
            now = asyncio.get_running_loop().time()
            log_request(request, resp.status, now - (start_time or now), type(error).__name__)
            raise


def _answer(request: BaseRequest, failure: HTTPFailure, tally: RequestTally) -> web.StreamResponse:
    exchange = exchange_of(request)
    exchange.failure = failure
    if exchange.began is None:  # or it was counted as it was answered
        tally.refused(failure.status)
    response = failure_answer(failure)
    response.headers.update({**SAFE_HEADERS, HEADER: exchange.request_id, hdrs.SERVER: "tgbridge"})
    response.force_close()
    return response


def _refusal(request: BaseRequest) -> HTTPFailure | None:
    """Return why a request is not even routed: it would only cost time."""
    if sum(map(len, chain.from_iterable(request.raw_headers))) > MAX_HEAD_BYTES:
        return failure_of_status(431)
    if request.rel_url.raw_path.count("/") > MAX_SEGMENTS:
        return failure_of_status(404)
    return None


def _bounded(
    handler: Callable[[BaseRequest], Awaitable[web.StreamResponse]], tally: RequestTally
) -> Callable[[BaseRequest], Awaitable[web.StreamResponse]]:
    async def handle(request: BaseRequest) -> web.StreamResponse:
        failure = _refusal(request)
        return await handler(request) if failure is None else _answer(request, failure, tally)

    return handle


class _Server(web.Server):
    """Makes a protocol for each connection."""

    def __init__(self, *args: Any, tally: RequestTally, **options: Any) -> None:
        super().__init__(*args, **options)
        self.tally = tally

    def __call__(self) -> _Protocol:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """aiohttp's runner, with our protocol."""

    __slots__ = ()

    async def _make_server(self) -> _Server:
        made, tally = await super()._make_server(), self.app[keys.TALLY]
        return _Server(
            _bounded(made.request_handler, tally),
            tally=tally,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,  # noqa: SLF001 - there is no other way to say which protocol it is
            **made._kwargs,  # noqa: SLF001
        )
