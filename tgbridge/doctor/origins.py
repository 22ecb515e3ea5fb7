"""``--url``: whether the service knows whose pages call it, and those pages are let in that should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from tgbridge.doctor.browser import is_loopback
from tgbridge.doctor.findings import Finding, fault, ok

if TYPE_CHECKING:
    from tgbridge.doctor.outside import Outside

_STRANGER: Final = "https://stranger.invalid"


async def check_own(outside: Outside) -> Finding:
    """A page of the service's own origin, or of the one host that both have."""
    check = "url.origin"
    answer, body = await outside.ask("POST", "cancel-code", as_page(outside.own_origin, "same-origin"))
    if answer.status == 400:
        return ok(check, f"Pages of {outside.own_origin} may act.")
    return fault(
        check,
        f"Pages of {outside.own_origin} are refused ({answer.status} {_code(body)}): by what it knows, the "
        "service is called by another name or scheme.",
        "Let the proxy set X-Forwarded-Proto and -Host and name it in server.trusted_proxies, or add the "
        "origin to cors.allowed_origins.",
        status=answer.status,
    )


async def check_listed(outside: Outside) -> Finding:
    """Pages of the origins that are listed, by the fields without which a browser keeps answers from them."""
    check = "url.cors"
    preflight = {
        hdrs.ACCESS_CONTROL_REQUEST_METHOD: "PATCH",
        hdrs.ACCESS_CONTROL_REQUEST_HEADERS: "x-upload-id",
    }
    for origin in outside.settings.cors.allowed_origins:
        page = as_page(origin, "same-site")
        for method, path, fields in (("OPTIONS", "uploads", page | preflight), ("GET", "session", page)):
            answer, _ = await outside.ask(method, path, fields)
            allowed = answer.headers.getall(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, [])
            with_cookie = answer.headers.getall(hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS, [])
            if not answer.ok or allowed != [origin] or with_cookie != ["true"]:
                return fault(
                    check,
                    f"Browsers give pages of {origin} no answers: {method} is answered {answer.status}, "
                    f"with Access-Control-Allow-Origin: {' and '.join(allowed) or 'none'}.",
                    "Let the proxy pass OPTIONS and Origin on, and neither add nor take away "
                    "Access-Control-*. Is this the service's own configuration?",
                    status=answer.status,
                )
    return ok(check, f"Pages of {len(outside.settings.cors.allowed_origins)} other origin(s) are let in.")


async def check_stranger(outside: Outside) -> Finding:
    """A page of anybody's: what protects users from it is that Origin arrives."""
    check = "url.stranger"
    answer, body = await outside.ask("POST", "cancel-code", as_page(_STRANGER, "cross-site"))
    if answer.status == 403 and _code(body) == "ORIGIN_NOT_ALLOWED":
        return ok(check, "Pages of strangers are refused.")
    return fault(
        check,
        f"A page of {_STRANGER} gets {answer.status}: Origin and Sec-Fetch-Site do not arrive.",
        "Let the proxy pass both on as they are.",
        status=answer.status,
    )


async def check_forged(outside: Outside) -> Finding:
    """What a browser itself says in the proxy's fields must not count."""
    check, host = "url.forged", "stranger.invalid"
    fields = as_page(_STRANGER, "same-origin") | {
        "X-Forwarded-Host": host,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "192.0.2.1",
    }
    answer, _ = await outside.ask("POST", "cancel-code", fields)
    if answer.status in {403, 421}:
        return ok(check, "What a caller writes into X-Forwarded-* counts for nothing.")
    if is_loopback(outside.url.host or ""):
        return ok(check, "X-Forwarded-* is believed from here: this machine is a trusted proxy.")
    return fault(
        check,
        "X-Forwarded-* of a caller is passed on and believed: anybody can claim an address, past the limits.",
        "Let the proxy write these fields anew. See deploy/nginx.conf.",
    )


def as_page(origin: str, site: str) -> dict[str, str]:
    """Return the fields that a browser adds to what a page of ``origin`` asks."""
    return {hdrs.ORIGIN: origin, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}


def _code(body: bytes) -> str:
    text = body[:2000].decode(errors="replace")
    return text.partition('"code": "')[2].partition('"')[0]
