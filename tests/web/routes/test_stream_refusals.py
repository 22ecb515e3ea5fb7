"""What is answered instead of a file's bytes, as long as an answer can be given: each row of the contract."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import AddFile, Get, SignedInTo
    from tgbridge.sandbox import Sandbox

FOREIGN = 3  # a data centre that is not the account's
SIZE = 10_000
NOT_FOUND = {"error": "Media not found or message ID is invalid.", "code": "MEDIA_NOT_FOUND"}
FAILED = "Failed to stream media."
NO_MEDIA = [
    *(IDS[key] for key in ("text", "contact", "location", "poll", "service", "link_preview")),
    *(IDS[key] for key in ("expired_photo", "expired_video")),
    "99999", "0", "-1", "2147483648", "9" * 30, "9" * 5000, "1.5", "1e3", "0x1", "+5", "abc", "%20", "%D9%A3",
]  # fmt: skip


async def test_no_media(get: Get) -> None:
    """No such message, no file in it, or no id at all: 404, on HEAD too."""
    for message_id in NO_MEDIA:
        answer = await get(f"/stream_media/{message_id}")
        assert (answer.status, json.loads(answer.body)) == (404, NOT_FOUND), message_id
        head = await get(f"/stream_media/{message_id}", method="HEAD")
        assert (head.status, head.body) == (404, b"")


async def test_not_signed_in(browser: ClientSession) -> None:
    """Who is asking comes before what is asked."""
    for path in ("/stream_media/1", "/stream_media/abc"):
        async with browser.get(path) as response:
            assert response.status == 401
            assert await response.json() == {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"}


async def test_each_sees_their_own(
    get: Get, new_browser: NewBrowser, sign_in: SignIn, add_file: AddFile
) -> None:
    """An id means another message for another person."""
    file = add_file(SIZE)
    stranger = new_browser()
    await sign_in(stranger, "+9996620002")
    assert (await get(file.path, browser=stranger)).status == 404
    assert (await get(file.path)).body == file.content
    mine = await get(f"/stream_media/{IDS['photo']}", method="HEAD")
    theirs = await get(f"/stream_media/{IDS['photo']}", method="HEAD", browser=stranger)
    assert mine.headers["ETag"] != theirs.headers["ETag"]


@dataclass
class Fault:
    """What goes wrong before the first byte, and what is told."""

    arrange: Callable[[Sandbox], object]
    status: int
    body: dict[str, object]


FAULTS = {
    "refused": Fault(
        lambda sandbox: sandbox.faults.error("upload.getFile", 400, "LOCATION_INVALID", times=None),
        500,
        {"error": FAILED, "code": "LOCATION_INVALID", "details": "LOCATION_INVALID"},
    ),
    "message refused": Fault(
        lambda sandbox: sandbox.faults.error("messages.getMessages", 400, "INPUT_USER_DEACTIVATED"),
        500,
        {"error": FAILED, "code": "INPUT_USER_DEACTIVATED", "details": "INPUT_USER_DEACTIVATED"},
    ),
    "flood": Fault(
        lambda sandbox: sandbox.faults.flood_wait("upload.getFile", seconds=33, times=None),
        429,
        {"error": "Too many requests. Please try again later.", "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "message flood": Fault(
        lambda sandbox: sandbox.faults.flood_wait("messages.getMessages", seconds=44),
        429,
        {"error": "Too many requests. Please try again later.", "code": "FLOOD_WAIT", "retry_after": 44},
    ),
    "flood at the way there": Fault(
        lambda sandbox: sandbox.faults.flood_wait("auth.exportAuthorization", seconds=55),
        429,
        {"error": "Too many requests. Please try again later.", "code": "FLOOD_WAIT", "retry_after": 55},
    ),
    "flood at arriving there": Fault(
        lambda sandbox: sandbox.faults.flood_wait("auth.importAuthorization", seconds=66),
        429,
        {"error": "Too many requests. Please try again later.", "code": "FLOOD_WAIT", "retry_after": 66},
    ),
    "short part": Fault(
        lambda sandbox: sandbox.faults.short("upload.getFile", times=None),
        500,
        {"error": FAILED, "code": "INTERNAL_ERROR", "details": "FileCorrupted"},
    ),
    "message internal error": Fault(
        lambda sandbox: sandbox.faults.internal_error("messages.getMessages", times=None),
        503,
        {"error": FAILED},
    ),
    "session revoked": Fault(
        lambda sandbox: sandbox.faults.error("messages.getMessages", 401, "SESSION_REVOKED"),
        401,
        {"error": "User not authenticated.", "code": "SESSION_REVOKED"},
    ),
}


@pytest.mark.swift_time
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_errors_before_the_first_byte_have_a_status(
    sandbox: Sandbox, signed_in: ClientSession, add_file: AddFile, fault: Fault
) -> None:
    """What fails before the first byte is answered as the contract says."""
    file = add_file(SIZE, dc=FOREIGN)
    fault.arrange(sandbox)
    async with signed_in.get(file.path) as response:
        assert response.status == fault.status
        body = await response.json()
        assert fault.body.items() <= body.items()
        assert response.headers.get("Retry-After") == (
            str(body["retry_after"]) if "retry_after" in body else None
        )


async def test_telegram_silent(sandbox: Sandbox, signed_in_to: SignedInTo, add_file: AddFile) -> None:
    """A data centre that says nothing makes a 503, which tells when to come again."""
    file = add_file(SIZE)
    _, browser = await signed_in_to(telegram={"request_timeout_seconds": 0.3})
    sandbox.faults.silence("upload.getFile", times=None)
    async with browser.get(file.path) as response:
        assert response.status == 503
        body = await response.json()
        assert body["error"] == FAILED
        assert body["code"] == "TELEGRAM_UNAVAILABLE"
        assert int(response.headers["Retry-After"]) == body["retry_after"] > 0
