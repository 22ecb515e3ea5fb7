"""What goes wrong in the middle of uploads: at the first, a middle and the last part, small and big files."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from tgbridge.errors import FloodWait, SessionEnded, TelegramFailure, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.telegram.transfer.conftest import MakeWriter, Writer

SMALL, BIG = "upload.saveFilePart", "upload.saveBigFilePart"
SMALL_SIZE, BIG_SIZE = 300 * KIB, 10 * MIB + 5 * KIB
NOISE = random.Random(6).randbytes(BIG_SIZE)
FILES = {"small": (SMALL, SMALL_SIZE, 64 * KIB), "big": (BIG, BIG_SIZE, 512 * KIB)}

MENDED: dict[str, Callable[..., Any]] = {
    "flood wait": lambda faults, method, **scope: faults.flood_wait(method, 0, **scope),
    "flood wait for want of Premium": lambda faults, method, **scope: faults.flood_wait(
        method, 0, premium=True, **scope
    ),
    "internal error": lambda faults, method, **scope: faults.internal_error(method, **scope),
    "timeout there": lambda faults, method, **scope: faults.internal_error(
        method, code=-503, message="Timeout", **scope
    ),
    "connection dropped": lambda faults, method, **scope: faults.drop(method, **scope),
    "answer lost": lambda faults, method, **scope: faults.drop(method, executed=True, **scope),
    "connection silent": lambda faults, method, **scope: faults.silence(method, connection=True, **scope),
}
IMPATIENT = {"transfer_wait_seconds": 1}
NOT_MENDED: dict[str, tuple[Callable[..., Any], type[TelegramFailure]]] = {
    "refused": (
        lambda faults, method, **scope: faults.error(method, 400, "FILE_PART_INVALID", **scope),
        TelegramRefused,
    ),
    "long flood wait": (lambda faults, method, **scope: faults.flood_wait(method, 100, **scope), FloodWait),
    "migrated": (
        lambda faults, method, **scope: faults.error(method, 303, "FILE_MIGRATE_3", **scope),
        TelegramRefused,
    ),
    "revoked": (
        lambda faults, method, **scope: faults.error(method, 401, "SESSION_REVOKED", **scope),
        SessionEnded,
    ),
    "always dropped": (
        lambda faults, method, **scope: faults.drop(method, times=None, **scope),
        TelegramUnavailable,
    ),
    "always failing": (
        lambda faults, method, **scope: faults.internal_error(method, times=None, **scope),
        TelegramUnavailable,
    ),
}


@pytest.mark.parametrize(
    ("file", "where"), [("small", "first"), ("small", "last"), ("big", "middle"), ("big", "last")]
)
@pytest.mark.parametrize("fault", MENDED)
async def test_what_is_mended(make_writer: MakeWriter, fault: str, file: str, where: str) -> None:
    """Whatever goes wrong with a part, it is sent again, and the file is whole."""
    method, size, part_bytes = FILES[file]
    patience = {"request_timeout_seconds": 0.3} if "silent" in fault else {}
    writer = await make_writer(telegram=patience, upload={"part_bytes": part_bytes})
    parts = -(-size // part_bytes)
    skip = {"first": 0, "middle": parts // 2, "last": parts - 1}[where]
    rule = MENDED[fault](writer.sandbox.faults, method, skip=skip)
    stored = await writer.store(NOISE[:size], size=size)
    assert rule.applied == 1
    assert writer.content(stored) == NOISE[:size]


@pytest.mark.parametrize("where", [0, 4], ids=["first", "last"])
@pytest.mark.parametrize("fault", NOT_MENDED)
async def test_what_is_not_mended(make_writer: MakeWriter, fault: str, where: int) -> None:
    """What no other attempt would mend ends the upload with Telegram's own word; nothing is left."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB}, telegram=IMPATIENT)
    break_it, kind = NOT_MENDED[fault]
    break_it(writer.sandbox.faults, SMALL, skip=where)
    async with writer.open(size=SMALL_SIZE) as upload:
        await upload.write(NOISE[:SMALL_SIZE])
        for _ in range(2):
            with pytest.raises(kind):
                await upload.finish()
        with pytest.raises(kind):
            await upload.pause()
    assert writer.idle()
    assert writer.client.files.stats.calls == 0
    writer.sandbox.faults.clear()


