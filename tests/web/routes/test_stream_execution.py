"""What a user uploaded never runs in the frontend's origin, whatever asks for it, whatever it is called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.web.routes.forms import send_file
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import AddFile, Get
    from tgbridge.sandbox import Sandbox

REFUSED = {
    "error": "Files are not served as scripts, style sheets, workers or manifests.",
    "code": "NOT_FOR_EXECUTION",
}
RUN = [
    *({"Sec-Fetch-Dest": kind} for kind in ("script", "style", "worker", "sharedworker", "serviceworker")),
    *({"Sec-Fetch-Dest": kind} for kind in ("audioworklet", "paintworklet", "xslt", "manifest")),
    {"Service-Worker": "script"},
]
SHOW = ("empty", "image", "video", "audio", "document", "iframe", "embed", "object", "track")


@pytest.mark.parametrize("headers", RUN, ids=lambda headers: next(iter(headers.values())))
async def test_refused(sandbox: Sandbox, get: Get, headers: dict[str, str]) -> None:
    """Whoever wants to run a file is told that it is not to be run, and Telegram is not asked for it."""
    message_id = IDS["photo"]
    for path in (f"/stream_media/{message_id}", f"/stream_media/{message_id}/a.js"):
        answer = await get(path, headers=headers)
        assert (answer.status, json.loads(answer.body)) == (403, REFUSED)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert (await get(path, headers={**headers, "Range": "bytes=0-9"})).status == 403
        assert (await get(path, headers={**headers, "If-None-Match": "*"})).status == 403
    thumbnail = await get(f"/stream_thumbnail/{message_id}", headers=headers)
    assert (thumbnail.status, json.loads(thumbnail.body)) == (403, REFUSED)
    assert (await get(path, method="HEAD", headers=headers)).status == 403
    assert sandbox.counters.of("messages.getMessages") == 0


@pytest.mark.parametrize("destination", SHOW)
async def test_served(get: Get, destination: str) -> None:
    """Whoever plays, shows or fetches it gets it."""
    for path in (f"/stream_media/{IDS['photo']}", f"/stream_thumbnail/{IDS['photo']}"):
        assert (await get(path, headers={"Sec-Fetch-Dest": destination})).status == 200


async def test_who_is_asking_comes_first(browser: ClientSession) -> None:
    """Who is not signed in is told so."""
    async with browser.get("/stream_media/1", headers={"Sec-Fetch-Dest": "script"}) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    ("name", "declared"),
    [("a.js", "text/javascript"), ("a.js", ""), ("a.mjs", "application/octet-stream"), ("a.css", "text/css")],
)
async def test_scripts_and_styles_are_plain_text(
    signed_in: ClientSession, get: Get, name: str, declared: str
) -> None:
    """A browser without Fetch Metadata runs nothing that is text/plain and not to be guessed at."""
    message_id = await send_file(signed_in, b"alert(document.domain)", name, declared)
    answer = await get(f"/stream_media/{message_id}")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.body == b"alert(document.domain)"


async def test_a_name_in_the_path_changes_nothing(get: Get, add_file: AddFile) -> None:
    """A path that ends in a name, for players that go by extensions, answers as the one without."""
    file = add_file(5000, name="real.mp4")
    plain = await get(file.path)
    own = {"date", "server-timing", "x-request-id"}
    for name in ("film.mkv", "x", "%2e%2e%2fa.html", "写真.jpg", "a%20b.mp4?download=0&x=y"):
        named = await get(f"{file.path}/{name}")
        assert (named.status, named.body) == (200, file.content), name
        for kept in plain.headers:
            assert kept.lower() in own or named.headers[kept] == plain.headers[kept]
    part = await get(f"{file.path}/film.mkv", headers={"Range": "bytes=0-1"})
    assert (part.status, part.body) == (206, file.content[:2])
    assert (await get(f"{file.path}/film.mkv", method="HEAD")).status == 200
    assert (await get("/stream_media/99999/film.mkv")).status == 404
    assert (await get("/stream_media/abc/film.mkv")).status == 404
    assert (await get(f"{file.path}/a/b")).status == 404


async def test_nothing_on_the_way_may_change_the_bytes(get: Get, add_file: AddFile) -> None:
    """What has a strong tag must not be compressed under it, and is not compressed here either."""
    file = add_file(5000, mime_type="text/plain", name="a.txt")
    tag = (await get(file.path)).headers["ETag"]
    for headers in ({}, {"Range": "bytes=0-1"}, {"If-None-Match": tag}):
        answer = await get(file.path, headers={**headers, "Accept-Encoding": "gzip, br"})
        assert answer.headers["Cache-Control"] == "private, no-cache, no-transform"
        assert "Content-Encoding" not in answer.headers
    answer = await get(f"/stream_thumbnail/{IDS['photo']}")
    assert answer.headers["Cache-Control"] == "private, no-cache, no-transform"
