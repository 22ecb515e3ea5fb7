"""What the doctor finds: one value for each thing that was looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Verdict: TypeAlias = Literal["ok", "warning", "fault", "unknown"]
"""Warnings are worth a look; faults keep something from working; unknown is what could not be looked at."""

_MARKS: Final[dict[Verdict, str]] = {
    "ok": "ok     ",
    "warning": "WARNING",
    "fault": "FAULT  ",
    "unknown": "?      ",
}
HEALTHY: Final = 0
FAULTY: Final = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at (``check``, a stable name), what came of it, and what to do where it is not well.

    Never holds a secret: reports are shown to others. ``data`` are numbers for programs.
    """

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def ok(check: str, text: str, **data: Any) -> Finding:
    """All is well."""
    return Finding(check, "ok", text, data=data)


def warning(check: str, text: str, remedy: str, **data: Any) -> Finding:
    """It works, and is worth a look."""
    return Finding(check, "warning", text, remedy, data)


def fault(check: str, text: str, remedy: str, **data: Any) -> Finding:
    """Something does not work."""
    return Finding(check, "fault", text, remedy, data)


def unknown(check: str, text: str, remedy: str = "", **data: Any) -> Finding:
    """It could not be looked at."""
    return Finding(check, "unknown", text, remedy, data)


def line(finding: Finding) -> str:
    """Write a finding for a person: one line, and one for what to do."""
    told = f"{_MARKS[finding.verdict]} {finding.check}: {finding.text}"
    return f"{told}\n        -> {finding.remedy}" if finding.remedy else told


def summary(findings: Iterable[Finding]) -> dict[str, Any]:
    """Write findings for a program; ``ok`` is whether there is no fault."""
    found = list(findings)
    counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in _MARKS}
    return {"ok": status_of(found) == HEALTHY, "counts": counts, "findings": [asdict(one) for one in found]}


def status_of(findings: Iterable[Finding]) -> int:
    """Return the exit status: 1 where there is a fault, else 0."""
    return FAULTY if any(finding.verdict == "fault" for finding in findings) else HEALTHY
