"""The bytes of files over HTTP: RFC 9110 on a real socket, and each row of the contract."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from telethon.tl import types

from tgbridge.sandbox.seeds import IDS
from tgbridge.sandbox.world.blobs import Synthetic
from tgbridge.telegram.mtproto.turns import Turns
from tgbridge.telegram.saved.library import LIFETIME_SECONDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import AddFile, File, Get
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
HOME, FOREIGN = 1, 3
SIZES = [
    size + change
    for size, changes in ((0, (0, 1)), (4 * KIB, (-1, 0, 1)), (512 * KIB, (-1, 0, 1)), (MIB, (-1, 0, 1)))
    for change in changes
]


# Bytes


@pytest.mark.parametrize("dc", [HOME, FOREIGN], ids=["home", "foreign"])
async def test_any_size_comes_whole(get: Get, add_file: AddFile, dc: int) -> None:
    """A file of any size arrives byte for byte, under its own type and exact length."""
    for size in [*SIZES, 3 * MIB + 4097]:
        file = add_file(size, dc=dc)
        answer = await get(file.path)
        assert answer.status == 200
        assert answer.headers["Content-Length"] == str(size)
        assert answer.headers["Content-Type"] == "video/mp4"
        assert answer.body == file.content, size


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    size=st.sampled_from([*SIZES, 2 * MIB + 1]),
    dc=st.sampled_from([HOME, FOREIGN]),
    cuts=st.lists(st.floats(0, 1), max_size=5),
)
async def test_any_cut_puts_the_file_together(
    get: Get, add_file: AddFile, size: int, dc: int, cuts: list[float]
) -> None:
    """However a file is cut into ranges, asked for at the same time, they put it together again."""
    file = add_file(size, dc=dc)
    borders = sorted({0, size, *(round(cut * size) for cut in cuts)})
    asked = [
        get(file.path, headers={"Range": f"bytes={start}-{stop - 1}"}) for start, stop in pairwise(borders)
    ]
    answers = await asyncio.gather(*asked)
    assert b"".join(answer.body for answer in answers) == file.content
    for answer, (start, stop) in zip(answers, pairwise(borders), strict=True):
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"


async def test_beyond_4_gib(get: Get, account: Account) -> None:
    """Offsets that need more than 32 bits are as good as others."""
    blob = Synthetic(5 * KIB * MIB + 1)
    document = account.document(blob, mime_type="video/mp4", dc_id=FOREIGN)
    message_id = account.add_message(media=types.MessageMediaDocument(document=document)).id
    for start in (4 * KIB * MIB - 5, 5 * KIB * MIB - 9):
        answer = await get(f"/stream_media/{message_id}", headers={"Range": f"bytes={start}-{start + 9}"})
        assert (answer.status, answer.body) == (206, blob.read(start, 10))


# RFC 9110

SIZE = 10_000
LAST_MODIFIED, EARLIER = "Sat, 04 May 2024 10:00:00 GMT", "Sat, 04 May 2024 09:59:59 GMT"


@dataclass
class Case:
    """What is asked, and what is answered. ``{etag}`` stands for the file's tag."""

    headers: dict[str, str]
    status: int
    sent: slice = field(default_factory=lambda: slice(0))
    content_range: str | None = None
    method: str = "GET"


WHOLE = slice(None)
CASES = [
    Case({}, 200, WHOLE),
    Case({"Range": "bytes=0-99"}, 206, slice(100), "bytes 0-99/10000"),
    Case({"Range": "bytes=9999-"}, 206, slice(9999, None), "bytes 9999-9999/10000"),
    Case({"Range": "bytes=-7"}, 206, slice(-7, None), "bytes 9993-9999/10000"),
    Case({"Range": "bytes=5-99999999999999999999"}, 206, slice(5, None), "bytes 5-9999/10000"),
    Case({"Range": "bytes=-20000"}, 206, WHOLE, "bytes 0-9999/10000"),
    Case({"Range": "bytes=10000-"}, 416, content_range="bytes */10000"),
    Case({"Range": "bytes=-0"}, 416, content_range="bytes */10000"),
    Case({"Range": "bytes=0-1,4-5"}, 200, WHOLE),
    Case({"Range": "bytes=5-1"}, 200, WHOLE),
    Case({"Range": "lines=0-1"}, 200, WHOLE),
    Case({"If-None-Match": "{etag}"}, 304),
    Case({"If-None-Match": 'W/"x", W/{etag}', "Range": "bytes=0-1"}, 304),
    Case({"If-None-Match": '"x"'}, 200, WHOLE),
    Case({"If-Match": "{etag}", "Range": "bytes=0-1"}, 206, slice(2), "bytes 0-1/10000"),
    Case({"If-Match": '"x"'}, 412),
    Case({"If-Match": "W/{etag}"}, 412),
    Case({"If-Modified-Since": LAST_MODIFIED}, 304),
    Case({"If-Modified-Since": EARLIER}, 200, WHOLE),
    Case({"If-Unmodified-Since": LAST_MODIFIED}, 200, WHOLE),
    Case({"If-Unmodified-Since": EARLIER}, 412),
    Case({"If-Range": "{etag}", "Range": "bytes=0-1"}, 206, slice(2), "bytes 0-1/10000"),
    Case({"If-Range": '"x"', "Range": "bytes=0-1"}, 200, WHOLE),
    Case({"If-Range": "W/{etag}", "Range": "bytes=0-1"}, 200, WHOLE),
    Case({"If-Range": LAST_MODIFIED, "Range": "bytes=0-1"}, 206, slice(2), "bytes 0-1/10000"),
    Case({"If-Range": EARLIER, "Range": "bytes=0-1"}, 200, WHOLE),
    Case({"Range": "bytes=0-1"}, 200, method="HEAD"),
    Case({"Range": "bytes=10000-"}, 200, method="HEAD"),
    Case({"If-None-Match": "*"}, 304, method="HEAD"),
    Case({"If-Match": '"x"'}, 412, method="HEAD"),
]
REFUSED = {
    412: {"error": "The file is not the one that the request expects.", "code": "PRECONDITION_FAILED"},
    416: {"error": "The file has no such bytes.", "code": "RANGE_NOT_SATISFIABLE"},
}


