"""Uploads that something happens to: the file arrives whole and once, or its sender is told why not."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.routes.forms import CONTENT_TYPE, Form, photo, send, send_file, stored
from tgbridge.sandbox.media import PHOTOS
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import ClientSession

    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
MAKE, SEND = "messages.uploadMedia", "messages.sendMedia"
NOISE = random.Random(9).randbytes(2 * MIB)
FAILED = "Failed to upload file to Telegram."
TOO_MANY = "Too many requests. Please try again later."
SETTINGS: dict[str, Any] = {"upload": {"part_bytes": 64 * KIB}, "server": {"drain_seconds": 0}}
IMPATIENT = {"transfer_wait_seconds": 30}


def holds_nothing(service: Service) -> bool:
    budget = service.app[keys.UPLOADER].budget
    lent = service.app[keys.POOL].stats.lent
    # Parts travel in tasks of their own.
    travelling = [task for task in asyncio.all_tasks() if "FileUpload." in repr(task.get_coro())]
    counts = len(service.app[keys.IN_FLIGHT]), len(service.app[keys.COMPLETION]), len(travelling)
    return (budget.held, budget.waiting, budget.streams, lent, *counts) == (0,) * 7


def expire_reference(sandbox: Sandbox, *, sent: bool = False) -> Any:
    """Refuse a message for its reference, which is stale; `sent`: when it is there, though no answer came."""
    if sent:
        sandbox.faults.drop(SEND, executed=True)
    return sandbox.faults.error(SEND, 400, "FILE_REFERENCE_EXPIRED")


MENDED: dict[str, Callable[[Sandbox], Any]] = {
    "flood wait": lambda sandbox: sandbox.faults.flood_wait(SMALL, 1, skip=9),
    "internal errors": lambda sandbox: sandbox.faults.internal_error(SMALL, times=3, skip=9),
    "part lost with its connection": lambda sandbox: sandbox.faults.drop(SMALL, skip=9),
    "part taken, answer lost": lambda sandbox: sandbox.faults.drop(SMALL, executed=True, skip=9),
    "silent connection": lambda sandbox: sandbox.faults.silence(SMALL, connection=True, skip=9),
    "media lost": lambda sandbox: sandbox.faults.drop(MAKE),
    "media made, answer lost": lambda sandbox: sandbox.faults.drop(MAKE, executed=True),
    "media failing": lambda sandbox: sandbox.faults.internal_error(MAKE, times=2),
    "message lost": lambda sandbox: sandbox.faults.drop(SEND),
    "message sent, answer lost": lambda sandbox: sandbox.faults.drop(SEND, executed=True),
    "message sent, answer lost twice": lambda sandbox: sandbox.faults.drop(SEND, executed=True, times=2),
    "message sent, connection silent": lambda sandbox: sandbox.faults.silence(
        SEND, executed=True, connection=True
    ),
    "message lost, connection silent": lambda sandbox: sandbox.faults.silence(SEND, connection=True),
    "reference expired before the message": expire_reference,
    "message sent, answer lost, reference expired": lambda sandbox: expire_reference(sandbox, sent=True),
    "message failing": lambda sandbox: sandbox.faults.internal_error(SEND, times=2),
}
TOLD: dict[str, tuple[Callable[[Sandbox], Any], int, dict[str, Any]]] = {
    "long flood wait": (
        lambda sandbox: sandbox.faults.flood_wait(SMALL, 33, skip=9),
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
        {
            "error": FAILED,
            "code": "TELEGRAM_UNAVAILABLE",
            "details": "internal error at Telegram: RPC_CALL_FAIL",
            "retry_after": 5,
        },
    ),
    "parts forgotten": (
        lambda sandbox: sandbox.faults.error(MAKE, 400, "FILE_PART_0_MISSING"),
        500,
        {"error": FAILED, "code": "FILE_PART_MISSING", "details": "FILE_PART_MISSING"},
    ),
}


@pytest.mark.swift_time
@pytest.mark.parametrize("fault", MENDED)
async def test_what_can_be_mended_is(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until, fault: str
) -> None:
    """Whatever happens on the way, the file is there, whole and once, under the id that was answered."""
    timeouts = {"request_timeout_seconds": 0.5} if "silent" in fault else {}
    service, browser = await signed_in_to(**SETTINGS, telegram=timeouts)
    before = len(account.history)
    rule = MENDED[fault](sandbox)
    message_id = await send_file(browser, NOISE)
    assert rule.applied
    assert len(account.history) == before + 1
    assert message_id == max(account.history.ids)
    assert await stored(browser, message_id) == NOISE
    await until(lambda: holds_nothing(service))


@pytest.mark.swift_time
@pytest.mark.parametrize("fault", TOLD)
async def test_what_cannot_be_mended_is_told(
    sandbox: Sandbox,
    signed_in_to: SignedInTo,
    account: Account,
    until: Until,
    fault: str,
) -> None:
    """The contract's answer, no message, and nothing left; the next upload is none the worse for it."""
    service, browser = await signed_in_to(**SETTINGS, telegram=IMPATIENT)
    before = len(account.history)
    arrange, status, body = TOLD[fault]
    arrange(sandbox)
    assert await send(browser, Form().file(NOISE)) == (status, body)
    assert len(account.history) == before
    await until(lambda: holds_nothing(service))
    sandbox.faults.clear()
    if status != 429:
        assert await stored(browser, await send_file(browser, NOISE)) == NOISE


