"""What proxies hold back: server-sent events until there are many, and bodies until they are whole."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aiohttp import ClientError, ClientTimeout, hdrs

from tgbridge.doctor.cookie import check_cookie
from tgbridge.doctor.findings import Finding, fault, ok, unknown, warning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientResponse, ClientSession
    from yarl import URL

_EVENT_SECONDS: Final = 15.0
_LATE_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 10.0
_FILE_BYTES: Final = 2_000 * 1024 * 1024
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] (\d{3})")
_TOO_LARGE: Final = 413
_UNAUTHORIZED: Final = 401


async def check_uploads(url: URL) -> Finding:
    """Announce a file of 2 GB and send its first bytes: the service refuses a stranger without the rest.

    A proxy with a limit says 413, and one that waits for the whole body says nothing.
    """
    check, remedy = "url.uploads", "nginx: client_max_body_size 0; and proxy_request_buffering off;"
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            status = await _announce(url)
    except TimeoutError:
        return fault(
            check,
            "Bodies are held back until they are whole: uploads have no progress, and need a disk.",
            remedy,
        )
    except (OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
        return fault(check, f"A large body breaks the connection off ({type(error).__name__}).", remedy)
    if status == _UNAUTHORIZED:
        return ok(check, "A body of 2 GB may come, and is passed on as it comes.")
    if status == _TOO_LARGE:
        return fault(check, "A body of 2 GB is refused on the way (413).", remedy, status=status)
    return warning(check, f"A stranger's upload is answered {status} instead of 401.", remedy, status=status)


async def _announce(url: URL) -> int:
    context = ssl.create_default_context() if url.scheme == "https" else None
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=context)
    try:
        head = (
            f"POST {(url / 'upload_file').raw_path} HTTP/1.1\r\nHost: {url.authority}\r\n"
            f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {_FILE_BYTES}\r\n"
            "Connection: close\r\n\r\n"
        )
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + bytes(1000)
        writer.write(head.encode() + body)
        await writer.drain()
        line = await reader.readuntil(b"\r\n")
        found = _STATUS_LINE.match(line)
        return int(found[1]) if found else 0
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def check_events(session: ClientSession, url: URL, cookie: str, origin: str) -> AsyncIterator[Finding]:
    """Open a stream of events, of a login by QR code: the first comes at once, with a cookie before it."""
    fields = {
        hdrs.ACCEPT: "text/event-stream",
        hdrs.ACCEPT_ENCODING: "gzip, br",
        hdrs.ORIGIN: origin,
        "Sec-Fetch-Site": "same-origin",
    }
    try:
        async with session.get(url, headers=fields, timeout=ClientTimeout(total=_EVENT_SECONDS)) as answer:
            if answer.content_type != "text/event-stream":
                yield unknown("url.events", f"/qr-login is answered {answer.status}, and no events.")
                return
            for finding in (check_cookie(answer, cookie, url), await _events(answer)):
                yield finding
    except TimeoutError:
        yield fault(
            "url.events",
            f"No event came within {_EVENT_SECONDS:.0f} s: they are held back.",
            "nginx: proxy_buffering off, gzip off; Next.js: no rewrite with compression in between.",
        )
    except ClientError as error:
        yield fault(
            "url.events", f"The stream of events broke off ({type(error).__name__}).", "See the proxy's log."
        )


async def _events(answer: ClientResponse) -> Finding:
    check, began = "url.events", time.perf_counter()
    encoding = answer.headers.get(hdrs.CONTENT_ENCODING, "identity")
    data = b""
    async for piece in answer.content.iter_any():
        data += piece
        if b"data:" in data or encoding != "identity":
            break
    seconds = time.perf_counter() - began
    if encoding != "identity":
        return fault(
            check, f"Events are compressed ({encoding}), and come in bundles.", "Turn compression off."
        )
    if not data:
        return fault(check, "The stream of events ended before the first one.", "See the proxy's log.")
    if seconds > _LATE_SECONDS:
        return warning(
            check, f"The first event came after {seconds:.0f} s.", "See whether the proxy buffers."
        )
    return ok(check, f"Events come as they are sent, the first one after {seconds * 1000:.0f} ms.")
