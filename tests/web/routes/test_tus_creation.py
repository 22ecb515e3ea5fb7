"""tus, OPTIONS and POST: what is spoken, and new uploads, with and without their first bytes."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.routes.forms import item, stored
from tests.web.routes.tus_client import (
    BODY_TYPE,
    CREATE,
    EMPTY,
    TOO_LARGE,
    ask,
    begin,
    checksum,
    create,
    head,
    in_chunks,
    metadata,
    path_of,
    problem,
)
from tgbridge.telegram.saved import sending
from tgbridge.web import keys
from tgbridge.web.routes import resumable_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiohttp import ClientSession

    from tests.conftest import Exchange, NewBrowser
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
NOISE = random.Random(10).randbytes(MIB)
INVALID_LENGTH = problem(
    "INVALID_UPLOAD_LENGTH", "Upload-Length takes a number of bytes, or Upload-Defer-Length takes 1."
)
INVALID_METADATA = problem(
    "INVALID_UPLOAD_METADATA", "Upload-Metadata takes pairs of a key and a value in Base64."
)
NO_CONCATENATION = problem(
    "CONCATENATION_UNSUPPORTED", "A file is one upload here, and can't be put together of several."
)
INVALID_TYPE = "Invalid file type or format."
WRONG_TYPE = problem("UNSUPPORTED_MEDIA_TYPE", f"Bytes are sent as {BODY_TYPE}, not encoded.")
UNSUPPORTED = problem("TUS_VERSION_UNSUPPORTED", "Only version 1.0.0 of tus is spoken here.")


@pytest.fixture(autouse=True)
def nothing_of_a_refused_upload(service: Service) -> Any:
    """However a test ends, what is held is of uploads that can go on."""
    yield
    uploads, budget = service.app[keys.UPLOADS], service.app[keys.UPLOADER].budget
    assert budget.streams <= len(uploads)
    assert (budget.waiting, service.app[keys.POOL].stats.lent) == (0, 0)


# OPTIONS


@pytest.mark.parametrize("path", [CREATE, f"{CREATE}/12345678"])
@pytest.mark.parametrize("version", [None, "1.0.0", "0.2.2"])
async def test_options(browser: ClientSession, path: str, version: str | None) -> None:
    """The server's abilities are told to everybody, whatever version the request names."""
    answer = await ask(browser, "OPTIONS", path, Tus_Resumable=version)
    told = {name: value for name, value in answer.headers.items() if name.startswith("Tus-")}
    assert (answer.status, told) == (
        204,
        {
            "Tus-Resumable": "1.0.0",
            "Tus-Version": "1.0.0",
            "Tus-Extension": (
                "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"
            ),
            "Tus-Max-Size": str(4000 * MIB),
            "Tus-Checksum-Algorithm": "sha1,sha256,md5",
        },
    )


async def test_largest(signed_in_to: SignedInTo) -> None:
    """The largest size is the setting's."""
    _, browser = await signed_in_to(upload={"max_bytes": 1000})
    assert (await ask(browser, "OPTIONS", CREATE)).headers["Tus-Max-Size"] == "1000"


@pytest.mark.parametrize(("path", "method"), [(CREATE, "POST"), (f"{CREATE}/12345678", "PATCH")])
async def test_preflight(signed_in_to: SignedInTo, path: str, method: str) -> None:
    """A page of an allowed origin may send, and read, all that the protocol needs."""
    origin = "https://app.example"
    _, browser = await signed_in_to(cors={"allowed_origins": [origin]})
    headers = {"Origin": origin, "Access-Control-Request-Method": method}
    async with browser.options(path, headers=headers) as response:
        assert response.status == 204
        allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
        methods = response.headers["Access-Control-Allow-Methods"].split(", ")
    wanted = {"content-type", "tus-resumable", "upload-length", "upload-checksum"}
    more = (
        {"upload-offset", "x-http-method-override"}
        if method == "PATCH"
        else {"upload-metadata", "upload-defer-length"}
    )
    assert wanted | more <= set(allowed)
    assert method in methods
    answer = await ask(browser, "OPTIONS", path, Origin=origin)
    exposed = answer.headers["Access-Control-Expose-Headers"].lower().split(", ")
    assert {name for name in told_names() if name.lower() not in exposed} == set()


def told_names() -> set[str]:
    """All header fields that answers carry, as the API description has them."""
    return {
        name
        for endpoint in resumable_api.ENDPOINTS
        for answer in endpoint.answers
        for name, _ in answer.headers
    }


# POST


