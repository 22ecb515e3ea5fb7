"""What `make release` does: build what is published into dist/, and try it as somebody else would get it.

With a version it first makes that version of what is unreleased, in all files that name it, and builds then.
It neither commits nor uploads: it says what is left to do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
DIST: Final = ROOT / "dist"
CLIENT: Final = Path("clients/typescript")
# Where npm has written the client's version down: in these files, of these packages.
LOCKS: Final = {
    CLIENT / "package-lock.json": "",
    Path("examples/nextjs/package-lock.json"): "node_modules/@tgbridge/client",
}
UNRELEASED: Final = "## Unreleased\n"
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_START_SECONDS: Final = 120
_NOT_AUDITED: Final = "Not audited: no database of them can be reached."


class ReleaseError(Exception):
    """Something is not fit to be published."""


def main() -> int:
    """Build and try everything. The version to make, if any, is the only argument."""
    try:
        if len(sys.argv) > 1 and sys.argv[1]:
            change(ROOT, sys.argv[1], today=datetime.now(UTC).date().isoformat())
        release()
    except (ReleaseError, subprocess.CalledProcessError) as error:
        print(f"make release: {error}", file=sys.stderr)
        return 1
    return 0


def change(root: Path, version: str, *, today: str) -> None:
    """Make ``version`` of what is unreleased: in all files that name the version, or in none."""
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"{version} is no version such as 1.2.3 or 1.2.3rc1")
    now = current(root)
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if UNRELEASED not in changelog:
        raise ReleaseError("CHANGELOG.md has no section Unreleased")
    what = changelog.partition(UNRELEASED)[2].partition("\n## ")[0]
    if not what.strip():
        raise ReleaseError("CHANGELOG.md says of nothing that it is unreleased")
    if f"\n## {version} " in changelog:
        raise ReleaseError(f"{version} is in CHANGELOG.md already")
    new = {root / "CHANGELOG.md": changelog.replace(UNRELEASED, f"{UNRELEASED}\n## {version} ({today})\n", 1)}
    for name in ("tgbridge/__init__.py", "config.toml"):
        text = (root / name).read_text(encoding="utf-8")
        if text.count(f'"{now}"') != 1:
            raise ReleaseError(f'{name} does not say "{now}" once')
        new[root / name] = text.replace(f'"{now}"', f'"{version}"')
    package = root / CLIENT / "package.json"
    if package.exists():
        text = package.read_text(encoding="utf-8")
        told = json.loads(text)["version"]
        new[package] = text.replace(f'"version": "{told}"', f'"version": "{version}"', 1)
        new |= {root / name: locked(root / name, within, version) for name, within in LOCKS.items()}
    for path, text in new.items():
        path.write_text(text, encoding="utf-8")
    print(f"{now} has become {version}. When all below is well: git commit -a; git tag v{version}")


def locked(lock: Path, within: str, version: str) -> str:
    """Write the client's version into a lock file, as npm would."""
    told = json.loads(lock.read_text(encoding="utf-8"))
    told["packages"][within]["version"] = version
    if "version" in told:
        told["version"] = version
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def current(root: Path) -> str:
    """Return the version that the package says it is."""
    text = (root / "tgbridge/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise ReleaseError("tgbridge/__init__.py names no version")
    return found[1]


def release() -> None:
    """Build, check and try."""
    shutil.rmtree(DIST, ignore_errors=True)
    step("sdist and wheel")
    run(sys.executable, "-m", "build", "--outdir", DIST, ROOT)
    (wheel,), (sdist,) = DIST.glob("*.whl"), DIST.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    step("the client")
    pack_client()
    with tempfile.TemporaryDirectory(prefix="tgbridge-release-") as directory:
        bare = Path(directory, "bare")
        step("the wheel in a bare environment")
        run(sys.executable, "-m", "venv", bare)
        run(bare / "bin/pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel)
        # They came with the environment, and nobody gets them from us.
        run(bare / "bin/pip", "uninstall", "--quiet", "--yes", "setuptools", "pip")
        serve(bare / "bin/python", Path(directory))
        step("the sdist: its tests are whole")
        with tarfile.open(sdist) as archive:
            archive.extractall(directory, filter="data")
        unpacked = Path(directory, sdist.name.removesuffix(".tar.gz"))
        run(sys.executable, "-m", "pytest", "--collect-only", "-qqq", cwd=unpacked, quiet=True)
        step("licences, in dist/licences.md")
        list_licences(bare / "bin/python")
        step("known vulnerabilities")
        audit(next(bare.glob("lib/python*/site-packages")))
    step("made")
    for path in sorted(DIST.iterdir()):
        print(f"{path.stat().st_size:>10,}  {path.relative_to(ROOT)}")


def pack_client() -> None:
    """Make the tarball of the TypeScript client, where there is one."""
    if not (ROOT / CLIENT / "package.json").exists():
        print(f"There is none: {CLIENT} is not there yet.")
        return
    run("npm", "ci", "--silent", cwd=ROOT / CLIENT)
    run("npm", "pack", "--silent", "--pack-destination", DIST, cwd=ROOT / CLIENT)


def serve(python: Path, directory: Path) -> None:
    """Start the service in the sandbox, ask it something, and stop it."""
    environ = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(directory / "state")}
    command = (str(python), "-I", "-m", "tgbridge", "serve", "--sandbox", "--port", "0")
    with (
        (directory / "log").open("w+") as log,
        subprocess.Popen(
            command, cwd=directory, env=environ, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            signal.alarm(_START_SECONDS)
            found = re.search(r"http://\S+", process.stdout.readline() if process.stdout else "")
            if found is None:
                raise ReleaseError(f"the service does not start:\n{(directory / 'log').read_text()}")
            look_around(found[0])
        finally:
            signal.alarm(0)
            process.terminate()
        if process.wait(timeout=60) != 0:
            raise ReleaseError(f"the service does not end in good order:\n{(directory / 'log').read_text()}")


def look_around(url: str) -> None:
    """Sign in, and read what stands in files beside the code: the page of the API, the sandbox's media."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def ask(path: str, form: dict[str, str] | None = None) -> bytes:
        body = None if form is None else json.dumps(form).encode()
        question = urllib.request.Request(f"{url}/{path}", body, {"Content-Type": "application/json"})
        with browser.open(question, timeout=60) as answer:
            told: bytes = answer.read()
        print(f"{len(told):>10,}  /{path.partition('?')[0]}")
        return told

    for name in ("docs", "docs.css", "docs.js"):
        ask(name)
    ask("send-code", {"phone": "+9996610001"})
    ask("sign-in", {"phone": "+9996610001", "code": "11111"})
    for kind in ("photo", "video", "audio", "document"):
        for item in json.loads(ask(f"media?type={kind}&limit=1"))["items"]:
            if len(ask(item["url"])) != item["size"]:
                raise ReleaseError(f"{item['name']} is not whole")


def list_licences(python: Path) -> None:
    """Write down the licence of everything that the wheel brings along."""
    run(
        *(sys.executable, "-m", "piplicenses", "--python", python, "--format=markdown", "--with-urls"),
        *("--ignore-packages", "tgbridge", f"--output-file={DIST / 'licences.md'}"),
    )
    unknown = [line for line in (DIST / "licences.md").read_text().splitlines() if "UNKNOWN" in line]
    if any(line.split("|")[3].strip() == "UNKNOWN" for line in unknown):
        raise ReleaseError("a dependency names no licence:\n" + "\n".join(unknown))


def audit(packages: Path) -> None:
    """Look for known vulnerabilities of what the wheel brings along, as far as a database can be reached."""
    done = subprocess.run(
        (sys.executable, "-m", "pip_audit", "--path", packages, "--format=json", "--progress-spinner=off"),
        check=False,
        capture_output=True,
        text=True,
    )
    try:
        told = json.loads(done.stdout)["dependencies"]
    except ValueError:
        print(f"{_NOT_AUDITED}\n{done.stderr[-300:]}")
        return
    # A mirror without PyPI's own interface knows no package, and of none that it is vulnerable.
    seen = [package for package in told if "vulns" in package]
    bad = [f"{each['name']} {each['version']}: {each['vulns']}" for each in seen if each["vulns"]]
    if bad:
        raise ReleaseError("\n".join(bad))
    print(f"None in {len(seen)} of {len(told)} packages." if seen else _NOT_AUDITED)


def step(name: str) -> None:
    """Say what comes next."""
    print(f"\n== {name}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT, quiet: bool = False) -> None:
    """Run a command. Raises CalledProcessError if it fails."""
    subprocess.run(
        [str(part) for part in command], check=True, cwd=cwd, stdout=subprocess.DEVNULL if quiet else None
    )


if __name__ == "__main__":
    sys.exit(main())
