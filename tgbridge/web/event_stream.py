"""Answering with server-sent events (http/sse.py writes them, this sends them).

::

    if request.method == hdrs.METH_HEAD:
        return await no_events(request)
    first = await something_that_may_fail()  # while there is no status line yet
    async with event_stream(request) as stream:
        await stream.send(Event(first))
        ...
    return stream.response

The browser's EventSource connects again by itself when a stream ends, unless the page has closed it. That is
why a stream that is broken off needs no event of its own: it ends, or is answered by an error the next time.
A service that stops ends its streams in good order, and says when to come back.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttp import web

from tgbridge.http.sse import HEADERS, KEEP_ALIVE, aside
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tgbridge.http.sse import Event

KEEP_ALIVE_SECONDS: Final = 15.0

RETRY_MILLISECONDS: Final = (1000, 5000)
"""When browsers come back to a service that has stopped: a restart takes a second or two. Not all at once."""

_LAST_WORD_SECONDS: Final = 1.0


class EventStream:
    """An answer under way."""

    def __init__(self, response: web.StreamResponse) -> None:
        self.response = response

    async def send(self, event: Event | bytes) -> None:
        """Send an event, or what was encoded before; waits while the socket's buffer is full."""
        await self.response.write(event if isinstance(event, bytes) else event.encode())


@asynccontextmanager
async def event_stream(
    request: web.Request, *, keep_alive_seconds: float | None = KEEP_ALIVE_SECONDS
) -> AsyncIterator[EventStream]:
    """Begin the answer, keep the connection alive for as long as the block runs, and end the answer.

    ``keep_alive_seconds`` is None where the block itself does that.
    The block is cancelled when the browser goes away, and at once when the service begins to drain; in the
    latter case what follows the block runs on. What the block raises breaks the connection off.
    """
    in_flight = request.app[keys.IN_FLIGHT]
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    async with _kept_alive(response, keep_alive_seconds):
        try:
            with in_flight.endless():
                yield EventStream(response)
        except asyncio.CancelledError:
            if not in_flight.forgive_stop():
                raise
            await _end(request, response)
    await response.write_eof()


async def _end(request: web.Request, response: web.StreamResponse) -> None:
    """Say when to come back, to whoever still reads: a stop waits for nobody else."""
    try:
        async with asyncio.timeout(_LAST_WORD_SECONDS):
            await response.write(aside(retry=random.randint(*RETRY_MILLISECONDS)))
    except TimeoutError:
        request.protocol.force_close()


@asynccontextmanager
async def _kept_alive(response: web.StreamResponse, seconds: float | None) -> AsyncIterator[None]:
    if seconds is None:
        yield
        return
    keeping_alive = asyncio.create_task(_keep_alive(response, seconds))
    try:
        yield
    finally:
        keeping_alive.cancel()
        await asyncio.wait({keeping_alive})


async def no_events(request: web.Request) -> web.StreamResponse:
    """Answer HEAD."""
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    return response


async def _keep_alive(response: web.StreamResponse, seconds: float) -> None:
    try:
        while True:
            await asyncio.sleep(seconds)
            await response.write(KEEP_ALIVE)
    except ConnectionError:
        return  # the browser has gone; the block is being cancelled
