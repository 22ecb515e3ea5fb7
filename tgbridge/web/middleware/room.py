"""Whether there is room for one more request at all: past the bound a quick answer, not a slow one to all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.web import keys
from tgbridge.web.connections import overloaded

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.web.endpoint import Endpoint


def check_room(request: web.Request, endpoint: Endpoint | None) -> None:
    """Refuse a request beyond ``server.max_requests``; probes ask about this very state.

    Raises HTTPFailure 503.
    """
    most = request.app[keys.SETTINGS].server.max_requests
    if len(request.app[keys.IN_FLIGHT]) > most and not (endpoint is not None and endpoint.probe):
        request.app[keys.TALLY].bounds["requests"] += 1
        raise overloaded()
