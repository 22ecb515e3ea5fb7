"""A file that is sent in several requests, and what tells whether it has arrived."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.web.routes.forms import stored
from tests.web.routes.tus_client import head, patch
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.tus_client import Answer
    from tgbridge.app import Service
    from tgbridge.sandbox.world.accounts import Account

KIB = 1024
SMALL = "upload.saveFilePart"
MAKE, SEND = "messages.uploadMedia", "messages.sendMedia"
PART = 64 * KIB
NOISE = random.Random(13).randbytes(20 * PART + 1)
SIZE = len(NOISE)
FAILED = "Failed to upload file to Telegram."
TOO_MANY = "Too many requests. Please try again later."
IMPATIENT = {"transfer_wait_seconds": 1}
SETTINGS: dict[str, Any] = {"upload": {"part_bytes": PART}, "server": {"drain_seconds": 0}}


def forget_waits(service: Service) -> None:
    """As if the waits that Telegram has asked for were over."""
    service.app[keys.POOL]._gates._accounts.clear()


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
