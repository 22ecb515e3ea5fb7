"""The limiter: how many, for how long, for whom, and in how much memory."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args

import pytest
from structlog.testing import capture_logs

from tgbridge.errors import HTTPFailure
from tgbridge.settings import LimitsSettings
from tgbridge.web.limits import AddressRule, Limiter, Rule, places_of

if TYPE_CHECKING:
    from collections.abc import Callable

RULES: tuple[Rule, ...] = tuple(rule for group in get_args(Rule) for rule in get_args(group))
ADDRESS_RULES: tuple[AddressRule, ...] = get_args(AddressRule)
PHONE = "+15551234567"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Limiter]:
    def make(**settings: Any) -> Limiter:
        return Limiter(LimitsSettings(**settings), clock=clock, salt=b"so that it is the same each time")

    return make


async def spend(limiter: Limiter, rule: Rule, key: str = PHONE, times: int = 1) -> int | None:
    """Make requests until one is refused; return its Retry-After, None if none was."""
    for _ in range(times):
        try:
            await limiter.spend(rule, key)
        except HTTPFailure as failure:
            return failure.retry_after
    return None


DEFAULTS: dict[Rule, int] = {
    "send_code_per_address": 30,
    "send_code_per_number": 10,
    "send_code_per_process": 300,
    "sign_in_per_number": 20,
    "sign_in_password_per_login": 10,
    "qr_login_per_address": 30,
}


@pytest.mark.parametrize(("rule", "amount"), DEFAULTS.items())
async def test_defaults(make: Callable[..., Limiter], rule: Rule, amount: int) -> None:
    """So many are let through in ten minutes, and not one more."""
    limiter = make()
    assert await spend(limiter, rule, times=amount) is None
    assert await spend(limiter, rule) == 600


async def test_per_session(make: Callable[..., Limiter], clock: Clock) -> None:
    """A session's requests are counted from the first on, and anew when its window is over."""
    limiter = make(requests_per_session=1000)
    assert await spend(limiter, "requests_per_session", times=1000) is None
    clock.seconds += 599
    assert await spend(limiter, "requests_per_session") == 1
    clock.seconds += 1
    assert await spend(limiter, "requests_per_session", times=1000) is None
    assert await spend(limiter, "requests_per_session") == 600


async def test_retry_after_is_true(make: Callable[..., Limiter], clock: Clock) -> None:
    """Who waits as long as is told is let through, and who waits a second less is not."""
    limiter = make(sign_in_per_number=2)
    await limiter.spend("sign_in_per_number", PHONE)
    clock.seconds += 100
    await limiter.spend("sign_in_per_number", PHONE)
    told = await spend(limiter, "sign_in_per_number")
    assert told == 500
    clock.seconds += told - 1
    assert await spend(limiter, "sign_in_per_number") == 1
    clock.seconds += 1
    assert await spend(limiter, "sign_in_per_number") is None
    assert await spend(limiter, "sign_in_per_number") == 100


async def test_at_no_time_more(make: Callable[..., Limiter], clock: Clock) -> None:
    """In any ten minutes there are no more than the limit, also across the turn of a window."""
    limiter = make(sign_in_per_number=5)
    passed: list[float] = []
    for _ in range(200):
        if await spend(limiter, "sign_in_per_number") is None:
            passed.append(clock.seconds)
        clock.seconds += 37
    assert max(sum(start <= then < start + 600 for then in passed) for start in passed) == 5


async def test_keys_and_rules_apart(make: Callable[..., Limiter]) -> None:
    """One number's requests are not another's, nor one rule's another's."""
    limiter = make(send_code_per_number=1, sign_in_per_number=1)
    assert await spend(limiter, "send_code_per_number") is None
    assert await spend(limiter, "send_code_per_number", "+15551234568") is None
    assert await spend(limiter, "sign_in_per_number") is None
    assert await spend(limiter, "send_code_per_number") == 600


async def test_disabled(make: Callable[..., Limiter]) -> None:
    """`limits.enabled` turns all of them off."""
    limiter = make(enabled=False, **dict.fromkeys(RULES, 1))
    for rule in RULES:
        assert await spend(limiter, rule, times=5) is None


async def test_memory_is_bounded(make: Callable[..., Limiter], clock: Clock) -> None:
    """However many addresses, numbers and sessions are invented, no more is kept than the setting allows."""
    limiter = make(counters=8, requests_per_session=100_000)
    for number in range(3000):
        for rule in RULES:
            await spend(limiter, rule, f"key {number}")
        for by_address in ADDRESS_RULES:
            with suppress(HTTPFailure):
                await limiter.spend_from(by_address, f"2001:db8:{number:x}:{number:x}::1")
        clock.seconds += 0.01
    assert len(limiter.storage) == 8 * (len(RULES) + 3 * len(ADDRESS_RULES))
    assert sum(map(len, limiter.storage._times.values())) <= 8 * (
        10 + 300 + 20 + 10 + 2 * 30 * (1 + 1 + 2 + 4)
    )


