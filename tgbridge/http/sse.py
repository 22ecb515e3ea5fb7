"""Server-sent events, written (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Section numbers are that document's. A stream is UTF-8 without a byte order mark: events, and between them
comments, which no client shows, so that proxies and clients see that the connection lives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE: Final = "text/event-stream"

HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Type": MEDIA_TYPE,
        # A stored stream would tell an old story to the next reader; one that a proxy compresses, as Next.js
        # does, stays in the compressor (RFC 9111 section 5.2.2.6).
        "Cache-Control": "no-store, no-transform",
        # nginx gathers answers in a buffer unless told otherwise (ngx_http_proxy_module).
        "X-Accel-Buffering": "no",
    }
)
"""What an answer that is a stream of events begins with."""

KEEP_ALIVE: Final = b":\n\n"
"""A comment, to be sent when nothing else was for a while; section 9.2.7 suggests every 15 seconds."""

# The three line ends that a client knows; str.splitlines knows more, and would lose characters.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_NOT_IN_A_FIELD: Final = frozenset("\r\n")
# An id with NUL in it is ignored by clients, which would then reconnect with an older one.
_NOT_IN_AN_ID: Final = _NOT_IN_A_FIELD | {"\0"}


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    ``data`` is any text: its line ends all reach the client as LF. ``name`` is what the client listens for
    ("message" if None). ``id`` is what a client that reconnects sends as Last-Event-ID; "" makes it forget
    the last one, None leaves it. ``retry`` is how many milliseconds a client waits before it reconnects.
    Raises ValueError for a name or id that cannot be written on one line, and for a negative ``retry``.
    """

    data: str
    name: str | None = None
    id: str | None = None
    retry: int | None = None

    def __post_init__(self) -> None:
        if self.name is not None and (not self.name or not _NOT_IN_A_FIELD.isdisjoint(self.name)):
            raise ValueError("an event's name is one line, and not empty")
        if self.id is not None and not _NOT_IN_AN_ID.isdisjoint(self.id):
            raise ValueError("an event's id is one line without NUL")
        if self.retry is not None and self.retry < 0:
            raise ValueError("an event's retry is a number of milliseconds")

    def encode(self) -> bytes:
        """Write it as it stands in the stream, with the empty line that ends it.

        A lone surrogate, which UTF-8 has no bytes for, becomes a question mark.
        """
        lines = []
        if self.retry is not None:
            lines.append(f"retry: {self.retry}")
        if self.id is not None:
            lines.append(f"id: {self.id}")
        if self.name is not None:
            lines.append(f"event: {self.name}")
        lines += (f"data: {line}" for line in _LINE_END.split(self.data))
        return ("\n".join(lines) + "\n\n").encode(errors="replace")


def aside(*, id: str | None = None, retry: int | None = None) -> bytes:  # noqa: A002 - the field's name
    """Write what a client takes note of without telling the page: the fields of `Event`, and no data."""
    event = Event("", id=id, retry=retry).encode()
    return event.removesuffix(b"data: \n\n") + b"\n"
