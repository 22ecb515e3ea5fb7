"""The example of examples/nextjs, built as `make example` builds it, and started."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.nextjs.conftest import App, free_port, wait_for
from tests.npm import INSTALL, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
CLIENT: Final = ROOT / "clients" / "typescript"
EXAMPLE: Final = ROOT / "examples" / "nextjs"


def run(directory: Path, *command: str | Path, **environ: str) -> None:
    done = subprocess.run(
        command, cwd=directory, env=os.environ | environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def packed() -> Path:
    """The client as npm would publish it, made anew: a tarball."""
    directory = installed(CLIENT / "package.json")
    for name in ("src", "tsconfig.json", "tsconfig.build.json", "README.md"):
        copy(CLIENT / name, directory / name)
    shutil.rmtree(directory / "dist", ignore_errors=True)
    run(directory, "npm", "pack", "--silent")
    return next(directory.glob("*.tgz"))


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """It expects the service at a port that is free now, as a build of Next.js writes it down."""
    tarball = packed()
    directory = tmp_path_factory.mktemp("example")
    for source in EXAMPLE.iterdir():
        if source.name not in {"node_modules", ".next", "package-lock.json"}:
            copy(source, directory / source.name)
    run(directory, *INSTALL, tarball)
    port, service_port = free_port(), free_port()
    environ = {"NEXT_TELEMETRY_DISABLED": "1", "TGBRIDGE_URL": f"http://127.0.0.1:{service_port}"}
    tool = directory / "node_modules/.bin/next"
    run(directory, tool, "build", **environ)
    command = (tool, "start", "--port", str(port), "--hostname", "127.0.0.1")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=os.environ | environ, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/icon.svg")
        yield App(f"http://localhost:{port}", service_port)
    finally:
        process.terminate()
        process.wait()
