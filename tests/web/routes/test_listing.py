"""Saved Messages as a list: complete, in order, page by page, and never half of it taken for the whole."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientPayloadError, hdrs
from yarl import URL

from tgbridge.sandbox.rare_seeds import WITHOUT_FILE as RARE
from tgbridge.sandbox.seeds import IDS, seed_many
from tgbridge.web import keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientResponse, ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import SignedInTo, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

PATH = "/get-saved-messages-media"
FAILED = "Failed to fetch media from Saved Messages."
WITHOUT_FILE = {"text", "contact", "location", "poll", "service", "link_preview", "text_newest", *RARE}
EXPIRED = {"expired_photo", "expired_video"}
TYPES = {
    "photo": "photo",
    "forwarded_photo": "photo",
    "album_2": "photo",
    "video": "video",
    "video_moov_last": "video",
    "animation": "animation",
    "audio": "audio",
    "voice": "voice",
    "video_note": "video_note",
    "sticker": "sticker",
    "pdf": "document",
    "image_file": "document",
    "nameless": "document",
}


async def test_one_of_each(signed_in: ClientSession) -> None:
    """All that holds a file is listed, newest first, and nothing else."""
    async with signed_in.get(PATH) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("application/json")
        assert hdrs.CONTENT_LENGTH not in response.headers
        items = await response.json()
    expected = [IDS[key] for key in IDS if key not in WITHOUT_FILE | EXPIRED]
    assert [item["id"] for item in items] == sorted(expected, reverse=True)
    by_id = {item["id"]: item for item in items}
    assert {key: by_id[IDS[key]]["type"] for key in TYPES} == TYPES
    photo = by_id[IDS["photo"]]
    assert photo["timestamp"] == "2025-10-27T10:00:00Z"
    assert photo["caption"] == "A beautiful image"
    assert photo["mime_type"] == "image/jpeg"
    assert photo["blur_data_url"].startswith("data:image/jpeg;base64,")
    assert len({by_id[IDS[f"album_{n}"]]["album_id"] for n in (1, 2, 3)}) == 1
    assert by_id[IDS["svg"]]["caption"] == ""
    assert "duration" not in photo
    for item in items:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["timestamp"])
        assert item["name"]
        assert {field for field, value in item.items() if value is None} <= {"thumbnail_url"}
        assert (item["thumbnail_url"] is None) is not item["has_thumbnail"]


async def test_the_list_keeps_its_word(signed_in: ClientSession) -> None:
    """`size` is what is streamed, `name` what it is saved as, `has_thumbnail` whether there is one."""
    async with signed_in.get(PATH) as response:
        items = await response.json()
    for item in items:
        async with signed_in.head(f"/stream_media/{item['id']}") as response:
            assert response.headers["Content-Length"] == str(item["size"])
            assert response.content_disposition is not None
            assert response.content_disposition.filename == item["name"]
        async with signed_in.get(f"/stream_thumbnail/{item['id']}") as response:
            assert response.status == (200 if item["has_thumbnail"] else 404), item
            await response.read()


async def test_many_pages(sandbox: Sandbox, signed_in: ClientSession, account: Account) -> None:
    """A history of many pages is listed whole and in order, though most pages begin or end with text."""
    ids = seed_many(account, 1234, photo_every=3)
    async with signed_in.get(PATH) as response:
        items = await response.json()
    listed = [item["id"] for item in items]
    assert listed == sorted(listed, reverse=True)
    assert [i for i in listed if i in set(ids)] == [i for i in reversed(ids) if (i - ids[0] + 1) % 3 == 0]
    assert sandbox.counters.of("messages.getHistory") >= 12


async def test_pages_without_media(signed_in: ClientSession, account: Account) -> None:
    """Pages that hold no media, at the beginning, in the middle and at the end, leave no gap in the JSON."""
    account.history.delete(list(account.history.ids))
    seed_many(account, 230, photo_every=0)
    first = seed_many(account, 1, photo_every=1)
    seed_many(account, 230, photo_every=0)
    second = seed_many(account, 1, photo_every=1)
    seed_many(account, 230, photo_every=0)
    async with signed_in.get(PATH) as response:
        assert [item["id"] for item in await response.json()] == [*second, *first]


@pytest.mark.parametrize("texts", [0, 150])
async def test_nothing_to_list(signed_in: ClientSession, account: Account, texts: int) -> None:
    """No messages, or none with media, are an empty array."""
    account.history.delete(list(account.history.ids))
    seed_many(account, texts, photo_every=0)
    async with signed_in.get(PATH) as response:
        assert (response.status, await response.read()) == (200, b"[]")


async def test_head(signed_in: ClientSession) -> None:
    """HEAD has no body, and the connection is good for the next request."""
    for _ in range(2):
        async with signed_in.head(PATH) as response:
            assert (response.status, await response.read()) == (200, b"")
    async with signed_in.get(PATH) as response:
        assert response.status == 200


async def test_head_fails_as_get_would(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Who asks whether there is a list is told that there is none at the moment."""
    sandbox.faults.flood_wait("messages.getHistory", seconds=60)
    async with signed_in.head(PATH) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "60")


