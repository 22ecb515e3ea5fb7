"""Tickets: addresses of one file that work without a cookie, for a while, for whoever has them.

There is no list of them. A ticket carries, sealed, all that answering takes: the session, the message, and
until when. So it ends with the session, and with the secret key that its key was derived from.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING, Final

from tgbridge.errors import HTTPFailure
from tgbridge.web.sealed import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from tgbridge.web.endpoint import TicketKind

PURPOSE: Final = "tickets"
INVALID: Final = "This ticket is not valid."
INVALID_CODE: Final = "TICKET_INVALID"
EXPIRED: Final = "This ticket has expired."
EXPIRED_CODE: Final = "TICKET_EXPIRED"

# Telethon's session strings have 353 characters with an IPv4 address, 369 with an IPv6 one: filled up to the
# same length, as are the numbers, so that a ticket's length tells nothing.
_SESSION_CHARACTERS: Final = 369
_FORM: Final = Struct(f">qqqB?{_SESSION_CHARACTERS}s")
MOST_PARTS: Final = 255
"""Telegram has ten files in a message at most."""


@dataclass(frozen=True, slots=True, repr=False)
class Grant:
    """What a ticket carries. ``expires`` is in whole seconds since the epoch.

    ``user_id`` is whose session it is, ``part`` which of a message's files it is for, ``download`` whether
    browsers are to save it.
    """

    session: str
    user_id: int
    message_id: int
    expires: int
    part: int = 1
    download: bool = False


class Tickets:
    """Makes tickets and reads them. One of a file is none of its thumbnail, nor the other way round."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """``keys`` are those derived for ``PURPOSE``: the first seals, all open."""
        self.change_keys(keys)

    def change_keys(self, keys: Iterable[bytes]) -> None:
        """Seal with the first of other keys, and open only what one of them has sealed."""
        self._sealed = Sealed(keys)

    def issue(self, grant: Grant, kind: TicketKind) -> str:
        """Return a ticket: 564 letters, digits, hyphens and underscores.

        Raises ValueError for a session that is longer than Telethon makes them.
        """
        session = grant.session.encode()
        if len(session) > _SESSION_CHARACTERS:
            raise ValueError("the session does not fit into a ticket")
        numbers = grant.user_id, grant.message_id, grant.expires, grant.part, grant.download
        content = _FORM.pack(*numbers, session)
        return self._sealed.seal(content, kind.encode())

    def read(self, text: str, kind: TicketKind) -> Grant | None:
        """Return what a ticket carries, also one that has expired; None if it is not one that was issued."""
        content = self._sealed.open(text, kind.encode())
        if content is None:
            return None
        *numbers, session = _FORM.unpack(content)
        return Grant(session.rstrip(b"\0").decode(), *numbers)


def present(request: web.Request, tickets: Tickets, kind: TicketKind) -> Grant:
    """Return what the ticket in the path of ``request`` grants.

    Raises HTTPFailure 403 for one that was not issued in just this spelling, 410 for one that has expired.
    """
    text = request.match_info["ticket"]
    # Percent-encoding would be a second spelling (RFC 3986, section 2.3), which no character of it needs.
    as_it_came = request.rel_url.raw_path.removesuffix("/").rpartition("/")[2]
    grant = tickets.read(text, kind) if as_it_came == text else None
    if grant is None:
        raise HTTPFailure(403, INVALID, code=INVALID_CODE)
    if time.time() >= grant.expires:
        raise expired()
    return grant


def expired() -> HTTPFailure:
    """Return the answer to a ticket whose time is over, or whose session has ended."""
    return HTTPFailure(410, EXPIRED, code=EXPIRED_CODE)
