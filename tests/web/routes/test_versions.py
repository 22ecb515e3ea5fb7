"""Addresses that name a file's version: what a browser may keep for good, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import NewBrowser, SignIn
    from tests.web.routes.conftest import Get

KEPT: Final = "private, max-age=31536000, immutable, no-transform"
ASKED: Final = "private, no-cache, no-transform"


async def item(browser: ClientSession, key: str) -> dict[str, Any]:
    async with browser.get("/get-saved-messages-media") as response:
        found: dict[str, Any] = next(one for one in await response.json() if one["id"] == IDS[key])
    return found


def addresses(item: dict[str, Any]) -> list[str]:
    """All that an item names."""
    return [
        address
        for one in (item, *item.get("parts", ()), *item.get("renditions", ()))
        for address in (one["url"], one.get("thumbnail_url"))
        if address is not None
    ]


@pytest.mark.parametrize(
    "key", ["photo", "video", "pdf", "video_cover", "live_photo", "video_renditions", "paid_bought", "story"]
)
async def test_the_present_version(signed_in: ClientSession, get: Get, key: str) -> None:
    """It may be kept for a year, with GET and HEAD, whole, in part, in any size, or unchanged."""
    for address in addresses(await item(signed_in, key)):
        whole = await get(f"/{address}", method="HEAD")
        assert (whole.status, whole.headers["Cache-Control"]) == (200, KEPT), address
        for headers, status in (
            ({"If-None-Match": whole.headers["ETag"]}, 304),
            ({"Range": "bytes=0-9"}, 200 if "thumbnail" in address else 206),
        ):
            answer = await get(f"/{address}", headers=headers)
            assert (answer.status, answer.headers["Cache-Control"]) == (status, KEPT), address
    thumbnail = (await item(signed_in, key))["thumbnail_url"]
    for query in ("w=640", "size=small"):
        assert (await get(f"/{thumbnail}&{query}", method="HEAD")).headers["Cache-Control"] == KEPT


async def test_any_other_version(signed_in: ClientSession, get: Get) -> None:
    """Another `v` is as none: the file as it is now, to be asked for again each time."""
    photo, video = await item(signed_in, "photo"), await item(signed_in, "video")
    version = photo["url"].partition("?v=")[2]
    foreign = video["url"].partition("?v=")[2]
    for query in ("", "?v=", f"?v={foreign}", f"?v={version}x", f"?v={version.swapcase()}", "?v=%00"):
        answer = await get(f"/stream_media/{photo['id']}{query}", method="HEAD")
        assert (answer.status, answer.headers["Cache-Control"]) == (200, ASKED), query


async def test_another_version_of_a_part(signed_in: ClientSession, get: Get) -> None:
    """Each file has its own: the photo's does not keep its motion."""
    found = await item(signed_in, "live_photo")
    answer = await get(f"/{found['url']}&part=2", method="HEAD")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, ASKED)


async def test_refusals_are_not_kept(signed_in: ClientSession, get: Get) -> None:
    """What goes wrong today may go right tomorrow."""
    address = (await item(signed_in, "photo"))["url"]
    for headers, status in (({"Range": "bytes=99999999-"}, 416), ({"If-Match": '"x"'}, 412)):
        answer = await get(f"/{address}", headers=headers)
        assert (answer.status, answer.headers["Cache-Control"]) == (status, ASKED)
    assert "immutable" not in (await get(f"/{address}&part=9")).headers.get("Cache-Control", "")


async def test_documents_are_kept_for_one_use(signed_in: ClientSession, get: Get) -> None:
    """A copy of a download is not taken for a script or a manifest, about which nobody would be asked."""
    for key, varies in (("html", True), ("svg", True), ("text_file", True), ("photo", False), ("pdf", False)):
        answer = await get(f"/{(await item(signed_in, key))['url']}", method="HEAD")
        assert answer.headers["Cache-Control"] == KEPT
        assert ("Sec-Fetch-Dest" in answer.headers.get("Vary", "")) is varies, key


async def test_a_loader_of_next_image(signed_in: ClientSession, get: Get) -> None:
    """It adds a width and a quality; unknown parameters are passed over."""
    thumbnail = (await item(signed_in, "photo"))["thumbnail_url"]
    answer = await get(f"/{thumbnail}&w=640&q=75")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, KEPT)


async def test_the_same_file_for_another_account(
    signed_in: ClientSession, get: Get, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """The same number means another file there, and has another version."""
    other = new_browser()
    await sign_in(other, "+9996610002")
    mine, theirs = await item(signed_in, "photo"), await item(other, "photo")
    assert mine["id"] == theirs["id"]
    assert mine["url"] != theirs["url"]
    answer = await get(f"/{mine['url']}", method="HEAD", browser=other)
    assert answer.headers["Cache-Control"] == ASKED
