"""What HEAD tells of an upload whose last request was cut: where the next one may go on, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import stored
from tests.web.routes.tus_client import MISMATCH, Line, begin, head, name_of, patch, until_offset
from tests.web.routes.tus_faults import NOISE, PART, SETTINGS, SIZE, SMALL, check_sent
from tgbridge.uploads import resumable
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account


@pytest.mark.swift_time
async def test_parts_that_fail_afterwards(
    sandbox: Sandbox,
    signed_in_to: SignedInTo,
    account: Account,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bytes that are still on their way to Telegram are not promised: the next request is taken."""
    monkeypatch.setattr(resumable, "SETTLE_SECONDS", 0.0)
    service, browser = await signed_in_to(**SETTINGS, telegram={"transfer_wait_seconds": 5})
    before = len(account.history)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(SMALL, skip=2)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[: 5 * PART + 7])
    await held_back.reached(3)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    offset = (await head(browser, path)).offset
    assert offset is not None
    assert offset in {0, PART, 2 * PART}  # whichever two parts have arrived
    upload = service.app[keys.UPLOADS].find(account.id, name_of(path))
    await sandbox.data_centres[1].stop()
    held_back.release()
    await until(lambda: not upload.busy and service.app[keys.UPLOADER].budget.held < PART)
    assert upload.offset == offset  # they are lost
    await sandbox.data_centres[1].start()
    await check_sent(browser, await patch(browser, path, offset, NOISE[offset:]), account, before)


async def test_parts_that_arrive(sandbox: Sandbox, signed_in_to: SignedInTo, until: Until) -> None:
    """They get a moment, so that nothing is sent twice that Telegram has as good as taken."""
    service, browser = await signed_in_to(**SETTINGS)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(SMALL, skip=2, times=3)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[: 5 * PART + 7])
    await held_back.reached(3)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    held_back.release()
    assert (await head(browser, path)).offset == 5 * PART + 7


async def test_bytes_that_come_afterwards(
    service: Service, signed_in: ClientSession, account: Account, until: Until
) -> None:
    """More comes of the request that was cut: the next one goes on where it was told, all the same."""
    before = len(account.history)
    path = await begin(signed_in, SIZE)
    line = await Line.patch(signed_in, service, path, 0, SIZE)
    await line.send(NOISE[:1000])
    await until_offset(signed_in, path, 1000)
    upload = service.app[keys.UPLOADS].find(account.id, name_of(path))
    await line.send(NOISE[1000:5000])
    await until(lambda: upload.offset == 5000)
    await line.cut()
    await check_sent(signed_in, await patch(signed_in, path, 1000, NOISE[1000:]), account, before)


async def test_what_was_told_holds_once(service: Service, signed_in: ClientSession, until: Until) -> None:
    """As soon as a later answer has told another place, the one before is wrong."""
    path = await begin(signed_in, 100)
    line = await Line.patch(signed_in, service, path, 0, 100)
    await line.send(NOISE[:10])
    await until_offset(signed_in, path, 10)
    await line.cut()
    assert (await patch(signed_in, path, 10, NOISE[10:20])).offset == 20
    answer = await patch(signed_in, path, 10, NOISE[10:])
    assert (answer.status, answer.body) == (409, MISMATCH)
    answer = await patch(signed_in, path, 20, NOISE[20:100])
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[:100]
