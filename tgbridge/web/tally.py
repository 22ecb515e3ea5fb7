"""What requests bring to the metrics, counted in plain numbers: a request pays a microsecond for it.

All labels are of known sets: routes as they are declared, methods, statuses, codes of the contract.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OTHER: Final = "other"
"""In place of whatever is not of the known set."""

NO_ANSWER: Final = "none"
"""In place of a status, where the client went before there was one."""

SUCCEEDED: Final = "succeeded"

FIRST_BYTE_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The upper bounds of the buckets: from what the cookie alone tells to a flood wait that was sat out."""

LOGIN_STEPS: Final[dict[str, str]] = {
    "/send-code": "send_code",
    "/resend-code": "resend_code",
    "/sign-in": "code",
    "/sign-in-password": "password",
    "/qr-login/claim": "qr",
}
"""The routes that are steps of a login, and what they are called."""

Bound: TypeAlias = Literal[
    "connections",
    "requests",
    "requests_of_account",
    "idle_connections",
    "head_seconds",
    "send_seconds",
]
"""What there may be too much of, or too slowly."""

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Histogram:
    """Counts values by upper bounds, the last of which is infinity."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return what Prometheus calls buckets: how many values are at most each bound."""
        told, below = [], 0
        for bound, count in zip((*self._bounds, float("inf")), self.counts, strict=True):
            below += count
            told.append(("+Inf" if bound == float("inf") else str(bound), float(below)))
        return told


class RequestTally:
    """Counts requests, by what they asked for and what they were answered."""

    def __init__(self, codes: Iterable[str]) -> None:
        """`codes` are those that an error body may have."""
        self.requests: Counter[tuple[str, str, str]] = Counter()
        """By method, route and status."""
        self.broken: Counter[tuple[str, str]] = Counter()
        """Answers that began and did not come to their end, by route and by whose doing."""
        self.bounds: Counter[Bound] = Counter(dict.fromkeys(get_args(Bound), 0))
        """What was refused or ended at a bound, by the bound."""
        self.logins: Counter[tuple[str, str]] = Counter()
        """By step and outcome."""
        self.first_byte: defaultdict[str, Histogram] = defaultdict(lambda: Histogram(FIRST_BYTE_SECONDS))
        """Seconds, by route."""
        self._codes = frozenset(codes)

    def answered(self, method: str, route: str | None, status: int, code: str | None, seconds: float) -> None:
        """Count an answer as it begins, ``seconds`` after its request came; ``code`` is an error's."""
        name = route or OTHER
        self.requests[method if method in _METHODS else OTHER, name, str(status)] += 1
        self.first_byte[name].observe(seconds)
        if (step := LOGIN_STEPS.get(name)) is not None and method == "POST":
            outcome = SUCCEEDED if code is None else code if code in self._codes else OTHER
            self.logins[step, outcome] += 1

    def refused(self, status: int) -> None:
        """Count what was answered before it was known what it asks for."""
        self.requests[OTHER, OTHER, str(status)] += 1

    def unanswered(self, method: str, route: str | None) -> None:
        """Count a request whose client went before there was an answer."""
        self.requests[method if method in _METHODS else OTHER, route or OTHER, NO_ANSWER] += 1

    def broke(self, route: str | None, by: Literal["client", "service"]) -> None:
        """Count an answer that was broken off."""
        self.broken[route or OTHER, by] += 1