async def test_creation(signed_in: ClientSession) -> None:
    """A new upload has a URL, and a time at which it ends if nothing comes."""
    before = datetime.now(UTC).replace(microsecond=0)
    answer = await create(signed_in, 100)
    assert (answer.status, answer.content, answer.offset) == (201, b"", None)
    expires = parsedate_to_datetime(answer.headers["Upload-Expires"]) - timedelta(hours=6)
    assert before - timedelta(seconds=1) <= expires <= datetime.now(UTC)
    assert answer.headers["Cache-Control"] == "no-store"
    assert (await head(signed_in, path_of(answer))).offset == 0


async def test_location(signed_in: ClientSession) -> None:
    """The URL is relative to the request's, so that it is right behind a proxy that adds a prefix."""
    answer = await create(signed_in, 100)
    assert path_of(answer) == f"/{answer.headers['Location']}"


REFUSED: dict[str, tuple[dict[str, Any], int, Mapping[str, Any]]] = {
    "no version": ({"Tus_Resumable": None, "Upload_Length": 1}, 412, UNSUPPORTED),
    "another version": ({"Tus_Resumable": "0.2.2", "Upload_Length": 1}, 412, UNSUPPORTED),
    "no length": ({}, 400, INVALID_LENGTH),
    "no number": ({"Upload_Length": "many"}, 400, INVALID_LENGTH),
    "negative": ({"Upload_Length": -1}, 400, INVALID_LENGTH),
    "two lengths": ({"Upload_Length": 1, "Upload_Defer_Length": 1}, 400, INVALID_LENGTH),
    "deferred by 2": ({"Upload_Defer_Length": 2}, 400, INVALID_LENGTH),
    "part of another": ({"Upload_Length": 1, "Upload_Concat": "partial"}, 400, NO_CONCATENATION),
    "made of others": ({"Upload_Concat": "final;/uploads/a /uploads/b"}, 400, NO_CONCATENATION),
    "an empty file": ({"Upload_Length": 0}, 400, EMPTY),
    "larger than the setting": ({"Upload_Length": 4000 * MIB + 1}, 413, TOO_LARGE),
    "larger than Telegram takes": ({"Upload_Length": 2000 * MIB + 1}, 413, TOO_LARGE),
    "malformed metadata": ({"Upload_Length": 1, "Upload_Metadata": "filename ?"}, 400, INVALID_METADATA),
    "a caption that is no text": (
        {"Upload_Length": 1, "Upload_Metadata": metadata(caption=b"\xff")},
        400,
        INVALID_METADATA,
    ),
    "an unknown way": (
        {"Upload_Length": 1, "Upload_Metadata": metadata(**{"as": "sticker"})},
        400,
        problem("INVALID_AS", "The field 'as' takes auto or document."),
    ),
    "a long caption": (
        {"Upload_Length": 1, "Upload_Metadata": metadata(caption="x" * 4097)},
        400,
        problem("MEDIA_CAPTION_TOO_LONG", "The caption is too long."),
    ),
}


@pytest.mark.parametrize("row", REFUSED)
async def test_refused(service: Service, sandbox: Sandbox, signed_in: ClientSession, row: str) -> None:
    """What can't be created is told, before Telegram sees anything."""
    headers, status, body = REFUSED[row]
    answer = await ask(signed_in, "POST", CREATE, **headers)
    told = {name: value for name, value in answer.body.items() if name != "details"}
    assert (answer.status, told) == (status, body)
    assert ("Tus-Version" in answer.headers) == (status == 412)
    assert len(service.app[keys.UPLOADS]) == 0
    assert sandbox.counters.of("upload.saveFilePart") == 0


