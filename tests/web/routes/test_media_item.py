"""One item: looked at, given another caption, deleted; and what is never touched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import hdrs

from tgbridge.sandbox.seeds import IDS, seed_many
from tgbridge.web import keys

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import Get, Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.world.accounts import Account

PHOTO: Final = f"/media/{IDS['photo']}"
NOT_FOUND: Final = {"error": "Media not found or message ID is invalid.", "code": "MEDIA_NOT_FOUND"}
NOT_EDITABLE: Final = "Telegram does not let the caption of this message be changed."
EDIT: Final = "messages.editMessage"
DELETE: Final = "messages.deleteMessages"


async def patch(browser: ClientSession, path: str, body: Any) -> tuple[int, Any]:
    async with browser.patch(path, json=body) as response:
        return response.status, await response.json()


async def delete(browser: ClientSession, path: str) -> tuple[int, Any]:
    async with browser.delete(path) as response:
        return response.status, await response.json() if response.status != 204 else await response.read()


async def delete_many(browser: ClientSession, ids: Any) -> tuple[int, Any]:
    async with browser.post("/media/delete", json={"ids": ids}) as response:
        return response.status, await response.json()


def at_telegram(account: Account, message_id: int) -> Any:
    """The message as it is there; None if it is not."""
    return account.history.get(message_id)


@pytest.fixture
def elsewhere(account: Account) -> int:
    """A photo in another private chat, whose id is one of the same sequence."""
    photo = at_telegram(account, IDS["photo"])
    message_id: int = account.history.add_elsewhere(4242, "not yours to touch", media=photo.media).id
    return message_id


NO_MEDIA: Final = [str(IDS["text"]), str(IDS["service"]), str(IDS["expired_photo"]), "0", "-1", "999999"]
NO_ID: Final = ["x", "٣", "2147483648", "9" * 5000, "%20", "1.0", "counts.json"]


async def test_one_item(signed_in: ClientSession, get: Get) -> None:
    """It is the list's."""
    async with signed_in.get("/get-saved-messages-media") as response:
        listed = {item["id"]: item for item in await response.json()}
    for path in (PHOTO, f"{PHOTO}/"):
        async with signed_in.get(path) as response:
            assert await response.json() == listed[IDS["photo"]]
            assert response.headers[hdrs.CACHE_CONTROL] == "no-store"
    assert (await get(PHOTO, method="HEAD")).body == b""