@pytest.mark.parametrize(
    ("method", "skip", "error"),
    [
        (SMALL, 9, "SESSION_REVOKED"),
        (SMALL, 9, None),  # the key itself is forgotten, which only the transport tells
        (MAKE, 0, "AUTH_KEY_UNREGISTERED"),
        (SEND, 0, "SESSION_REVOKED"),
    ],
)
async def test_a_revoked_session(
    sandbox: Sandbox,
    signed_in_to: SignedInTo,
    account: Account,
    until: Until,
    method: str,
    skip: int,
    error: str | None,
) -> None:
    """When the session ends in the middle: 401, the cookie is cleared, and there is no message."""
    service, browser = await signed_in_to(upload={"part_bytes": 64 * KIB})
    before = len(account.history)
    hold = sandbox.faults.hold(method, skip=skip)
    sending = asyncio.create_task(send(browser, Form().file(NOISE)))
    await hold.reached(1)
    sandbox.faults.revoke(account=account.id, error=error)
    hold.release()
    code = error or "AUTH_KEY_NOT_FOUND"
    assert await sending == (401, {"error": "User not authenticated.", "code": code})
    assert [cookie for cookie in browser.cookie_jar if cookie.key == "tgbridge"] == []
    assert len(account.history) == before
    await until(lambda: holds_nothing(service))


async def test_signing_out_in_the_middle(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until
) -> None:
    """Who signs out while a file is on its way has not sent it, and nothing of it is left."""
    service, browser = await signed_in_to(upload={"part_bytes": 64 * KIB})
    before = len(account.history)
    hold = sandbox.faults.hold(SMALL, skip=9)
    sending = asyncio.create_task(send(browser, Form().file(NOISE)))
    await hold.reached(1)
    async with browser.post("/logout") as response:
        assert response.status == 200
    hold.release()
    assert (await sending).status == 401
    assert len(account.history) == before
    await until(lambda: holds_nothing(service))


async def test_the_data_centre_restarts(sandbox: Sandbox, signed_in_to: SignedInTo, account: Account) -> None:
    """All its connections break, the account's main one too, and its ports are closed for a while."""
    _, browser = await signed_in_to(upload={"part_bytes": 64 * KIB})
    before = len(account.history)
    hold = sandbox.faults.hold(SMALL, skip=9)
    sending = asyncio.create_task(send_file(browser, NOISE))
    await hold.reached(1)
    await sandbox.data_centres[1].stop()
    hold.release()
    await asyncio.sleep(0.2)  # long enough that attempts fail
    await sandbox.data_centres[1].start()
    assert await stored(browser, await sending) == NOISE
    assert len(account.history) == before + 1