async def test_premium(signed_in: ClientSession, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Larger files are for Premium accounts, whose Telegram takes them."""
    monkeypatch.setattr(sending, "MAX_PARTS", 1)
    assert (await create(signed_in, 600 * KIB)).status == 413
    account.premium = True
    assert (await create(signed_in, 600 * KIB)).status == 201


async def test_types_that_are_not_allowed(signed_in_to: SignedInTo) -> None:
    """The type counts that is claimed, by name or by itself."""
    service, browser = await signed_in_to(upload={"allowed_types": ["image/*"]})
    told = (400, problem("FILE_TYPE_NOT_ALLOWED", INVALID_TYPE))
    for values in ({}, {"filename": "a.pdf"}, {"filename": "a.png", "filetype": "application/pdf"}):
        answer = await create(browser, 1, Upload_Metadata=metadata(**values) or None)
        assert (answer.status, answer.body) == told
    await begin(browser, 1, Upload_Metadata=metadata(filename="a.png"))
    assert len(service.app[keys.UPLOADS]) == 1


async def test_signed_out(browser: ClientSession) -> None:
    """Uploads belong to somebody."""
    answer = await create(browser, 100)
    assert (answer.status, answer.body) == (
        401,
        {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"},
    )


# creation-with-upload


async def test_whole_file_at_once(signed_in: ClientSession) -> None:
    """One request is enough, and its answer names the message."""
    said = metadata(filename="noise.bin", caption="a caption", filetype="application/x-noise")
    answer = await create(signed_in, len(NOISE), NOISE, Upload_Metadata=said)
    assert (answer.status, answer.offset) == (201, len(NOISE))
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE
    told = await item(signed_in, answer.message_id)
    assert (told["name"], told["caption"], told["mime_type"]) == (
        "noise.bin",
        "a caption",
        "application/x-noise",
    )


@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
async def test_first_bytes(signed_in: ClientSession, *, declared: bool) -> None:
    """The answer says how many of them were taken."""
    data = NOISE[:100_001] if declared else in_chunks(NOISE[:100_001], 1000)
    answer = await create(signed_in, len(NOISE), data)
    assert (answer.status, answer.offset, answer.message_id) == (201, 100_001, None)
    assert (await head(signed_in, path_of(answer))).offset == 100_001


async def test_first_bytes_of_unknown_length(signed_in: ClientSession) -> None:
    """Both extensions go together."""
    answer = await create(signed_in, None, NOISE)
    assert (answer.status, answer.offset, answer.message_id) == (201, len(NOISE), None)


async def test_hints_that_say_nothing(signed_in: ClientSession) -> None:
    """What is no number costs no upload."""
    for hint in ("Infinity", "NaN", "null", "", "long", b"\xff"):
        said = metadata(filename="a.webm", duration=hint, width=hint, height=hint)
        assert (await create(signed_in, 4, b"\x1a\x45\xdf\xa3", Upload_Metadata=said)).status == 201


WRONG_BYTES: dict[str, tuple[dict[str, Any], int, str]] = {
    "another type": ({"Content_Type": "application/octet-stream"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "no type": ({"Content_Type": None}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "encoded": ({"Content_Encoding": "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    "too many": ({"Upload_Length": 5}, 413, "UPLOAD_LENGTH_EXCEEDED"),
    "wrong checksum": ({"Upload_Checksum": checksum(b"other")}, 460, "CHECKSUM_MISMATCH"),
    "no picture": (
        {"Upload_Metadata": metadata(filename="a.png"), "Upload_Length": 6},
        400,
        "FILE_TYPE_MISMATCH",
    ),
}


@pytest.mark.parametrize("row", WRONG_BYTES)
async def test_wrong_bytes(service: Service, signed_in: ClientSession, row: str) -> None:
    """An upload that begins wrong does not begin."""
    headers, status, code = WRONG_BYTES[row]
    answer = await create(signed_in, 100, b"abcdef", **headers)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert "Location" not in answer.headers
    assert len(service.app[keys.UPLOADS]) == 0
    assert service.app[keys.UPLOADER].budget.streams == 0


async def test_bytes_with_a_checksum(signed_in: ClientSession) -> None:
    """The right checksum does no harm."""
    answer = await create(signed_in, len(NOISE), NOISE, Upload_Checksum=checksum(NOISE))
    assert (answer.status, answer.offset) == (201, len(NOISE))


async def test_client_gone(service: Service, signed_in: ClientSession, until: Until) -> None:
    """An upload whose client goes before it has learnt the name is none: nobody could go on with it."""
    uploads = service.app[keys.UPLOADS]

    async def half() -> AsyncIterator[bytes]:
        yield NOISE[: MIB // 2]
        await asyncio.Event().wait()

    creating = asyncio.create_task(create(signed_in, MIB, half()))
    await until(lambda: len(uploads) == 1)
    creating.cancel()
    await asyncio.wait({creating})
    await until(lambda: len(uploads) == 0)
    assert service.app[keys.UPLOADER].budget.streams == 0


async def test_early_feedback(service: Service, new_browser: NewBrowser, exchange: Exchange) -> None:
    """A client that waits to be asked for its bytes is not asked for those of a refused upload."""
    sent = (
        b"POST /uploads HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\n"
        b"Content-Length: 5\r\nContent-Type: application/offset+octet-stream\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = await exchange(service, sent)
    assert answer.startswith(b"HTTP/1.1 401 ")
