"""Uploads that go on after a failure, from where Telegram has everything."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tgbridge.errors import FloodWait, TelegramFailure, TelegramRefused, TelegramUnavailable
from tgbridge.telegram.transfer.parts import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.telegram.transfer.conftest import MakeWriter
    from tgbridge.telegram.transfer.upload.upload import FileUpload

SMALL, BIG = "upload.saveFilePart", "upload.saveBigFilePart"
NOISE = random.Random(7).randbytes(10 * MIB + 5 * KIB)
PART = 64 * KIB
IMPATIENT = {"transfer_wait_seconds": 1}

FAULTS: dict[str, tuple[Callable[..., Any], type[TelegramFailure]]] = {
    "long flood wait": (lambda faults, method, skip: faults.flood_wait(method, 100, skip=skip), FloodWait),
    "refused": (
        lambda faults, method, skip: faults.error(method, 400, "FILE_PART_INVALID", skip=skip),
        TelegramRefused,
    ),
    "always failing": (
        lambda faults, method, skip: faults.internal_error(method, times=None, skip=skip),
        TelegramUnavailable,
    ),
}


class Recorder:
    """An observer that keeps what it was told last."""

    told = (0, 0)

    def progressed(self, received: int, stored: int) -> None:
        self.told = received, stored

    def waiting(self, seconds: float) -> None: ...


async def send(upload: FileUpload, data: bytes) -> None:
    """Send what is missing, in pieces that fit no part, and end."""
    while rest := data[upload.received : upload.received + 100_000]:
        await upload.write(rest)
    upload.end()
    await upload.pause()


@pytest.mark.parametrize("skip", [0, 9, 15], ids=["first", "middle", "last"])
@pytest.mark.parametrize("known", [True, False], ids=["length known", "length unknown"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_small_file(make_writer: MakeWriter, fault: str, skip: int, *, known: bool) -> None:
    """Whatever part has failed, the file is whole and its MD5 right when it has gone on from there."""
    writer = await make_writer(upload={"part_bytes": PART}, telegram=IMPATIENT)
    data = NOISE[: 15 * PART + 1]
    arrange, kind = FAULTS[fault]
    arrange(writer.sandbox.faults, SMALL, skip)
    recorder = Recorder()
    async with writer.open(size=len(data) if known else None, observer=recorder) as upload:
        with pytest.raises(kind):
            await send(upload, data)
        writer.sandbox.faults.clear()
        writer.client.files._all_gates._accounts.clear()  # as if the wait was over
        await upload.recover()
        assert upload.received == upload.stored <= skip * PART
        assert recorder.told == (upload.received, upload.stored)
        await send(upload, data)
        stored = await upload.finish()
    assert recorder.told == (len(data), len(data))
    assert writer.content(stored) == data


@pytest.mark.parametrize("skip", [0, 100, 160], ids=["first", "middle", "last"])
@pytest.mark.parametrize("known", [True, False], ids=["length known", "length unknown"])
async def test_big_file(make_writer: MakeWriter, skip: int, *, known: bool) -> None:
    """The same of a file that goes the other way, or is only found to."""
    writer = await make_writer(upload={"part_bytes": PART})
    writer.sandbox.faults.error(BIG, 400, "FILE_PART_INVALID", skip=skip)
    async with writer.open(size=len(NOISE) if known else None) as upload:
        with pytest.raises(TelegramRefused):
            await send(upload, NOISE)
        await upload.recover()
        assert upload.received <= skip * PART
        await send(upload, NOISE)
        stored = await upload.finish()
    assert stored.md5 is None
    assert writer.content(stored) == NOISE


async def test_in_many_requests(make_writer: MakeWriter) -> None:
    """A file of unknown length that pauses, and fails, again and again: each byte is there once."""
    writer = await make_writer(upload={"part_bytes": PART})
    data = NOISE[: 20 * PART + 7]
    async with writer.open() as upload:
        failures = 0
        while upload.received < len(data):
            rule = writer.sandbox.faults.error(SMALL, 400, "FILE_PART_INVALID", skip=failures)
            try:
                await upload.write(data[upload.received : upload.received + 3 * PART + 5])
                await upload.pause()
            except TelegramRefused:
                failures += 1
                await upload.recover()
            writer.sandbox.faults.clear()
            assert rule.applied <= 1
        stored = await upload.finish()
    assert failures > 2
    assert writer.content(stored) == data


async def test_after_the_end(make_writer: MakeWriter) -> None:
    """If the last part is lost, the file has not ended: there is memory for it again, and only then."""
    writer = await make_writer(upload={"part_bytes": PART})
    data = NOISE[: 2 * PART + 7]
    async with writer.open(size=len(data)) as upload:
        await upload.write(data)
        await upload.pause()
        writer.sandbox.faults.error(SMALL, 400, "FILE_PART_INVALID")
        with pytest.raises(TelegramRefused):
            await upload.finish()
        await upload.recover()
        assert (upload.received, upload.held) == (2 * PART, 0)
        await upload.write(data[2 * PART :])
        assert upload.held == PART
        stored = await upload.finish()
    assert writer.content(stored) == data
    assert writer.idle()


async def test_nothing_to_recover_from(make_writer: MakeWriter) -> None:
    """Without a failure nothing changes."""
    writer = await make_writer(upload={"part_bytes": PART})
    async with writer.open() as upload:
        await upload.write(NOISE[: PART + 5])
        await upload.recover()
        assert upload.received == PART + 5
        await upload.pause()
        await upload.recover()
        assert (upload.received, upload.stored) == (PART + 5, PART)
