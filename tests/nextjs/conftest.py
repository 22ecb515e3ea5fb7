"""An app of Next.js, made of what docs/ shows to do by hand, which rewrites to the service."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from tests.browser.conftest import page
from tests.docs.reading import ROOT, blocks
from tests.npm import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["page"]

HERE: Final = Path(__file__).parent
DOCS: Final = ROOT / "docs"
_NAMED: Final = re.compile(r"// ([\w.-]+\.m?js)\n")
# As docs/nextjs.md says: paths begin with the prefix of the rewrite.
_PATH: Final = re.compile(r'(?<=["`])/(?=qr-login|uploads|upload_file)')
_QR: Final = """\
export function scanned(box, signedIn, askForPassword, offerAnotherCode) {
%s  stream.addEventListener('authenticated', () => setTimeout(signedIn, 500))
}
"""
_UPLOAD: Final = """\
import * as tus from 'tus-js-client'
export async function upload(file, caption, { draw, show, fail }) {
%s}
"""
_SNIPPETS: Final = {
    "qr.js": ("sessions.md", '"/qr-login"', _QR),
    "upload.js": ("uploads.md", "new tus.Upload", _UPLOAD),
}
_START_SECONDS: Final = 60.0


class App(NamedTuple):
    """Where it is, and the port that it expects the service at."""

    url: str
    service_port: int


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def write_app(directory: Path) -> None:
    """Put the pages there, and the code of docs/: files that it names, and snippets as functions."""
    shutil.rmtree(directory / "app", ignore_errors=True)
    shutil.copytree(HERE / "app", directory / "app")
    for block in blocks(DOCS / "nextjs.md", "js"):
        if named := _NAMED.match(block):
            (directory / named[1]).write_text(block, encoding="utf-8")
    for name, (page_name, mark, wrapper) in _SNIPPETS.items():
        snippet = next(block for block in blocks(DOCS / page_name, "js") if mark in block)
        (directory / name).write_text(wrapper % _PATH.sub("/tg/", snippet), encoding="utf-8")


@pytest.fixture(scope="session")
def app() -> Iterator[App]:
    directory = installed(HERE / "package.json")
    write_app(directory)
    port, service_port = free_port(), free_port()
    environ = os.environ | {
        "NEXT_TELEMETRY_DISABLED": "1",
        "SERVICE_URL": f"http://127.0.0.1:{service_port}",
    }
    tool = directory / "node_modules/.bin/next"
    built = subprocess.run(
        (tool, "build"), cwd=directory, env=environ, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    command = (tool, "start", "--port", str(port), "--hostname", "127.0.0.1")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=environ, stdout=log, stderr=log)
    try:
        url = f"http://localhost:{port}"
        wait_for(f"http://127.0.0.1:{port}/server/nothing")
        yield App(url, service_port)
    finally:
        process.terminate()
        process.wait()


def wait_for(url: str) -> None:
    ends = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            assert time.monotonic() < ends
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def frontend(app: App) -> str:
    return app.url