async def test_sent_as_it_arrives(sandbox: Sandbox, signed_in: ClientSession, account: Account) -> None:
    """The first page is on its way to the browser while Telegram still thinks about the second."""
    seed_many(account, 300)
    held = sandbox.faults.hold("messages.getHistory", skip=1)
    async with signed_in.get(PATH) as response:
        assert response.status == 200
        beginning = await response.content.readexactly(1000)
        await held.reached(1)
        held.release()
        items = json.loads(beginning + await response.read())
    assert len(items) == 150 + len(IDS) - len(WITHOUT_FILE | EXPIRED)


@pytest.mark.parametrize("path", ["/get-saved-messages-media?page=2", "/sessions?active=true"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_unknown_parameter(signed_in: ClientSession, method: str, path: str) -> None:
    """Who asks for a part of a list by a parameter that there is not is told so, and not sent all."""
    async with signed_in.request(method, path) as response:
        assert response.status == 400
        assert method == "HEAD" or (await response.json())["code"] == "INVALID_PARAMETER"


async def test_sparing_a_session_by_a_parameter(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Nor are all other sessions ended for who meant to end one."""
    async with signed_in.delete("/sessions?hash=5") as response:
        assert (response.status, (await response.json())["code"]) == (400, "INVALID_PARAMETER")
    assert sandbox.counters.of("auth.resetAuthorizations") == 0


async def test_not_signed_in(browser: ClientSession) -> None:
    """Nobody's messages are nobody's to see."""
    async with browser.get(PATH) as response:
        assert response.status == 401
        assert await response.json() == {"error": "User not authenticated.", "code": "NOT_AUTHENTICATED"}


async def test_two_people(
    signed_in: ClientSession, account: Account, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Each sees their own list."""
    (added,) = seed_many(account, 1, photo_every=1)
    other = new_browser()
    await sign_in(other, "+9996620002")
    async with signed_in.get(PATH) as response:
        assert added in [item["id"] for item in await response.json()]
    async with other.get(PATH) as response:
        assert added not in [item["id"] for item in await response.json()]


FAULTS: dict[str, tuple[Callable[[Sandbox], object], int, dict[str, object]]] = {
    "refused": (
        lambda sandbox: sandbox.faults.error("messages.getHistory", 400, "PEER_ID_INVALID"),
        500,
        {"error": FAILED, "code": "PEER_ID_INVALID", "details": "PEER_ID_INVALID"},
    ),
    "flood": (
        lambda sandbox: sandbox.faults.flood_wait("messages.getHistory", seconds=33),
        429,
        {"error": "Too many requests. Please try again later.", "code": "FLOOD_WAIT", "retry_after": 33},
    ),
    "failing": (
        lambda sandbox: sandbox.faults.internal_error("messages.getHistory", times=None),
        503,
        {"error": FAILED, "code": "TELEGRAM_UNAVAILABLE"},
    ),
    "session ended": (
        lambda sandbox: sandbox.faults.error("messages.getHistory", 401, "SESSION_EXPIRED"),
        401,
        {"error": "User not authenticated.", "code": "SESSION_EXPIRED"},
    ),
}


@pytest.mark.swift_time
@pytest.mark.parametrize(("arrange", "status", "expected"), FAULTS.values(), ids=FAULTS)
async def test_errors_before_the_first_page_have_a_status(
    sandbox: Sandbox,
    signed_in: ClientSession,
    arrange: Callable[[Sandbox], object],
    status: int,
    expected: dict[str, object],
) -> None:
    """What fails before the first page is answered as the contract says."""
    arrange(sandbox)
    async with signed_in.get(PATH) as response:
        assert response.status == status
        assert expected.items() <= (await response.json()).items()


async def test_telegram_silent(sandbox: Sandbox, signed_in_to: SignedInTo) -> None:
    """A Telegram that says nothing makes a 503, which tells when to come again."""
    _, browser = await signed_in_to(telegram={"request_timeout_seconds": 0.3})
    sandbox.faults.silence("messages.getHistory", times=None)
    async with browser.get(PATH) as response:
        assert response.status == 503
        assert (await response.json())["error"] == FAILED
        assert int(response.headers["Retry-After"]) > 0


async def receive(response: ClientResponse, received: bytearray) -> None:
    async for chunk in response.content.iter_any():
        received += chunk


@pytest.mark.swift_time
@pytest.mark.parametrize("fault", ["error", "flood_wait", "internal_error"])
async def test_errors_in_the_middle_break_the_connection(
    sandbox: Sandbox, signed_in: ClientSession, account: Account, fault: str
) -> None:
    """After the first page a failure is a body that ends too early: half a list is no list."""
    seed_many(account, 400)
    details: dict[str, tuple[object, ...]] = {"error": (400, "PEER_ID_INVALID"), "flood_wait": (33,)}
    getattr(sandbox.faults, fault)("messages.getHistory", *details.get(fault, ()), skip=2, times=None)
    received = bytearray()
    async with signed_in.get(PATH) as response:
        assert response.status == 200
        with pytest.raises(ClientPayloadError):
            await receive(response, received)
    assert received.startswith(b'[{"id":')
    with pytest.raises(json.JSONDecodeError):
        json.loads(received)


async def test_http_1_0(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, account: Account
) -> None:
    """Without chunks the end of the connection ends the list; half of it is no JSON."""
    seed_many(account, 200)
    cookie = signed_in.cookie_jar.filter_cookies(URL(service.url)).output(header="Cookie:", sep="; ")
    bodies = []
    for skip in (None, 1):
        if skip:
            sandbox.faults.error("messages.getHistory", 400, "PEER_ID_INVALID", skip=skip)
        url = URL(service.url)
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(f"GET {PATH} HTTP/1.0\r\n{cookie}\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.0 200")
        bodies.append(body)
        writer.close()
        await writer.wait_closed()
    assert len(json.loads(bodies[0])) == 100 + len(IDS) - len(WITHOUT_FILE | EXPIRED)
    assert bodies[0].startswith(bodies[1])
    with pytest.raises(json.JSONDecodeError):
        json.loads(bodies[1])


async def test_short_waits_are_sat_out(sandbox: Sandbox, signed_in: ClientSession, account: Account) -> None:
    """A wait within the setting, also in the middle, delays the list and loses nothing of it."""
    seed_many(account, 200)
    sandbox.faults.flood_wait("messages.getHistory", seconds=1, skip=1)
    async with signed_in.get(PATH) as response:
        assert len(await response.json()) == 100 + len(IDS) - len(WITHOUT_FILE | EXPIRED)


async def test_client_gone(
    sandbox: Sandbox, service: Service, signed_in: ClientSession, account: Account, until: Until
) -> None:
    """A browser that goes away in the middle of the list leaves nothing behind."""
    seed_many(account, 400)
    held = sandbox.faults.hold("messages.getHistory", skip=1)
    response = await signed_in.get(PATH)
    await response.content.readexactly(100)
    await held.reached(1)
    response.close()
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    assert service.app[keys.POOL].stats.lent == 0
