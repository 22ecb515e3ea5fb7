"""Resumable uploads that something happens to: they go on, or the client is told to begin anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.routes.forms import item
from tests.web.routes.tus_client import GONE, begin, create, head, metadata, patch, path_of
from tests.web.routes.tus_faults import (
    FAILED,
    IMPATIENT,
    MAKE,
    NOISE,
    PART,
    SEND,
    SETTINGS,
    SIZE,
    SMALL,
    TOO_MANY,
    check_sent,
    forget_waits,
    in_three,
    resume,
)
from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB = 1024

MENDED: dict[str, Callable[[Sandbox], Any]] = {
    "flood wait": lambda sandbox: sandbox.faults.flood_wait(SMALL, 1, skip=9),
    "internal errors": lambda sandbox: sandbox.faults.internal_error(SMALL, times=3, skip=9),
    "part lost with its connection": lambda sandbox: sandbox.faults.drop(SMALL, skip=9),
    "part taken, answer lost": lambda sandbox: sandbox.faults.drop(SMALL, executed=True, skip=9),
    "silent connection": lambda sandbox: sandbox.faults.silence(SMALL, connection=True, skip=9),
    "media lost": lambda sandbox: sandbox.faults.drop(MAKE),
    "message lost": lambda sandbox: sandbox.faults.drop(SEND),
    "message sent, answer lost": lambda sandbox: sandbox.faults.drop(SEND, executed=True),
    "message sent, connection silent": lambda sandbox: sandbox.faults.silence(
        SEND, executed=True, connection=True
    ),
}


@pytest.mark.swift_time
@pytest.mark.parametrize("fault", MENDED)
async def test_what_can_be_mended_is(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, fault: str
) -> None:
    """The client notices nothing, and the file is there, whole and once."""
    timeouts = {"request_timeout_seconds": 0.5} if "silent" in fault else {}
    _, browser = await signed_in_to(**SETTINGS, telegram=timeouts)
    before = len(account.history)
    rule = MENDED[fault](sandbox)
    answer = await in_three(browser, await begin(browser, SIZE))
    assert rule.applied
    await check_sent(browser, answer, account, before)


UNAVAILABLE: dict[str, Any] = {"error": FAILED, "code": "TELEGRAM_UNAVAILABLE", "retry_after": 5}
TOLD: dict[str, tuple[Callable[[Sandbox], Any], int, dict[str, Any]]] = {
    "long flood wait": (
        lambda sandbox: sandbox.faults.flood_wait(SMALL, 33, skip=9),
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "long flood wait at the first part": (
        lambda sandbox: sandbox.faults.flood_wait(SMALL, 33),
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "long flood wait at the last part": (
        lambda sandbox: sandbox.faults.flood_wait(SMALL, 33, skip=20),
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "migration": (
        lambda sandbox: sandbox.faults.error(SMALL, 303, "FILE_MIGRATE_3", skip=9),
        500,
        {"error": FAILED, "code": "FILE_MIGRATE", "details": "FILE_MIGRATE"},
    ),
    "always failing": (
        lambda sandbox: sandbox.faults.internal_error(SMALL, times=None, skip=9),
        503,
        UNAVAILABLE,
    ),
    "no media for a while": (
        lambda sandbox: sandbox.faults.flood_wait(MAKE, 33),
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "no message for a while": (
        lambda sandbox: sandbox.faults.flood_wait(SEND, 33),
        429,
        {"error": TOO_MANY, "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "no message at all": (
        lambda sandbox: sandbox.faults.internal_error(SEND, times=None),
        503,
        UNAVAILABLE,
    ),
    "message sent, nobody knows": (
        lambda sandbox: (
            sandbox.faults.drop(SEND, executed=True),
            sandbox.faults.internal_error(SEND, times=None),
        ),
        503,
        UNAVAILABLE,
    ),
}


@pytest.mark.swift_time
@pytest.mark.parametrize("fault", TOLD)
async def test_what_passes(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until, fault: str
) -> None:
    """The client is told, asks where to go on, and when Telegram is well again, the file is there once."""
    service, browser = await signed_in_to(**SETTINGS, telegram=IMPATIENT)
    before = len(account.history)
    arrange, status, body = TOLD[fault]
    arrange(sandbox)
    path = await begin(browser, SIZE)
    answer = await in_three(browser, path)
    assert answer.status == status
    assert answer.body.items() >= body.items()
    offset = (await head(browser, path)).offset
    assert offset is not None
    assert offset < SIZE  # or a client would think that it is done
    budget = service.app[keys.UPLOADER].budget
    await until(lambda: budget.held < PART and service.app[keys.POOL].stats.lent == 0)
    sandbox.faults.clear()
    forget_waits(service)
    await check_sent(browser, await resume(browser, path), account, before)


FOR_GOOD: dict[str, tuple[Callable[[Sandbox], Any], int, dict[str, Any]]] = {
    "no picture": (
        lambda sandbox: sandbox.faults.error(MAKE, 400, "IMAGE_PROCESS_FAILED"),
        400,
        {"error": "Invalid file type or format.", "code": "IMAGE_PROCESS_FAILED"},
    ),
    "refused": (
        lambda sandbox: sandbox.faults.error(SEND, 400, "PEER_ID_INVALID"),
        500,
        {"error": FAILED, "code": "PEER_ID_INVALID", "details": "PEER_ID_INVALID"},
    ),
    "part missing": (lambda sandbox: sandbox.faults.error(MAKE, 400, "FILE_PART_0_MISSING"), 410, GONE),
    "too few parts": (lambda sandbox: sandbox.faults.error(MAKE, 400, "FILE_PARTS_INVALID"), 410, GONE),
}


@pytest.mark.parametrize("fault", FOR_GOOD)
async def test_what_does_not_pass(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, fault: str
) -> None:
    """The client is told why, and that it can't be resumed; nothing is left."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    arrange, status, body = FOR_GOOD[fault]
    arrange(sandbox)
    path = await begin(browser, SIZE)
    answer = await in_three(browser, path)
    assert (answer.status, answer.body) == (status, body)
    assert (await head(browser, path)).status == 410
    assert (await patch(browser, path, SIZE - 1, NOISE[-1:])).body == GONE
    assert len(account.history) == before
    assert service.app[keys.UPLOADER].budget.streams == 0


