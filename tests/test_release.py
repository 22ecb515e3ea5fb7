"""What is published: the version in all places, whole archives, and workflows that call the Makefile."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tarfile
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from tgbridge import __version__

if TYPE_CHECKING:
    from types import ModuleType

ROOT: Final = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/release.py, which is no part of a package."""
    spec = spec_from_file_location("release", ROOT / "scripts/release.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copies of the files that name the version."""
    for name in ("CHANGELOG.md", "tgbridge/__init__.py", "config.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_a_version(script: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All files name it, and what was unreleased is below it, with its date."""
    for name in (script.CLIENT / "package.json", *script.LOCKS):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    before = (checkout / "CHANGELOG.md").read_text()
    script.change(checkout, "7.8.9", today="2026-12-24")
    assert script.current(checkout) == "7.8.9"
    assert (checkout / "config.toml").read_text().count('app_version = "7.8.9"') == 1
    for name in (script.CLIENT / "package.json", *script.LOCKS):
        assert (checkout / name).read_text() == (ROOT / name).read_text().replace(
            f'"version": "{__version__}"', '"version": "7.8.9"'
        )
    after = (checkout / "CHANGELOG.md").read_text()
    assert after == before.replace("## Unreleased\n", "## Unreleased\n\n## 7.8.9 (2026-12-24)\n")
    assert "git tag v7.8.9" in capsys.readouterr().out


def test_the_version_of_the_client(script: ModuleType) -> None:
    """It is the service's, for people and for npm."""
    assert json.loads((ROOT / script.CLIENT / "package.json").read_text())["version"] == __version__
    for name, within in script.LOCKS.items():
        assert json.loads((ROOT / name).read_text())["packages"][within]["version"] == __version__


def test_no_lock_file_names_a_registry(script: ModuleType) -> None:
    """Whoever installs has one of their own: npm's omit-lockfile-registry-resolved."""
    for name in script.LOCKS:
        packages = json.loads((ROOT / name).read_text())["packages"]
        named = {package["resolved"] for package in packages.values() if "resolved" in package}
        assert named <= {"file:../../clients/typescript"}


@pytest.mark.parametrize(
    ("version", "changelog", "told"),
    [
        ("v1.0.0", "## Unreleased\n- x\n", "is no version"),
        ("1.0", "## Unreleased\n- x\n", "is no version"),
        ("1.0.0", "# Changelog\n", "no section Unreleased"),
        ("1.0.0", "## Unreleased\n\n## 0.9.0 (2026-01-01)\n- x\n", "of nothing"),
        ("0.9.0", "## Unreleased\n- x\n\n## 0.9.0 (2026-01-01)\n- x\n", "already"),
    ],
)
def test_no_version(script: ModuleType, checkout: Path, version: str, changelog: str, told: str) -> None:
    """What cannot be a release is told, and changes nothing."""
    (checkout / "CHANGELOG.md").write_text(changelog)
    with pytest.raises(script.ReleaseError, match=told):
        script.change(checkout, version, today="2026-12-24")
    assert (checkout / "CHANGELOG.md").read_text() == changelog
    assert script.current(checkout) == __version__


def test_sdist(tmp_path: Path) -> None:
    """It has all that `make test`, `make install` and whoever reads it need."""
    (made,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(made) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = (
        "Makefile constraints.txt config.toml .env.example README.md CHANGELOG.md LICENSE pyproject.toml "
        "deploy/tgbridge.service deploy/tgbridge.socket deploy/install.sh deploy/nginx.conf docs/telegram.md "
        "tests/conftest.py tests/web/routes/conftest.py tgbridge/sandbox/media/cat.webp "
        ".github/workflows/test.yml"
    )
    assert set(needed.split()) - names == set()
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")} - names == set()
    private = re.compile(r"(^|/)(\.env|\.venv|node_modules|__pycache__|dist)(/|$)")
    assert [name for name in names if private.search(name)] == []


def test_wheel_of_a_checkout_with_leftovers(tmp_path: Path) -> None:
    """What an earlier build has left does not come back."""
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore", "tgbridge/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for directory in ("build/lib/tgbridge", "dist", "tgbridge/__pycache__"):
        (tmp_path / directory).mkdir(parents=True)
        (tmp_path / directory / "removed.py").touch()
    (made,) = WheelBuilder(str(tmp_path)).build(directory=str(tmp_path / "out"), versions=["standard"])
    with zipfile.ZipFile(made) as archive:
        assert [name for name in archive.namelist() if name.endswith(".py")] == ["tgbridge/__init__.py"]


def workflows() -> list[Any]:
    return [yaml.safe_load(path.read_text()) for path in sorted(ROOT.glob(".github/workflows/*.yml"))]


def test_workflows() -> None:
    """They call targets that the Makefile has, may change nothing, and try each Python that is supported."""
    targets = set(re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    known = {name for target in targets for name in target.split()}
    pythons: set[str] = set()
    for workflow in workflows():
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            matrix = job.get("strategy", {}).get("matrix", {})
            pythons |= set(matrix.get("python", []))
            called = set(matrix.get("target", []))
            for step in job["steps"]:
                called |= set(re.findall(r"\bmake ([a-z-]+)", step.get("run", "")))
            assert called
            assert called <= known
    assert pythons == {"3.11", "3.12", "3.13", "3.14"}
    assert f"3.{sys.version_info.minor}" in pythons
