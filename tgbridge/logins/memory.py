"""What has just come of codes and passwords, so that one that is sent again gets the answer of before.

The answer to a login may never have reached the browser, which then tries again with the cookie of before. By
then Telegram calls the code expired, has no use for the password, and the session is signed in. But a cookie
of before may have been copied, or planted: what shows that it is the same person is that they know the very
code or password, which only this process can tell, and only for a while.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS: Final = 600.0  # a code is good for a few minutes, and whoever had no answer does not wait longer
_MOST: Final = 4096


class Outcome(Enum):
    """What came of a code or a password."""

    SIGNED_IN = auto()
    PASSWORD_NEEDED = auto()
    UNKNOWN = auto()
    """Telegram was asked, and its answer was lost."""


@dataclass(slots=True)
class _Login:
    until: float
    outcomes: dict[bytes, Outcome] = field(default_factory=dict)


class LoginMemory:
    """The outcomes of the last logins, in memory, as digests by a key that is nowhere else.

    A login is named by its Telegram session string. ``clock`` gives seconds; it never goes backwards.
    """

    def __init__(
        self, *, seconds: float = _SECONDS, most: int = _MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._most = most
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._logins: OrderedDict[bytes, _Login] = OrderedDict()  # those noted last stand last

    def __len__(self) -> int:
        return len(self._logins)

    def note(self, login: str, proof: str, outcome: Outcome) -> None:
        """Remember what came of ``proof``; what was known of it does not become unknown again.

        Once a step has been taken, it was by none whose outcome is unknown: those are forgotten.
        """
        name = self._digest(login)
        found = self._logins.pop(name, None) or _Login(0.0)
        if outcome is Outcome.UNKNOWN:
            found.outcomes.setdefault(self._digest(proof), outcome)
        else:
            found.outcomes = {key: old for key, old in found.outcomes.items() if old is not Outcome.UNKNOWN}
            found.outcomes[self._digest(proof)] = outcome
        found.until = self._clock() + self._seconds
        self._logins[name] = found
        while len(self._logins) > self._most or next(iter(self._logins.values())).until <= self._clock():
            self._logins.popitem(last=False)

    def outcome(self, login: str, proof: str) -> Outcome | None:
        """Return what came of ``proof`` in ``login``, None if nothing is known of it."""
        found = self._logins.get(self._digest(login))
        if found is None or found.until <= self._clock():
            return None
        return found.outcomes.get(self._digest(proof))

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode(), "sha256")
