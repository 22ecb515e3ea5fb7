"""tus, checksum: what a checksum belongs to counts as a whole, or not at all."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import stored
from tests.web.routes.tus_client import Line, begin, checksum, head, in_chunks, patch
from tgbridge.uploads import checked

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
NOISE = random.Random(11).randbytes(3 * MIB)
pytestmark = pytest.mark.usefixtures("only_tails_are_held")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
async def test_checksums(sandbox: Sandbox, signed_in: ClientSession, algorithm: str) -> None:
    """Chunks that have the right checksum count; nothing of one that has not reaches Telegram."""
    path = await begin(signed_in, 3 * MIB)
    wrong = checksum(NOISE[1 : 2 * MIB], algorithm)
    assert (await patch(signed_in, path, 0, NOISE[: 2 * MIB], Upload_Checksum=wrong)).status == 460
    assert (await head(signed_in, path)).offset == 0
    assert sandbox.counters.of(SMALL) == 0
    for start, stop in ((0, 2 * MIB), (2 * MIB, 3 * MIB)):
        right = checksum(NOISE[start:stop], algorithm)
        answer = await patch(signed_in, path, start, NOISE[start:stop], Upload_Checksum=right)
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[: 3 * MIB]


@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
async def test_large_chunk(signed_in_to: SignedInTo, *, declared: bool) -> None:
    """A chunk that would have to wait in memory as a whole has a limit; without a checksum it has none."""
    _, browser = await signed_in_to(upload={"window_bytes_per_upload": MIB})
    path = await begin(browser, 2 * MIB)
    data = NOISE[: MIB + 1]
    body = data if declared else in_chunks(data, 100_000)
    answer = await patch(browser, path, 0, body, Upload_Checksum=checksum(data))
    assert (answer.status, answer.body["code"]) == (413, "CHUNK_TOO_LARGE")
    assert (await patch(browser, path, 0, data)).offset == MIB + 1


async def test_large_chunk_is_refused_at_once(service: Service, signed_in: ClientSession) -> None:
    """Whose length is known to be too much need not send a byte of it."""
    path = await begin(signed_in, 20 * MIB)
    line = await Line.patch(signed_in, service, path, 0, 17 * MIB, Upload_Checksum=checksum(b"x"))
    assert await line.status() == 413
    await line.close()


async def test_memory_is_short(signed_in_to: SignedInTo) -> None:
    """Chunks that fill all memory at the same time wait for each other, and all arrive."""
    _, browser = await signed_in_to(
        upload={
            "part_bytes": 128 * KIB,
            "window_bytes_per_upload": 2 * MIB,
            "window_bytes_per_account": 2 * MIB,
            "window_bytes_per_process": 2 * MIB,
        }
    )
    paths = [await begin(browser, MIB) for _ in range(4)]
    answers = await asyncio.gather(
        *(patch(browser, path, 0, NOISE[:MIB], Upload_Checksum=checksum(NOISE[:MIB])) for path in paths)
    )
    assert [answer.status for answer in answers] == [204] * 4


async def test_no_memory_for_long(
    service: Service, signed_in_to: SignedInTo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chunk for which there is no memory is one for later; what its checksum was is the same then."""
    monkeypatch.setattr(checked, "ADMISSION_SECONDS", 0.1)
    windows = {f"window_bytes_per_{of}": 2 * MIB for of in ("upload", "account", "process")}
    service, browser = await signed_in_to(upload=windows)
    slow, path = await begin(browser, MIB), await begin(browser, MIB)
    line = await Line.patch(browser, service, slow, 0, MIB, Upload_Checksum=checksum(NOISE[:MIB]))
    await line.send(NOISE[:1000])
    answer = await patch(browser, path, 0, NOISE[:MIB], Upload_Checksum=checksum(NOISE[:MIB]))
    assert (answer.status, answer.body["code"]) == (503, "POOL_EXHAUSTED")
    await line.send(NOISE[1000:MIB])
    assert await line.status() == 204
    await line.close()
    answer = await patch(browser, path, 0, NOISE[:MIB], Upload_Checksum=checksum(NOISE[:MIB]))
    assert answer.message_id is not None
