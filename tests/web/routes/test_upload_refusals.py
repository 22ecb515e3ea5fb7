"""What is answered instead of a message: each row of the contract's table for uploads."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import CONTENT_TYPE, Form, chunks, send, send_file
from tgbridge.telegram.saved import sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

pytestmark = pytest.mark.usefixtures("nothing_of_uploads_is_left")

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
NOISE = random.Random(10).randbytes(2 * MIB)
INVALID = "Invalid file type or format."
FAILED = "Failed to upload file to Telegram."
PLAIN, PREMIUM = "+9996610001", "+9996619009"


REFUSED: list[tuple[Form, dict[str, str]]] = [
    (Form(), {"error": "No file provided in the request.", "code": "NO_FILE"}),
    (Form().field("caption", "x"), {"error": "No file provided in the request.", "code": "NO_FILE"}),
    (Form().field("file", "no file name"), {"error": "No file provided in the request.", "code": "NO_FILE"}),
    (Form().file(b"", ""), {"error": "No file provided in the request.", "code": "NO_FILE"}),
    (Form().file(b"x", field="other"), {"error": "No file provided in the request.", "code": "NO_FILE"}),
    (Form().file(b""), {"error": INVALID, "code": "EMPTY_FILE"}),
    (Form().file(b"x").file(b""), {"error": INVALID, "code": "EMPTY_FILE"}),
    (Form().file(b"text", "a.jpg", "image/jpeg"), {"error": INVALID, "code": "FILE_TYPE_MISMATCH"}),
    (Form().file(b"text", "a.png"), {"error": INVALID, "code": "FILE_TYPE_MISMATCH"}),
    (
        Form().file(b"\xff\xd8\xff no picture", "a.jpg", "image/jpeg"),
        {"error": INVALID, "code": "IMAGE_PROCESS_FAILED"},
    ),
    (
        Form().field("as", "sticker").file(b"x"),
        {"error": "The field 'as' takes auto or document.", "code": "INVALID_AS"},
    ),
    (Form().file(b"<!doctype html>", "a.jpg"), {"error": INVALID, "code": "FILE_TYPE_MISMATCH"}),
    (
        Form().file(b"text", "a.jpg").field("as", "document"),
        {"error": INVALID, "code": "FILE_TYPE_MISMATCH"},
    ),
    (Form().field("as", "document").file(b"", "a.jpg"), {"error": INVALID, "code": "EMPTY_FILE"}),
    (
        Form().field("caption", "x" * 1025).file(b"x"),
        {"error": "The caption is too long.", "code": "MEDIA_CAPTION_TOO_LONG"},
    ),
    (
        Form().field("caption", "x" * 100_000).file(b"x"),
        {"error": "The caption is too long.", "code": "MEDIA_CAPTION_TOO_LONG"},
    ),
]


async def test_what_is_refused(signed_in: ClientSession, account: Account) -> None:
    """400 with the contract's text, and no message."""
    before = len(account.history)
    for form, answer in REFUSED:
        assert await send(signed_in, form) == (400, answer)
    assert len(account.history) == before


async def test_no_form_at_all(signed_in: ClientSession) -> None:
    """A body of another type holds no file."""
    for content_type in ("application/json", "text/plain", "multipart/mixed; boundary=x"):
        told = await send(signed_in, b"{}", **{"Content-Type": content_type})
        assert told == (400, {"error": "No file provided in the request.", "code": "NO_FILE"})


