"""From files at Telegram to messages: how long an answer is awaited."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tgbridge.errors import FloodWait, TelegramUnavailable
from tgbridge.telegram.saved import delivery as delivery_module
from tgbridge.telegram.saved.delivery import LEAST_SECONDS, Delivery
from tgbridge.telegram.saved.library import Library
from tgbridge.telegram.saved.outgoing import OutgoingFile
from tgbridge.telegram.transfer.upload.uploader import Uploader
from tgbridge.telegram.transfer.upload.ways import StoredFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.telegram.conftest import MakePool, MakeSettings, SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.saved.delivery import Borrow

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


@pytest.mark.swift_time
@pytest.mark.parametrize("method", [MAKE, SEND])
async def test_time_of_its_own(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, sign_in: SignIn, method: str
) -> None:
    """The answer is awaited that long, and asked for once, whatever a request and a transfer may take."""
    pool = make_pool(telegram={"request_timeout_seconds": 20, "transfer_wait_seconds": 20})
    borrow = partial(pool.borrow, await sign_in(pool))
    delivery = await delivery_of_one(borrow, make_settings())
    sandbox.faults.slow(method, LEAST_SECONDS - 20)
    assert len(await delivery.send(borrow)) == sandbox.counters.of(method) == 1


@pytest.mark.swift_time
async def test_an_outage(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, sign_in: SignIn
) -> None:
    """It is outlasted as long as the settings say, also where no client can be had from the beginning."""
    pool = make_pool(telegram={"request_timeout_seconds": 20, "transfer_wait_seconds": 600})
    borrow = partial(pool.borrow, await sign_in(pool))
    delivery = await delivery_of_one(borrow, make_settings())
    down = asyncio.get_running_loop().time() + 500

    @asynccontextmanager
    async def borrow_later() -> AsyncIterator[BridgeClient]:
        if asyncio.get_running_loop().time() < down:
            raise TelegramUnavailable("down")
        async with borrow() as client:
            yield client

    assert len(await delivery.send(borrow_later)) == 1


async def test_a_wait_after_a_lost_answer(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, sign_in: SignIn
) -> None:
    """It says nothing of the message, which may be there: the same number can tell, and makes no second."""
    history = sandbox.state.account_of("+9996610001").history
    before, pool = len(history), make_pool()
    borrow = partial(pool.borrow, await sign_in(pool))
    delivery = await delivery_of_one(borrow, make_settings())
    sandbox.faults.drop(SEND, executed=True)
    sandbox.faults.flood_wait(SEND, 300)
    with pytest.raises(FloodWait):
        await delivery.send(borrow)
    assert delivery.in_doubt
    assert await delivery.send(borrow) == history.ids[-1:]
    assert (delivery.in_doubt, len(history)) == (False, before + 1)


@pytest.mark.swift_time
async def test_looking_for_a_message_takes_no_longer_than_other_requests(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, sign_in: SignIn
) -> None:
    """An answer that got lost is asked for again after a request's time, not after a large file's."""
    pool = make_pool(telegram={"request_timeout_seconds": 20})
    borrow = partial(pool.borrow, await sign_in(pool))
    delivery = await delivery_of_one(borrow, make_settings())
    sandbox.faults.drop(SEND, executed=True)
    sandbox.faults.silence("messages.getHistory")
    began = asyncio.get_running_loop().time()
    assert len(await delivery.send(borrow)) == 1
    assert asyncio.get_running_loop().time() - began < 45


async def delivery_of_one(borrow: Borrow, settings: Settings) -> Delivery:
    """A file whose parts are at Telegram."""
    async with borrow() as client, uploader(settings).open(client, 1, size=4) as upload:
        await upload.write(b"data")
        return Delivery([file(await upload.finish())], "", client.files.telegram, Library(settings.files))


def uploader(settings: Settings) -> Uploader:
    return Uploader(settings.upload, settings.telegram)


async def test_a_silent_peer(
    sandbox: Sandbox, make_settings: MakeSettings, make_pool: MakePool, sign_in: SignIn
) -> None:
    """It is found out within a request's time-out, however long an answer may take."""
    pool = make_pool(telegram={"request_timeout_seconds": 0.5})
    borrow = partial(pool.borrow, await sign_in(pool))
    delivery = await delivery_of_one(borrow, make_settings())
    sandbox.faults.silence(MAKE, connection=True)
    assert len(await delivery.send(borrow)) == 1
    assert sandbox.counters.of(MAKE) >= 2


@pytest.mark.swift_time
async def test_doubt(
    sandbox: Sandbox,
    make_settings: MakeSettings,
    make_pool: MakePool,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stays until Telegram itself has told, whatever else fails meanwhile, and then all is there, once."""
    history = sandbox.state.account_of("+9996610001").history
    before, pool = len(history), make_pool()
    session = await sign_in(pool)
    borrow = partial(pool.borrow, session)
    files = []
    async with borrow() as client:
        for name, kind in (("a.bin", "application/octet-stream"), ("a.mp3", "audio/mpeg")):
            async with uploader(make_settings()).open(client, 1, size=4) as upload:
                await upload.write(b"data")
                files.append(OutgoingFile(await upload.finish(), name, kind))
        delivery = Delivery(files, "", client.files.telegram, Library(make_settings().files))
    sandbox.faults.drop(SEND, executed=True, skip=1)
    failing = sandbox.faults.internal_error(SEND, times=None, skip=1)
    with pytest.raises(TelegramUnavailable):
        await delivery.send(borrow)
    sandbox.faults.remove(failing)
    assert (delivery.in_doubt, len(history)) == (True, before + 1)  # the second, whose answer was lost

    lent = 0

    @asynccontextmanager
    async def borrow_once() -> AsyncIterator[BridgeClient]:
        nonlocal lent
        lent += 1
        if lent > 1:  # to send the first
            raise TelegramUnavailable("gone")
        async with borrow() as client:
            yield client

    with pytest.raises(TelegramUnavailable):
        await delivery.send(borrow_once)
    assert (delivery.in_doubt, len(history)) == (
        True,
        before + 2,
    )  # and the first, which could not be taken back

    assert sorted(await delivery.send(borrow)) == history.ids[-2:]
    assert (delivery.in_doubt, len(history)) == (False, before + 2)
