"""What the settings alone tell: configuration, resources, and what browsers make of cookie and origins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from tgbridge.doctor import resources
from tgbridge.doctor.browser import check_browser
from tgbridge.doctor.configuration import check_configuration
from tgbridge.doctor.findings import fault, line, ok, status_of, summary, warning
from tgbridge.doctor.libraries import check_libraries
from tgbridge.settings.sources import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tgbridge.settings import Settings

MIB = 1024 * 1024
WHOLE: dict[str, Any] = {
    "secret_keys": [Fernet.generate_key().decode()],
    "telegram": {"api_id": 1, "api_hash": "the-hash"},
    "server": {"trusted_proxies": ["127.0.0.1"]},
}


def load(tmp_path: Path, **tree: Any) -> Settings:
    return load_settings(environ={}, directory=tmp_path, overrides=WHOLE | tree)


def verdicts(findings: Any) -> dict[str, str]:
    return {finding.check: finding.verdict for finding in findings}


def test_a_whole_configuration(tmp_path: Path) -> None:
    """Nothing is complained of where all is set; and no secret is in what is told."""
    (tmp_path / ".env").touch(mode=0o600)
    settings = load(tmp_path)
    findings = [*check_configuration(settings, tmp_path), *check_browser(settings, "https://tg.example.com")]
    assert set(verdicts(findings).values()) == {"ok"}
    told = json.dumps(summary(findings)) + "".join(map(line, findings))
    assert "the-hash" not in told
    assert WHOLE["secret_keys"][0] not in told


def test_what_is_missing(tmp_path: Path) -> None:
    """Credentials and keys without which `serve` does not start, and secrets that everybody can read."""
    (tmp_path / ".env").touch(mode=0o644)
    settings = load_settings(environ={}, directory=tmp_path)
    assert verdicts(check_configuration(settings, tmp_path)) == {
        "configuration.credentials": "fault",
        "configuration.keys": "fault",
        "configuration.servers": "ok",
        "configuration.secrets": "warning",
    }


def test_test_servers_without_their_address(tmp_path: Path) -> None:
    """The key of the test servers would be refused by those for production."""
    settings = load(tmp_path, telegram={"api_id": 1, "api_hash": "x", "test_servers": True})
    assert verdicts(check_configuration(settings, tmp_path))["configuration.servers"] == "fault"


BROWSERS: dict[str, tuple[dict[str, Any], str, str]] = {
    "by http too": ({"session": {"secure": False}}, "browser.cookie", "warning"),
    "pages without https": (
        {"cors": {"allowed_origins": ["http://app.example.com"]}},
        "browser.origins",
        "fault",
    ),
    "pages of this machine": (
        {"cors": {"allowed_origins": ["http://localhost:3000"]}},
        "browser.origins",
        "ok",
    ),
    "pages of another domain": (
        {"cors": {"allowed_origins": ["https://app.example.org"]}, "session": {"domain": "example.com"}},
        "browser.origins",
        "fault",
    ),
    "pages of the domain": (
        {"cors": {"allowed_origins": ["https://app.example.com"]}, "session": {"domain": "example.com"}},
        "browser.origins",
        "ok",
    ),
    "no proxy is believed": ({"server": {}}, "browser.proxies", "warning"),
    "another name": ({"server": {"allowed_hosts": ["other.example.com"]}}, "browser.host", "fault"),
}


@pytest.mark.parametrize(("tree", "check", "verdict"), BROWSERS.values(), ids=BROWSERS.keys())
def test_browsers(tmp_path: Path, tree: dict[str, Any], check: str, verdict: str) -> None:
    """What a browser would not take, or not send, is told with what to do."""
    findings = {
        finding.check: finding for finding in check_browser(load(tmp_path, **tree), "https://tg.example.com")
    }
    assert findings[check].verdict == verdict
    assert bool(findings[check].remedy) is (verdict != "ok")


@pytest.mark.parametrize(
    ("limit", "verdict"), [(None, "ok"), (3064, "ok"), (3063, "warning"), (1064, "warning"), (1024, "fault")]
)
def test_descriptors(tmp_path: Path, limit: int | None, verdict: str) -> None:
    """Two for each client there have to be, and six where it streams."""
    assert resources._descriptors(load(tmp_path), limit).verdict == verdict


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [(None, "unknown"), (2048 * MIB, "ok"), (500 * MIB, "warning"), (256 * MIB, "fault")],
)
def test_memory(tmp_path: Path, limit: int | None, verdict: str) -> None:
    """The windows have to fit into what there is."""
    assert resources._memory(load(tmp_path), limit).verdict == verdict


def test_libraries() -> None:
    """Those that the service is built on are there, and encrypt as they should."""
    told = verdicts(check_libraries())
    assert told["libraries.cryptg"] in {"ok", "warning"}  # of a busy machine
    assert told["libraries.versions"] == "ok"


def test_status_and_text() -> None:
    """A fault makes the status 1, warnings do not; what to do stands below what was found."""
    findings = [ok("a", "Fine."), warning("b", "Hm.", "Look.")]
    assert status_of(findings) == 0
    findings.append(fault("c", "No.", "Mend it.", number=1))
    assert status_of(findings) == 1
    assert summary(findings)["counts"] == {"ok": 1, "warning": 1, "fault": 1, "unknown": 0}
    assert line(findings[-1]) == "FAULT   c: No.\n        -> Mend it."
