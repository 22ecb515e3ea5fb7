"""The Dockerfile, without Docker: its steps are carried out in a directory (`make deploy-test`)."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final, NamedTuple

import pytest

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(600)]

ROOT: Final = Path(__file__).parents[2]
PORT: Final = "8080"
TIMES: Final = 60


class Step(NamedTuple):
    """One instruction of the Dockerfile."""

    name: str
    rest: str


def steps() -> list[Step]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [Step(*line.split(maxsplit=1)) for line in lines]


def all_of(name: str) -> list[str]:
    return [step.rest for step in steps() if step.name == name]


def command_of(step: str) -> list[str]:
    command: list[str] = json.loads(step[step.index("[") :])
    return command


def copy_context(directory: Path) -> None:
    """Copy what .dockerignore lets through: everything is left out but what it names."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    for name in (rule[1:] for rule in rules if rule.startswith("!")):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, directory / name)


def test_not_root() -> None:
    """The service runs as a user of its own, by commands that no shell stands in front of."""
    names = [step.name for step in steps()]
    (user,) = all_of("USER")
    assert int(user) > 0
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]
    assert len(all_of("HEALTHCHECK")) == len(all_of("ENTRYPOINT")) == 1
    assert re.search(rf"useradd .*--uid {user}\b", " ".join(all_of("RUN")))


def test_no_secret_goes_in() -> None:
    """Of the checkout only what the wheel is made of goes into the image: no .env, no history."""
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert let_through == {"LICENSE", "README.md", "constraints.txt", "pyproject.toml", "tgbridge"}


def test_serves_the_sandbox(tmp_path: Path) -> None:
    """What it builds serves with `--sandbox`, is found healthy, keeps its state in /state, and ends well."""
    source, home, state, port = tmp_path / "src", tmp_path / "opt", tmp_path / "state", "18399"
    source.mkdir()
    copy_context(source)

    def here(text: str) -> str:
        return text.replace("/opt/tgbridge", str(home)).replace("/state", str(state)).replace(PORT, port)

    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    build = next(step for step in all_of("RUN") if "venv" in step)
    done = subprocess.run(
        ("sh", "-c", here(build)), check=False, cwd=source, env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(source)
    told = dict(pair.split("=", 1) for step in all_of("ENV") for pair in shlex.split(here(step)))
    entry = [here(part) for part in command_of(all_of("ENTRYPOINT")[0])]
    healthy = [here(part) for part in command_of(all_of("HEALTHCHECK")[0])]
    # In a container the addresses are its own; a test opens no port to others.
    told |= {"TGBRIDGE_SERVER__PORT": port, "TGBRIDGE_SERVER__HOST": "127.0.0.1"}
    process = subprocess.Popen([*entry, "--sandbox"], cwd=tmp_path, env=environ | told)
    try:
        for _ in range(TIMES):
            if subprocess.run(healthy, check=False, capture_output=True).returncode == 0:
                break
            assert process.poll() is None
            time.sleep(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/docs") as answer:
            assert answer.status == 200
        assert (state / "tgbridge/secret-key").is_file()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    assert subprocess.run(healthy, check=False, capture_output=True).returncode != 0
