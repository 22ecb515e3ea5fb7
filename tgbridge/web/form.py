"""Reading multipart forms part by part, so that a file of any size passes through in bounded memory.

RFC 7578, parsed by `multipart`; whatever breaks the format is a 400, wherever in the body it stands.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import quote, unquote, unquote_to_bytes

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from tgbridge import filenames
from tgbridge.errors import HTTPFailure
from tgbridge.inspection.charsets import decoded, readable
from tgbridge.uploads.pace import Pace
from tgbridge.web import keys
from tgbridge.web.routing import continue_body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

_MAX_PARTS: Final = 256
_MAX_HEADERS: Final = 16
# Encodings that leave the bytes as they are (RFC 2045 section 6.2); RFC 7578 section 4.7 knows no other.
_IDENTITY: Final = frozenset({"", "7bit", "8bit", "binary"})

# RFC 8187, section 3.2: a charset, a language and bytes.
_EXTENDED_NAME: Final = re.compile(
    r""";[ \t]*filename\*[ \t]*=[ \t]*"?([\w!#$%&+^`{}~.-]+)'[^'"]*'([^\s;"]+)""", re.ASCII | re.IGNORECASE
)
# Headers are bytes: of what charset a file name is, is nobody's to say before it is read.
_HEADER_CHARSET: Final = "latin-1"

_Event: TypeAlias = "bytes | MultipartSegment | None"


class TooLong(Exception):
    """A part has more bytes than were asked for."""


class FormPart:
    """One part of a form: a file if the browser gave it a file name, else a field.

    `at_most` bounds its size in bytes, where that is known.
    """

    def __init__(
        self, segment: MultipartSegment, events: AsyncGenerator[_Event, None], at_most: int | None
    ) -> None:
        file_name = _file_name(segment)
        self.name: str = segment.name or ""
        self.is_file = bool(file_name)
        self.file_name = filenames.clean(file_name)
        self.media_type: str = segment.content_type or ""
        self.at_most = at_most
        self._events = events
        self._ended = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the bytes as they come. Raises HTTPFailure 400 and 408."""
        while not self._ended:
            event = await anext(self._events)
            if event is None:
                self._ended = True
            else:
                yield event

    async def read(self, most: int) -> bytes:
        """Return all bytes. Raises TooLong for more than `most`, and as `chunks` does."""
        value = bytearray()
        async for chunk in self.chunks():
            value += chunk
            if len(value) > most:
                raise TooLong
        return bytes(value)

    async def text(self, most: int) -> str:
        """Return the text in at most `most` bytes. Raises HTTPFailure 400 if it is no UTF-8, and TooLong."""
        with _malformed_is_400():
            return (await self.read(most)).decode()


async def form_parts(request: web.Request) -> AsyncGenerator[FormPart, None]:
    """Yield the parts of a multipart/form-data body in the order they come; none if it is no such body.

    What is not read of a part is skipped. Raises HTTPFailure 400 for a body that breaks the format or ends
    early, and 408 as `next_bytes` does. When it ends, the body has come to its end.
    """
    await continue_body(request)
    media_type, options = parse_options_header(request.headers.get(hdrs.CONTENT_TYPE, ""))
    if media_type != "multipart/form-data":
        return
    with _malformed_is_400():
        parser = PushMultipartParser(
            options.get("boundary", ""),
            max_segment_count=_MAX_PARTS,
            max_header_count=_MAX_HEADERS,
            header_charset=_HEADER_CHARSET,
        )
    body = _Body(request, parser)
    async with aclosing(body.events()) as events:
        async for event in events:
            if not isinstance(event, MultipartSegment):
                continue  # of a part that nobody reads
            encoding = event.header(hdrs.CONTENT_TRANSFER_ENCODING, "").strip().lower()
            nested = (event.content_type or "").startswith("multipart/")
            if nested or encoding not in _IDENTITY:
                # Both belong to mail; RFC 7578 (sections 4.3 and 4.7) has done away with them.
                raise _malformed()
            yield FormPart(event, events, body.left)


class _Body:
    """A request's body on its way through the parser."""

    def __init__(self, request: web.Request, parser: PushMultipartParser) -> None:
        self._request = request
        self._parser = parser
        # The length is that of what is sent: compressed, it may become any number of bytes.
        self._length = None if hdrs.CONTENT_ENCODING in request.headers else request.content_length
        self._passed = 0
        self.left = self._length
        """How many bytes come from the current chunk's first on, where that is known."""

    async def events(self) -> AsyncGenerator[_Event, None]:
        """Yield what the parser makes of the body, up to its end."""
        while True:
            chunk = await next_bytes(self._request)
            if self._length is not None:
                self.left = self._length - self._passed
                self._passed += len(chunk)
            with _malformed_is_400():
                for event in self._parser.parse(chunk):
                    yield event
            if not chunk:
                return


async def next_bytes(request: web.Request) -> bytes:
    """Wait for the next bytes of a body, b"" at its end.

    Raises HTTPFailure 400 for what is no body, and 408 when nothing comes for `upload.idle_seconds`, or less
    than `upload.min_bytes_per_second` for longer.
    """
    if (pace := request.get(keys.PACE)) is None:
        settings = request.app[keys.SETTINGS].upload
        pace = request[keys.PACE] = Pace(
            idle_seconds=settings.idle_seconds, bytes_per_second=settings.min_bytes_per_second
        )
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with asyncio.timeout(pace.left):
            with _malformed_is_400():
                chunk = await request.content.readany()
    except TimeoutError:
        raise HTTPFailure(
            408, "Request Timeout.", code="REQUEST_TIMEOUT", headers={"Connection": "close"}
        ) from None
    pace.waited(loop.time() - began, len(chunk))
    return chunk


async def skip_body(request: web.Request) -> None:
    """Let a body that is not needed come to its end: browsers read no answer before.

    Raises HTTPFailure as `next_bytes` does.
    """
    if hdrs.EXPECT in request.headers and not request[keys.EXCHANGE].continued:
        return  # nothing is sent before it is asked for (RFC 9110, 10.1.1)
    while await next_bytes(request):
        pass


def _malformed() -> HTTPFailure:
    return HTTPFailure(400, "The request's body is malformed.", code="INVALID_BODY")


@contextmanager
def _malformed_is_400() -> Iterator[None]:
    """Say in HTTP what is wrong with a body: its multipart format, its text, its chunks or compression."""
    try:
        yield
    except (MultipartError, UnicodeError, HttpProcessingError, web.RequestPayloadError) as error:
        raise _malformed() from error


def _file_name(segment: MultipartSegment) -> str:
    """Return the file name as its sender meant it; "" where there is none.

    Browsers write it as it is, in UTF-8 or in the charset of an old page. Two encodings are seen from other
    senders: that of RFC 8187, which RFC 7578 forbids, and percent-encoding, which it allows (section 2)
    without a word on how to tell: what encoding again leaves as it was, and says something that ASCII cannot,
    must have been encoded.
    """
    found = _EXTENDED_NAME.search(segment.header(hdrs.CONTENT_DISPOSITION, ""))
    if found is not None:
        return decoded(unquote_to_bytes(found[2].encode(_HEADER_CHARSET)), found[1])
    name = readable((segment.filename or "").encode(_HEADER_CHARSET))
    if "%" in name and name.isascii():
        plain = unquote(name)
        if not plain.isascii() and quote(plain, safe="") == name:
            return plain
    return name
