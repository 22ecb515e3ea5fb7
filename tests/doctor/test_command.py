"""``tgbridge doctor`` as a process: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.test_main import outcome, tgbridge
from tgbridge.__main__ import main
from tgbridge.doctor.command import Teller, examine_here, examine_there
from tgbridge.doctor.findings import fault

if TYPE_CHECKING:
    from tests.test_main import Tgbridge
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings

__all__ = ["tgbridge"]  # a fixture

CREDENTIALS: Final = {"TELEGRAM_API_ID": "1", "TELEGRAM_API_HASH": "the-hash"}
KEY: Final = {"TGBRIDGE_SECRET_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}


async def run(tgbridge: Tgbridge, *arguments: str, **environ: str) -> tuple[int | None, str]:
    status, stdout, stderr = await outcome(await tgbridge("doctor", *arguments, **environ))
    assert stderr == ""
    return status, stdout


async def test_json(tgbridge: Tgbridge) -> None:
    """--json is one object for programs; warnings leave the status 0, and no secret is in it."""
    status, stdout = await run(tgbridge, "--json", "--offline", **CREDENTIALS, **KEY)
    told = json.loads(stdout)
    assert (status, told["ok"], told["counts"]["fault"]) == (0, True, 0)
    assert {finding["check"].partition(".")[0] for finding in told["findings"]} == {
        *("configuration", "libraries", "resources", "browser")
    }
    assert all(finding["remedy"] for finding in told["findings"] if finding["verdict"] == "warning")
    assert "the-hash" not in stdout
    assert KEY["TGBRIDGE_SECRET_KEYS"] not in stdout


async def test_faults(tgbridge: Tgbridge) -> None:
    """A fault makes the status 1, and stands with what to do."""
    status, stdout = await run(tgbridge, "--offline", **KEY)
    assert status == 1
    assert "FAULT   configuration.credentials" in stdout
    assert "-> Get them at https://my.telegram.org" in stdout
    assert "\n1 fault(s), " in stdout


@pytest.mark.parametrize(
    "url", ["app.example.com", "ftp://app.example.com", "https://", "https://[", "http://a?b"]
)
def test_wrong_url(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no address is told at once, and not by a stack trace."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--url", url])
    assert ended.value.code == 2
    assert "--url: must be the service's address, such as https://" in capsys.readouterr().err


async def test_wrong_setting(tgbridge: Tgbridge) -> None:
    """A setting that is wrong is named, the status that of the other commands."""
    status, stdout = await run(tgbridge, "--json", TGBRIDGE_SERVER__PORT="x")
    told = json.loads(stdout)
    assert status == 2
    assert told["findings"][0]["check"] == "configuration.settings"
    assert "TGBRIDGE_SERVER__PORT" in told["findings"][0]["text"]


async def test_all(
    settings: Settings, service: Service, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Telegram and the URL are looked at as well, each finding told as it comes."""
    teller = Teller(as_json=False)
    await asyncio.to_thread(examine_here, settings, teller, url=service.url)
    await examine_there(settings, teller, url=service.url, offline=False)
    assert {finding.verdict for finding in teller.findings if finding.check.startswith("telegram.")} == {"ok"}
    assert {finding.check for finding in teller.findings} > {"telegram.clock", "url.events", "browser.cookie"}
    assert teller.end() == 0
    told: Any = capsys.readouterr().out
    assert "ok      telegram.clock: " in told
    teller.tell(fault("x", "x", "x"))
    assert teller.end() == 1
