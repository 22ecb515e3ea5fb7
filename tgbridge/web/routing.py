"""How requests find their endpoint, and what of a request is settled where that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, hdrs, web

from tgbridge.errors import HTTPFailure
from tgbridge.web import keys
from tgbridge.web.endpoint import INVALID_PARAMETER, unknown_parameter
from tgbridge.web.overridable import OverridableResource
from tgbridge.web.resource import Path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tgbridge.web.endpoint import Endpoint


def add_endpoints(app: web.Application, endpoints: Iterable[Endpoint]) -> None:
    """Tell the router, and the middleware, of all endpoints."""
    endpoints = tuple(endpoints)
    fixed = frozenset(endpoint.path for endpoint in endpoints if "{" not in endpoint.path)
    overridable = {endpoint.path for endpoint in endpoints if endpoint.overridable}
    resources: dict[str, Path] = {}
    for endpoint in endpoints:
        path = endpoint.path
        if path not in resources:
            kind = OverridableResource if path in overridable else Path
            resources[path] = kind(path, fixed)
            app.router.register_resource(resources[path])
        for method in endpoint.methods:
            resources[path].add_route(method, endpoint.handler, expect_handler=_later)
    # Only a route of ours keeps aiohttp from answering an Expect header before any middleware has run.
    app.router.add_route("*", "/{path:.*}", _unmatched, expect_handler=_later)
    app[keys.ENDPOINTS] = {endpoint.handler: endpoint for endpoint in endpoints}


def endpoint_of(request: web.Request) -> Endpoint | None:
    """Return the endpoint that ``request`` is for; None if there is none."""
    return request.app[keys.ENDPOINTS].get(request.match_info.handler)


def check_query(request: web.Request, endpoint: Endpoint) -> None:
    """Raise HTTPFailure 400 for a query parameter that a ``strict`` endpoint does not know."""
    if not endpoint.strict:
        return
    known = {parameter.name for parameter in endpoint.parameters if parameter.where == "query"}
    for name in request.query:
        if name not in known:
            raise HTTPFailure(400, unknown_parameter(name), code=INVALID_PARAMETER)


async def endpoints_at(request: web.Request) -> list[Endpoint]:
    """Return the endpoints of the path of ``request``, whatever its method."""
    endpoints, found = request.app[keys.ENDPOINTS], []
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        if methods:
            found += [endpoints[route.handler] for route in resource if route.handler in endpoints]
    return found


async def continue_body(request: web.Request) -> None:
    """Ask a client for its body that waits for it (RFC 9110, 10.1.1). Call it once the body is wanted.

    Raises HTTPFailure 417 if it expects anything else.
    """
    expectation = request.headers.get(hdrs.EXPECT, "")
    if not expectation or request.version < HttpVersion11:
        return
    if expectation.lower() != "100-continue":
        raise HTTPFailure(417, "Expectation Failed", code="EXPECTATION_FAILED")
    if not request[keys.EXCHANGE].continued:
        request[keys.EXCHANGE].continued = True
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # nothing of the response itself has been sent


async def _later(_request: web.Request) -> None:
    """Leave an Expect header to ``continue_body``."""


async def _unmatched(request: web.Request) -> web.StreamResponse:
    here = request.match_info.route.resource
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource is not here:
            _, methods = await resource.resolve(request)
            allowed |= methods
    if allowed:
        raise web.HTTPMethodNotAllowed(request.method, allowed)
    raise web.HTTPNotFound