async def test_parts_forgotten(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """Telegram does not keep parts for ever: the client begins anew."""
    _, browser = await signed_in_to(**SETTINGS)
    path = await begin(browser, SIZE)
    await patch(browser, path, 0, NOISE[:500_000])
    sandbox.state.uploads.expire()
    answer = await patch(browser, path, 500_000, NOISE[500_000:])
    assert (answer.status, answer.body) == (410, GONE)


@pytest.mark.swift_time
async def test_the_data_centre_restarts(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until
) -> None:
    """While it is away the client is told to come again, and when it is back the upload goes on."""
    service, browser = await signed_in_to(**SETTINGS, telegram=IMPATIENT)
    before = len(account.history)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(SMALL, skip=9)
    sending = asyncio.create_task(patch(browser, path, 0, NOISE))
    await held_back.reached(1)
    await sandbox.data_centres[1].stop()
    held_back.release()
    answer = await sending
    assert (answer.status, answer.body["code"]) == (503, "TELEGRAM_UNAVAILABLE")
    await until(lambda: service.app[keys.UPLOADER].budget.held < PART)
    await sandbox.data_centres[1].start()
    await check_sent(browser, await resume(browser, path), account, before)


@pytest.mark.swift_time
async def test_first_bytes_that_wait(sandbox: Sandbox, signed_in_to: SignedInTo, account: Account) -> None:
    """A creation whose bytes Telegram does not take for now is one: the client learns where to go on."""
    service, browser = await signed_in_to(**SETTINGS, telegram=IMPATIENT)
    before = len(account.history)
    sandbox.faults.flood_wait(SMALL, 33, skip=3)
    answer = await create(browser, SIZE, NOISE)
    assert (answer.status, answer.message_id) == (201, None)
    path = path_of(answer)
    assert (await head(browser, path)).offset == answer.offset
    forget_waits(service)
    await check_sent(browser, await resume(browser, path), account, before)


@pytest.mark.swift_time
async def test_deferred_length(sandbox: Sandbox, signed_in_to: SignedInTo, account: Account) -> None:
    """A file of unknown length, whose way is unknown as well, goes on too."""
    service, browser = await signed_in_to(**SETTINGS, telegram=IMPATIENT)
    before = len(account.history)
    path = await begin(browser)
    offset: int | None = 0
    for skip in (1, 2, 3):
        assert offset is not None
        sandbox.faults.flood_wait(SMALL, 33, skip=skip)
        answer = await patch(browser, path, offset, NOISE[offset : offset + 300_000])
        assert answer.status == 429
        sandbox.faults.clear()
        forget_waits(service)
        offset = (await head(browser, path)).offset
    assert offset is not None
    answer = await patch(browser, path, offset, NOISE[offset:], Upload_Length=SIZE)
    await check_sent(browser, answer, account, before)


@pytest.mark.swift_time
async def test_what_a_video_says(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """Bytes that come again, after a failure, do not confuse what reads the file's own header."""
    service, browser = await signed_in_to(upload={"part_bytes": 4 * KIB}, telegram=IMPATIENT)
    video = DOCUMENTS["sea-moov-last"]
    data = video.blob.read(0, video.blob.size)
    path = await begin(browser, len(data), Upload_Metadata=metadata(filename="a.mp4"))
    sandbox.faults.flood_wait(SMALL, 33, skip=3)
    # Without what stands at its end: only where that begins is known so far.
    assert (await patch(browser, path, 0, data[: len(data) // 2])).status == 429
    forget_waits(service)
    answer = await resume(browser, path, data)
    assert answer.message_id is not None
    told = await item(browser, answer.message_id)
    assert (told["type"], told["width"], told["height"]) == ("video", video.width, video.height)
    assert told["duration"] == pytest.approx(video.duration, abs=0.1)
