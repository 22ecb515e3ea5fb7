"""``--url``: whether a browser would keep the cookie, as it arrives there (RFC 6265bis)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiohttp import hdrs

from tgbridge.doctor.findings import Finding, fault, ok

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import ClientResponse
    from yarl import URL

_RULES: Final = "See the proxy's cookie rules."


def check_cookie(answer: ClientResponse, name: str, url: URL) -> Finding:
    """Look at the cookie that an answer from ``url`` sets."""
    check = "url.cookie"
    fields = [field for field in answer.headers.getall(hdrs.SET_COOKIE, []) if field.startswith(f"{name}=")]
    if not fields:
        others = [field.partition("=")[0] for field in answer.headers.getall(hdrs.SET_COOKIE, [])]
        told = f"only {', '.join(others)}" if others else "none"
        return fault(
            check,
            f"The cookie {name} does not arrive ({told}).",
            "This configuration is not the service's own, or the proxy takes Set-Cookie away.",
        )
    wrong = _wrong(name, _marks(fields[-1]), url)
    return ok(check, f"{name} is set as a browser keeps it.") if wrong is None else fault(check, *wrong)


def _wrong(name: str, marks: Mapping[str, str], url: URL) -> tuple[str, str] | None:
    """Return what is wrong with a cookie's attributes, and what to do, if anything is."""
    missing = {"httponly", "samesite", "path"} - marks.keys()
    if name.startswith("__") and "secure" not in marks:
        missing.add("secure")
    if missing:
        return f"The cookie comes without {', '.join(sorted(missing))}.", _RULES
    if marks["path"] != "/":
        return f"The cookie comes for {marks['path']} alone, instead of all paths.", _RULES
    domain, host = marks.get("domain", "").removeprefix("."), url.host or ""
    if domain and host != domain and not host.endswith(f".{domain}"):
        return (
            f"The cookie is for {domain}, and {host} is not below it: browsers drop it.",
            "Set session.domain to what the hosts of pages and service have in common, or leave it out.",
        )
    if domain and name.startswith("__Host-"):
        return f"The cookie comes with a domain, which {name} may not have.", _RULES
    if "secure" in marks and url.scheme != "https":
        return (
            "The cookie is for https only, and this URL is http: browsers drop it.",
            "Call the service by https; for http on this machine alone, session.secure = false.",
        )
    return None


def _marks(field: str) -> dict[str, str]:
    """Return a cookie's attributes, by their names in lower case."""
    pairs = (mark.partition("=") for mark in field.split(";")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}
