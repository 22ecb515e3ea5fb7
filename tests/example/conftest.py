"""The example of examples/nextjs, built as `make example` builds it, and started."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from tests.nextjs.conftest import App, free_port, wait_for
from tests.npm import CACHE, CLIENT, INSTALL, ROOT, copy_sources, packed_client, run, sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLE: Final = ROOT / "examples" / "nextjs"
OLDER: Final = "next@15"
# Below those that systems hand out to whoever asks for any.
_PORTS: Final = range(20_000, 32_000)


def built(*packages: str, prefix: str = "") -> tuple[Path, int]:
    """Where a build of it is, and the port that it expects the service at, as a build writes that down.

    It is kept until its sources change. With a prefix (`http://localhost`) the page asks the service there
    itself; else by a rewrite. ``packages`` are installed instead of those that package.json names.
    """
    kind = hashlib.sha256(f"{packages}{prefix}".encode()).hexdigest()[:8]
    digest = hashlib.sha256()
    for path in [*sources(CLIENT / "src"), CLIENT / "package.json", *sources(EXAMPLE)]:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    directory = CACHE / f"example-{kind}-{digest.hexdigest()[:16]}"
    port = _PORTS[int(directory.name[-8:], 16) % len(_PORTS)]
    if not (directory / "complete").exists():
        for old in CACHE.glob(f"example-{kind}-*"):
            shutil.rmtree(old)
        copy_sources(EXAMPLE, directory)
        if OLDER in packages:
            proxy = (directory / "proxy.ts").rename(directory / "middleware.ts")
            proxy.write_text(proxy.read_text().replace("const proxy", "const middleware"))
        run(directory, *INSTALL, packed_client(), *packages)
        environ = {"NEXT_TELEMETRY_DISABLED": "1", "TGBRIDGE_URL": f"http://127.0.0.1:{port}"}
        if prefix:
            environ["NEXT_PUBLIC_TGBRIDGE_URL"] = f"{prefix}:{port}"
        run(directory, "node_modules/.bin/next", "build", **environ)
        (directory / "complete").touch()
    return directory, port


@contextmanager
def started(build: tuple[Path, int]) -> Iterator[App]:
    directory, service_port = build
    port = free_port()
    environ = {"NEXT_TELEMETRY_DISABLED": "1", "TGBRIDGE_URL": f"http://127.0.0.1:{service_port}"}
    command = ("node_modules/.bin/next", "start", "--port", str(port), "--hostname", "127.0.0.1")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=os.environ | environ, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/icon.svg")
        yield App(f"http://localhost:{port}", service_port)
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def example() -> Iterator[App]:
    with started(built()) as app:
        yield app


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[App]:
    """Its pages ask the service at another port."""
    with started(built(prefix="http://localhost")) as app:
        yield app


@pytest.fixture(scope="session")
def older() -> Iterator[App]:
    """With Next.js 15."""
    with started(built(OLDER)) as app:
        yield app
