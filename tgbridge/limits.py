"""How often is too often: what callers may ask for within a window of time, counted in bounded memory.

The counting is that of the package ``limits``. Its own memory storage grows with each key that it is asked
about, and goes through all of them in a task of its own at each request; ours does neither.
"""

from __future__ import annotations

import math
import secrets
import time
from array import array
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final, Literal, get_args

from limits import RateLimitItemPerSecond
from limits.aio.storage import MovingWindowSupport, Storage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from tgbridge.errors import TOO_MANY_REQUESTS, HTTPFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from limits.aio.strategies import RateLimiter

    from tgbridge.settings import LimitsSettings

Rule = Literal[
    "send_code_per_address",
    "send_code_per_number",
    "sign_in_per_number",
    "sign_in_password_per_login",
    "qr_login_per_address",
    "requests_per_session",
]
"""The limits, each named as its setting in ``limits``."""

CODE: Final = "TOO_MANY_REQUESTS"
_IPV6_PREFIX: Final = 64


class Limiter:
    """Counts requests by rule and by whom they are from or about.

    ``clock`` gives seconds; it never goes backwards. ``salt`` is a secret of at most 64 bytes, which no two
    processes need to share.
    """

    def __init__(
        self,
        settings: LimitsSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        salt: bytes | None = None,
    ) -> None:
        self._enabled = settings.enabled is not False
        self._clock = clock
        self._counters = settings.counters
        # Nobody can tell which keys meet in one counter, nor a phone number from what is kept of it.
        self._salt = salt or secrets.token_bytes(16)
        self.storage = _Storage(clock)
        self._items = {
            rule: RateLimitItemPerSecond(getattr(settings, rule), settings.window_seconds, namespace=rule)
            for rule in get_args(Rule)
        }
        exact = MovingWindowRateLimiter(self.storage)
        self._strategies: Mapping[Rule, RateLimiter] = dict.fromkeys(get_args(Rule), exact) | {
            # Thousands of times are not worth remembering one by one.
            "requests_per_session": FixedWindowRateLimiter(self.storage)
        }

    async def spend(self, rule: Rule, key: str) -> None:
        """Count a request. Raises HTTPFailure 429 if ``key`` has had its share."""
        if not self._enabled:
            return
        item, strategy, counter = self._items[rule], self._strategies[rule], self._counter(key)
        if await strategy.hit(item, counter):
            return
        free_again, _ = await strategy.get_window_stats(item, counter)
        retry_after = max(1, math.ceil(free_again - self._clock()))
        raise HTTPFailure(429, TOO_MANY_REQUESTS, code=CODE, retry_after=retry_after)

    def _counter(self, key: str) -> str:
        digest = blake2b(key.encode(errors="surrogatepass"), key=self._salt, digest_size=8)
        return str(int.from_bytes(digest.digest()) % self._counters)


def place_of(address: str) -> str:
    """Give what stands for an address: in IPv6 the /64, since each subscriber has all of one at least."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_PREFIX), strict=False))
    return address


class _Storage(Storage, MovingWindowSupport):
    """Times and counts by key, of which the limiter has a bounded number."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._times: dict[str, array[float]] = {}
        self._counts: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._times) + len(self._counts)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong with memory is nobody's business here."""
        return MemoryError

    # The moving window: the time of each request within it, the oldest first.

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Note ``amount`` requests now, if no more than ``limit`` were in the last ``expiry`` seconds."""
        times = self._recent(key, expiry)
        if len(times) + amount > limit:
            return False
        times.extend([self._clock()] * amount)
        self._times[key] = times
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002
        """Return when the oldest request in the window was made, and how many there are."""
        times = self._recent(key, expiry)
        return (times[0] if times else self._clock()), len(times)

    def _recent(self, key: str, expiry: int) -> array[float]:
        times, since = self._times.get(key, array("d")), self._clock() - expiry
        while times and times[0] <= since:
            times.pop(0)
        return times

    # The fixed window: how many requests, and when it ends.

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` more, in a window that begins with the first one and lasts ``expiry`` seconds."""
        count, ends = self._counts.get(key, (0, -math.inf))
        if ends <= self._clock():
            count, ends = 0, self._clock() + expiry
        self._counts[key] = count + amount, ends
        return count + amount

    async def get(self, key: str) -> int:
        """Return the count of the current window."""
        count, ends = self._counts.get(key, (0, -math.inf))
        return count if ends > self._clock() else 0

    async def get_expiry(self, key: str) -> float:
        """Return when the current window ends."""
        return self._counts.get(key, (0, self._clock()))[1]

    # The rest of what a storage has to offer.

    async def clear(self, key: str) -> None:
        """Forget one key."""
        self._times.pop(key, None)
        self._counts.pop(key, None)

    async def reset(self) -> int:
        """Forget everything; return how many keys that were."""
        forgotten = len(self)
        self._times.clear()
        self._counts.clear()
        return forgotten

    async def check(self) -> bool:
        """Memory is always there."""
        return True
