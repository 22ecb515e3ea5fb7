"""Who is calling, as far as the connection and trusted proxies tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs, web

from tgbridge.http.forwarded import Caller, find_caller
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

_SAID: Final = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded")


@web.middleware
async def caller_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out once; the origin check, the limits and the log go by it."""
    peer = Caller(request.remote or "", request.scheme, _host(request))
    if trusted := request.app[keys.LIVE].now.server.trusted_proxies:
        said = {
            name.lower(): ",".join(lines) for name in _SAID if (lines := request.headers.getall(name, []))
        }
        request[keys.CALLER] = find_caller(peer, said, trusted)
    else:
        request[keys.CALLER] = peer
    return await handler(request)


def _host(request: web.Request) -> str:
    """Return the host of the target URI (RFC 9112, section 3.3), as it came."""
    if not request.raw_path.startswith(("/", "*")):
        # The absolute form: Host counts for nothing beside it (section 3.2.2).
        return request.url.raw_authority.rpartition("@")[2]
    return ",".join(request.headers.getall(hdrs.HOST, []))
