"""The command: which checks are made, in which order, and how they are told."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tgbridge.doctor.browser import check_browser
from tgbridge.doctor.configuration import check_configuration
from tgbridge.doctor.findings import Finding, fault, line, status_of, summary
from tgbridge.doctor.libraries import check_libraries
from tgbridge.doctor.outside import check_outside
from tgbridge.doctor.resources import check_resources
from tgbridge.doctor.telegram import check_telegram

if TYPE_CHECKING:
    from tgbridge.errors import SettingsError
    from tgbridge.settings import Settings


class Teller:
    """Tells findings as they come, or at the end as JSON."""

    def __init__(self, *, as_json: bool) -> None:
        self.findings: list[Finding] = []
        self._as_json = as_json

    def tell(self, finding: Finding) -> None:
        """Take a finding."""
        self.findings.append(finding)
        if not self._as_json:
            # Where nobody reads any more, what --live has made is to be removed all the same.
            with suppress(OSError):
                sys.stdout.write(f"{line(finding)}\n")
                sys.stdout.flush()

    def end(self) -> int:
        """Tell how it has ended; return the exit status."""
        told = summary(self.findings)
        if self._as_json:
            sys.stdout.write(f"{json.dumps(told, indent=2)}\n")
        else:
            counts = told["counts"]
            sys.stdout.write(f"\n{counts['fault']} fault(s), {counts['warning']} warning(s).\n")
        return status_of(self.findings)


def examine_here(settings: Settings, teller: Teller, *, url: str | None) -> None:
    """Look at what there is on this machine. Reads files: not on an event loop."""
    for finding in (
        *check_configuration(settings, Path()),
        *check_libraries(),
        *check_resources(settings),
        *check_browser(settings, url),
    ):
        teller.tell(finding)


async def examine_there(settings: Settings, teller: Teller, *, url: str | None, offline: bool) -> None:
    """Ask Telegram, and the service at its URL."""
    if settings.telegram.has_credentials and not offline:
        async for finding in check_telegram(settings):
            teller.tell(finding)
    if url is not None:
        async for finding in check_outside(settings, url):
            teller.tell(finding)


def tell_wrong_setting(teller: Teller, error: SettingsError) -> None:
    """Tell a setting that is wrong, which ends the examination: nothing is known of the others."""
    text = str(error) if str(error).endswith("?") else f"{error}."
    remedy = "Mend it; config.toml in the repository has all settings."
    teller.tell(fault("configuration.settings", text, remedy))
    for finding in check_libraries():
        teller.tell(finding)