async def test_inventing_keys_resets_none(make: Callable[..., Limiter]) -> None:
    """Nobody gets new guesses by pushing the count of the old ones out of memory."""
    limiter = make(counters=64)
    await spend(limiter, "sign_in_per_number", times=20)
    for number in range(1000):
        await spend(limiter, "sign_in_per_number", f"key {number}")
    assert await spend(limiter, "sign_in_per_number") is not None


async def test_no_key_is_kept(make: Callable[..., Limiter]) -> None:
    """What is kept of a phone number is the number of a counter, which differs from process to process."""
    limiters = [Limiter(LimitsSettings()) for _ in range(6)]
    for limiter in limiters:
        await limiter.spend("send_code_per_number", PHONE)
    kept = [repr(vars(limiter)) + repr(vars(limiter.storage)) for limiter in limiters]
    assert PHONE[1:] not in "".join(kept)
    assert len({next(iter(limiter.storage._times)) for limiter in limiters}) > 1


PLACES = {
    "IPv4": ("203.0.113.7", ["203.0.113.7"]),
    "IPv4 in a socket of both families": ("::ffff:203.0.113.7", ["203.0.113.7"]),
    "IPv6": ("2001:db8:1:203:4:5:6:7", ["2001:db8:1:203::/64", "2001:db8:1:200::/56", "2001:db8:1::/48"]),
    "IPv6 with a zone": ("fe80::1%eth0", ["fe80::/64", "fe80::/56", "fe80::/48"]),
    "none": ("", [""]),
    "text": ("unix:", [""]),
}


@pytest.mark.parametrize(("address", "places"), PLACES.values(), ids=PLACES.keys())
def test_places(address: str, places: list[str]) -> None:
    """IPv6 addresses are counted by the networks of which a subscriber can take any address."""
    assert [place.name for place in places_of(address)] == places


@pytest.mark.parametrize("rule", ADDRESS_RULES)
async def test_networks(make: Callable[..., Limiter], rule: AddressRule) -> None:
    """A /64 may do what an address may, a /56 twice, a /48 four times as much; refusals cost nobody."""
    limiter = make(**{rule: 3, "counters": 2**20})

    async def let_through(*addresses: str) -> int:
        count = 0
        for address in addresses * 4:
            with suppress(HTTPFailure):
                await limiter.spend_from(rule, address)
                count += 1
        return count

    assert await let_through("2001:db8:1:1::1", "2001:db8:1:1::2") == 3
    assert await let_through("2001:db8:1:2::1", "2001:db8:1:3::1") == 3  # the rest of the /56
    assert await let_through("2001:db8:1:101::1") == 3
    assert await let_through("2001:db8:1:201::1") == 3
    assert await let_through("2001:db8:1:301::1") == 0  # the /48 has had all
    assert await let_through("2001:db8:2::1", "203.0.113.7", "203.0.113.8") == 9


async def test_streams(make: Callable[..., Limiter]) -> None:
    """So many QR logins of a place are open at the same time, whatever became of those before."""
    limiter = make(qr_streams_per_address=1)
    for _ in range(3):
        with limiter.streaming("203.0.113.7"), limiter.streaming("2001:db8:1:1::1"):
            with pytest.raises(HTTPFailure) as refused, limiter.streaming("::ffff:203.0.113.7"):
                pass
            assert (refused.value.status, refused.value.retry_after) == (429, 30)
            with (
                limiter.streaming("2001:db8:1:2::1"),
                pytest.raises(HTTPFailure),
                limiter.streaming("2001:db8:1:3::1"),
            ):
                pass
    assert not limiter._streams


async def test_the_log_tells_once(make: Callable[..., Limiter], clock: Clock) -> None:
    """That nobody is sent a code any more stands in the log once each time, not for each who is refused."""
    limiter = make(send_code_per_process=2)
    with capture_logs() as lines:
        for _ in range(2):
            await spend(limiter, "send_code_per_process", "", times=10)
            clock.seconds += 300
            await spend(limiter, "send_code_per_process", "", times=10)
            clock.seconds += 300
    told = {"event": "no more login codes for now", "log_level": "warning", "limit": "send_code_per_process"}
    assert lines == [told | {"retry_after": 600}] * 2


async def test_forgetting(make: Callable[..., Limiter]) -> None:
    """A key, or all, can be forgotten."""
    limiter = make(sign_in_per_number=1, requests_per_session=1)
    for rule in ("sign_in_per_number", "requests_per_session"):
        await spend(limiter, rule)
    for key in [*limiter.storage._times, *limiter.storage._counts]:
        await limiter.storage.clear(key)
    assert await spend(limiter, "sign_in_per_number") is None
    assert await limiter.storage.reset() == 1
    assert await limiter.storage.check()
    assert await spend(limiter, "sign_in_per_number") is None