async def test_what_was_listed_costs_no_request(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """An item of a list is known for a while, and deleting it takes the one request that does it."""
    async with signed_in.get("/media") as response:
        assert response.status == 200
    sandbox.counters.reset()
    async with signed_in.get(PHOTO) as response:
        assert response.status == 200
    assert not sandbox.counters.calls
    assert (await delete(signed_in, PHOTO))[0] == 204
    assert dict(sandbox.counters.calls) == {(1, DELETE): 1}


async def test_no_such_item(signed_in: ClientSession, account: Account, elsewhere: int) -> None:
    """Messages without media, those of other chats, and what is no id: 404, and nothing is done to them."""
    for text in (*NO_MEDIA, *NO_ID, str(elsewhere)):
        async with signed_in.get(f"/media/{text}") as response:
            assert (response.status, await response.json()) == (404, NOT_FOUND), text
        assert await patch(signed_in, f"/media/{text}", {"caption": "x"}) == (404, NOT_FOUND), text
        assert await delete(signed_in, f"/media/{text}") == (404, NOT_FOUND), text
    assert at_telegram(account, IDS["text"]) is not None
    assert at_telegram(account, elsewhere).message == "not yours to touch"


# Captions


async def test_a_new_caption(signed_in: ClientSession, account: Account) -> None:
    """The item as it is then; CRLF is LF, and formatting goes with the old caption."""
    status, item = await patch(signed_in, PHOTO, {"caption": "One\r\ntwo\rthree <b>"})
    assert (status, item["caption"]) == (200, "One\ntwo\nthree <b>")
    assert item["edited"].endswith("Z")
    assert at_telegram(account, IDS["photo"]).message == "One\ntwo\nthree <b>"
    async with signed_in.get(PHOTO) as response:
        assert await response.json() == item


async def test_the_same_caption(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Sent twice, it is answered as the first time, also where that answer was lost."""
    first = await patch(signed_in, PHOTO, {"caption": "again"})
    assert first[0] == 200
    assert await patch(signed_in, PHOTO, {"caption": "again"}) == first
    sandbox.faults.drop(EDIT, executed=True)
    status, item = await patch(signed_in, PHOTO, {"caption": "lost"})
    assert (status, item["caption"]) == (200, "lost")
    assert sandbox.counters.of(EDIT) == 4


async def test_no_caption(signed_in: ClientSession, account: Account) -> None:
    """An empty text removes it."""
    status, item = await patch(signed_in, PHOTO, {"caption": ""})
    assert (status, item["caption"]) == (200, "")
    assert at_telegram(account, IDS["photo"]).message == ""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MISSING_FIELD"),
        ({"caption": None}, "MISSING_FIELD"),
        ({"caption": 1}, "INVALID_BODY"),
        ({"caption": ["x"]}, "INVALID_BODY"),
        ({"caption": "\ud800"}, "INVALID_BODY"),
        ([], "INVALID_BODY"),
        ("x", "INVALID_BODY"),
        ({"caption": "x" * 1025}, "MEDIA_CAPTION_TOO_LONG"),
        ({"caption": "😀" * 513}, "MEDIA_CAPTION_TOO_LONG"),
    ],
)
async def test_a_caption_that_is_none(
    signed_in: ClientSession, sandbox: Sandbox, body: Any, code: str
) -> None:
    """Nothing is edited where it is missing, no text, or too long in UTF-16."""
    status, answer = await patch(signed_in, PHOTO, body)
    assert (status, answer["code"]) == (400, code)
    assert sandbox.counters.of(EDIT) == 0


async def test_the_longest_caption(signed_in: ClientSession) -> None:
    """Line breaks count once, and white space around it not at all."""
    longest = "😀\r\n" + "x" * 1021
    assert (await patch(signed_in, PHOTO, {"caption": f"  {longest}  "}))[0] == 200


@pytest.mark.parametrize("name", ["forwarded_photo", "sticker", "video_note"])
async def test_what_cannot_be_edited(signed_in: ClientSession, name: str) -> None:
    """Forwarded messages, and kinds that have no caption, are refused as Telegram refuses them."""
    status, answer = await patch(signed_in, f"/media/{IDS[name]}", {"caption": "mine"})
    assert (status, answer["error"]) == (403, NOT_EDITABLE)


async def test_edited_after_it_was_deleted(signed_in: ClientSession, account: Account) -> None:
    """Elsewhere, and not heard of: it is not there."""
    async with signed_in.get(PHOTO) as response:
        assert response.status == 200
    account.history.delete([IDS["photo"]])
    assert await patch(signed_in, PHOTO, {"caption": "x"}) == (404, NOT_FOUND)
    async with signed_in.get(PHOTO) as response:
        assert response.status == 404


@pytest.mark.parametrize("method", [EDIT, DELETE])
async def test_a_browser_that_goes_away(
    signed_in: ClientSession,
    service: Service,
    sandbox: Sandbox,
    account: Account,
    until: Until,
    method: str,
) -> None:
    """What Telegram was asked to do is done, and known here, though nobody waits for the answer."""
    held = sandbox.faults.hold(method)
    change = patch(signed_in, PHOTO, {"caption": "x"}) if method == EDIT else delete(signed_in, PHOTO)
    asking = asyncio.create_task(change)
    await held.reached(1)
    asking.cancel()
    await asyncio.wait((asking,))
    await until(lambda: len(service.app[keys.IN_FLIGHT]) == 0)
    held.release()
    await until(lambda: len(service.app[keys.COMPLETION]) == 0)
    message = at_telegram(account, IDS["photo"])
    assert message is None if method == DELETE else message.message == "x"
    sandbox.counters.reset()
    async with signed_in.get(PHOTO) as response:
        assert response.status == (404 if method == DELETE else 200)
        assert method == DELETE or (await response.json())["caption"] == "x"
    assert not sandbox.counters.calls


# Deleting


async def test_delete(signed_in: ClientSession, account: Account) -> None:
    """Gone is gone: 204, and then 404."""
    assert await delete(signed_in, PHOTO) == (204, b"")
    assert at_telegram(account, IDS["photo"]) is None
    assert await delete(signed_in, PHOTO) == (404, NOT_FOUND)
    async with signed_in.get(PHOTO) as response:
        assert response.status == 404
    async with signed_in.get(f"/stream_media/{IDS['photo']}") as response:
        assert response.status == 404


async def test_one_of_an_album(signed_in: ClientSession, account: Account) -> None:
    """The others stay, an album still."""
    assert (await delete(signed_in, f"/media/{IDS['album_2']}"))[0] == 204
    async with signed_in.get("/media?album=13800000000000001") as response:
        items = (await response.json())["items"]
    assert [item["id"] for item in items] == [IDS["album_3"], IDS["album_1"]]


async def test_deleted_although_the_answer_was_lost(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """The second attempt finds nothing to delete; the request has deleted it all the same."""
    sandbox.faults.drop(DELETE, executed=True)
    assert (await delete(signed_in, PHOTO))[0] == 204
    assert sandbox.counters.of(DELETE) == 2


async def test_deleted_elsewhere_before(signed_in: ClientSession, account: Account) -> None:
    """And not heard of: whoever comes second is told that there was nothing."""
    async with signed_in.get(PHOTO) as response:
        assert response.status == 200
    account.history.delete([IDS["photo"]])
    assert await delete(signed_in, PHOTO) == (404, NOT_FOUND)


async def test_delete_many(signed_in: ClientSession, account: Account, elsewhere: int) -> None:
    """What was there is deleted, and what is none of the media of Saved Messages is not."""
    ids = [IDS["photo"], IDS["text"], elsewhere, 0, -7, 10**30, IDS["sticker"], IDS["photo"], 999_999]
    assert await delete_many(signed_in, ids) == (
        200,
        {
            "deleted": [IDS["photo"], IDS["sticker"]],
            "missing": [IDS["text"], elsewhere, 0, -7, 10**30, 999_999],
        },
    )
    assert at_telegram(account, IDS["text"]) is not None
    assert at_telegram(account, elsewhere) is not None
    status, again = await delete_many(signed_in, [IDS["photo"]])
    assert (status, again) == (200, {"deleted": [], "missing": [IDS["photo"]]})


async def test_delete_a_thousand(signed_in: ClientSession, account: Account, sandbox: Sandbox) -> None:
    """A hundred ids a request, to look and to delete."""
    ids = list(seed_many(account, 1000, photo_every=1))
    sandbox.counters.reset()
    status, answer = await delete_many(signed_in, ids)
    assert (status, answer) == (200, {"deleted": ids, "missing": []})
    assert dict(sandbox.counters.calls) == {(1, "messages.getMessages"): 10, (1, DELETE): 10}
    assert not set(ids) & set(account.history.ids)


@pytest.mark.swift_time
async def test_a_wait_in_the_middle_of_a_thousand(
    signed_in: ClientSession, account: Account, sandbox: Sandbox
) -> None:
    """It is sat out once some are deleted, so that the answer tells of all; before that it is a 429."""
    ids = list(seed_many(account, 1000, photo_every=1))
    sandbox.faults.flood_wait(DELETE, seconds=21, skip=3)
    assert await delete_many(signed_in, ids) == (200, {"deleted": ids, "missing": []})
    sandbox.faults.flood_wait(DELETE, seconds=21)
    status, answer = await delete_many(signed_in, [IDS["photo"]])
    assert (status, answer["retry_after"]) == (429, 21)
    assert at_telegram(account, IDS["photo"]) is not None


async def test_asked_for_twice_at_once(signed_in: ClientSession, account: Account) -> None:
    """Of requests to delete the same messages one has deleted each; of captions the last one stays."""
    ids = list(seed_many(account, 300, photo_every=1))
    answers = await asyncio.gather(*(delete_many(signed_in, ids) for _ in range(4)))
    deleted = [message_id for _, answer in answers for message_id in answer["deleted"]]
    assert sorted(deleted) == ids
    assert all(sorted(answer["deleted"] + answer["missing"]) == ids for _, answer in answers)
    await asyncio.gather(*(patch(signed_in, PHOTO, {"caption": f"{number}"}) for number in range(6)))
    async with signed_in.get(PHOTO) as response:
        assert (await response.json())["caption"] == at_telegram(account, IDS["photo"]).message
    answers = await asyncio.gather(*(delete(signed_in, PHOTO) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [204, 404, 404, 404]


async def test_ids_that_are_none(signed_in: ClientSession, sandbox: Sandbox) -> None:
    """Nothing is deleted where they can't be understood."""
    sandbox.counters.reset()
    for ids in (None, [], "1", 1, [1, "2"], [1, None], [True], [1.5], {"1": 2}, list(range(1, 1002))):
        status, answer = await delete_many(signed_in, ids)
        assert status == 400, ids
        assert answer["code"] == ("MISSING_FIELD" if ids is None else "INVALID_BODY")
    async with signed_in.post("/media/delete", data=b'{"ids": [1]}') as response:
        assert (response.status, (await response.json())["code"]) == (400, "INVALID_BODY")
    assert not sandbox.counters.calls


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_other_origins(signed_in: ClientSession, account: Account, method: str) -> None:
    """Another site's page may change nothing."""
    headers = {hdrs.ORIGIN: "https://evil.example"}
    async with signed_in.request(method, PHOTO, json={"caption": "x"}, headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert at_telegram(account, IDS["photo"]).message == "A beautiful image"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/media/delete", "POST"),
        ("DELETE", "/media/counts", "GET,HEAD"),
        ("PATCH", "/media/timeline/", "GET,HEAD"),
        ("PUT", PHOTO, "DELETE,GET,HEAD,PATCH"),
    ],
)
async def test_other_methods(signed_in: ClientSession, method: str, path: str, allowed: str) -> None:
    """A path that is an endpoint of its own is no item's."""
    async with signed_in.request(method, path) as response:
        assert (response.status, response.headers[hdrs.ALLOW]) == (405, allowed)


async def test_preflight(browser: ClientSession, service: Service) -> None:
    """A page that may ask is told of all methods."""
    headers = {hdrs.ORIGIN: str(service.url).rstrip("/"), hdrs.ACCESS_CONTROL_REQUEST_METHOD: "PATCH"}
    async with browser.options(PHOTO, headers=headers) as response:
        assert response.status == 204
        assert response.headers[hdrs.ACCESS_CONTROL_ALLOW_METHODS] == "DELETE, GET, HEAD, PATCH"


@pytest.mark.parametrize(
    ("method", "path", "failed"),
    [
        (EDIT, PHOTO, "Failed to change the caption."),
        (DELETE, PHOTO, "Failed to delete the media."),
        (DELETE, "/media/delete", "Failed to delete the media."),
    ],
)
async def test_refused_by_telegram(
    signed_in: ClientSession, sandbox: Sandbox, method: str, path: str, failed: str
) -> None:
    """What nobody has foreseen is a 500 with Telegram's name for it, and a flood wait a 429."""
    body = {"caption": "x", "ids": [IDS["photo"]]}
    verb = "POST" if path == "/media/delete" else "PATCH" if method == EDIT else "DELETE"
    sandbox.faults.error(method, 400, "PEER_ID_INVALID")
    async with signed_in.request(verb, path, json=body) as response:
        assert response.status == 500
        assert await response.json() == {
            "error": failed,
            "code": "PEER_ID_INVALID",
            "details": "PEER_ID_INVALID",
        }
    sandbox.faults.flood_wait(method, seconds=60)
    async with signed_in.request(verb, path, json=body) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "60")