@pytest.fixture
def dated_file(add_file: AddFile) -> File:
    return add_file(SIZE, date=datetime(2024, 5, 4, 10, 0, 0, tzinfo=UTC))


async def test_rfc_9110(signed_in: ClientSession, get: Get, dated_file: File) -> None:
    """Ranges and preconditions, on connections that stay in step from one answer to the next."""
    etag = (await get(dated_file.path, method="HEAD")).headers["ETag"]
    for case in CASES:
        headers = {name: value.replace("{etag}", etag) for name, value in case.headers.items()}
        async with signed_in.request(case.method, dated_file.path, headers=headers) as response:
            assert response.status == case.status, case
            assert response.headers.get("Content-Range") == case.content_range, case
            assert response.headers["ETag"] == etag
            if case.status in REFUSED and case.method == "GET":
                assert await response.json() == REFUSED[case.status]
            else:
                assert await response.read() == dated_file.content[case.sent], case
    assert len(signed_in.connector._conns) == 1  # type: ignore[union-attr]  # all over one connection


async def test_empty_file(get: Get, add_file: AddFile) -> None:
    """A file without bytes is a whole of no bytes, has no first one, and its end is the whole."""
    file = add_file(0)
    answer = await get(file.path)
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")
    refused = await get(file.path, headers={"Range": "bytes=0-"})
    assert (refused.status, refused.headers["Content-Range"]) == (416, "bytes */0")
    assert (await get(file.path, headers={"Range": "bytes=-5"})).status == 200


async def test_several_field_lines_are_one_list(get: Get, dated_file: File) -> None:
    """A header that comes in several lines counts as a whole."""
    etag = (await get(dated_file.path)).headers["ETag"]
    tags = CIMultiDict([("If-None-Match", '"x"'), ("If-None-Match", etag)])
    assert (await get(dated_file.path, headers=tags)).status == 304
    ranges = CIMultiDict([("Range", "bytes=0-1"), ("Range", "bytes=3-4")])
    assert (await get(dated_file.path, headers=ranges)).status == 200


