"""README.md and docs/: their links lead somewhere, their shell runs, and what is generated is up to date."""

from __future__ import annotations

import asyncio
import re
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.docs.reading import PAGES, ROOT, blocks, prose
from tgbridge.app import ENDPOINTS
from tgbridge.settings import Settings
from tgbridge.web.openapi import describe

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeSettings, Serve

README: Final = ROOT / "README.md"
_LINK: Final = re.compile(r"""(?:\]\(|src="|srcset=")(?!https?:)([^)"#\s]+)""")
_CODE: Final = re.compile(r"`(docs|deploy|examples|tests|scripts|tgbridge)/([\w./-]+)`")
_VARIABLE: Final = re.compile(r"tgbridge_([a-z_]+?)__([a-z_]+)")
_SETTING: Final = re.compile(r"`([a-z_]+)\.([a-z_]+|\*)`")
# Whose shell is about the service, not about the machine that it is put on.
_SHELL: Final = ("sessions.md", "media.md", "uploads.md", "streaming.md")
_PRELUDE: Final = "set -eu -o pipefail\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page: Path) -> None:
    """Each link and path leads to a file that is there."""
    text = prose(page)
    for target in _LINK.findall(text):
        assert (page.parent / target).exists(), target
    for path in ("/".join(parts) for parts in _CODE.findall(text)):
        assert (ROOT / path).exists(), path


def test_each_page_is_found() -> None:
    """README.md leads to each of them."""
    text = README.read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"docs/{page.name}" not in text] == []


def test_errors_are_up_to_date() -> None:
    """docs/errors.md is what the description makes, and has each code."""
    spec = spec_from_file_location("errors_page", ROOT / "scripts/errors_page.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    document = describe(ENDPOINTS, cookie_name="tgbridge")
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert text == module.page(document)
    for code in document["components"]["schemas"]["ErrorCode"]["enum"]:
        assert text.count(f"`{code}`") >= 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings(page: Path) -> None:
    """Each setting that is named is one: by its place in config.toml, or by its variable."""
    text = page.read_text(encoding="utf-8")
    sections: dict[str, Any] = {name: field.annotation for name, field in Settings.model_fields.items()}
    named = [*_SETTING.findall(text), *_VARIABLE.findall(text.lower())]
    for section, name in named:
        if section in sections and name != "*":
            assert name in sections[section].model_fields, f"{section}.{name}"


@pytest.mark.parametrize("name", [None, *_SHELL])
async def test_shell(serve: Serve, make_settings: MakeSettings, tmp_path: Path, name: str | None) -> None:
    """The first session, and what follows it on other pages, succeeds line by line."""
    service = await serve(make_settings())
    first = [block for block in blocks(README, "sh") if "tg " in block]
    *begun, last = first
    assert "logout" in last
    rest = blocks(ROOT / "docs" / name, "sh") if name else [last]
    assert rest
    script = "".join([_PRELUDE, *begun, *rest])
    assert script.count("http://127.0.0.1:8080") == 1
    # An error's status is an exit status, then.
    script = script.replace("http://127.0.0.1:8080", service.url).replace(
        "--silent", "--silent --fail-with-body"
    )
    process = await asyncio.create_subprocess_exec(
        "bash",
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate(script.encode())
    assert process.returncode == 0, told.decode(errors="replace")
    assert b"Hello, Saved Messages" in told
