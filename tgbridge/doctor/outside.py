"""``--url``: the service as a browser reaches it, with all that stands between. Nobody is signed in.

What it asks has no effect but one login by QR code that nobody scans, which ends when the stream is left.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, hdrs
from yarl import URL

from tgbridge.doctor.browser import is_loopback
from tgbridge.doctor.findings import Finding, fault, ok, warning
from tgbridge.doctor.held_back import check_events, check_uploads
from tgbridge.doctor.origins import as_page, check_forged, check_listed, check_own, check_stranger
from tgbridge.web.session_cookie import cookie_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp import ClientResponse

    from tgbridge.settings import Settings

_SECONDS: Final = ClientTimeout(total=15)
_LONG_FIELD: Final = 18 * 1024  # what Upload-Metadata may have, for a long caption
_PROXY: Final = "See deploy/nginx.conf."


class Outside:
    """A browser without a user, at the service's URL."""

    def __init__(self, session: ClientSession, url: URL, settings: Settings) -> None:
        self.session = session
        self.url = url
        self.settings = settings
        self.own_origin = str(url.origin())

    def at(self, path: str) -> URL:
        """Return the address of a path of the service, which may be below one of a proxy's."""
        return self.url / path

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[ClientResponse, bytes]:
        """Make a request, and read its answer. Raises ClientError and TimeoutError."""
        # As players ask; what compresses is looked for by a check of its own.
        fields = {hdrs.ACCEPT_ENCODING: "identity"} | dict(headers or {})
        async with self.session.request(
            method, self.at(path), headers=fields, allow_redirects=False
        ) as answer:
            return answer, await answer.read()


async def check_outside(settings: Settings, url: str) -> AsyncIterator[Finding]:
    """Look at what stands at ``url``."""
    async with ClientSession(timeout=_SECONDS, auto_decompress=False, trust_env=True) as session:
        outside = Outside(session, URL(url.rstrip("/")), settings)
        reach = await _reach(outside)
        yield reach
        if reach.verdict == "fault":
            return
        for name, check in _CHECKS.items():
            try:
                yield await check(outside)
            except (ClientError, TimeoutError) as error:
                yield fault(f"url.{name}", f"The answer broke off: {type(error).__name__}.", _PROXY)
        yield await check_uploads(outside.url)
        name = cookie_name(settings.session, secure=settings.session.secure is not False)
        async for finding in check_events(session, outside.at("qr-login"), name, outside.own_origin):
            yield finding


async def _reach(outside: Outside) -> Finding:
    check, remedy = "url.reach", "Is this the service's URL, with the path that the proxy adds?"
    try:
        answer, body = await outside.ask("GET", "healthz")
    except ssl.SSLError as error:
        return fault(check, f"The certificate is refused: {error.reason}.", "Renew it, with all its chain.")
    except (ClientError, TimeoutError, OSError) as error:
        certificate = isinstance(error.__cause__, ssl.SSLError) or "SSL" in type(error).__name__
        told = "The certificate is refused" if certificate else "There is no answer"
        hint = "Renew it, with all its chain." if certificate else remedy
        return fault(check, f"{told}: {type(error).__name__}.", hint)
    if answer.status == 200 and body == b'{"status":"ok"}' and "X-Request-Id" in answer.headers:
        return ok(check, f"The service answers at {outside.url}.")
    text = f"/healthz is answered {answer.status}, {answer.content_type}: that is not the service."
    if answer.status == 421:
        return fault(
            check, "The service does not want to be called so (421).", "Add the name to server.allowed_hosts."
        )
    return fault(check, text, remedy, status=answer.status)


async def _https(outside: Outside) -> Finding:
    check, host = "url.https", outside.url.host or ""
    if outside.url.scheme != "https":
        if is_loopback(host):
            return ok(check, "http, on this machine.")
        return fault(check, "Browsers reach it by http: the cookie and files can be read on the way.", _PROXY)
    answer, _ = await outside.ask("GET", "healthz")
    if "Strict-Transport-Security" in answer.headers:
        return ok(check, "https, and the service knows: Strict-Transport-Security is set.")
    if outside.settings.server.hsts_seconds == 0 or is_loopback(host):
        return ok(check, "https; server.hsts_seconds is 0.")
    return fault(
        check,
        "The service does not know that it is called by https: X-Forwarded-Proto is missing or not believed.",
        "Let the proxy set X-Forwarded-Proto, and name it in server.trusted_proxies.",
    )


