"""Uploading: the bytes arrive whole, in any form, and each row of the contract's table."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.routes.forms import BOUNDARY, Form, chunks, item, send, send_file, stored
from tests.web.routes.tus_client import create, metadata
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

KIB, MIB = 1024, 1024 * 1024
SMALL, BIG = "upload.saveFilePart", "upload.saveBigFilePart"
pytestmark = pytest.mark.usefixtures("nothing_of_uploads_is_left")

NOISE = random.Random(8).randbytes(10 * MIB + 512 * KIB)
INVALID = "Invalid file type or format."
FAILED = "Failed to upload file to Telegram."
PLAIN, PREMIUM = "+9996610001", "+9996619009"


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


@settings(
    max_examples=25,
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


NAMES = {
    "отчёт за год.pdf": "отчёт за год.pdf",
    "写真 🌸.bin": "写真 🌸.bin",
    "تقرير.bin": "تقرير.bin",
    "../../etc/passwd": "passwd",
    "C:\\Users\\me\\photo.bin": "photo.bin",
    "say %22hi%22.bin": 'say "hi".bin',
    "100%25.bin": "100%25.bin",
    "evil\u202egpj.bin": "evilgpj.bin",
    "%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82.bin": "привет.bin",
    "x" * 400 + ".bin": "x" * 251 + ".bin",
}


async def test_file_names_round_trip(signed_in: ClientSession) -> None:
    """Any script survives; paths and what disguises a name do not."""
    for given_name, name in NAMES.items():
        message_id = await send_file(signed_in, b"x", given_name)
        assert (await item(signed_in, message_id))["name"] == name


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("utf-8''%E2%82%AC.bin", "€.bin"),
        ("UTF-8'de'%E2%82%AC.bin", "€.bin"),
        ("iso-8859-1''R%E9sum%E9.txt", "Résumé.txt"),
        ("windows-1251''%D2%E5%F1%F2.txt", "Тест.txt"),
        ("koi8-r''%EF%D4%DE%A3%D4.txt", "Отчёт.txt"),
        ("iso-8859-1''5%80.txt", "5€.txt"),
        ("utf-8''R%E9sum%E9.txt", "Résumé.txt"),
        ("x-unheard-of''R%E9sum%E9.txt", "Résumé.txt"),
        ("\"utf-8''%E2%82%AC.bin\"", "€.bin"),
    ],
)
async def test_a_name_in_the_encoding_that_forms_forbid(
    signed_in: ClientSession, parameter: str, name: str
) -> None:
    """Some senders write filename* all the same (RFC 8187), in any charset."""
    header = f'Content-Disposition: form-data; name="file"; filename="?.bin"; filename*={parameter}'
    told = await send(signed_in, Form().raw(header, b"x"))
    assert (await item(signed_in, told.body["message_id"]))["name"] == name


REGIONAL = [
    ("Отчёт за май.docx", "cp1251"),
    ("Résumé.pdf", "cp1252"),
    ("新建文档.docx", "gbk"),
    ("写真.txt", "shift_jis"),
    ("表.txt", "shift_jis"),  # with a byte that is a backslash
]


@pytest.mark.parametrize(("name", "charset"), REGIONAL)
async def test_names_in_charsets_of_regions(signed_in: ClientSession, name: str, charset: str) -> None:
    """What old pages and programs send is no UTF-8: the name is read in the charset that it is in."""
    body = Form().file(b"x", "NAME", "text/plain").body.replace(b"NAME", name.encode(charset))
    told = await send(signed_in, body)
    assert (await item(signed_in, told.body["message_id"]))["name"] == name
    said = metadata(filename=name.encode(charset), filetype=b"text/\xff")
    created = await create(signed_in, 1, b"x", Upload_Metadata=said)
    assert created.message_id is not None
    assert (await item(signed_in, created.message_id))["name"] == name


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
