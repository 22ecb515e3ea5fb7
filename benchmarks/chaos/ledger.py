"""What was seen, what may have caused it, and what nothing explains."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

AFTER_SECONDS = 15.0
"""For so long after its end a fault may still be felt: calls that wait, connections that are opened again."""

_NETWORK = {
    "bandwidth",
    "data_centre_stop",
    "delay",
    "drop",
    "drop_connections",
    "error",
    "expire_salts",
    "hold",
    "internal_error",
    "key_exchange",
    "kill",
    "refuse_connections",
    "restart",
    "short",
    "silence",
    "silence_data_centre",
    "slow",
    "throttle",
}
_PATIENCE = _NETWORK | {"limit", "flood_wait", "alter"}
"""By which Telegram may be waited for until the patience is used up."""

CAUSES: dict[str, set[str]] = {
    "400 PASSWORD_HASH_INVALID": {"change_password"},
    "400 PHONE_CODE_EXPIRED": {"expire_codes"},
    "401": {"revoke"},
    "409": _PATIENCE | {"expire_uploads"},
    "410": _NETWORK | {"expire_uploads", "revoke"},
    "429 FLOOD_PREMIUM_WAIT": {"flood_wait", "limit"},
    "429 FLOOD_WAIT": {"flood_wait", "limit"},
    "500 CHAOS_RULES": {"error"},
    "500 FILE_PARTS_INVALID": {"expire_uploads"},
    "500 FILE_PART_MISSING": {"expire_uploads"},  # of a form, of which nothing is kept here
    "500 INTERNAL_ERROR FileCorrupted": {"alter", "short"},  # again and again
    "503 TELEGRAM_UNAVAILABLE": _PATIENCE,
    "broken": _PATIENCE | {"revoke", "expire_uploads", "error"},
    "refused": {"kill", "restart"},
    "stuck": {"throttle"},
}
"""By which faults an outcome may be explained: a status with its code and details, as many as are named; a
body that was broken off; no connection. What is not here is wrong whatever happens."""

_WITHOUT_SESSION = {"401", "410", "broken"}
"""What comes of one's own logout, too: some other request of the same browser is under way mostly."""


@dataclass(slots=True)
class Fault:
    """One fault, and when it was active, in seconds since the beginning."""

    name: str
    began: float
    ended: float | None = None


@dataclass(slots=True)
class Ledger:
    """The log of a run."""

    path: Path
    began: float = field(default_factory=time.monotonic)
    faults: list[Fault] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    """By name, those after which a page was compared with what there was."""
    wrong: list[dict[str, Any]] = field(default_factory=list)
    received: int = 0
    """Bytes that were compared."""
    acknowledged: int = 0

    def now(self) -> float:
        """Return the seconds since the beginning."""
        return time.monotonic() - self.began

    def note(self, what: str, **details: Any) -> None:
        """Write a line."""
        with self.path.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"at": round(self.now(), 3), "what": what, **details}) + "\n")

    def fault(self, name: str, **details: Any) -> Fault:
        """Note that a fault begins."""
        self.note("fault", fault=name, **details)
        fault = Fault(name, self.now())
        self.faults.append(fault)
        return fault

    def over(self, fault: Fault) -> None:
        """Note its end."""
        fault.ended = self.now()
        self.note("over", fault=fault.name)

    def happened(self, outcome: str, since: float, **details: Any) -> None:
        """Judge an outcome other than success, of a request that was made at ``since``."""
        self.outcomes[outcome] += 1
        active = self.active(since)
        who = str(details.get("who", "")).partition(" ")[0]
        self.note("failed", outcome=outcome, since=round(since, 3), causes=sorted(active), **details)
        causes = _causes(outcome, details.get("code"), details.get("details"))
        if outcome in _WITHOUT_SESSION:
            causes = causes | {f"logout {who}"}
        if not active & causes:
            self.is_wrong(
                "no cause", outcome=outcome, since=round(since, 3), active=sorted(active), **details
            )

    def active(self, since: float) -> set[str]:
        """Name the faults that were felt at some time from ``since`` on."""
        return {
            fault.name for fault in self.faults if fault.ended is None or fault.ended + AFTER_SECONDS >= since
        }

    def is_wrong(self, what: str, **details: Any) -> None:
        """Note what must never happen."""
        self.wrong.append({"at": round(self.now(), 3), "wrong": what, **details})
        self.note("WRONG", wrong=what, **details)


def _causes(*named: str | None) -> set[str]:
    """Find what explains an outcome: by all of its names, or else by the first ones."""
    names = [name for name in named if name]
    for count in range(len(names), 0, -1):
        if (found := CAUSES.get(" ".join(names[:count]))) is not None:
            return found
    return set()