async def test_head_is_get_without_the_body(sandbox: Sandbox, get: Get, dated_file: File) -> None:
    """HEAD has GET's headers, and asks no data centre for bytes."""
    head = await get(dated_file.path, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert sandbox.counters.of("upload.getFile") == 0
    whole = await get(dated_file.path)
    own = {"date", "server-timing", "x-request-id"}
    told = [{n.lower(): v for n, v in a.headers.items() if n.lower() not in own} for a in (head, whole)]
    assert told[0] == told[1]
    assert whole.headers["Last-Modified"] == LAST_MODIFIED
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "private" in whole.headers["Cache-Control"]


async def test_the_tag_is_the_files(get: Get, account: Account, add_file: AddFile) -> None:
    """Two messages with one file have one strong tag; another file has another, though it be as long."""
    file, other = add_file(SIZE), add_file(SIZE)
    message = account.history.get(file.id)
    assert message
    copy = account.add_message("again", media=message.media).id
    tags = [(await get(f"/stream_media/{i}")).headers["ETag"] for i in (file.id, copy, other.id)]
    assert tags[0] == tags[1] != tags[2]
    assert tags[0].startswith('"')


# What browsers may do with it


SHOWN = [
    ("photo", "inline", f"photo_2025-10-27_10-00-00_{IDS['photo']}.jpg", "image/jpeg"),
    ("video", "inline", "valley.mp4", "video/mp4"),
    ("audio", "inline", "Morning over the valley.mp3", "audio/mpeg"),
    ("pdf", "inline", "Field notes.pdf", "application/pdf"),
    ("html", "attachment", "index.html", "text/html"),
    ("svg", "attachment", "drawing.svg", "image/svg+xml"),
    ("japanese_name", "attachment", "写真と費用 2025年.zip", "application/zip"),
    ("quoted_name", "attachment", 'Расходы на "отпуск" 🏖️.csv', "text/csv"),
]


async def test_names_and_types(signed_in: ClientSession) -> None:
    """Names in any script come through; only harmless types are shown in place, and nothing runs."""
    for key, kind, name, content_type in SHOWN:
        async with signed_in.get(f"/stream_media/{IDS[key]}") as response:
            assert response.status == 200
            disposition = response.content_disposition
            assert disposition is not None
            assert (disposition.type, disposition.filename) == (kind, name)
            assert response.headers["Content-Type"] == content_type
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert ("sandbox" in response.headers.get("Content-Security-Policy", "")) is (key != "pdf")


async def test_download(get: Get) -> None:
    """Any type is saved where that is asked for."""
    for query, kind in (("?download=1", "attachment"), ("?download=0", "inline"), ("", "inline")):
        head = await get(f"/stream_media/{IDS['photo']}{query}", method="HEAD")
        assert head.headers["Content-Disposition"].startswith(f"{kind};"), query


async def test_a_malformed_type_is_unknown(get: Get, add_file: AddFile) -> None:
    """What an uploader claims cannot break the header."""
    for claimed in ("text/html\r\nSet-Cookie: a=b", "*/*", "", "Ünknown/x"):
        answer = await get(add_file(1, mime_type=claimed).path)
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert "Set-Cookie" not in answer.headers


# Looking the message up


async def test_a_player_looks_the_message_up_once(sandbox: Sandbox, get: Get, add_file: AddFile) -> None:
    """Ranges of one file cost one look at the message, and survive the expiry of its reference."""
    file = add_file(3 * MIB, dc=FOREIGN)
    before = sandbox.counters.of("messages.getMessages")
    for start in range(0, 3 * MIB, 700 * KIB):
        answer = await get(file.path, headers={"Range": f"bytes={start}-{start + 99}"})
        assert answer.body == file.content[start : start + 100]
    assert sandbox.counters.of("messages.getMessages") == before + 1
    sandbox.faults.expire_file_references()
    answer = await get(file.path, headers={"Range": "bytes=2500000-2500099"})
    assert answer.body == file.content[2_500_000:2_500_100]


@pytest.mark.swift_time
async def test_a_deleted_message_is_gone(get: Get, account: Account, add_file: AddFile) -> None:
    """While nobody hears of changes, what another device deletes is gone after a minute, for all alike."""
    file = add_file(SIZE)
    assert (await get(file.path, headers={"Range": "bytes=0-9"})).status == 206
    account.history.delete([file.id])
    await asyncio.sleep(LIFETIME_SECONDS)
    assert (await get(file.path)).status == 404
    assert (await get(file.path, headers={"Range": "bytes=0-9"})).status == 404


@pytest.mark.swift_time
async def test_media_replaced_by_an_edit(get: Get, account: Account, add_file: AddFile) -> None:
    """An edited message has another tag, by which a resumed download begins anew."""
    file, other = add_file(SIZE), add_file(SIZE + 1)
    old = (await get(file.path)).headers["ETag"]
    message, replacement = account.history.get(file.id), account.history.get(other.id)
    assert message
    assert replacement
    message.media = types.MessageMediaDocument(document=replacement.media.document)
    await asyncio.sleep(LIFETIME_SECONDS)
    answer = await get(file.path)
    assert (answer.status, answer.body) == (200, other.content)
    resumed = await get(file.path, headers={"Range": "bytes=5-", "If-Range": old})
    assert (resumed.status, resumed.body) == (200, other.content)


async def test_unknown_parameters(add_file: AddFile, get: Get) -> None:
    """Loaders and caches add parameters of their own, which change nothing."""
    file = add_file(1000)
    answer = await get(f"{file.path}?w=640&_next=1&download")
    assert (answer.status, answer.body) == (200, file.content)


# Timing


async def test_server_timing(get: Get, add_file: AddFile) -> None:
    """Each answer says how long finding the file took, and one with bytes how long the first of them did."""
    file = add_file(MIB)
    whole = await get(file.path)
    head = await get(file.path, method="HEAD")
    assert re.fullmatch(r"lookup;dur=\d+\.\d, first;dur=\d+\.\d", whole.headers["Server-Timing"])
    assert re.fullmatch(r"lookup;dur=\d+\.\d", head.headers["Server-Timing"])


async def test_streams_take_turns(get: Get, add_file: AddFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first part goes at once, all others when the loop has room for them beside other streams."""
    counted = []

    def take(_: Turns, size: int) -> bool:
        counted.append(size)
        return True

    monkeypatch.setattr(Turns, "take", take)
    file = add_file(MIB)
    assert (await get(file.path)).body == file.content
    assert counted == [128 * KIB, 256 * KIB, 512 * KIB]  # part by part
