"""Addresses of one item's files that work without a cookie. What nobody can do with them: tests/attacks."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.web.routes.rows import NOT_AUTHENTICATED, post
from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser
    from tests.web.routes.conftest import AddFile, Get, SignedInTo

PAGE: Final = "https://anywhere.example"
SECONDS: Final = {
    "error": "expires_in has to be a whole number of seconds from 60 to 604800.",
    "code": "INVALID_BODY",
}
PART: Final = {"error": "part has to be a positive whole number.", "code": "INVALID_BODY"}
DOWNLOAD: Final = {"error": "download has to be true or false.", "code": "INVALID_BODY"}
BODY: Final = {"error": "The request's body is malformed.", "code": "INVALID_BODY"}


def seconds_left(ticket: dict[str, Any]) -> float:
    assert set(ticket) == {"url", "thumbnail_url", "expires_at"}
    expires = datetime.fromisoformat(ticket["expires_at"])
    assert expires.tzinfo == UTC
    return expires.timestamp() - time.time()


async def ticket_for(browser: ClientSession, message_id: int, **wanted: Any) -> dict[str, Any]:
    status, ticket = await post(browser, f"/media/{message_id}/ticket", wanted)
    assert status == 200, ticket
    for name in ("url", "thumbnail_url"):
        assert ticket[name] is None or (len(ticket[name]) < 2000 and not {*"?#:. "} & {*ticket[name]})
    answer: dict[str, Any] = ticket
    return answer


@pytest.fixture
async def nobody(new_browser: NewBrowser) -> ClientSession:
    return new_browser()


async def test_the_same_as_with_the_cookie(get: Get, signed_in: ClientSession, nobody: ClientSession) -> None:
    """Whoever has the ticket is sent what the user would be: bytes, ranges, conditions and heads."""
    for key in ("photo", "video", "pdf", "svg"):
        message_id = IDS[key]
        ticket = await ticket_for(signed_in, message_id)
        pairs = [(f"/stream_media/{message_id}", ticket["url"])]
        if ticket["thumbnail_url"] is not None:
            pairs.append((f"/stream_thumbnail/{message_id}", ticket["thumbnail_url"]))
        for path, url in pairs:
            tag = (await get(path, method="HEAD")).headers["ETag"]
            cases: list[dict[str, str]] = [{}, {"Range": "bytes=5-9"}, {"Range": "bytes=-3", "If-Range": tag}]
            cases += [{"If-None-Match": tag}, {"If-Match": '"x"'}, {"Range": "bytes=999999999-"}]
            for headers in cases:
                for method in ("GET", "HEAD"):
                    mine = await get(path, method=method, headers=headers)
                    theirs = await get(f"/{url}", method=method, headers=headers, browser=nobody)
                    assert (theirs.status, theirs.body) == (mine.status, mine.body)
                    for name in ("ETag", "Content-Type", "Content-Length", "Content-Range", "Last-Modified"):
                        assert theirs.headers.get(name) == mine.headers.get(name)
                    for name in ("Content-Disposition", "Cache-Control", "Accept-Ranges"):
                        assert theirs.headers.get(name) == mine.headers.get(name)


async def test_without_a_thumbnail(signed_in: ClientSession) -> None:
    """What has no thumbnail has no address for it."""
    assert (await ticket_for(signed_in, IDS["voice"]))["thumbnail_url"] is None


async def test_to_be_saved(get: Get, signed_in: ClientSession, nobody: ClientSession) -> None:
    """`download` has browsers save the file, whatever a page's link says; the thumbnail is still shown."""
    ticket = await ticket_for(signed_in, IDS["photo"], download=True)
    file = await get(f"/{ticket['url']}", browser=nobody)
    thumbnail = await get(f"/{ticket['thumbnail_url']}", browser=nobody)
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert thumbnail.headers["Content-Disposition"].startswith("inline")


async def test_how_long(signed_in: ClientSession, signed_in_to: SignedInTo) -> None:
    """An hour, or what is asked for; where the setting allows less, that."""
    path = f"/media/{IDS['photo']}/ticket"
    async with signed_in.post(path) as response:  # no body at all
        assert 3590 < seconds_left(await response.json()) <= 3600
    assert 3590 < seconds_left((await post(signed_in, path, {"expires_in": None, "download": ""}))[1]) <= 3600
    assert 50 < seconds_left(await ticket_for(signed_in, IDS["photo"], expires_in=60)) <= 60
    week = await ticket_for(signed_in, IDS["photo"], expires_in=604_800)
    assert 604_790 < seconds_left(week) <= 604_800
    _, browser = await signed_in_to(session={"ticket_seconds": 600})
    assert 590 < seconds_left(await ticket_for(browser, IDS["photo"], expires_in=604_800)) <= 600


@pytest.mark.parametrize("value", [59, 604_801, -1, 0, 3600.5, 1e9, "3600", True, [], {}, 10**400])
async def test_no_such_time(signed_in: ClientSession, value: Any) -> None:
    """A time that is none, or not within the bounds, is refused: nobody is given another one unawares."""
    assert await post(signed_in, f"/media/{IDS['photo']}/ticket", {"expires_in": value}) == (400, SECONDS)


@pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
async def test_neither_true_nor_false(signed_in: ClientSession, value: Any) -> None:
    """So is a `download` of another type."""
    assert await post(signed_in, f"/media/{IDS['photo']}/ticket", {"download": value}) == (400, DOWNLOAD)


@pytest.mark.parametrize("value", ["1", 0, -1, 1.5, True, [], {}])
async def test_no_number_of_a_part(signed_in: ClientSession, value: Any) -> None:
    """So is a `part` that is no positive number."""
    assert await post(signed_in, f"/media/{IDS['photo']}/ticket", {"part": value}) == (400, PART)


async def test_a_part(get: Get, signed_in: ClientSession, nobody: ClientSession) -> None:
    """Of a message that holds several files, each has tickets of its own."""
    message_id = IDS["paid_bought"]
    tickets = [await ticket_for(signed_in, message_id, part=part) for part in (1, 2)]
    for part, ticket in enumerate(tickets, 1):
        for kind, url in (("media", ticket["url"]), ("thumbnail", ticket["thumbnail_url"])):
            mine = await get(f"/stream_{kind}/{message_id}?part={part}")
            assert mine.status == 200
            theirs = await get(f"/{url}?part={3 - part}", browser=nobody)
            assert (theirs.headers["ETag"], theirs.body) == (mine.headers["ETag"], mine.body)
    for part in (9, 255, 256, 10**300):
        status, body = await post(signed_in, f"/media/{message_id}/ticket", {"part": part})
        assert (status, body["code"]) == (404, "MEDIA_NOT_FOUND")


@pytest.mark.parametrize("body", [b"[]", b"{", b"60", b'"x"', b"\xff", b"expires_in=60"])
async def test_no_object(signed_in: ClientSession, body: bytes) -> None:
    """So is a body that is no JSON object, or not declared as one: who asks for a minute gets no hour."""
    path, headers = f"/media/{IDS['photo']}/ticket", {"Content-Type": "application/json"}
    assert await post(signed_in, path, data=body, headers=headers) == (400, BODY)
    assert await post(signed_in, path, data=b'{"expires_in": 60}') == (400, BODY)


async def test_who_may_make_one(signed_in: ClientSession, nobody: ClientSession) -> None:
    """Who is signed in, for what is in their Saved Messages; asked before anything else of the request."""
    assert await post(nobody, "/media/1/ticket", {"expires_in": 1}) == (401, NOT_AUTHENTICATED)
    for message_id in (IDS["text"], 999_999, "x", 2**40):
        status, body = await post(signed_in, f"/media/{message_id}/ticket")
        assert (status, body["code"]) == (404, "MEDIA_NOT_FOUND")
    headers = {"Origin": PAGE}
    status, body = await post(signed_in, f"/media/{IDS['photo']}/ticket", headers=headers)
    assert (status, body["code"]) == (403, "ORIGIN_NOT_ALLOWED")


async def test_on_any_page(get: Get, signed_in: ClientSession, nobody: ClientSession) -> None:
    """A page of any origin may embed it and read it, `crossorigin` or not, and read why it can't any more."""
    ticket = await ticket_for(signed_in, IDS["video"])
    paths = [f"/{ticket['url']}", f"/{ticket['thumbnail_url']}", f"/{ticket['url']}x"]
    headers = {"Origin": PAGE, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Range": "bytes=0-1"}
    for path, origin in [(path, origin) for path in paths for origin in (headers, {"Origin": "null"}, {})]:
        answer = await get(path, headers=origin, browser=nobody)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Accept-Ranges", "Content-Range", "Content-Length", "Content-Disposition", "ETag"} <= {
            *exposed
        }
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "X-Frame-Options" not in answer.headers
        assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]
        assert answer.status in {200, 206} or json.loads(answer.body)["code"] == "TICKET_INVALID"


async def test_preflight(get: Get, signed_in: ClientSession, nobody: ClientSession) -> None:
    """A browser that asks first, as for a range that it does not count as simple, is told that it may."""
    ticket = await ticket_for(signed_in, IDS["video"])
    asks = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    for url in (ticket["url"], ticket["thumbnail_url"]):
        answer = await get(f"/{url}", method="OPTIONS", headers=asks, browser=nobody)
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
        assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]
    assert (
        "Range"
        in (await get(f"/{ticket['url']}", method="OPTIONS", headers=asks)).headers[
            "Access-Control-Allow-Headers"
        ]
    )
    # Making one is nobody's but the service's own pages'.
    path = f"/media/{IDS['video']}/ticket"
    asks["Access-Control-Request-Method"] = "POST"
    assert (await get(path, method="OPTIONS", headers=asks)).status == 403


async def test_a_long_film(
    get: Get, add_file: AddFile, signed_in: ClientSession, nobody: ClientSession
) -> None:
    """Several who watch the same film share its parts, whole and in ranges."""
    file = add_file(3_000_000, dc=3)
    ticket = await ticket_for(signed_in, file.id)
    assert (await get(f"/{ticket['url']}", browser=nobody)).body == file.content
    answer = await get(f"/{ticket['url']}", headers={"Range": "bytes=1048570-"}, browser=nobody)
    assert (answer.status, answer.body) == (206, file.content[1048570:])
