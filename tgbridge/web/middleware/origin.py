"""Who may call: by which name of ours, and from which pages.

A browser sends the user's cookie with whatever a page makes it send. ``Origin`` tells which page that was,
``Sec-Fetch-Site`` at least where it came from; both are written by the browser, and no page can change them.
Who sends neither is no browser, has no user's cookie but its own, and is let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge.errors import HTTPFailure
from tgbridge.http.forwarded import is_address, is_host
from tgbridge.http.statuses import failure_of_status
from tgbridge.web import keys
from tgbridge.web.routing import endpoints_at

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from tgbridge.http.forwarded import Caller
    from tgbridge.settings.live import LiveSettings
    from tgbridge.web.endpoint import Endpoint
    from tgbridge.web.exchange import Exchange
    from tgbridge.web.middleware.checks import Check

INVALID_HOST: Final = "INVALID_HOST"
ORIGIN_NOT_ALLOWED: Final = "This origin may not call this service."
_WHO_MAY: Final = (
    "It is neither the service's own nor in cors.allowed_origins. Behind a proxy or a rewrite, the service "
    "knows its own only if server.trusted_proxies names the proxy's address."
)

SAFE_METHODS: Final = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS, hdrs.METH_TRACE})
# Typed into the address bar, or from a page of the service itself (Fetch Metadata, section 2.3).
_OWN_SITES: Final = frozenset({"same-origin", "none"})


def checking_origin(live: LiveSettings) -> Check:
    """Return the step that refuses what came by a wrong name, or from a page that may not call.

    It answers preflights.
    """

    def check_origin(request: web.Request, exchange: Exchange) -> Awaitable[web.StreamResponse] | None:
        endpoint = exchange.endpoint
        _check_host(exchange.caller, live.now.server.allowed_hosts, endpoint)
        if request.method == hdrs.METH_OPTIONS and _is_preflight(request):
            return _preflight(request)
        if endpoint is not None and _acts(request, endpoint):
            _check_origin(request)
        return None

    return check_origin


def allowed_origin(request: web.Request) -> str | None:
    """Return the page's origin if it is one of ``cors.allowed_origins``."""
    origin = request.headers.get(hdrs.ORIGIN)
    return origin if origin in request.app[keys.LIVE].now.cors.allowed_origins else None


def _check_host(caller: Caller, allowed: Sequence[str], endpoint: Endpoint | None) -> None:
    if caller.host and not is_host(caller.host):
        log = {"host": caller.host}
        # RFC 9112, section 3.2
        raise HTTPFailure(400, "The Host field is malformed.", code=INVALID_HOST, log=log)
    if allowed and caller.host_name not in allowed and not _is_probe(caller, endpoint):
        # Not 400: nothing is wrong with the request, but it is for another server (RFC 9110, section 7.4).
        raise failure_of_status(421, log={"host": caller.host})


def _is_probe(caller: Caller, endpoint: Endpoint | None) -> bool:
    """Tell whether it is about the process itself, by whoever runs it: those call it by its address.

    No page can make a browser do so and read the answer, since a name that points here is another origin.
    """
    name = caller.host_name
    return endpoint is not None and endpoint.probe and (name == "localhost" or is_address(name))


def _acts(request: web.Request, endpoint: Endpoint) -> bool:
    """Tell whether the request does something: a GET that begins a login does as well.

    A POST that means HEAD counts as the POST that a page has sent.
    """
    return endpoint.acts or request.method not in SAFE_METHODS or endpoint.method not in SAFE_METHODS


def _check_origin(request: web.Request) -> None:
    caller = request[keys.EXCHANGE].caller
    origins = request.headers.getall(hdrs.ORIGIN, [])
    sites = request.headers.getall("Sec-Fetch-Site", [])
    if origins:
        # "null" is the origin of every page in a sandbox, and equals none.
        good = origins == [allowed_origin(request)] or origins == [caller.own_origin]
    else:
        good = all(site in _OWN_SITES for site in sites)
    if not good:
        raise HTTPFailure(
            403,
            ORIGIN_NOT_ALLOWED,
            code="ORIGIN_NOT_ALLOWED",
            details=_WHO_MAY,
            # Mostly the proxy is at fault: it does not say the scheme or the host, or is not trusted.
            log={
                "origin": ", ".join(origins) or None,
                "own_origin": caller.own_origin,
                "site": ", ".join(sites) or None,
            },
        )


def _is_preflight(request: web.Request) -> bool:
    headers = request.headers
    return hdrs.ORIGIN in headers and hdrs.ACCESS_CONTROL_REQUEST_METHOD in headers


async def _preflight(request: web.Request) -> web.StreamResponse:
    """Tell a browser what an allowed page may send to this path (Fetch, section 3.3.2).

    Where a ticket says who is asking, any page may.
    """
    endpoints = await endpoints_at(request)
    if not endpoints:
        raise web.HTTPNotFound
    for_anybody = all(endpoint.ticket is not None for endpoint in endpoints)
    if not for_anybody:
        _check_origin(request)
    max_age = request.app[keys.LIVE].now.cors.max_age_seconds
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: ", ".join(sorted(_methods(endpoints))),
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(sorted(_fields(endpoints))),
            hdrs.ACCESS_CONTROL_MAX_AGE: str(max_age),
        }
        | ({hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*"} if for_anybody else {}),
    )


def _methods(endpoints: Iterable[Endpoint]) -> set[str]:
    return {method for endpoint in endpoints for method in endpoint.methods}


def _fields(endpoints: Iterable[Endpoint]) -> set[str]:
    """Return the request fields that these endpoints look at, beside those that need no leave."""
    # Many clients declare JSON with each request, also those without a body: /logout.
    fields = {hdrs.CONTENT_TYPE, "X-Request-Id"}
    for endpoint in endpoints:
        fields |= {parameter.name for parameter in endpoint.parameters if parameter.where == "header"}
    return fields
