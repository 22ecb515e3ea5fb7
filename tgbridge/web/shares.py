"""How many requests of each account are in work: none of them takes the room of all others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from tgbridge.errors import TOO_MANY_REQUESTS, HTTPFailure

if TYPE_CHECKING:
    from tgbridge.settings.live import LiveSettings
    from tgbridge.web.tally import RequestTally

CODE: Final = "TOO_MANY_AT_ONCE"
_FREE_AGAIN_SECONDS: Final = 1


class Shares:
    """Counts them. Those that come with tickets get half, so that nobody who has one locks its owner out."""

    def __init__(self, live: LiveSettings, tally: RequestTally) -> None:
        """``tally`` is told of what is refused."""
        self._live = live
        self._tally = tally
        self._counts: Counter[int] = Counter()
        self._by_ticket: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def take(self, account: int, *, by_ticket: bool) -> None:
        """Count one more of an account, until it is given back. Raises HTTPFailure 429."""
        settings = self._live.now.limits
        most = settings.requests_at_once_per_account
        is_full = self._counts.get(account, 0) >= most or (
            by_ticket and self._by_ticket.get(account, 0) >= max(1, most // 2)
        )
        if is_full and settings.enabled is not False:
            self._tally.bounds["requests_of_account"] += 1
            raise HTTPFailure(429, TOO_MANY_REQUESTS, code=CODE, retry_after=_FREE_AGAIN_SECONDS)
        self._counts[account] += 1
        if by_ticket:
            self._by_ticket[account] += 1

    def give_back(self, account: int, *, by_ticket: bool) -> None:
        """Count one less."""
        for counts in (self._counts, self._by_ticket) if by_ticket else (self._counts,):
            counts[account] -= 1
            if not counts[account]:
                del counts[account]
