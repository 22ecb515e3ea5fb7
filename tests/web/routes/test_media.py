"""GET /media and its neighbours: pages, filters, what is refused, counts and days."""

from __future__ import annotations

import json
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from tgbridge.sandbox.seeds import IDS, seed_many
from tgbridge.telegram.saved.meaning import Position
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import Get
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

WHOLE: Final = "/get-saved-messages-media"
KINDS: Final = ("photo", "video", "animation", "audio", "voice", "video_note", "document")
NO_FILTER: Final = {IDS[key] for key in ("story", "story_video", "poll_picture", "paid_bought", "invoice")}
"""What no filter of Telegram's finds, beside stickers."""


async def answer(browser: ClientSession, path: str) -> Any:
    async with browser.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


def ids(items: list[dict[str, Any]]) -> list[int]:
    return [item["id"] for item in items]


async def test_pages_are_the_whole_list(signed_in: ClientSession) -> None:
    """Followed by `next` to its end, they are what /get-saved-messages-media sends, item by item."""
    whole = await answer(signed_in, WHOLE)
    found, following = [], "media?limit=7"
    while following:
        page = await answer(signed_in, f"/{following}")
        assert page.keys() == {"items", "next", "last_event_id"}
        found += page["items"]
        following = page["next"]
    assert found == whole


@pytest.mark.parametrize(
    "parameters", ["", "type=photo,video", "type=sticker,photo", "q=a", "until=2025-09-30"]
)
async def test_pages_by_link(signed_in: ClientSession, parameters: str) -> None:
    """With a limit the whole list comes in pages too, each of which names the next in its Link field."""
    whole = await answer(signed_in, f"{WHOLE}?{parameters}")
    found, query = [], f"?limit=3&blur=1&{parameters}"
    while query:
        async with signed_in.get(f"{WHOLE}/{query}") as response:
            page = await response.json()
            query = f"?{URL(response.links['next']['url']).query_string}" if response.links else ""
        assert len(page) <= 3
        found += page
    assert found == whole


@pytest.mark.parametrize("kind", [*KINDS, "sticker"])
async def test_types(signed_in: ClientSession, kind: str) -> None:
    """Each type has what its items say of themselves."""
    whole = await answer(signed_in, WHOLE)
    page = await answer(signed_in, f"/media?type={kind}")
    assert page["items"] == [item for item in whole if item["type"] == kind and item["id"] not in NO_FILTER]
    assert page["items"]
    assert page["next"] is None


async def test_several_at_once(signed_in: ClientSession) -> None:
    """All that is said has to be so: type, words, time, and older than a message."""
    days = "since=2025-10-11&until=2025-10-11"
    page = await answer(signed_in, f"/media?type=photo&{days}")
    assert ids(page["items"]) == [IDS["album_3"], IDS["album_2"], IDS["album_1"]]
    page = await answer(signed_in, f"/media?q=dusk&{days}")
    assert ids(page["items"]) == [IDS["album_1"]]
    page = await answer(signed_in, f"/media?album=13800000000000001&before={IDS['album_3']}")
    assert ids(page["items"]) == [IDS["album_2"], IDS["album_1"]]
    page = await answer(signed_in, "/media?q=packing+list&type=document")
    assert ids(page["items"]) == [IDS["text_file"]]


@pytest.mark.parametrize(
    ("span", "names"),
    [
        ("since=2025-10-27T10:00:00Z", ["photo"]),
        ("since=2025-10-27T10:00:00.5Z", []),
        ("since=2025-10-27T12:00:01%2B02:00", []),
        ("since=2025-10-27T12:00:00+02:00", ["photo"]),  # the plus is a space to who decodes it
        ("since=2025-10-27T10:00", ["photo"]),
        ("since=2025-10-11&until=2025-10-11T12:00:03Z", []),
        ("since=2025-09-27&until=2025-10-11T12:00:04Z", ["album_3", "album_2", "album_1", "photo_abroad"]),
        ("since=2025-10-27&until=2025-10-26", []),
        ("since=9999-12-31&until=9999-12-31", []),
        ("until=1969-12-31", []),
        ("since=1000-01-01&until=9999-12-31&type=voice", ["voice"]),
        # Telegram's dates are of 32 bits, in which these would be others.
        ("since=1900-01-01&until=2110-01-01&type=voice", ["voice"]),
        ("since=2150-01-01&type=voice", []),
        ("since=2025-07-03T19:31:02.123456789Z&type=voice", []),
    ],
)
async def test_times(signed_in: ClientSession, span: str, names: list[str]) -> None:
    """Days are whole, in UTC; moments are within the span, to the second."""
    for path in ("/media", WHOLE):
        found = await answer(signed_in, f"{path}?{span}")
        assert ids(found["items"] if path == "/media" else found) == [IDS[name] for name in names]


