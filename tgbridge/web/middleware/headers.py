"""What every answer tells browsers: which pages may read it, and what nobody may do with it."""

from __future__ import annotations

from ipaddress import ip_address
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from aiohttp import hdrs
from multidict import istr

from tgbridge.http.safety import essence
from tgbridge.web.middleware.origin import allowed_origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiohttp import web

    from tgbridge.http.forwarded import Caller
    from tgbridge.settings import Settings
    from tgbridge.settings.live import LiveSettings
    from tgbridge.web.exchange import Exchange
    from tgbridge.web.middleware.checks import Finish

_POLICY: Final = istr("Content-Security-Policy")
_EMBEDDING: Final = istr("Cross-Origin-Resource-Policy")
_FRAMING: Final = istr("X-Frame-Options")
_JSON: Final = "application/json"
_HSTS: Final = istr("Strict-Transport-Security")
SAFE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        istr("X-Content-Type-Options"): "nosniff",
        # A URL may hold a ticket. With "no-referrer", our own pages' forms would have no origin.
        istr("Referrer-Policy"): "same-origin",
        _EMBEDDING: "same-origin",
        _POLICY: "default-src 'none'; frame-ancestors 'none'",
        _FRAMING: "DENY",
    }
)
"""For what is meant for programs, and has no page that it could be shared with."""

# Beside the fields that every page may read. A wildcard would be taken by its letter, with credentials.
_EXPOSED: Final = ", ".join(
    (
        *("Accept-Ranges", "Content-Disposition", "Content-Length", "Content-Range", "ETag"),
        *("Link", "Location", "Retry-After", "Server-Timing", "X-Message-Id", "X-Request-Id"),
        *("Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version"),
        *("Upload-Defer-Length", "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
    )
)
# A ticket is all that counts: whoever has it may embed the file and read it, and the cookie says nothing. It
# stands in the address, which is to reach no other site and no search engine.
_WITH_TICKET: Final = (
    (hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (hdrs.ACCESS_CONTROL_EXPOSE_HEADERS, _EXPOSED),
    (_EMBEDDING, "cross-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex"),
)
_WITH_BAD_TICKET: Final = (*_WITH_TICKET, (_POLICY, "default-src 'none'"))
_PREFLIGHT_FIELDS: Final = (hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_REQUEST_HEADERS)


def protecting(live: LiveSettings) -> Finish:
    """Return what writes the fields as a response is prepared: also of streams, and of what errors become."""
    fixed = _Fields(live.now)

    def protect(request: web.Request, exchange: Exchange, response: web.StreamResponse) -> None:
        nonlocal fixed
        if fixed.settings is not live.now:
            fixed = _Fields(live.now)
        headers = response.headers
        is_json = essence(headers.get(hdrs.CONTENT_TYPE, "")) == _JSON
        has_ticket = exchange.endpoint is not None and exchange.endpoint.ticket is not None
        if fixed.shares and not has_ticket:
            _share(request, response)
        fields: Iterable[tuple[str, str]]
        if has_ticket:
            fields = _WITH_BAD_TICKET if is_json else _WITH_TICKET
        elif is_json:
            fields = fixed.for_programs
        else:
            fields = fixed.for_people
            if _POLICY in headers:
                # One policy more, beside what the answer has: each has to be kept (CSP 3, section 8.1).
                headers.add(_POLICY, fixed.ancestors)
        for name, value in fields:
            headers.setdefault(name, value)
        if fixed.max_age and _keeps_to_https(fixed.settings, exchange.caller):
            headers.setdefault(_HSTS, f"max-age={fixed.max_age}")

    return protect


class _Fields:
    """What depends on the settings alone, and is made once: every answer passes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shares = bool(settings.cors.allowed_origins)
        self.max_age = settings.server.hsts_seconds
        self.for_programs = tuple({**SAFE_HEADERS, _EMBEDDING: _embedding(settings)}.items())
        self.ancestors = " ".join(("frame-ancestors 'self'", *settings.cors.allowed_origins))
        # The older field can't name other origins. Where the policy does, browsers go by that.
        framing = "" if settings.cors.allowed_origins else "SAMEORIGIN"
        shown = {**dict(self.for_programs), _POLICY: self.ancestors, _FRAMING: framing}
        self.for_people = tuple((name, value) for name, value in shown.items() if value)


def _share(request: web.Request, response: web.StreamResponse) -> None:
    """Let allowed origins read the answer, with the user's cookie (Fetch, section 3.3.3)."""
    varies = [hdrs.ORIGIN, *(name for name in _PREFLIGHT_FIELDS if name in request.headers)]
    before = response.headers.get(hdrs.VARY)
    response.headers[hdrs.VARY] = ", ".join([before, *varies] if before else varies)
    origin = allowed_origin(request)
    if origin is not None:
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED


def _embedding(settings: Settings) -> str:
    """Say which pages may embed an answer without asking by CORS: <img>, <video>.

    Pages of another site come without the cookie in any case (SameSite=Lax), so that there is nothing for
    them; the same site is enough for allowed origins.
    """
    return "same-site" if settings.cors.allowed_origins else "same-origin"


def _keeps_to_https(settings: Settings, caller: Caller) -> bool:
    """Tell whether the name that was called is a site's of its own, and serves https only (RFC 6797, 7.2)."""
    if caller.scheme != "https" or settings.session.secure is False:
        return False
    name = caller.host_name
    if name == "localhost" or name.endswith(".localhost"):
        return False  # where other services of the same machine are
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return True
    return False  # section 8.1.1: not for addresses