async def test_each_finds_its_own_message(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """Photos sent at the same time without a caption, all their answers lost: each id is the right one."""
    _, browser = await signed_in_to(telegram={"request_timeout_seconds": 1})
    photos = [photo(name, "x") for name in PHOTOS]
    sandbox.faults.drop(SEND, executed=True, times=len(photos))
    ids = await asyncio.gather(*(send_file(browser, data, "a.jpg", "image/jpeg") for data in photos))
    assert len(set(ids)) == len(photos)
    for message_id, data in zip(ids, photos, strict=True):
        assert await stored(browser, message_id) == data


async def test_an_album_whose_answer_is_lost(
    sandbox: Sandbox, signed_in: ClientSession, account: Account
) -> None:
    """The whole album is found again, in its order."""
    sandbox.faults.drop("messages.sendMultiMedia", executed=True)
    before = len(account.history)
    form = Form().file(b"one", "1.txt").file(b"two", "2.txt").file(b"three", "3.txt")
    ids = (await send(signed_in, form)).body["message_ids"]
    assert [await stored(signed_in, message_id) for message_id in ids] == [b"one", b"two", b"three"]
    assert len(account.history) == before + 3


async def test_all_or_none(sandbox: Sandbox, signed_in: ClientSession, account: Account) -> None:
    """Files that need several messages are sent as one: if the last is refused, the first are taken back."""
    before = list(account.history.ids)
    sandbox.faults.error("messages.sendMultiMedia", 400, "MEDIA_INVALID")
    form = (
        Form().file(photo("noon", "s"), "a.jpg", "image/jpeg").file(b"two", "2.txt").file(b"three", "3.txt")
    )
    assert (await send(signed_in, form)).status == 400
    assert list(account.history.ids) == before


# Senders that go away, and the service that does


def endless(started: asyncio.Event) -> AsyncIterator[bytes]:
    async def body() -> AsyncIterator[bytes]:
        yield Form().file(NOISE).body[: MIB + 1000]  # of the file, a little more than sixteen parts
        started.set()
        await asyncio.Event().wait()

    return body()


@pytest.mark.parametrize("held", [True, False], ids=["parts in flight", "parts stored"])
async def test_a_sender_that_goes_away(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until, *, held: bool
) -> None:
    """Before the body is complete nothing is sent, whatever of it is at Telegram, and nothing is left."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    hold = sandbox.faults.hold(SMALL, skip=0 if held else 1000)
    started = asyncio.Event()
    headers = {"Content-Type": CONTENT_TYPE}
    sending = asyncio.create_task(browser.post("/upload_file", data=endless(started), headers=headers))
    await started.wait()
    await until(lambda: sandbox.counters.of(SMALL) == 16 and (hold.held == 16 or not held))
    sending.cancel()
    await asyncio.wait({sending})
    await until(lambda: holds_nothing(service))
    hold.release()
    assert len(account.history) == before


async def test_a_sender_that_does_not_wait_for_the_answer(
    sandbox: Sandbox, signed_in: ClientSession, service: Service, account: Account, until: Until
) -> None:
    """Once the whole form has come the message is sent, whether or not anybody waits."""
    before = len(account.history)
    hold = sandbox.faults.hold(SEND)  # asked for when the whole form has come, and not before
    sending = asyncio.create_task(send(signed_in, Form().file(b"x")))
    await hold.reached(1)
    sending.cancel()
    await asyncio.wait({sending})
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    hold.release()
    await until(lambda: len(service.app[keys.COMPLETION]) == 0)
    assert len(account.history) == before + 1
    await until(lambda: holds_nothing(service))


async def test_a_shutdown_within_the_body(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until
) -> None:
    """What has not come whole when the time is up is given up."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    started = asyncio.Event()
    headers = {"Content-Type": CONTENT_TYPE}
    sending = asyncio.create_task(browser.post("/upload_file", data=endless(started), headers=headers))
    await started.wait()
    await until(lambda: sandbox.counters.of(SMALL) == 16)
    await service.stop()
    await asyncio.wait({sending})
    assert sending.exception() is not None or sending.result().status == 503
    assert len(account.history) == before
    assert holds_nothing(service)


async def test_a_shutdown_while_sending(
    sandbox: Sandbox, signed_in_to: SignedInTo, account: Account, until: Until
) -> None:
    """What has come whole is sent before the service ends."""
    service, browser = await signed_in_to(**SETTINGS)
    before = len(account.history)
    hold = sandbox.faults.hold(SEND)
    sending = asyncio.create_task(send(browser, Form().file(NOISE)))
    await hold.reached(1)
    stopping = asyncio.create_task(service.stop())
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    hold.release()
    await stopping
    await asyncio.wait({sending})
    assert sending.exception() is not None
    assert len(account.history) == before + 1
    assert holds_nothing(service)


async def test_slow_senders_do_not_keep_others_out(signed_in_to: SignedInTo) -> None:
    """Seven senders that stall inside a part hold one part each; another one's file passes all the same."""
    windows = {f"window_bytes_per_{name}": MIB for name in ("upload", "account", "process")}
    service, browser = await signed_in_to(
        upload={"part_bytes": 128 * KIB, "idle_seconds": 30, **windows}, server={"drain_seconds": 0}
    )
    tasks = []
    for _ in range(7):
        started = asyncio.Event()
        post = browser.post("/upload_file", data=endless(started), headers={"Content-Type": CONTENT_TYPE})
        tasks.append(asyncio.create_task(post))
        await started.wait()
    assert await stored(browser, await send_file(browser, NOISE)) == NOISE
    assert service.app[keys.UPLOADER].budget.held <= MIB
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_sender_that_falls_silent(signed_in_to: SignedInTo, account: Account, until: Until) -> None:
    """Nobody waits for ever for the rest of a file: 408, and nothing is left."""
    service, browser = await signed_in_to(upload={"idle_seconds": 0.05})
    before = len(account.history)
    body = endless(asyncio.Event())
    async with browser.post("/upload_file", data=body, headers={"Content-Type": CONTENT_TYPE}) as response:
        assert response.status == 408
        assert await response.json() == {"error": "Request Timeout.", "code": "REQUEST_TIMEOUT"}
    await until(lambda: holds_nothing(service))
    assert len(account.history) == before
