"""The metrics, for Prometheus; who else asks is told that there is nothing."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge.http.statuses import code_of, text_of
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Parameter, Refusal, Success
from tgbridge.web.metrics.collector import encode, read
from tgbridge.web.metrics.sources import Sources

if TYPE_CHECKING:
    from tgbridge.settings import Settings

# Written by whatever passes a request on, trusted or not. A proxy on this machine is on loopback, too.
_PASSED_ON: Final = frozenset(
    {"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"}
)


async def tell_metrics(request: web.Request) -> web.Response:
    """Answer with all metrics, as they are now."""
    if _PASSED_ON & request.headers.keys() or not _may_read(request.remote, request.app[keys.SETTINGS]):
        raise web.HTTPNotFound
    request.app[keys.LOOP_LAG].watch()
    metrics, accept = read(Sources.of(request.app)), request.headers.get(hdrs.ACCEPT, "")
    body, content_type = await asyncio.to_thread(encode, metrics, accept)
    return web.Response(body=body, headers={hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"})


def _may_read(peer: str | None, settings: Settings) -> bool:
    """Tell whether a peer is of this machine, or of those that the settings name."""
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:  # no TCP: whoever opens a Unix socket is of this machine, and of no address
        return False
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if address.is_loopback:
        return True
    is_proxy = any(address in network for network in settings.server.trusted_proxies)
    return not is_proxy and any(address in network for network in settings.metrics.allowed_addresses)


ENDPOINTS: Final = (
    Endpoint(
        "GET",
        "/metrics",
        tell_metrics,
        summary="Numbers for Prometheus",
        probe=True,
        parameters=(Parameter("Accept", "header", str, "Text, or OpenMetrics where that is asked for."),),
        answers=(
            Success("In Prometheus's text format; docs/metrics.md lists them.", str, media_type="text/plain"),
            Refusal(404, text_of(404), code_of(404)),
        ),
    ),
)
