"""Outermost: every request has an id, is counted while it lasts, and is known to have ended."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Final

import structlog
from aiohttp import hdrs, web

from tgbridge import keys

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

HEADER: Final = "X-Request-Id"
# A proxy's id is taken over, so that its log and ours go together; anything else could be an attack on a log.
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = structlog.get_logger("tgbridge.access")


class BodyBytes:
    """How many bytes of a body have been handed to the socket."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, size: int, _with_head_and_framing: int) -> None:
        """Count a piece. aiohttp calls this, with what it has written in all."""
        self.count += size


@web.middleware
async def request_id_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request its id, and count it as in flight."""
    inbound = request.headers.get(HEADER, "")
    request_id = inbound if _WELL_FORMED.fullmatch(inbound) else uuid.uuid4().hex
    request[keys.REQUEST_ID] = request_id
    with (
        request.app[keys.IN_FLIGHT].counted(),
        structlog.contextvars.bound_contextvars(request_id=request_id),
    ):
        try:
            return await handler(request)
        except BaseException as error:
            # aiohttp's access logger sees answers that were sent whole, but none that broke off.
            _log.info(
                "broken off",
                method=request.method,
                path=request.path,
                address=caller.address if (caller := request.get(keys.CALLER)) is not None else None,
                status=started.status if (started := request.get(keys.STARTED)) is not None else None,
                bytes=sent.count if (sent := request.get(keys.SENT)) is not None else None,
                reason=type(error).__name__,
            )
            raise


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
    request[keys.STARTED] = response
    request[keys.SENT] = request.writer.on_body_write = BodyBytes()
