"""Packages of npm, installed once for all runs, outside of the repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")


def installed(package: Path) -> Path:
    """The folder with what a package.json asks for, whose versions are exact, in `node_modules`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tgbridge-tests"
    wanted = package.read_bytes()
    directory = cache / hashlib.sha256(wanted).hexdigest()[:16]
    if not (directory / "complete").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / "package.json").write_bytes(wanted)
        subprocess.run(INSTALL, cwd=directory, check=True, capture_output=True)
        (directory / "complete").touch()
    return directory