async def _metrics(outside: Outside) -> Finding:
    check = "url.metrics"
    answer, _ = await outside.ask("GET", "metrics")
    if answer.status == 404:
        return ok(check, "/metrics is not shown to the world.")
    if is_loopback(outside.url.host or ""):
        return ok(check, "/metrics is shown to this machine.")
    return fault(
        check,
        f"/metrics is answered {answer.status} to the world: the proxy adds no X-Forwarded-For.",
        "Let it add that field, or answer /metrics with 404 itself.",
    )


async def _compression(outside: Outside) -> Finding:
    check = "url.compression"
    answer, _ = await outside.ask("GET", "openapi.json", {hdrs.ACCEPT_ENCODING: "gzip, br"})
    tag, encoding = answer.headers.get(hdrs.ETAG, ""), answer.headers.get(hdrs.CONTENT_ENCODING, "identity")
    if encoding != "identity" or not tag.startswith('"'):
        return fault(
            check,
            f"Bytes are changed on the way ({encoding}, ETag {tag or 'missing'}): ranges break.",
            "Turn compression off for the service (`gzip off`): it says no-transform.",
            encoding=encoding,
        )
    again, _ = await outside.ask("GET", "openapi.json", {hdrs.IF_NONE_MATCH: tag})
    if again.status != 304:
        return warning(check, f"If-None-Match does not arrive ({again.status}).", "Let the proxy pass it on.")
    return ok(check, "Bytes come as they were sent, and conditions arrive.")


async def _ranges(outside: Outside) -> Finding:
    """Players seek by them. The description of the API has them as files have, and needs no session."""
    check = "url.ranges"
    answer, body = await outside.ask("GET", "openapi.json", {hdrs.RANGE: "bytes=10-19"})
    whole, _ = await outside.ask(
        "GET", "openapi.json", {hdrs.RANGE: "bytes=10-19", hdrs.IF_RANGE: '"another"'}
    )
    told = answer.headers.get(hdrs.CONTENT_RANGE, "")
    if answer.status == 206 and len(body) == 10 and told.startswith("bytes 10-19/") and whole.status == 200:
        return ok(check, "Ranges arrive, and If-Range with them.")
    return fault(
        check,
        f"A range of 10 bytes is answered {answer.status} with {len(body)} bytes, with another If-Range "
        f"{whole.status}.",
        "Let the proxy pass Range and If-Range on, and cache nothing of the service.",
        status=answer.status,
    )


async def _fields(outside: Outside) -> Finding:
    check = "url.fields"
    answer, _ = await outside.ask("GET", "healthz", {"Upload-Metadata": "x" * _LONG_FIELD})
    if answer.status == 200:
        return ok(check, "Long header fields arrive.")
    return fault(
        check,
        f"A header field of {_LONG_FIELD // 1024} KiB is answered {answer.status}: resumable uploads with a "
        "long caption fail.",
        "nginx: large_client_header_buffers 8 32k; HAProxy: tune.bufsize 65536.",
        status=answer.status,
    )


async def _methods(outside: Outside) -> Finding:
    """Whatever the service says to them, a refusal of its own names the request."""
    check, refused = "url.methods", {}
    for method, path in (
        ("PATCH", "uploads/none"),
        ("DELETE", "uploads/none"),
        ("PUT", "uploads/none/thumbnail"),
        ("OPTIONS", "uploads"),
        ("HEAD", "healthz"),
    ):
        answer, _ = await outside.ask(method, path, as_page(outside.own_origin, "same-origin"))
        if "X-Request-Id" not in answer.headers:
            refused[method] = answer.status
    if not refused:
        return ok(check, "PATCH, DELETE, PUT, OPTIONS and HEAD arrive.")
    told = ", ".join(f"{method} ({status})" for method, status in refused.items())
    return fault(check, f"Methods are refused on the way: {told}.", "Let the proxy pass all methods on.")


_CHECKS: Final = {
    "https": _https,
    "origin": check_own,
    "cors": check_listed,
    "stranger": check_stranger,
    "forged": check_forged,
    "metrics": _metrics,
    "compression": _compression,
    "ranges": _ranges,
    "fields": _fields,
    "methods": _methods,
}
