"""Uploading: the bytes arrive whole, in any form, and each row of the contract's table."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.routes.forms import BOUNDARY, CONTENT_TYPE, Form, chunks, item, send, send_file, stored
from tgbridge import keys
from tgbridge.telegram import sending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.routes.conftest import SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
SMALL, BIG = "upload.saveFilePart", "upload.saveBigFilePart"
NOISE = random.Random(8).randbytes(10 * MIB + 512 * KIB)
INVALID = "Invalid file type or format."
FAILED = "Failed to upload file to Telegram."
PLAIN, PREMIUM = "+9996610001", "+9996619009"


@pytest.fixture(autouse=True)
def nothing_is_left(service: Service) -> Any:
    """However a test ends its uploads, the service holds nothing of them afterwards."""
    yield
    budget = service.app[keys.UPLOADER].budget
    assert (budget.held, budget.waiting, budget.streams) == (0, 0, 0)


# Bytes


@pytest.mark.parametrize("size", [1, 512 * KIB, 512 * KIB + 1, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1])
@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
async def test_a_file_comes_back_byte_for_byte(
    sandbox: Sandbox, signed_in: ClientSession, size: int, *, declared: bool
) -> None:
    """On both sides of Telegram's borders, with a length or without: whole, and by the way of its size."""
    form = Form().field("caption", "a caption").file(NOISE[:size])
    told = await send(signed_in, form if declared else chunks(form.body, 100_000))
    assert told.status == 200
    message_id = told.body["message_id"]
    assert told.body == {"message": "File uploaded successfully.", "message_id": message_id}
    assert await stored(signed_in, message_id) == NOISE[:size]
    assert (await item(signed_in, message_id))["caption"] == "a caption"
    parts = -(-size // (512 * KIB))
    assert sandbox.counters.of(SMALL if size <= 10 * MIB else BIG) == parts


@pytest.fixture
async def fine(signed_in_to: SignedInTo) -> tuple[Service, ClientSession]:
    """A service whose parts are as small as Telegram allows."""
    return await signed_in_to(upload={"part_bytes": KIB})


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    data=st.binary(min_size=1, max_size=3 * KIB)
    | st.sampled_from([b"\r\n--" + BOUNDARY[:-1], b"\r\n" * 300, b"--" + BOUNDARY + b"x", b"\r" * KIB]),
    cuts=st.lists(st.floats(0, 1), max_size=8),
    first=st.booleans(),
)
async def test_any_cut_of_the_body_makes_the_same_file(
    fine: tuple[Service, ClientSession], data: bytes, cuts: list[float], *, first: bool
) -> None:
    """Wherever the network cuts, in a boundary or a header, and whatever looks nearly like one."""
    form = Form().file(data).field("caption", "ü") if first else Form().field("caption", "ü").file(data)
    borders = sorted({0, len(form.body), *(round(cut * len(form.body)) for cut in cuts)})

    async def pieces() -> AsyncIterator[bytes]:
        for start, stop in pairwise(borders):
            yield form.body[start:stop]
            await asyncio.sleep(0)

    told = await send(fine[1], pieces())
    assert told.status == 200, told
    assert await stored(fine[1], told.body["message_id"]) == data


@pytest.mark.parametrize("order", ["before", "after"])
async def test_fields_may_come_in_any_order(signed_in: ClientSession, order: str) -> None:
    """Before the file or after it, the fields count; unknown ones, empty ones and long ones do no harm."""
    fields = {
        "caption": "日本語 👩‍💻",
        "as": "document",
        "unknown": "x" * 300_000,
        "duration": "",
        "width": " ",
    }
    form = Form()
    if order == "after":
        form.file(b"some text", "notes.txt", "text/plain")
    for name, value in fields.items():
        form.field(name, value)
    if order == "before":
        form.file(b"some text", "notes.txt", "text/plain")
    told = await send(signed_in, form)
    assert told.status == 200
    found = await item(signed_in, told.body["message_id"])
    assert (found["caption"], found["name"], found["type"]) == (fields["caption"], "notes.txt", "document")


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("отчёт за год.pdf", "отчёт за год.pdf"),
        ("写真 🌸.bin", "写真 🌸.bin"),
        ("تقرير.bin", "تقرير.bin"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\photo.bin", "photo.bin"),
        ("say %22hi%22.bin", 'say "hi".bin'),
        ("100%25.bin", "100%25.bin"),
        ("evil\u202egpj.bin", "evilgpj.bin"),
        ("%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82.bin", "привет.bin"),
        ("x" * 400 + ".bin", "x" * 251 + ".bin"),
    ],
)
async def test_file_names_round_trip(signed_in: ClientSession, given_name: str, name: str) -> None:
    """Any script survives; paths and what disguises a name do not."""
    message_id = await send_file(signed_in, b"x", given_name)
    assert (await item(signed_in, message_id))["name"] == name


async def test_a_name_in_the_encoding_that_forms_forbid(signed_in: ClientSession) -> None:
    """Some senders write filename* all the same (RFC 8187)."""
    form = Form().raw(
        'Content-Disposition: form-data; name="file"; filename="?.bin"; filename*=utf-8\'\'%E2%82%AC.bin',
        b"x",
    )
    told = await send(signed_in, form)
    assert (await item(signed_in, told.body["message_id"]))["name"] == "€.bin"


async def test_a_name_that_is_none(signed_in: ClientSession) -> None:
    """A file that is called by nothing but dots gets a name by its type."""
    message_id = await send_file(signed_in, b"x", "..", "text/plain")
    assert (await item(signed_in, message_id))["name"] == "file.txt"


