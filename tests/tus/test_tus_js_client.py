"""The official client uploads 100 MB over a line that is cut several times (needs node; make tus-test)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from tests.tus.cutter import Cutter
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.tus, pytest.mark.timeout(300)]

MB = 1_000_000
SIZE = 100 * MB
CUT_AFTER, CUTS = 9 * MB, 8

WAYS: dict[str, dict[str, Any]] = {
    "one request": {},
    "chunks below what Next.js lets pass": {"chunkSize": 8 * 1024 * 1024},
    "first bytes with the creation": {"uploadDataDuringCreation": True, "chunkSize": 4 * MB},
    "length unknown": {"uploadLengthDeferred": True, "chunkSize": 11 * MB},
    "POST for PATCH": {"overridePatchMethod": True},
}


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the client, which npm fetches."""
    directory = tmp_path_factory.mktemp("tus-js-client")
    for name in ("package.json", "upload.mjs"):
        shutil.copy(Path(__file__).parent / name, directory)
    command = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock")
    subprocess.run(command, cwd=directory, check=True, capture_output=True)
    return directory / "upload.mjs"


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A file, and its SHA-256."""
    path = tmp_path_factory.mktemp("file") / "hundred.bin"
    content = random.Random(100).randbytes(SIZE)
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


async def run(script: Path, **what: Any) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        json.dumps(what),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    report: dict[str, Any] = json.loads(out)
    return report


@pytest.mark.parametrize("way", WAYS)
async def test_cut_again_and_again(
    sandbox: Sandbox,
    service: Service,
    signed_in: ClientSession,
    client: Path,
    file: tuple[Path, str],
    way: str,
) -> None:
    """However it sends it: it resumes, and the file in Telegram has the same SHA-256, once."""
    account = sandbox.state.account_of("+9996610001")
    before = len(account.history)
    url = URL(service.url)
    assert url.port is not None
    cookies = signed_in.cookie_jar.filter_cookies(url)
    async with Cutter(url.port, after=CUT_AFTER, most=CUTS) as cutter:
        report = await run(
            client,
            endpoint=str(url.with_port(cutter.port) / "uploads"),
            cookie="; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items()),
            path=str(file[0]),
            options=WAYS[way],
        )
        assert cutter.cuts >= CUTS
    assert len(account.history) == before + 1
    assert report["messageId"] == max(account.history.ids)
    digest = hashlib.sha256()
    async with signed_in.get(f"/stream_media/{report['messageId']}") as response:
        assert response.status == 200
        async for piece in response.content.iter_any():
            digest.update(piece)
    assert digest.hexdigest() == file[1]
    assert service.app[keys.UPLOADER].budget.held == 0
