"""Whether there is room for one more request at all: past the bound a quick answer, not a slow one to all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tgbridge.web.connections import overloaded

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.web.exchange import Exchange
    from tgbridge.web.inflight import InFlight
    from tgbridge.web.middleware.checks import Check
    from tgbridge.web.tally import RequestTally


def checking_room(most: int, in_flight: InFlight, tally: RequestTally) -> Check:
    """Return the step that refuses a request beyond ``most``; probes ask about this very state.

    It raises HTTPFailure 503.
    """

    def check_room(_request: web.Request, exchange: Exchange) -> None:
        endpoint = exchange.endpoint
        if len(in_flight) > most and not (endpoint is not None and endpoint.probe):
            tally.bounds["requests"] += 1
            raise overloaded()

    return check_room
