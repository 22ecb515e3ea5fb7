"""What has passed between this process and Telegram since it began, as plain numbers for whoever looks.

Counting costs a fraction of a microsecond and knows of no metrics system: one reads the numbers when it is
asked. All names that numbers stand under are of a known set, however long the process runs.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from typing import Final, Literal, TypeAlias

Direction = Literal["received", "sent"]
"""Which way a part of a file goes, as seen from here."""

Outcome = Literal["answered", "refused", "flood_wait", "failed", "given_up"]
"""What came of an attempt at a call: an answer, another error, a wait, no answer, or nobody waited for it."""

Lane: TypeAlias = tuple[Direction, str]
"""A direction, and what `centre_name` says of a data centre."""

OTHER: Final = "other"
CDN: Final = "cdn"
_CENTRES: Final = 9
"""Telegram has five (https://core.telegram.org/api/datacenter)."""

METHODS: Final = frozenset(
    {
        "account.getAuthorizations",
        "account.getPassword",
        "account.resetAuthorization",
        "auth.cancelCode",
        "auth.checkPassword",
        "auth.exportAuthorization",
        "auth.exportLoginToken",
        "auth.importAuthorization",
        "auth.importLoginToken",
        "auth.logOut",
        "auth.resendCode",
        "auth.resetAuthorizations",
        "auth.sendCode",
        "auth.signIn",
        "help.getAppConfig",
        "help.getCdnConfig",
        "help.getConfig",
        "help.getNearestDc",
        "messages.deleteMessages",
        "messages.editMessage",
        "messages.getHistory",
        "messages.getMessages",
        "messages.getSearchCounters",
        "messages.getSearchResultsCalendar",
        "messages.getSearchResultsPositions",
        "messages.search",
        "messages.sendMedia",
        "messages.sendMultiMedia",
        "messages.uploadMedia",
        "updates.getDifference",
        "updates.getState",
        "upload.getCdnFile",
        "upload.getCdnFileHashes",
        "upload.getFile",
        "upload.getFileHashes",
        "upload.reuploadCdnFile",
        "upload.saveBigFilePart",
        "upload.saveFilePart",
        "users.getUsers",
    }
)
"""The methods that have names of their own here: those that the service calls."""


class Statistics:
    """The numbers. One for a process, shared by all its clients."""

    def __init__(self) -> None:
        self.heard_at = -math.inf
        """When Telegram answered anything, the last time, by the event loop's clock."""
        self.failed_at = -math.inf
        """When a connection could not be opened, the last time."""
        self.opened = 0
        """TCP connections that were opened."""
        self.not_opened = 0
        """TCP connections that were refused, or not answered."""
        self.reopened = 0
        """Main connections that were opened in place of one that was lost."""
        self.references_renewed = 0
        """File references that had expired, and were fetched anew."""
        self.calls: Counter[tuple[str, Outcome]] = Counter()
        """Attempts, by method and what came of them."""
        self.flood_seconds: Counter[str] = Counter()
        """What Telegram told to wait, in seconds, by method: the sum, whether or not it was sat out."""
        self.bytes: Counter[Lane] = Counter()
        """Contents of files."""
        self.in_flight: Counter[Lane] = Counter()
        """Parts of files that are on their way now."""

    def heard(self) -> None:
        """Take note that Telegram has answered."""
        self.heard_at = asyncio.get_running_loop().time()

    def connected(self, *, opened: bool) -> None:
        """Count a connection that was opened, or could not be."""
        if opened:
            self.opened += 1
        else:
            self.not_opened += 1
            self.failed_at = asyncio.get_running_loop().time()

    def called(self, method: str, outcome: Outcome, wait: float = 0) -> None:
        """Count an attempt at a call; `wait` is how many seconds Telegram told to wait."""
        name = method if method in METHODS else OTHER
        self.calls[name, outcome] += 1
        if wait:
            self.flood_seconds[name] += int(wait)


def centre_name(dc_id: int, *, cdn: bool = False) -> str:
    """Return what a data centre is called in statistics: its number, "cdn" or "other"."""
    if cdn:
        return CDN
    return str(dc_id) if 0 < dc_id <= _CENTRES else OTHER
