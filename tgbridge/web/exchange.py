"""A request and its answer, as far as the middleware and the log have to know what has become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.http.forwarded import Caller

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.errors import HTTPFailure
    from tgbridge.http.server_timing import ServerTiming
    from tgbridge.web.endpoint import Endpoint


class Exchange:
    """What is noted of one request on its way, outermost middleware first."""

    began: float | None = None
    """When the first middleware saw it, by time.monotonic; None of what none has seen."""
    timing: ServerTiming | None = None
    """How long parts of its answer took, where that is told."""
    caller = Caller("", "", "")
    """Who asks, as far as that is known."""
    endpoint: Endpoint | None = None
    """What it is for, once that is known."""
    may_pause = False
    """Whether its reader may take nothing for long: a file is read as fast as it is looked at."""
    continued = False
    """Whether "100 Continue" has been sent."""
    started: web.StreamResponse | None = None
    """The response whose status line is on its way: from then on an error can only break it off."""
    sent: int | None = None
    """How many bytes of that response's body have been handed to the socket."""
    failure: HTTPFailure | None = None
    """What the request is refused with, for the log."""
    broken: BaseException | None = None
    """What has broken its answer off, for the log."""

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id

    @property
    def route(self) -> str | None:
        """The endpoint's path, with placeholders; None where there is no endpoint."""
        return None if self.endpoint is None else self.endpoint.path

    def start(self, response: web.StreamResponse) -> None:
        """Note that nothing but this response can be sent any more, of whose body nothing is out yet."""
        self.started = response
        self.sent = 0

    def count(self, size: int, _with_head_and_framing: int) -> None:
        """Count a piece of the body. aiohttp calls this, with what it has written in all."""
        self.sent = (self.sent or 0) + size
