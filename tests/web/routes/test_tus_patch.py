"""tus, PATCH: bytes in any cut become the file, and nothing else does."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.routes.forms import item, stored
from tests.web.routes.tus_client import (
    BODY_TYPE,
    GONE,
    MISMATCH,
    ask,
    begin,
    checksum,
    head,
    in_chunks,
    metadata,
    patch,
    problem,
    state,
)

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser
    from tests.web.routes.conftest import SignedInTo
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

KIB, MIB = 1024, 1024 * 1024
SMALL = "upload.saveFilePart"
NOISE = random.Random(11).randbytes(10 * MIB + 512 * KIB)
LENGTH_CHANGED = problem(
    "UPLOAD_LENGTH_CHANGED", "The upload's length is known already, or fewer than the bytes that came."
)
pytestmark = pytest.mark.usefixtures("only_tails_are_held")


# Bytes


@pytest.mark.parametrize("size", [1, 512 * KIB, 512 * KIB + 1, 10 * MIB - 1, 10 * MIB, 10 * MIB + 1])
@pytest.mark.parametrize("known", [True, False], ids=["length known", "length deferred"])
async def test_a_file_in_three_requests(
    sandbox: Sandbox, signed_in: ClientSession, size: int, *, known: bool
) -> None:
    """On both sides of Telegram's borders: whole, and by the way of its size."""
    path = await begin(signed_in, size if known else None)
    for start, stop in pairwise((0, size // 3, 2 * size // 3, size)):
        last = {"Upload_Length": size} if stop == size and not known else {}
        answer = await patch(signed_in, path, start, NOISE[start:stop], **last)
        assert (answer.status, answer.content, answer.offset) == (204, b"", stop)
        assert (answer.message_id is not None, "Upload-Expires" in answer.headers) == (
            stop == size,
            stop < size,
        )
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[:size]
    assert (await item(signed_in, answer.message_id))["size"] == size


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    size=st.sampled_from([1, 1023, 4 * KIB - 1, 4 * KIB, 4 * KIB + 1, 16 * KIB, 50_000]),
    cuts=st.lists(st.integers(0, 50_000), max_size=6),
    known=st.booleans(),
    with_checksums=st.booleans(),
)
async def test_any_cut(
    signed_in_to: SignedInTo, size: int, cuts: list[int], *, known: bool, with_checksums: bool
) -> None:
    """However a file is cut into requests, some of them empty: it is whole."""
    global _cached  # noqa: PLW0603 - one service for all examples
    if _cached is None or _cached[0] is not signed_in_to:
        _cached = signed_in_to, (await signed_in_to(upload={"part_bytes": 4 * KIB}))[1]
    browser = _cached[1]
    path = await begin(browser, size if known else None)
    for start, stop in pairwise((0, *sorted(cut % size for cut in cuts), size)):
        headers: dict[str, Any] = {"Upload_Checksum": checksum(NOISE[start:stop])} if with_checksums else {}
        if stop == size and not known:
            headers["Upload_Length"] = size
        answer = await patch(browser, path, start, NOISE[start:stop], **headers)
        assert (answer.status, answer.offset) == (204, stop)
    assert answer.message_id is not None
    assert await stored(browser, answer.message_id) == NOISE[:size]


_cached: tuple[Any, ClientSession] | None = None


async def test_without_a_length(signed_in: ClientSession) -> None:
    """The bytes of a request may come in chunks."""
    path = await begin(signed_in, MIB)
    answer = await patch(signed_in, path, 0, in_chunks(NOISE[:MIB], 10_000))
    assert (answer.status, answer.offset) == (204, MIB)
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[:MIB]


async def test_what_is_told_of_the_file(signed_in: ClientSession) -> None:
    """The metadata make the message; a name's directories do not."""
    said = metadata(
        filename="../../Ünïcode 🎞.mp4",
        filetype="video/mp4",
        caption="Ein Film",
        duration="12.5",
        width="640",
        height="480",
        relativePath="null",
    )
    path = await begin(signed_in, 1000, Upload_Metadata=said)
    answer = await patch(signed_in, path, 0, b"\0\0\0\x18ftypmp42" + NOISE[:988])
    assert answer.message_id is not None
    told = await item(signed_in, answer.message_id)
    expected = {
        "name": "Ünïcode 🎞.mp4",
        "type": "video",
        "caption": "Ein Film",
        "duration": 12.5,
        "width": 640,
        "height": 480,
    }
    assert {name: told[name] for name in expected} == expected


async def test_as_document(signed_in: ClientSession) -> None:
    """`as` keeps the bytes untouched."""
    said = metadata(filename="a.mp4", filetype="video/mp4", **{"as": "document"})
    path = await begin(signed_in, 1000, Upload_Metadata=said)
    answer = await patch(signed_in, path, 0, b"\0\0\0\x18ftypmp42" + NOISE[:988])
    assert answer.message_id is not None
    assert (await item(signed_in, answer.message_id))["type"] == "document"


# Requests that can't be


WRONG: dict[str, tuple[dict[str, Any], int, dict[str, str]]] = {
    "no version": (
        {"Tus_Resumable": None},
        412,
        problem("TUS_VERSION_UNSUPPORTED", "Only version 1.0.0 of tus is spoken here."),
    ),
    "another type": (
        {"Content_Type": "application/json"},
        415,
        problem("UNSUPPORTED_MEDIA_TYPE", f"Bytes are sent as {BODY_TYPE}, not encoded."),
    ),
    "encoded": (
        {"Content_Encoding": "deflate"},
        415,
        problem("UNSUPPORTED_MEDIA_TYPE", f"Bytes are sent as {BODY_TYPE}, not encoded."),
    ),
    "no offset": (
        {"Upload_Offset": None},
        400,
        problem("INVALID_UPLOAD_OFFSET", "Upload-Offset takes a number of bytes."),
    ),
    "negative offset": (
        {"Upload_Offset": -1},
        400,
        problem("INVALID_UPLOAD_OFFSET", "Upload-Offset takes a number of bytes."),
    ),
    "behind": ({"Upload_Offset": 9}, 409, MISMATCH),
    "ahead": ({"Upload_Offset": 11}, 409, MISMATCH),
    "another length": ({"Upload_Length": 99}, 400, LENGTH_CHANGED),
    "malformed length": (
        {"Upload_Length": "x"},
        400,
        problem(
            "INVALID_UPLOAD_LENGTH", "Upload-Length takes a number of bytes, or Upload-Defer-Length takes 1."
        ),
    ),
    "unknown algorithm": (
        {"Upload_Checksum": "crc64 AAAA"},
        400,
        problem("CHECKSUM_UNSUPPORTED", "The algorithms for checksums are sha1, sha256, md5."),
    ),
    "malformed checksum": (
        {"Upload_Checksum": "sha1 AAAA"},
        400,
        problem("INVALID_UPLOAD_CHECKSUM", "Upload-Checksum takes an algorithm and a checksum in Base64."),
    ),
    "wrong checksum": (
        {"Upload_Checksum": checksum(b"other")},
        460,
        problem("CHECKSUM_MISMATCH", "The bytes do not have the given checksum."),
    ),
}


@pytest.mark.parametrize("row", WRONG)
async def test_refused(signed_in: ClientSession, row: str) -> None:
    """A request that can't be does not change the upload, which goes on."""
    headers, status, body = WRONG[row]
    path = await begin(signed_in, 100)
    await patch(signed_in, path, 0, NOISE[:10])
    answer = await patch(signed_in, path, 10, NOISE[10:20], **headers)
    assert (answer.status, answer.body, answer.offset) == (status, body, None)
    assert (await head(signed_in, path)).offset == 10
    answer = await patch(signed_in, path, 10, NOISE[10:100])
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[:100]


@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
async def test_more_than_the_length(signed_in: ClientSession, account: Account, *, declared: bool) -> None:
    """Bytes beyond the end are refused, and no file is made of what came before them."""
    before = len(account.history)
    path = await begin(signed_in, 100)
    answer = await patch(signed_in, path, 0, NOISE[:101] if declared else in_chunks(NOISE[:101], 1))
    assert (answer.status, answer.body["code"]) == (413, "UPLOAD_LENGTH_EXCEEDED")
    offset = (await head(signed_in, path)).offset
    assert offset is not None
    assert offset == 0 if declared else offset < 100
    assert len(account.history) == before
    answer = await patch(signed_in, path, offset, NOISE[offset:100])
    assert answer.message_id is not None
    assert await stored(signed_in, answer.message_id) == NOISE[:100]


async def test_after_the_end(signed_in: ClientSession) -> None:
    """A finished upload takes no byte more, and still tells its message."""
    path = await begin(signed_in, 10)
    first = await patch(signed_in, path, 0, NOISE[:10])
    assert state(await patch(signed_in, path, 10)) == state(first)
    assert (await patch(signed_in, path, 10, b"x")).status == 413
    assert (await patch(signed_in, path, 10, in_chunks(b"x", 1))).status == 413
    assert (await patch(signed_in, path, 9, b"x")).body == MISMATCH


async def test_content_that_contradicts(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A file that is not what it claims to be is refused once its first bytes have come, and for good."""
    path = await begin(signed_in, 10_000, Upload_Metadata=metadata(filename="a.png"))
    assert (await patch(signed_in, path, 0, NOISE[:1])).status == 204
    answer = await patch(signed_in, path, 1, NOISE[1:9_000])
    assert (answer.status, answer.body["code"]) == (400, "FILE_TYPE_MISMATCH")
    assert sandbox.counters.of(SMALL) == 0
    assert (await head(signed_in, path)).status == 410
    assert (await patch(signed_in, path, 1, NOISE[1:9_000])).body == GONE


# X-HTTP-Method-Override


async def test_override(signed_in: ClientSession) -> None:
    """A POST means the method that a field names."""
    path = await begin(signed_in, 20)
    answer = await ask(
        signed_in,
        "POST",
        path,
        NOISE[:10],
        Content_Type=BODY_TYPE,
        Upload_Offset=0,
        X_HTTP_Method_Override="PATCH",
    )
    assert (answer.status, answer.offset) == (204, 10)
    assert (await ask(signed_in, "POST", path, X_HTTP_Method_Override="HEAD")).offset == 10
    assert (await ask(signed_in, "POST", path, X_HTTP_Method_Override="OPTIONS")).status == 204
    assert (await ask(signed_in, "POST", path, X_HTTP_Method_Override="delete")).status == 204
    assert (await head(signed_in, path)).status == 410


async def test_override_of_another_method(signed_in: ClientSession) -> None:
    """Every other method means itself, whatever the field names."""
    path = await begin(signed_in, 20)
    for method, status in (("OPTIONS", 204), ("HEAD", 200), ("GET", 405), ("PUT", 405)):
        assert (await ask(signed_in, method, path, X_HTTP_Method_Override="DELETE")).status == status
    assert (await patch(signed_in, path, 0, b"x", X_HTTP_Method_Override="DELETE")).offset == 1
    assert (await head(signed_in, path)).offset == 1


OTHER_PAGE = {"Origin": "https://evil.example"}


@pytest.mark.parametrize("override", ["DELETE", "PATCH", "HEAD", "OPTIONS", None])
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "HEAD"])
async def test_override_from_another_page(
    signed_in: ClientSession, method: str, override: str | None
) -> None:
    """No page of another origin does anything by it."""
    path = await begin(signed_in, 20)
    answer = await ask(signed_in, method, path, X_HTTP_Method_Override=override, **OTHER_PAGE)
    assert answer.status == {"POST": 403, "OPTIONS": 204, "HEAD": 200}[method]
    assert (await head(signed_in, path)).offset == 0


async def test_override_is_refused_as_what_it_means(
    new_browser: NewBrowser, signed_in: ClientSession
) -> None:
    """Who is not signed in is told so, or not, as by the method that is meant."""
    path, nobody = await begin(signed_in, 20), new_browser()
    for override, status in (("HEAD", 401), ("PATCH", 401), ("DELETE", 401), ("OPTIONS", 204), ("GET", 405)):
        assert (await ask(nobody, "POST", path, X_HTTP_Method_Override=override)).status == status
    assert (await ask(nobody, "POST", "/uploads", X_HTTP_Method_Override="OPTIONS")).status == 204
    assert (await ask(nobody, "POST", "/uploads", X_HTTP_Method_Override="DELETE")).status == 405
    assert (await ask(nobody, "POST", "/uploads", X_HTTP_Method_Override="POST")).status == 401


async def test_override_elsewhere(signed_in: ClientSession) -> None:
    """No other path knows the field."""
    async with signed_in.post("/is-authenticated", headers={"X-HTTP-Method-Override": "GET"}) as response:
        assert response.status == 405
    async with signed_in.post("/logout", headers={"X-HTTP-Method-Override": "GET"}) as response:
        assert response.status == 200


@pytest.mark.parametrize("override", [None, "POST", "GET", "PUT", ""])
async def test_override_by_nothing(signed_in: ClientSession, override: str | None) -> None:
    """Methods that there are not are told as such, with those that there are."""
    path = await begin(signed_in, 20)
    answer = await ask(signed_in, "POST", path, X_HTTP_Method_Override=override)
    assert (answer.status, answer.body["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert {"OPTIONS", "HEAD", "PATCH", "DELETE"} <= set(answer.headers["Allow"].replace(" ", "").split(","))
    assert (await ask(signed_in, "GET", path)).status == 405
