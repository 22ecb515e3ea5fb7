"""Who is calling, as far as the connection and trusted proxies tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from tgbridge.http.forwarded import find_caller, peer

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.settings.live import LiveSettings
    from tgbridge.web.exchange import Exchange
    from tgbridge.web.middleware.checks import Check

_SAID: Final = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded")


def noting_caller(live: LiveSettings) -> Check:
    """Return the step that finds out once; the origin check, the limits and the log go by it."""

    def note_caller(request: web.Request, exchange: Exchange) -> None:
        caller = peer(request.remote or "", request.scheme, _host(request))
        if trusted := live.now.server.trusted_proxies:
            said = {
                name.lower(): ",".join(lines) for name in _SAID if (lines := request.headers.getall(name, []))
            }
            caller = find_caller(caller, said, trusted)
        exchange.caller = caller

    return note_caller


def _host(request: web.Request) -> str:
    """Return the host of the target URI (RFC 9112, section 3.3), as it came."""
    if not request.raw_path.startswith(("/", "*")):
        # The absolute form: Host counts for nothing beside it (section 3.2.2).
        return request.url.raw_authority.rpartition("@")[2]
    return ",".join(request.headers.getall(hdrs.HOST, []))
