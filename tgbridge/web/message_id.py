"""Ids of messages in paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge.errors import MediaNotFound

if TYPE_CHECKING:
    from aiohttp import web

_MAX_DIGITS: Final = 10  # of a signed 32-bit integer, which a message's id is


def message_id_of(request: web.Request) -> int:
    """Return the id in the path; raise MediaNotFound for what can't be one, since no message has it."""
    text = request.match_info["message_id"]
    # Python takes the digits of any script, and refuses to convert thousands of them.
    digits = text.lstrip("0") if text.isascii() and text.isdigit() else ""
    if not 0 < len(digits) <= _MAX_DIGITS:
        raise MediaNotFound
    return int(digits)
