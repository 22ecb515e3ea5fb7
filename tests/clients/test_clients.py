"""Typed clients made from /openapi.json, and files that use them, compile strictly: `make openapi-test`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.npm import installed
from tgbridge.app import ENDPOINTS
from tgbridge.web.openapi import describe

pytestmark = [pytest.mark.openapi, pytest.mark.timeout(600)]

HERE: Final = Path(__file__).parent
MAKE: Final = {
    "openapi_typescript.ts": ("openapi-typescript", "openapi.json", "-o", "schema.d.ts"),
    "hey_api.ts": ("openapi-ts", "-i", "openapi.json", "-o", "hey"),
}


def run(directory: Path, *command: str) -> None:
    done = subprocess.run(
        (directory / "node_modules/.bin" / command[0], *command[1:]),
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("source", MAKE)
def test_a_file_that_uses_it_compiles(tmp_path: Path, source: str) -> None:
    """So does a file that signs in, lists, uploads, streams and hears events by it."""
    (tmp_path / "node_modules").symlink_to(installed(HERE / "package.json") / "node_modules")
    document = describe(ENDPOINTS, cookie_name="tgbridge")
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    for name in ("tsconfig.json", "package.json", source):
        shutil.copy(HERE / name, tmp_path)
    run(tmp_path, *MAKE[source])
    run(tmp_path, "tsc")
