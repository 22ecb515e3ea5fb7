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
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler, _ErrInfo

from tgbridge.http.statuses import failure_of_status
from tgbridge.web import keys
from tgbridge.web.answers import failure_answer
from tgbridge.web.beginning import HEADER, begin_exchange, exchange_of
from tgbridge.web.connections import overloaded
from tgbridge.web.logs import frames, log_request
from tgbridge.web.middleware.headers import SAFE_HEADERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.web_request import BaseRequest

    from tgbridge.errors import HTTPFailure
    from tgbridge.settings.server import ServerSettings
    from tgbridge.web.connections import Connections
    from tgbridge.web.tally import RequestTally

MAX_HEAD_BYTES: Final = 32 * 1024
"""Of all header fields together, as nginx by default; aiohttp takes 128, and bounds each of them."""

MAX_SEGMENTS: Final = 64
"""Of a path, ten times what any has here. aiohttp's router cuts them off one by one, in quadratic time."""

_log = structlog.get_logger(__name__)


class _Protocol(RequestHandler):
    """One connection, which is waited for only so long: for a head's rest, and to take what is sent.

    aiohttp sets no bound to either. A timer runs only while one of them is under way.
    """

    __slots__ = ("_head_timer", "_left_to_send", "_server", "_write_timer", "is_surplus")

    def __init__(self, server: _Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._left_to_send = 0
        self.is_surplus = False
        """Whether it is one too many, which is all that it is told."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place, if there is one."""
        super().connection_made(transport)
        server = self._server
        match server.connections_open.add(self, transport.get_extra_info("socket").fileno()):
            case "surplus":
                self.is_surplus = True
                self._await_head()
            case "out":
                server.tally.bounds["connections"] += 1
                cast("asyncio.Transport", transport).abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the place back."""
        self._server.connections_open.discard(self)
        self._head_has_come()
        self._stop_write_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Begin to wait for the rest of a head, if this is only its beginning."""
        super().data_received(data)
        waiter = self._waiter
        # A new connection may bring bytes before aiohttp waits for any.
        if self._request_count and (waiter is None or waiter.done()):
            if self._head_timer is not None:
                self._head_has_come()
        elif data and self._head_timer is None:
            self._await_head()

    def idle_since(self) -> float | None:
        """Return since when it waits for a request, by the loop's clock; None if it does not."""
        if self._waiter is None or self._waiter.done():
            return None
        return self._next_keepalive_close_time - self._keepalive_timeout

    def end_idle(self) -> None:
        """Close it, to make room for another."""
        self._server.tally.bounds["idle_connections"] += 1
        self.force_close()

    def _await_head(self) -> None:
        seconds = self._server.settings.head_timeout_seconds
        self._head_timer = self._loop.call_later(seconds, self._head_is_late)

    def _head_has_come(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        """Answer 408, as what is no HTTP is answered (RFC 9110, section 15.5.9)."""
        self._head_timer = None
        if self._waiter is not None and not self._waiter.done():
            self._server.tally.bounds["head_seconds"] += 1
            self._messages.append((_ErrInfo(408, TimeoutError(), ""), EMPTY_PAYLOAD))
            self._waiter.set_result(None)

    def pause_writing(self) -> None:
        """Begin to wait for a reader who does not take what is there."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """The reader takes what is there."""
        self._stop_write_timer()
        super().resume_writing()

    def _await_reader(self) -> None:
        if self.transport is not None:
            self._left_to_send = self.transport.get_write_buffer_size()
            seconds = self._server.settings.send_timeout_seconds
            self._write_timer = self._loop.call_later(seconds, self._reader_is_late)

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _reader_is_late(self) -> None:
        """Cut off a reader who has taken nothing, but of a file: who pauses a video does that."""
        self._write_timer = None
        if self.transport is None:
            return
        request = self._current_request
        may_pause = request is not None and exchange_of(request).may_pause
        if may_pause or self.transport.get_write_buffer_size() < self._left_to_send:
            self._await_reader()
            return
        self._server.tally.bounds["send_seconds"] += 1
        self.transport.abort()

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


async def _refuse(request: BaseRequest, failure: HTTPFailure, tally: RequestTally) -> web.StreamResponse:
    return _answer(request, failure, tally)


def _refusal(request: BaseRequest, tally: RequestTally) -> HTTPFailure | None:
    """Return why a request is not even routed: it would only cost time."""
    if cast("_Protocol", request.protocol).is_surplus:
        tally.bounds["connections"] += 1
        return overloaded()
    if sum(map(len, chain.from_iterable(request.raw_headers))) > MAX_HEAD_BYTES:
        return failure_of_status(431)
    if request.rel_url.raw_path.count("/") > MAX_SEGMENTS:
        return failure_of_status(404)
    return None


def _bounded(
    handler: Callable[[BaseRequest], Awaitable[web.StreamResponse]], tally: RequestTally
) -> Callable[[BaseRequest], Awaitable[web.StreamResponse]]:
    def handle(request: BaseRequest) -> Awaitable[web.StreamResponse]:
        begin_exchange(request)
        failure = _refusal(request, tally)
        return handler(request) if failure is None else _refuse(request, failure, tally)

    return handle


class _Server(web.Server):
    """Makes a protocol for each connection."""

    def __init__(
        self,
        *args: Any,
        settings: ServerSettings,
        connections: Connections,
        tally: RequestTally,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.settings = settings
        self.connections_open = connections
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
            settings=self.app[keys.SETTINGS].server,
            connections=self.app[keys.CONNECTIONS],
            tally=tally,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,  # noqa: SLF001 - there is no other way to say which protocol it is
            **made._kwargs,  # noqa: SLF001
        )
