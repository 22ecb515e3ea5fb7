"""From files at Telegram to messages: how long an answer is awaited."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tgbridge.telegram import delivery as delivery_module
from tgbridge.telegram.delivery import Delivery
from tgbridge.telegram.files.uploader import Uploader
from tgbridge.telegram.files.ways import StoredFile
from tgbridge.telegram.outgoing import OutgoingFile

if TYPE_CHECKING:
    from tests.telegram.conftest import MakePool, MakeSettings, SignIn
    from tgbridge.sandbox import Sandbox

MIB = 1024 * 1024
MAKE, SEND = "messages.uploadMedia", "messages.sendMedia"


def file(stored: StoredFile) -> OutgoingFile:
    return OutgoingFile(stored, "a.bin", "application/octet-stream")


@pytest.mark.parametrize(("mib", "seconds"), [(1, 120), (480, 120), (2000, 500), (4000, 1000)])
def test_time_by_size(mib: int, seconds: float) -> None:
    """Two minutes at least, and more for what takes longer to be put together; of an album for all of it."""
    whole = file(StoredFile(1, 1, mib * MIB, None))
    half = file(StoredFile(1, 1, mib * MIB // 2, None))
    assert delivery_module._seconds([whole]) == delivery_module._seconds([half, half]) == seconds


@pytest.mark.parametrize("method", [MAKE, SEND])
async def test_time_of_its_own(
    sandbox: Sandbox,
    make_settings: MakeSettings,
    make_pool: MakePool,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """The answer is awaited that long, whatever a request's time-out is, and asked for again only then."""
    pool = make_pool(telegram={"request_timeout_seconds": 60})
    session = await sign_in(pool)
    async with pool.borrow(session) as client:
        async with Uploader(make_settings().upload).open(client, 1, size=4) as upload:
            await upload.write(b"data")
            stored = await upload.finish()
        monkeypatch.setattr(delivery_module, "LEAST_SECONDS", 0.05)
        held_back = sandbox.faults.hold(method)
        sending = asyncio.create_task(Delivery([file(stored)], "").send(partial(pool.borrow, session)))
        await held_back.reached(2)
        monkeypatch.undo()
        held_back.release()
        assert len(await sending) == 1


async def test_a_silent_peer(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, sign_in: SignIn
) -> None:
    """It is found out within a request's time-out, however long an answer may take."""
    pool = make_pool(telegram={"request_timeout_seconds": 0.5})
    session = await sign_in(pool)
    async with pool.borrow(session) as client:
        async with Uploader(make_settings().upload).open(client, 1, size=4) as upload:
            await upload.write(b"data")
            stored = await upload.finish()
        sandbox.faults.silence(MAKE, connection=True)
        assert len(await Delivery([file(stored)], "").send(partial(pool.borrow, session))) == 1
        assert sandbox.counters.of(MAKE) >= 2