async def test_without_previews(signed_in: ClientSession) -> None:
    """What `blur_data_url` costs can be saved, and the next page knows of it."""
    page = await answer(signed_in, "/media?limit=2&blur=0")
    assert all("blur_data_url" not in item for item in page["items"])
    assert page["next"] == f"media?limit=2&blur=0&before={page['items'][-1]['id']}"
    assert "blur_data_url" in (await answer(signed_in, "/media?limit=1"))["items"][0]


MALFORMED: Final = [
    *("limit=0", "limit=-1", "limit=1e2", "limit=", "limit=%D9%A3", "limit=1&limit=1"),
    *("before=0", "before=2147483648", "before=x", f"before={'9' * 5000}"),
    *("type=", "type=image", "type=photo,", "type=photo%20", "album=", "album=x", "blur=maybe"),
    *("since=", "since=today", "since=2025-02-30", "since=2025-1-1", "since=20250101", "until=1700000000"),
    *("until=2025-10-27T25:00Z", "since=0000-01-01", "q=%00", f"q={'x' * 257}"),
]


@pytest.mark.parametrize("path", ["/media", WHOLE])
async def test_malformed(get: Get, sandbox: Sandbox, path: str) -> None:
    """A parameter that can't be understood, or is unknown, is named, and Telegram is asked for nothing."""
    sandbox.counters.reset()
    for query in [*MALFORMED, "foo=1", "order=asc", "limit=201" if path == "/media" else "limit=1001"]:
        found = await get(f"{path}?{query}")
        assert found.status == 400, query
        assert b'"code": "INVALID_PARAMETER"' in found.body
        assert f"'{query.split('=')[0]}'".encode() in found.body
    assert not sandbox.counters.calls


async def test_an_unchanged_page_is_not_sent_again(get: Get, account: Account) -> None:
    """Its tag is weak, and of its items alone: it holds until one of them is another."""
    first = await get("/media?limit=5")
    tag = first.headers[hdrs.ETAG]
    assert tag.startswith('W/"')
    assert first.headers[hdrs.CACHE_CONTROL] == "private, no-cache"
    conditions = CIMultiDict({hdrs.IF_NONE_MATCH: tag})
    again = await get("/media?limit=5", headers=conditions)
    assert (again.status, again.body, again.headers[hdrs.ETAG]) == (304, b"", tag)
    assert (await get("/media?limit=5", headers=conditions, method="HEAD")).status == 304
    assert (await get("/media?limit=6", headers=conditions)).status == 200
    assert (await get("/media?limit=5", headers={hdrs.IF_MATCH: tag})).status == 412
    account.history.delete([IDS["photo"]])
    assert (await get("/media?limit=5", headers=conditions)).status == 200


async def test_a_page_whose_next_one_is_gone(get: Get, account: Account) -> None:
    """It has the same items, and is another page."""
    account.history.delete(list(account.history.ids))
    oldest, *_ = seed_many(account, 3, photo_every=1)
    tag = (await get("/media?limit=2")).headers["ETag"]
    account.history.delete([oldest])
    page = await get("/media?limit=2", headers={"If-None-Match": tag})
    assert (page.status, json.loads(page.body)["next"]) == (200, None)


async def test_the_place_in_the_events_is_no_newer_than_the_page(
    signed_in: ClientSession, service: Service, sandbox: Sandbox, account: Account
) -> None:
    """What comes while the list is read is told by /events afterwards: twice rather than never."""
    sandbox.counters.reset()
    before = account.history.pts
    page = await answer(signed_in, "/media")
    position = service.app[keys.CURSORS].read(account.id, page["last_event_id"])
    assert isinstance(position, Position)
    assert position.pts == before
    calls = [name for (_, name) in sandbox.counters.calls]
    assert calls.index("updates.getState") < calls.index("messages.getHistory")