async def test_a_writer_that_waits_hears_of_a_failure(make_writer: MakeWriter) -> None:
    """While the window is full a failure does not wait for room."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB, "window_bytes_per_upload": MIB})
    writer.sandbox.faults.error(SMALL, 400, "FILE_PART_INVALID")
    hold = writer.sandbox.faults.hold(SMALL)
    async with writer.open(size=3 * MIB) as upload:
        with pytest.raises(TelegramRefused, match="FILE_PART_INVALID"):
            await upload.write(NOISE[: 3 * MIB])
    hold.release()


@pytest.mark.parametrize("file", FILES)
async def test_the_data_centre_restarts(make_writer: MakeWriter, file: str) -> None:
    """Its connections break and its port is closed for a while; the upload waits, and goes on."""
    method, size, part_bytes = FILES[file]
    writer = await make_writer(upload={"part_bytes": part_bytes})
    centre = writer.sandbox.data_centres[1]
    hold = writer.sandbox.faults.hold(method, skip=2)
    async with writer.open(size=size) as upload:
        writing = asyncio.create_task(upload.write(NOISE[:size]))
        await hold.reached(1)
        await centre.stop()
        hold.release()
        await asyncio.sleep(0.2)  # long enough that attempts fail
        await centre.start()
        await writing
        assert writer.content(await upload.finish()) == NOISE[:size]


async def test_a_closed_client_ends_the_upload_at_once(make_writer: MakeWriter) -> None:
    """When the account's client is closed there is nothing to wait for."""
    writer = await make_writer(upload={"part_bytes": 64 * KIB})
    hold = writer.sandbox.faults.hold(SMALL)
    async with writer.open(size=MIB) as upload:
        writing = asyncio.create_task(upload.write(NOISE[: MIB - 1]))
        await hold.reached(15)
        await writer.client.files.aclose()
        with pytest.raises(TelegramUnavailable):
            await upload.pause()
        await asyncio.wait({writing})
    hold.release()


async def test_waiting_for_telegram_is_told(writer: Writer) -> None:
    """An observer hears for how many seconds Telegram takes no parts."""
    waits: list[float] = []

    class Meter:
        def progressed(self, received: int, stored: int) -> None: ...

        def waiting(self, seconds: float) -> None:
            waits.append(seconds)

    writer.sandbox.faults.flood_wait(SMALL, 1)
    stored = await writer.store(b"patience", observer=Meter())
    assert writer.content(stored) == b"patience"
    assert len(waits) == 1
    assert 0 < waits[0] <= 1


@pytest.mark.parametrize("likely_big", [False, True])
async def test_a_fault_on_the_way_that_is_left_does_no_harm(
    make_writer: MakeWriter, likely_big: bool
) -> None:
    """What becomes of parts that went the wrong way is of no interest any more."""
    writer = await make_writer(upload={"part_bytes": 512 * KIB})
    wrong = SMALL if not likely_big else BIG
    size = SMALL_SIZE + MIB if likely_big else BIG_SIZE
    hold = writer.sandbox.faults.hold(wrong)
    async with writer.open(likely_big=likely_big) as upload:
        await upload.write(NOISE[: size - 1])
        await upload.write(NOISE[size - 1 : size])
        stored = await upload.finish()
        assert writer.content(stored) == NOISE[:size]
        hold.release()


@pytest.mark.parametrize("behind", [1, 3, 23])
async def test_parts_that_arrive_behind_the_last_say_how_many_there_are(writer: Writer, behind: int) -> None:
    """A server that knows the number may refuse a part which says "unknown": it was 413, "too large"."""
    writer.sandbox.faults.strict_totals()
    held = writer.sandbox.faults.hold(BIG, times=behind)
    data = NOISE + NOISE[: 2 * MIB - 5 * KIB]
    async with writer.open(likely_big=True) as upload:
        await upload.write(data)
        await held.reached(behind)
        upload.end()
        while upload.stored < len(data) - behind * 512 * KIB:
            await asyncio.sleep(0)
        held.release()
        stored = await upload.finish()
    assert writer.content(stored) == data
    assert writer.calls(BIG) == 24 + behind


async def test_parts_that_are_refused_for_good_are_not_sent_for_ever(writer: Writer) -> None:
    """Twice is enough, and the answer is Telegram's own."""
    refusing = writer.sandbox.faults.error(BIG, 400, "FILE_PARTS_INVALID", times=None)
    async with writer.open(likely_big=True) as upload:
        await upload.write(NOISE)
        with pytest.raises(TelegramRefused, match="FILE_PARTS_INVALID"):
            await upload.finish()
    assert refusing.applied <= 2 * 21
