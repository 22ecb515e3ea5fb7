"""What Telethon may log: that something is wrong, and never what was in it."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Discreet(logging.Filter):
    """Takes tracebacks away: their last lines show the bytes that could not be read."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[0] is not None:
            record.msg = f"{record.getMessage()} ({record.exc_info[0].__name__})"
            record.args = record.exc_info = record.exc_text = None
        return True


_log = logging.getLogger("tgbridge.telegram.telethon")
# Below WARNING there are contents: answers that nobody waits for, updates, objects of unknown types.
_log.setLevel(logging.WARNING)
_log.addFilter(_Discreet())

LOGGERS: Mapping[str, logging.Logger] = defaultdict(lambda: _log)
"""What Telethon wants: a logger for each of its modules. It is always the same."""