async def test_counts(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """One request tells them all; stickers are none that Telegram counts."""
    sandbox.counters.reset()
    counts = await answer(signed_in, "/media/counts")
    assert dict(sandbox.counters.calls) == {(1, "messages.getSearchCounters"): 1}
    assert list(counts) == list(KINDS)
    for kind, count in counts.items():
        assert len((await answer(signed_in, f"/media?type={kind}"))["items"]) == count


async def test_counts_of_what_telegram_leaves_out(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """A counter that is not among the answer is 0."""
    account = sandbox.state.account_of("+9996610001")
    account.history.delete(list(account.history.ids))
    assert set((await answer(signed_in, "/media/counts")).values()) == {0}


async def test_timeline(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Photos and videos by days, newest first; each day is where a page begins."""
    sandbox.counters.reset()
    days = await answer(signed_in, "/media/timeline")
    dates = [day["date"] for day in days]
    assert (dates[0], dates) == ("2025-10-27", sorted(set(dates), reverse=True))
    assert dict(sandbox.counters.calls) == {(1, "messages.getSearchResultsCalendar"): 1}
    for day in days:
        page = await answer(signed_in, f"/media?type=photo,video&before={day['before']}&limit={day['count']}")
        assert {item["timestamp"][:10] for item in page["items"]} == {day["date"]}
        assert len(page["items"]) == day["count"]
    page = await answer(signed_in, "/media?type=photo,video")
    assert sum(day["count"] for day in days) == len(page["items"])


async def test_days_are_those_of_utc(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Telegram counts by the days of the client, and is told that these are UTC's."""
    await answer(signed_in, "/media/timeline")
    said = [key.client_info.tz_offset for key in sandbox.auth_keys if key.client_info is not None]
    assert said == [0]


async def test_timeline_of_several_filters(signed_in: ClientSession, account: Account) -> None:
    """Their days are one list, with what both found, and begin with the newest of all."""
    date = datetime(2025, 12, 1, tzinfo=UTC)
    for key in ("voice", "audio"):
        sent: Any = account.history.get(IDS[key])
        account.add_message(media=sent.media, date=date)
    days = await answer(signed_in, "/media/timeline?type=document,audio,voice")
    assert [day["date"] for day in days] == sorted({day["date"] for day in days}, reverse=True)
    assert {"date": "2025-07-03", "count": 2, "before": IDS["voice"] + 1} in days
    page = await answer(signed_in, "/media?type=document,audio,voice")
    assert sum(day["count"] for day in days) == len(page["items"])
    newest: dict[str, int] = {}
    for item in page["items"]:
        newest.setdefault(item["timestamp"][:10], item["id"])
    assert {day["date"]: day["before"] - 1 for day in days} == newest


async def test_a_long_timeline(signed_in: ClientSession, sandbox: Sandbox, account: Account) -> None:
    """An answer of Telegram's may end in the middle of a day, which is told once, whole."""
    account.history.delete(list(account.history.ids))
    seed_many(account, 4000, photo_every=1)  # a minute apart: 1,440 a day
    sandbox.counters.reset()
    days = await answer(signed_in, "/media/timeline?type=photo")
    assert sum(day["count"] for day in days) == 4000
    expected: dict[str, int] = {}
    for message in account.history:
        date = f"{message.date:%Y-%m-%d}"
        expected[date] = expected.get(date, 0) + 1
    assert {day["date"]: day["count"] for day in days} == expected
    assert len(days) == len(expected)
    newest = {f"{message.date:%Y-%m-%d}": message.id for message in reversed(list(account.history))}
    assert {day["date"]: day["before"] - 1 for day in days} == newest
    assert sandbox.counters.of("messages.getSearchResultsCalendar") == 4


@pytest.mark.parametrize(
    "query", ["type=sticker", "type=photo,sticker", "type=", "type=x", "since=2025-01-01"]
)
async def test_no_timeline(get: Get, query: str) -> None:
    """What Telegram does not count has none, and saying so is better than an empty one."""
    found = await get(f"/media/timeline?{query}")
    assert found.status == 400
    assert b"INVALID_PARAMETER" in found.body


@pytest.mark.parametrize("path", ["/media", "/media/counts", "/media/timeline", f"/media/{IDS['photo']}"])
async def test_not_signed_in(browser: ClientSession, path: str) -> None:
    """Nobody's media are nobody's to see, whatever is asked for."""
    async with browser.get(f"{path}?limit=0") as response:
        assert response.status == 401
        assert (await response.json())["code"] == "NOT_AUTHENTICATED"


async def test_a_hundred_thousand_messages(
    signed_in: ClientSession, sandbox: Sandbox, account: Account
) -> None:
    """Of which 1,000 hold media: a filtered page, counts and the timeline take three requests at most."""
    date = datetime(2026, 1, 1, tzinfo=UTC)
    account.history.delete(list(account.history.ids))
    photos = seed_many(account, 1000, photo_every=1)
    text = account.add_message("text", date=date)
    for message_id in range(text.id + 1, text.id + 99_000):
        another = copy(text)
        another.id = message_id
        account.history._append(another)
    for path, most in (
        ("/media?type=photo", 3),
        ("/media?type=photo,video,document,audio,voice,video_note,animation", 3),
        ("/media?type=photo&before=500", 3),
        ("/media/counts", 1),
        ("/media/timeline", 1),
    ):
        sandbox.counters.reset()
        found = await answer(signed_in, path)
        assert sum(sandbox.counters.calls.values()) <= most
        if path == "/media?type=photo":
            assert ids(found["items"]) == photos[:-51:-1]
