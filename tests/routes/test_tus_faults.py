"""Resumable uploads that something happens to: they go on, or the client is told to begin anew."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.routes.forms import item, stored
from tests.routes.tus_client import (
    GONE,
    Line,
    begin,
    create,
    head,
    metadata,
    patch,
    path_of,
)
from tgbridge import keys
from tgbridge.sandbox.media import DOCUMENTS
from tgbridge.telegram import delivery
from tgbridge.telegram.files import upload as upload_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from tests.conftest import SignIn
    from tests.routes.conftest import SignedInTo, Until
    from tests.routes.tus_client import Answer
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
MAKE, SEND = "messages.uploadMedia", "messages.sendMedia"
PART = 64 * KIB
NOISE = random.Random(13).randbytes(20 * PART + 1)
SIZE = len(NOISE)
FAILED = "Failed to upload file to Telegram."
TOO_MANY = "Too many requests. Please try again later."
SETTINGS: dict[str, Any] = {
    "upload": {"part_bytes": PART},
    "telegram": {"request_timeout_seconds": 0.5},
    "server": {"drain_seconds": 0},
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_module, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(delivery, "_PATIENCE_SECONDS", 0.0)


def forget_waits(service: Service) -> None:
    """As if the waits that Telegram has asked for were over."""
    for slot in service.app[keys.POOL]._slots.values():
        slot.client.files._paces.clear()


async def in_three(browser: ClientSession, path: str) -> Answer:
    """Send the file in three requests; the answer of the last, or of the first that fails."""
    for start, stop in ((0, 500_000), (500_000, 1_000_001), (1_000_001, SIZE)):
        answer = await patch(browser, path, start, NOISE[start:stop])
        if answer.status != 204:
            break
    return answer


async def resume(browser: ClientSession, path: str, data: bytes = NOISE) -> Answer:
    """Go on as a client does."""
    offset = (await head(browser, path)).offset
    assert offset is not None
    return await patch(browser, path, offset, data[offset:])


async def check_sent(browser: ClientSession, answer: Answer, account: Account, before: int) -> None:
    assert (answer.status, answer.offset) == (204, SIZE), answer.body
    assert answer.message_id == max(account.history.ids)
    assert len(account.history) == before + 1
    assert await stored(browser, answer.message_id) == NOISE


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


@pytest.mark.parametrize("fault", MENDED)
async def test_what_can_be_mended_is(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, fault: str
) -> None:
    """The client notices nothing, and the file is there, whole and once."""
    _, browser = await signed_in_to(**SETTINGS)
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


@pytest.mark.parametrize("fault", TOLD)
async def test_what_passes(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until, fault: str
) -> None:
    """The client is told, asks where to go on, and when Telegram is well again, the file is there once."""
    service, browser = await signed_in_to(**SETTINGS)
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
    "caption too long": (
        lambda sandbox: sandbox.faults.error(SEND, 400, "MEDIA_CAPTION_TOO_LONG"),
        400,
        {"error": "The caption is too long.", "code": "MEDIA_CAPTION_TOO_LONG"},
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


@pytest.mark.parametrize("method", [SMALL, MAKE, SEND])
async def test_revoked(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, sign_in: SignIn, method: str
) -> None:
    """Whose session has ended is told so, loses the cookie, signs in again, and goes on."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    sandbox.faults.error(method, 401, "SESSION_REVOKED")
    path = await begin(browser, SIZE)
    answer = await in_three(browser, path)
    assert (answer.status, answer.body["code"]) == (401, "SESSION_REVOKED")
    assert (await head(browser, path)).status == 401
    await sign_in(browser)
    await check_sent(browser, await resume(browser, path), account, before)
    assert service.app[keys.UPLOADER].budget.held == 0


async def test_first_bytes_that_wait(sandbox: Sandbox, signed_in_to: SignedInTo, account: Account) -> None:
    """A creation whose bytes Telegram does not take for now is one: the client learns where to go on."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    sandbox.faults.flood_wait(SMALL, 33, skip=3)
    answer = await create(browser, SIZE, NOISE)
    assert (answer.status, answer.message_id) == (201, None)
    path = path_of(answer)
    assert (await head(browser, path)).offset == answer.offset
    forget_waits(service)
    await check_sent(browser, await resume(browser, path), account, before)


async def test_first_bytes_of_a_dead_session(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """A creation by a session that has ended is none."""
    service, browser = await signed_in_to(**SETTINGS)
    sandbox.faults.error(SMALL, 401, "SESSION_REVOKED")
    answer = await create(browser, SIZE, NOISE)
    assert (answer.status, answer.body["code"]) == (401, "SESSION_REVOKED")
    assert len(service.app[keys.UPLOADS]) == 0


async def test_failure_after_the_client_has_gone(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, sign_in: SignIn, until: Until
) -> None:
    """What nobody was told of, the client finds out by asking where to go on."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(SMALL, skip=2)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE[: 5 * PART + 7])
    await held_back.reached(3)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    sandbox.faults.revoke(account=account.id, error="SESSION_REVOKED")
    held_back.release()
    while (offset := (await head(browser, path)).offset) == 5 * PART + 7:
        pass
    assert offset in {0, PART, 2 * PART}  # whichever two parts have arrived
    await until(lambda: service.app[keys.UPLOADER].budget.held == 0)
    await sign_in(browser)
    await check_sent(browser, await resume(browser, path), account, before)


@pytest.mark.parametrize(("method", "skip"), [(SMALL, 20), (MAKE, 0), (SEND, 0)])
async def test_end_that_fails_after_the_client_has_gone(
    sandbox: Sandbox,
    signed_in_to: SignedInTo,
    account: Account,
    sign_in: SignIn,
    until: Until,
    method: str,
    skip: int,
) -> None:
    """An end that nobody waits for any more, and that fails, holds nothing until somebody tries again."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    path = await begin(browser, SIZE)
    held_back = sandbox.faults.hold(method, skip=skip)
    line = await Line.patch(browser, service, path, 0, SIZE)
    await line.send(NOISE)
    await held_back.reached(1)
    await until(lambda: len(service.app[keys.COMPLETION]) == 1)
    await line.cut()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    sandbox.faults.revoke(account=account.id, error="SESSION_REVOKED")
    held_back.release()
    await until(lambda: len(service.app[keys.COMPLETION]) == 0)
    assert service.app[keys.UPLOADER].budget.held == 0
    await sign_in(browser)
    await check_sent(browser, await resume(browser, path), account, before)


async def test_deferred_length(sandbox: Sandbox, signed_in_to: SignedInTo, account: Account) -> None:
    """A file of unknown length, whose way is unknown as well, goes on too."""
    service, browser = await signed_in_to(**SETTINGS)
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


async def test_what_a_video_says(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """Bytes that come again, after a failure, do not confuse what reads the file's own header."""
    service, browser = await signed_in_to(upload={"part_bytes": 4 * KIB})
    video = DOCUMENTS["sea-moov-last"]
    data = video.blob.read(0, video.blob.size)
    path = await begin(browser, len(data), Upload_Metadata=metadata(filename="a.mp4"))
    sandbox.faults.flood_wait(SMALL, 33, skip=len(data) // (4 * KIB) - 1)
    assert (await patch(browser, path, 0, data)).status == 429
    forget_waits(service)
    answer = await resume(browser, path, data)
    assert answer.message_id is not None
    told = await item(browser, answer.message_id)
    assert (told["type"], told["width"], told["height"]) == ("video", video.width, video.height)
    assert told["duration"] == pytest.approx(video.duration, abs=0.1)
