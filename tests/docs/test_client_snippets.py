"""What docs/ shows of @tgbridge/client compiles strictly (needs node and npm; `make openapi-test`)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.reading import PAGES, ROOT, blocks
from tests.npm import installed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.openapi, pytest.mark.timeout(600)]

CLIENT: Final = ROOT / "clients/typescript"
_FILE: Final = re.compile(r"// ([\w./-]+\.tsx?)\b")
# What a page of the reader's has around a snippet.
_AROUND: Final = """\
import type { Client, MediaItem } from '@tgbridge/client'

declare const tg: Client
declare const file: File
declare const item: MediaItem
declare const box: HTMLElement
declare function draw(part: number): void
declare function add(item: MediaItem): void
declare function show(item: MediaItem, thumbnail: string | null, url: string): void
declare function askForPassword(hint: string | null): Promise<string>

export async function snippet(): Promise<void> {
%s}
"""


def test_compiles(tmp_path: Path) -> None:
    """Files as they are, and snippets in a function."""
    shutil.copytree(CLIENT / "src", tmp_path / "client")
    (tmp_path / "node_modules").symlink_to(installed(CLIENT / "package.json") / "node_modules")
    written = 0
    for page in PAGES:
        for block in blocks(page, "ts", "tsx"):
            named = _FILE.match(block)
            path = tmp_path / "docs" / page.stem / (named[1] if named else f"snippet{written}.ts")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block if named else _AROUND % block, encoding="utf-8")
            written += 1
    assert written
    options = json.loads((CLIENT / "tsconfig.json").read_text(encoding="utf-8"))["compilerOptions"] | {
        "jsx": "preserve",
        "types": ["node", "react"],
        "paths": {
            "@tgbridge/client": ["./client/index.ts"],
            "@tgbridge/client/next": ["./client/next/index.ts"],
        },
    }
    configuration = {"compilerOptions": options, "include": ["docs/**/*"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(configuration), encoding="utf-8")
    compiled = subprocess.run(
        ("node_modules/.bin/tsc",), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert compiled.returncode == 0, compiled.stdout