async def test_each_uploads_to_their_own(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Two people's uploads at the same time are never mixed."""
    other = new_browser()
    await sign_in(other, "+9996620002")
    mine, theirs = await asyncio.gather(
        send_file(signed_in, b"mine", "mine.txt"), send_file(other, b"theirs", "theirs.txt")
    )
    assert (await item(signed_in, mine))["name"] == "mine.txt"
    assert (await item(other, theirs))["name"] == "theirs.txt"


async def test_many_at_once(signed_in_to: SignedInTo) -> None:
    """Thirty uploads of one person at the same time all arrive, within the account's window."""
    windows = {"window_bytes_per_upload": MIB, "window_bytes_per_account": 2 * MIB}
    service, browser = await signed_in_to(upload={"part_bytes": 64 * KIB, **windows})
    budget = service.app[keys.UPLOADER].budget
    lefts: list[int] = []
    budget.relieve = lefts.append
    files = [NOISE[number : number + 300_000] for number in range(30)]
    ids = await asyncio.gather(*(send_file(browser, file) for file in files))
    assert len(set(ids)) == 30
    for number in (0, 13, 29):
        assert await stored(browser, ids[number]) == files[number]
    assert min(lefts) >= budget.process_bytes - 2 * MIB


# The contract's table


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (Form(), {"error": "No file provided in the request."}),
        (Form().field("caption", "x"), {"error": "No file provided in the request."}),
        (Form().field("file", "no file name"), {"error": "No file provided in the request."}),
        (Form().file(b"", ""), {"error": "No file provided in the request."}),
        (Form().file(b"x", field="other"), {"error": "No file provided in the request."}),
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
        (
            Form().file(b"x").field("duration", "long"),
            {"error": "The field 'duration' takes a number.", "code": "INVALID_DURATION"},
        ),
        (
            Form().field("caption", "x" * 1025).file(b"x"),
            {"error": "The caption is too long.", "code": "MEDIA_CAPTION_TOO_LONG"},
        ),
        (
            Form().field("caption", "x" * 100_000).file(b"x"),
            {"error": "The caption is too long.", "code": "MEDIA_CAPTION_TOO_LONG"},
        ),
    ],
)
async def test_what_is_refused(
    signed_in: ClientSession, account: Account, form: Form, answer: dict[str, str]
) -> None:
    """400 with the contract's text, and no message."""
    before = len(account.history)
    assert await send(signed_in, form) == (400, answer)
    assert len(account.history) == before


@pytest.mark.parametrize("name", ["duration", "width", "height"])
@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1e400", "1_0", "٣", "0x10", "9" * 100, "1,5"])
async def test_malformed_numbers(signed_in: ClientSession, name: str, value: str) -> None:
    """What is no number, or none that a film has, is a 400 that names the field."""
    told = await send(signed_in, Form().field(name, value).file(b"x"))
    assert (told.status, told.body["code"]) == (400, f"INVALID_{name.upper()}")


async def test_no_form_at_all(signed_in: ClientSession) -> None:
    """A body of another type holds no file."""
    for content_type in ("application/json", "text/plain", "multipart/mixed; boundary=x"):
        told = await send(signed_in, b"{}", **{"Content-Type": content_type})
        assert told == (400, {"error": "No file provided in the request."})


async def test_not_signed_in(browser: ClientSession) -> None:
    """Who is asking comes before what is sent."""
    assert await send(browser, Form()) == (401, {"error": "User not authenticated."})


async def test_allowed_types(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """What the setting does not allow is refused before Telegram sees a byte."""
    _, browser = await signed_in_to(upload={"allowed_types": ["text/*", "application/pdf"]})
    calls = sandbox.counters.calls.copy()
    told = await send(browser, Form().file(NOISE[: 2 * MIB], "a.bin"))
    assert told == (400, {"error": INVALID, "code": "FILE_TYPE_NOT_ALLOWED"})
    assert sandbox.counters.calls == calls
    await send_file(browser, b"x", "a.txt")
    await send_file(browser, b"%PDF-1.7", "a.pdf", "Application/PDF; version=1.7")


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
    [(PLAIN, 400, 200), (PLAIN, 401, 413), (PREMIUM, 401, 200), (PREMIUM, 800, 200), (PREMIUM, 801, 413)],
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
    monkeypatch.setattr(sending, "MAX_PARTS", 400)
    monkeypatch.setattr(sending, "MAX_PARTS_PREMIUM", 800)
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


@pytest.mark.parametrize("error", ["FILE_PARTS_INVALID", "FILE_PART_3_MISSING", "MD5_CHECKSUM_INVALID"])
async def test_parts_that_telegram_has_lost(sandbox: Sandbox, signed_in: ClientSession, error: str) -> None:
    """Nobody but the sender has them any more, and he should send them again. They are not too many."""
    sandbox.faults.error("messages.uploadMedia", 400, error)
    told = await send(signed_in, Form().file(b"x"))
    assert (told.status, told.body["code"], told.body["retry_after"]) == (503, "TELEGRAM_UNAVAILABLE", 1)


@pytest.mark.parametrize("method", [SMALL, "messages.uploadMedia", "messages.sendMedia"])
async def test_flood_waits(sandbox: Sandbox, signed_in: ClientSession, method: str) -> None:
    """Short ones are sat out, longer ones told."""
    sandbox.faults.flood_wait(method, 1)
    await send_file(signed_in, b"patience")
    sandbox.faults.flood_wait(method, 33)
    told = await send(signed_in, Form().file(b"x"))
    text = "Too many requests. Please try again later."
    assert told == (429, {"error": text, "code": "FLOOD_WAIT", "retry_after": 33})
