"""Telegram's clock and its data centres, asked over the wire and without an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tgbridge.doctor import telegram
from tgbridge.doctor.telegram import check_telegram

if TYPE_CHECKING:
    from tests.conftest import MakeSettings
    from tgbridge.doctor.findings import Finding
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings


async def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding async for finding in check_telegram(settings)}


async def test_all_is_well(sandbox: Sandbox, settings: Settings) -> None:
    """A key is made, the clock compared, and each data centre that help.getConfig names is reached."""
    findings = await found(settings)
    centres = {f"telegram.dc{dc}" for dc in sandbox.data_centres}
    assert findings.keys() == {"telegram.key", "telegram.clock"} | centres
    assert {finding.verdict for finding in findings.values()} == {"ok"}
    assert findings["telegram.dc1"].data["milliseconds"] >= 0


async def test_a_data_centre_is_out_of_reach(sandbox: Sandbox, settings: Settings) -> None:
    """One that is not home is worth a warning, which says what it means and what to do."""
    await sandbox.data_centres[3].stop()
    finding = (await found(settings))["telegram.dc3"]
    assert finding.verdict == "warning"
    assert "cannot be read" in finding.text
    assert finding.remedy


async def test_nothing_is_in_reach(sandbox: Sandbox, make_settings: MakeSettings) -> None:
    """Without any data centre there is one fault, and nothing else to be told."""
    for centre in sandbox.data_centres.values():
        await centre.stop()
    settings = make_settings(telegram={"connect_timeout_seconds": 0.05})
    findings = await found(settings)
    assert {check: finding.verdict for check, finding in findings.items()} == {"telegram.key": "fault"}
    assert findings["telegram.key"].remedy


@pytest.mark.parametrize(
    ("offset", "verdict"),
    [(0, "ok"), (-2, "ok"), (10, "warning"), (-30, "warning"), (31, "fault"), (-4000, "fault")],
)
def test_the_clock(offset: int, verdict: str) -> None:
    """A clock that is seconds off is worth a look; beyond what Telegram takes it is a fault."""
    finding = telegram._clock(offset)
    assert finding.verdict == verdict
    assert bool(finding.remedy) is (verdict != "ok")
