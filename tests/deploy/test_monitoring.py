"""What deploy/ has for Prometheus and Grafana names metrics that there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tgbridge.web.metrics.families import FAMILIES

if TYPE_CHECKING:
    from aiohttp import ClientSession

ROOT: Final = Path(__file__).parent.parent.parent
ALERTS: Final = ROOT / "deploy" / "alerts.yml"
DASHBOARD: Final = ROOT / "deploy" / "grafana.json"

_SUFFIXES: Final = {
    "counter": ("_total",),
    "gauge": ("",),
    "info": ("_info",),
    "histogram": ("_bucket", "_count", "_sum"),
}
NAMES: Final = {family.name + suffix for family in FAMILIES for suffix in _SUFFIXES[family.kind]}
LABELS: Final = {label for family in FAMILIES for label in family.labels}
# Of Prometheus itself, and of what rules add.
_GENERAL: Final = {"instance", "job", "le", "severity"}


def promtool(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], text=True, capture_output=True, check=False, **options)


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("text", [ALERTS.read_text(encoding="utf-8"), "\n".join(expressions())])
def test_metrics_exist(text: str) -> None:
    """A metric that was renamed would leave a panel empty, and an alert silent for ever."""
    named = set(re.findall(r"\btgbridge_\w+", text))
    assert named
    assert named <= NAMES
    labels = set(re.findall(r"[{,](\w+)(?:=|!=|=~)\"", text)) | set(re.findall(r"\$labels\.(\w+)", text))
    assert labels <= LABELS | _GENERAL


def test_each_family_has_a_panel() -> None:
    """The dashboard leaves nothing out."""
    text = DASHBOARD.read_text(encoding="utf-8")
    assert [family.name for family in FAMILIES if family.name not in text] == []


def test_each_alert_says_what_to_do() -> None:
    """Whoever is woken by one is told what to look at."""
    text = ALERTS.read_text(encoding="utf-8")
    count = text.count("- alert: ")
    assert count > 5
    assert text.count("remedy: ") == text.count("summary: ") == count
    names = set(re.findall(r"- alert: (\w+)", text))
    tried = (ROOT / "tests" / "deploy" / "alerts_test.yml").read_text(encoding="utf-8")
    assert names == set(re.findall(r'alertname="(\w+)"', tried))


@pytest.mark.promtool
def test_rules() -> None:
    """Prometheus takes the rules, each fires when it should, and none in a quiet hour."""
    for arguments in (
        ("check", "rules", str(ALERTS)),
        ("test", "rules", str(ROOT / "tests" / "deploy" / "alerts_test.yml")),
    ):
        done = promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.promtool
async def test_exposition(browser: ClientSession) -> None:
    """Prometheus finds nothing to complain of in what /metrics answers."""
    await browser.get("/nothing")
    async with browser.get("/metrics") as response:
        text = await response.text()
    done = promtool("check", "metrics", input=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
