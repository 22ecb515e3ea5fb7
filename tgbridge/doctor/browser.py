"""Cookie and origins as a browser would see them, by the settings alone; `outside` looks for real."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from yarl import URL

from tgbridge.doctor.findings import Finding, fault, ok, unknown, warning
from tgbridge.web.session_cookie import cookie_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tgbridge.settings import Settings


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def check_browser(settings: Settings, url: str | None) -> Iterator[Finding]:
    """Look at what the settings make of cookie and origins; ``url`` is where browsers call."""
    yield _cookie(settings)
    yield from _origins(settings)
    yield _proxies(settings)
    yield from _host(settings, url)


def _cookie(settings: Settings) -> Finding:
    if settings.session.secure is False:
        return warning(
            "browser.cookie",
            "session.secure is false: the cookie travels by http as well, for anybody on the way to take.",
            "Leave session.secure out, and put a proxy that speaks https in front (deploy/nginx.conf).",
        )
    if not settings.secret_keys:
        return unknown("browser.cookie", "Without secret keys there is no cookie that lasts.")
    shared = settings.session.domain
    whose = f"of {shared} and all hosts below it" if shared else "of the very host that set it"
    name = cookie_name(settings.session, secure=True)
    return ok("browser.cookie", f"{name}, over https only, {whose}.", name=name)


def _origins(settings: Settings) -> Iterator[Finding]:
    origins, domain = settings.cors.allowed_origins, settings.session.domain
    if not origins:
        yield ok("browser.origins", "Pages of the service's own origin may call; no others.")
        return
    secure = settings.session.secure is not False
    for origin in map(URL, origins):
        host = origin.host or ""
        if secure and origin.scheme != "https" and not is_loopback(host):
            yield fault(
                "browser.origins",
                f"Pages of {origin} are not served by https: another site, to which browsers give no cookie.",
                "Serve the pages by https, and name them so in cors.allowed_origins.",
            )
        elif domain and host != domain and not host.endswith(f".{domain}"):
            yield fault(
                "browser.origins",
                f"Pages of {origin} are not below session.domain ({domain}): another site, most likely, to "
                "which browsers give no cookie (SameSite=Lax).",
                "Serve pages and service from hosts of one domain, or below paths of one host.",
            )
        else:
            yield ok("browser.origins", f"Pages of {origin} may call with the user's cookie.")


def _proxies(settings: Settings) -> Finding:
    trusted, host = settings.server.trusted_proxies, settings.server.host
    if trusted:
        told = ", ".join(map(str, trusted))
        return ok("browser.proxies", f"What these say of the caller is believed: {told}.")
    secure = settings.session.secure is not False
    if is_loopback(host) and secure:
        return warning(
            "browser.proxies",
            "The service listens on loopback, and believes no proxy: all callers seem to have the proxy's "
            "address, and its own origin to begin with http, so that browsers are refused.",
            "TGBRIDGE_SERVER__TRUSTED_PROXIES=127.0.0.1, if the proxy sets X-Forwarded-For, -Proto, -Host.",
        )
    return ok("browser.proxies", "No proxy is believed.")


def _host(settings: Settings, url: str | None) -> Iterator[Finding]:
    allowed = settings.server.allowed_hosts
    if not url or not allowed:
        return
    host = (URL(url).host or "").lower()
    if host in allowed:
        yield ok("browser.host", f"{host} is among server.allowed_hosts.")
    else:
        yield fault(
            "browser.host",
            f"{host} is not among server.allowed_hosts: whoever calls the service by it gets a 421.",
            f"Add {host} to server.allowed_hosts.",
        )
