"""Packages of npm, installed once for all runs, outside of the repository."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "clients" / "typescript"
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tgbridge-tests"
_MADE = {"node_modules", ".next", "dist", "package-lock.json", "next-env.d.ts", "tsconfig.tsbuildinfo"}


def installed(package: Path) -> Path:
    """The folder with what a package.json asks for, whose versions are exact, in `node_modules`."""
    wanted = package.read_bytes()
    directory = CACHE / hashlib.sha256(wanted).hexdigest()[:16]
    if not (directory / "complete").exists():
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        (directory / "package.json").write_bytes(wanted)
        subprocess.run(INSTALL, cwd=directory, check=True, capture_output=True)
        (directory / "complete").touch()
    return directory


def run(directory: Path, *command: str | Path, **environ: str) -> str:
    """Return what it printed."""
    done = subprocess.run(
        command, cwd=directory, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sources(root: Path) -> list[Path]:
    """What somebody has written, in a folder that also holds what was made of it."""
    return sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and _MADE.isdisjoint(path.relative_to(root).parts) and path.suffix != ".tgz"
    )


def copy_sources(root: Path, directory: Path) -> None:
    for path in sources(root):
        target = directory / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)


def packed_client() -> Path:
    """@tgbridge/client as npm would publish it, made anew: a tarball, in the folder that it was made in."""
    directory = installed(CLIENT / "package.json")
    for name in ("src", "dist", "test"):
        shutil.rmtree(directory / name, ignore_errors=True)
    copy_sources(CLIENT, directory)
    return directory / run(directory, "npm", "pack", "--silent").split()[-1]