async def test_not_signed_in(browser: ClientSession) -> None:
    """Who is asking comes before what is sent."""
    assert await send(browser, Form()) == (
        401,
        {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"},
    )


async def test_allowed_types(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """What the setting does not allow is refused before Telegram sees a byte."""
    _, browser = await signed_in_to(upload={"allowed_types": ["text/*", "application/pdf"]})
    calls = sandbox.counters.calls.copy()
    told = await send(browser, Form().file(NOISE[: 2 * MIB], "a.bin"))
    assert told == (400, {"error": INVALID, "code": "FILE_TYPE_NOT_ALLOWED"})
    assert sandbox.counters.calls == calls
    await send_file(browser, b"x", "a.txt")
    await send_file(browser, b"%PDF-1.7", "a.pdf", "Application/PDF; version=1.7")


async def test_what_is_not_allowed_under_an_allowed_name(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """A picture of another type than it claims has to be allowed as well."""
    _, browser = await signed_in_to(upload={"allowed_types": ["image/jpeg"]})
    calls = sandbox.counters.calls.copy()
    told = await send(browser, Form().file(b"RIFF\x24\0\0\0WEBPVP8 " + NOISE, "a.jpg", "image/jpeg"))
    assert told == (400, {"error": INVALID, "code": "FILE_TYPE_NOT_ALLOWED"})
    assert sandbox.counters.calls == calls


async def test_content_is_checked_before_telegram_sees_a_byte(
    sandbox: Sandbox, signed_in: ClientSession
) -> None:
    """A film that is none is refused by its first bytes."""
    calls = sandbox.counters.calls.copy()
    told = await send(signed_in, Form().file(NOISE[: 2 * MIB], "a.mp4", "video/mp4"))
    assert told.body["code"] == "FILE_TYPE_MISMATCH"
    assert sandbox.counters.calls == calls


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
async def test_the_largest_file_that_the_setting_takes(
    signed_in_to: SignedInTo, over: int, *, declared: bool
) -> None:
    """The file counts, not the request; one byte more is a 413."""
    _, browser = await signed_in_to(upload={"max_bytes": 100_000, "part_bytes": KIB})
    form = Form().file(NOISE[: 100_000 + over]).field("padding", "x" * 50_000)
    told = await send(browser, form if declared else chunks(form.body, 5000))
    assert told.status == (413 if over else 200)
    if over:
        assert told.body["error"] == "The file is too large."
        assert told.body["code"] == "FILE_TOO_LARGE"


@pytest.mark.parametrize(
    ("phone", "parts", "status"),
    [(PLAIN, 40, 200), (PLAIN, 41, 413), (PREMIUM, 41, 200), (PREMIUM, 80, 200), (PREMIUM, 81, 413)],
)
async def test_telegrams_own_limit(
    fine: tuple[Service, ClientSession],
    new_browser: NewBrowser,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    phone: str,
    parts: int,
    status: int,
) -> None:
    """As many parts as an account may send are a file, of which no length was known; one more is a 413."""
    monkeypatch.setattr(sending, "MAX_PARTS", 40)
    monkeypatch.setattr(sending, "MAX_PARTS_PREMIUM", 80)
    browser = new_browser(fine[0])
    await sign_in(browser, phone)
    told = await send(browser, chunks(Form().file(NOISE[: parts * KIB]).body, 50_000))
    assert told.status == status, told


async def test_a_file_too_large_is_known_before_its_end(signed_in_to: SignedInTo) -> None:
    """The 413 comes although the rest of the file has not."""
    _, browser = await signed_in_to(upload={"max_bytes": 100_000})
    answered = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield Form().file(NOISE[:200_000]).body[:150_000]
        await answered.wait()

    async with browser.post("/upload_file", data=body(), headers={"Content-Type": CONTENT_TYPE}) as response:
        assert response.status == 413
        answered.set()


@pytest.mark.parametrize(
    ("method", "error", "status", "answer"),
    [
        ("messages.uploadMedia", "PHOTO_INVALID_DIMENSIONS", 400, {"error": INVALID}),
        ("messages.sendMedia", "MEDIA_INVALID", 400, {"error": INVALID}),
        ("messages.uploadMedia", "PHOTO_EXT_INVALID", 400, {"error": INVALID}),
        (
            "messages.sendMedia",
            "CHAT_WRITE_FORBIDDEN",
            500,
            {"error": FAILED, "details": "CHAT_WRITE_FORBIDDEN"},
        ),
        (SMALL, "FILE_PART_INVALID", 500, {"error": FAILED, "details": "FILE_PART_INVALID"}),
    ],
)
async def test_telegrams_refusals(
    sandbox: Sandbox,
    signed_in: ClientSession,
    account: Account,
    method: str,
    error: str,
    status: int,
    answer: dict[str, str],
) -> None:
    """Each has the contract's status and text, its name as code, and leaves no message."""
    before = len(account.history)
    sandbox.faults.error(method, 400, error)
    assert await send(signed_in, Form().file(b"x")) == (status, answer | {"code": error})
    assert len(account.history) == before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("FILE_PART_3_MISSING", "FILE_PART_MISSING"),
        ("FILE_PARTS_INVALID", "FILE_PART_MISSING"),
        ("MD5_CHECKSUM_INVALID", "MD5_CHECKSUM_INVALID"),
    ],
)
async def test_parts_that_telegram_has_lost(
    sandbox: Sandbox, signed_in: ClientSession, error: str, code: str
) -> None:
    """Nobody but the sender has them any more, so that it can't be mended here. They are not too many."""
    sandbox.faults.error("messages.uploadMedia", 400, error)
    answer = {"error": FAILED, "code": code, "details": code}
    assert await send(signed_in, Form().file(b"x")) == (500, answer)


async def test_parts_that_telegram_has_forgotten(
    sandbox: Sandbox, signed_in: ClientSession, account: Account
) -> None:
    """The same when it happens of itself: the sender is told, there is no message, and he may try again."""
    before = len(account.history)
    hold = sandbox.faults.hold("messages.uploadMedia")
    sending = asyncio.create_task(send(signed_in, Form().file(NOISE)))
    await hold.reached(1)
    sandbox.faults.expire_uploads()
    hold.release()
    told = await sending
    assert (told.status, told.body["code"]) == (500, "FILE_PART_MISSING")
    assert len(account.history) == before
    await send_file(signed_in, NOISE)


@pytest.mark.parametrize("method", [SMALL, "messages.uploadMedia", "messages.sendMedia"])
async def test_flood_waits(sandbox: Sandbox, signed_in_to: SignedInTo, method: str) -> None:
    """Those up to telegram.transfer_wait_seconds are sat out, longer ones told."""
    _, signed_in = await signed_in_to(telegram={"transfer_wait_seconds": 10})
    sandbox.faults.flood_wait(method, 1)
    await send_file(signed_in, b"patience")
    sandbox.faults.flood_wait(method, 33)
    told = await send(signed_in, Form().file(b"x"))
    text = "Too many requests. Please try again later."
    assert told == (429, {"error": text, "code": "FLOOD_WAIT", "retry_after": 33})
