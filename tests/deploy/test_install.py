"""deploy/ as it is put up: the units by systemd's judgement, and what make install lays and takes away."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).parents[2]
UNITS: Final = ("deploy/tgbridge.service", "deploy/tgbridge.socket")


def run(*command: str) -> str:
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make(target: str, destination: Path) -> str:
    # As somebody may spell it: from the checkout's root on, and with a slash at its end.
    destdir = f"DESTDIR={os.path.relpath(destination, ROOT)}/"
    # Debian's Python, since the unit sees none in a home directory.
    return run("make", "--no-print-directory", target, destdir, "PYTHON=/usr/bin/python3")


def test_units_are_right() -> None:
    """systemd finds nothing to say about the units."""
    assert run("systemd-analyze", "verify", *UNITS) == ""


def test_exposure() -> None:
    """Its exposure stays where it is (0 is best, 10 worst)."""
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNITS[0])
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found is not None
    assert float(found[1]) <= 1.2


def files(directory: Path) -> set[str]:
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def test_for_packagers(tmp_path: Path) -> None:
    """DESTDIR gets all files, none of which says where it was made; settings stay, and all else goes."""
    destination = tmp_path / "a package [1.0]"
    assert make("install", destination) == ""
    laid = {name for name in files(destination) if not name.startswith("opt/")}
    assert laid == {
        "etc/systemd/system/tgbridge.service",
        "etc/systemd/system/tgbridge.socket",
        "etc/tgbridge/.env",
        "etc/tgbridge/config.toml",
        "usr/lib/sysusers.d/tgbridge.conf",
        "usr/lib/tmpfiles.d/tgbridge.conf",
    }
    assert (destination / "etc/tgbridge/.env").stat().st_mode & 0o777 == 0o640
    for path in destination.rglob("*"):
        assert path.is_dir() or path.is_symlink() or str(destination).encode() not in path.read_bytes(), path
    # Through the shell, since no kernel takes a #! with a space.
    assert "exec' \"/opt/tgbridge/bin/python" in (destination / "opt/tgbridge/bin/tgbridge").read_text()
    python = destination / "opt/tgbridge/bin/python"
    assert run(str(python), "-I", "-m", "tgbridge", "--version") == run(
        str(ROOT / ".venv/bin/python"), "-m", "tgbridge", "--version"
    )
    for settings, mine in ((".env", "TELEGRAM_API_ID=1\n"), ("config.toml", "[server]\n")):
        (destination / "etc/tgbridge" / settings).write_text(mine)
    make("install", destination)
    assert "still in" in make("uninstall", destination)
    assert files(destination) == {"etc/tgbridge/.env", "etc/tgbridge/config.toml"}
    (destination / "etc/tgbridge/.env").unlink()
    (destination / "etc/tgbridge/config.toml").unlink()
    make("install", destination)
    assert make("uninstall", destination) == ""
    assert files(destination) == set()
