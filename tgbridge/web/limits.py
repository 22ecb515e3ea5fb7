"""How often is too often: what callers may ask for within a window of time, counted in bounded memory.

The counting is that of the package ``limits``. Its own memory storage grows with each key that it is asked
about, and goes through all of them in a task of its own at each request; ours does neither.
"""

from __future__ import annotations

import math
import secrets
import time
from array import array
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, TypeGuard, get_args

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MovingWindowSupport, Storage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from tgbridge.errors import TOO_MANY_REQUESTS, HTTPFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from limits.aio.strategies import RateLimiter

    from tgbridge.settings import LimitsSettings

AddressRule = Literal["send_code_per_address", "qr_login_per_address"]
"""The limits that are counted by address, each named as its setting in ``limits``."""

CoarseRule: TypeAlias = Literal["requests_per_session", "requests_per_ticket", "tickets_per_session"]
"""Those of which only a number is kept: thousands of times are not worth remembering one by one."""

Rule: TypeAlias = (
    AddressRule
    | CoarseRule
    | Literal[
        "send_code_per_number",
        "send_code_per_process",
        "sign_in_per_number",
        "sign_in_password_per_login",
    ]
)
"""All limits of how many requests there may be within a time."""

CODE: Final = "TOO_MANY_REQUESTS"
_COARSE: Final[frozenset[str]] = frozenset(get_args(CoarseRule))
_STREAMS: Final = "qr_streams_per_address"
_STREAM_ENDS_SECONDS: Final = 30  # nobody knows when a page will be closed: soon enough to try again
# A subscriber has one /64 at least, and often a /56 or a /48 (RFC 6177), whose neighbours may be others: the
# wider the network, the more it may do.
_IPV6_WIDTHS: Final = ((64, 1), (56, 2), (48, 4))
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests come from: an address, or a network that may do ``times`` as much as one address."""

    name: str
    width: str = ""
    times: int = 1


_ONE: Final = Place("")
"""Any single caller: they have the same share."""


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
        self._settings = settings
        self._enabled = settings.enabled is not False
        self._clock = clock
        # Nobody can tell which keys meet in one counter, nor a phone number from what is kept of it.
        self._salted = blake2b(key=salt or secrets.token_bytes(16), digest_size=8)
        self.storage = _Storage(clock)
        self._exact = MovingWindowRateLimiter(self.storage)
        self._coarse = FixedWindowRateLimiter(self.storage)
        self._items: dict[tuple[Rule, str], RateLimitItemPerSecond] = {}
        self._streams: Counter[str] = Counter()
        self._silent_until = -math.inf

    def change(self, settings: LimitsSettings) -> None:
        """Count by other settings from now on, and from zero: other counters would count other callers."""
        if settings != self._settings:
            self._settings = settings
            self._enabled = settings.enabled is not False
            self._items.clear()
            self.storage.forget()

    async def spend(self, rule: Rule, key: str = "") -> None:
        """Count a request. Raises HTTPFailure 429 if ``key`` has had its share."""
        if not (_is_coarse(rule) and self.has_room(rule, key)):
            await self._spend(rule, (Place(key),))

    def has_room(self, rule: CoarseRule, key: str) -> bool:
        """Count a request, of which nothing has to be waited for; False if ``spend`` has to refuse it.

        Each request of a session comes here. In a window whose end is fixed, what is refused may count.
        """
        if not self._enabled:
            return True
        item = self._item(rule, _ONE)
        return self.storage.count(item.key_for(self._counter(key)), item.get_expiry()) <= item.amount

    async def spend_from(self, rule: AddressRule, address: str) -> None:
        """Count a request of an address, and of the networks around it. Raises HTTPFailure 429."""
        await self._spend(rule, places_of(address))

    @contextmanager
    def streaming(self, address: str) -> Iterator[None]:
        """Count a QR login of an address as open while the block runs. Raises HTTPFailure 429."""
        places = places_of(address) if self._enabled else ()
        if any(self._streams[place.name] >= self._allowed(_STREAMS, place) for place in places):
            raise _too_many(_STREAMS, _STREAM_ENDS_SECONDS)
        names = Counter(place.name for place in places)
        self._streams += names
        try:
            yield
        finally:
            self._streams -= names  # which forgets those that are zero

    async def _spend(self, rule: Rule, places: tuple[Place, ...]) -> None:
        if not self._enabled:
            return
        strategy = self._coarse if rule in _COARSE else self._exact
        counted = [(self._item(rule, place), self._counter(place.name)) for place in places]
        # What is refused counts nowhere: neighbours do not pay for it.
        waits = [await self._wait(strategy, *each) for each in counted]
        if any(waits):
            self._tell(rule, max(waits))
            raise _too_many(rule, max(waits))
        for item, counter in counted:
            await strategy.hit(item, counter)

    async def _wait(self, strategy: RateLimiter, item: RateLimitItemPerSecond, counter: str) -> int:
        """Return after how many seconds a request will be let through; 0 if one is now."""
        if await strategy.test(item, counter):
            return 0
        free_again, _ = await strategy.get_window_stats(item, counter)
        return max(1, math.ceil(free_again - self._clock()))

    def _tell(self, rule: Rule, seconds: int) -> None:
        """Say in the log that everybody is refused, and not each time."""
        if rule == "send_code_per_process" and self._clock() >= self._silent_until:
            self._silent_until = self._clock() + seconds
            _log.warning("no more login codes for now", limit=rule, retry_after=seconds)

    def _item(self, rule: Rule, place: Place) -> RateLimitItemPerSecond:
        item = self._items.get((rule, place.width))
        if item is None:
            allowed, window = self._allowed(rule, place), self._settings.window_seconds
            item = RateLimitItemPerSecond(allowed, window, namespace=rule + place.width)
            self._items[rule, place.width] = item
        return item

    def _allowed(self, setting: str, place: Place) -> int:
        allowed: int = getattr(self._settings, setting)
        return allowed * place.times

    def _counter(self, key: str) -> str:
        salted = self._salted.copy()
        salted.update(key.encode(errors="surrogatepass"))
        return str(int.from_bytes(salted.digest()) % self._settings.counters)


def _is_coarse(rule: Rule) -> TypeGuard[CoarseRule]:
    return rule in _COARSE


def places_of(address: str) -> tuple[Place, ...]:
    """Give what a request is counted by: in IPv6 the networks that a subscriber may have all of."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return (Place(""),)
    if not isinstance(parsed, IPv6Address):
        return (Place(address),)
    if parsed.ipv4_mapped is not None:  # as sockets of both families name IPv4 peers
        return (Place(str(parsed.ipv4_mapped)),)
    return tuple(
        Place(str(ip_network((int(parsed), width), strict=False)), f"/{width}", times)
        for width, times in _IPV6_WIDTHS
    )


def _too_many(limit: str, retry_after: int) -> HTTPFailure:
    return HTTPFailure(429, TOO_MANY_REQUESTS, code=CODE, retry_after=retry_after, log={"limit": limit})


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
        """Do as ``count`` does."""
        return self.count(key, expiry, amount)

    def count(self, key: str, expiry: int, amount: int = 1) -> int:
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
        self.forget()
        return forgotten

    def forget(self) -> None:
        """Forget everything."""
        self._times.clear()
        self._counts.clear()

    async def check(self) -> bool:
        """Memory is always there."""
        return True
