"""``--live`` on the command line: asking first, and writing the report."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tgbridge.doctor.live.person import Person
from tgbridge.doctor.live.run import WHAT_IT_DOES, report, run
from tgbridge.doctor.live.session import number_for_tests

if TYPE_CHECKING:
    import argparse

    from tgbridge.doctor.command import Teller
    from tgbridge.settings import Settings

_REPORT: Final = Path("doctor-report.json")

# https://my.telegram.org names the same to everybody.
_TEST_SERVER: Final = {"test_servers": True, "dc_host": "149.154.167.40", "dc_port": 443, "dc_id": 2}


def overrides(options: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """Return what --test changes in the settings: Telegram's test servers, unless another server is set."""
    if not options.test or settings.telegram.dc_host is not None:
        return {}
    return {"telegram": dict(_TEST_SERVER)}


async def examine_live(
    settings: Settings, teller: Teller, options: argparse.Namespace, person: Person | None = None
) -> bool:
    """Ask whether to begin, and do so. False where nobody has agreed. Raises EOFError without a terminal."""
    person = person or Person()
    if not options.yes:
        sys.stderr.write(f"{WHAT_IT_DOES}\n\n")
        if not await person.agrees("Shall it begin?"):
            return False
    phone = options.phone or (number_for_tests(settings) if options.test else None)
    await run(settings, person, teller.tell, phone=phone, is_test=options.test)
    return True


def write_report(settings: Settings, teller: Teller, options: argparse.Namespace) -> Path:
    """Write what was seen, to be shown to others; return where. Raises OSError."""
    path: Path = options.report or _REPORT
    path.write_text(json.dumps(report(teller.findings, settings), indent=2) + "\n", encoding="utf-8")
    return path
