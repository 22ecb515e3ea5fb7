"""What Telethon may log: that something is wrong and stays so, and never what was in it.

Telegram restarts its data centres and closes connections that are idle, many a day for each account. Telethon
warns of each; but it connects again, and whoever could not be answered meanwhile got a 503, of which there is
a warning with the request's id (middleware/errors.py). So what mends itself is for whoever debugs.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


MENDED: Final = frozenset(
    {
        "Server closed the connection: %s",
        "Attempt %d at connecting failed: %s: %s",
        "Connection error %d during auth_key gen: %s: %s",
        "Graceful disconnection timed out, forcibly ignoring cleanup",
        "Server resent the older message %d, ignoring",
    }
)
"""Telethon's warnings of what mends itself."""


class _Discreet(logging.Filter):
    """Takes tracebacks away: their last lines show the bytes that could not be read. And plays down."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg in MENDED:
            record.levelno, record.levelname = logging.DEBUG, logging.getLevelName(logging.DEBUG)
            return _parent.isEnabledFor(logging.DEBUG)
        if record.exc_info and record.exc_info[0] is not None:
            record.msg = f"{record.getMessage()} ({record.exc_info[0].__name__})"
            record.args = record.exc_info = record.exc_text = None
        return True


_parent = logging.getLogger("tgbridge.telegram")
_log = _parent.getChild("telethon")
# Below WARNING there are contents: answers that nobody waits for, updates, objects of unknown types.
_log.setLevel(logging.WARNING)
_log.addFilter(_Discreet())

LOGGERS: Mapping[str, logging.Logger] = defaultdict(lambda: _log)
"""What Telethon wants: a logger for each of its modules. It is always the same."""
