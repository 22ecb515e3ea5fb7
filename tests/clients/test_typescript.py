"""@tgbridge/client: its types are the service's, its parts do as they say, and it is small."""

from __future__ import annotations

import asyncio
import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.npm import CLIENT, ROOT, packed_client, run

if TYPE_CHECKING:
    from tgbridge.app import Service

pytestmark = [pytest.mark.openapi, pytest.mark.timeout(600)]

HERE: Final = Path(__file__).parent
MOST_BYTES: Final = 12_000


@pytest.fixture(scope="module")
def built() -> Path:
    """The folder that it was packed in: `dist` as it is published, beside its sources and its tools."""
    return packed_client().parent


def test_its_types_do_not_drift(built: Path, tmp_path: Path) -> None:
    """They are what the generator makes of the API's description today: else `make client-types`."""
    target = tmp_path / "generated.ts"
    run(ROOT, sys.executable, "scripts/client_types.py", target, built / "node_modules")
    assert (CLIENT / "src/generated.ts").read_text() == target.read_text()


def test_it_compiles_strictly(built: Path) -> None:
    """Under the strictest flags of TypeScript; to pack it has compiled it once already."""
    config = run(built, "node_modules/.bin/tsc", "--showConfig")
    assert '"strict": true' in config
    run(built, "node_modules/.bin/tsc", "--noEmit")


def test_its_parts(built: Path) -> None:
    """Each by itself, by node's own test runner: clients/typescript/test."""
    run(built, "node", "--test", "test/")


def test_its_size(built: Path) -> None:
    """All of it is at most 12 kB compressed, without tus-js-client, which comes with the first upload."""
    modules = sorted((built / "dist").rglob("*.js"))
    sizes = {path.name: len(gzip.compress(path.read_bytes())) for path in modules}
    together = len(gzip.compress(b"".join(path.read_bytes() for path in modules)))
    assert together <= MOST_BYTES, sizes


async def test_with_the_service(built: Path, service: Service) -> None:
    """What service.mjs says: a login in steps, pages, events, a caption, deleting, and errors."""
    process = await asyncio.create_subprocess_exec(
        "node",
        HERE / "service.mjs",
        built / "dist/index.js",
        service.url,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
