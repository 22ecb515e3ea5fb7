"""A path with a slash behind it answers as without one, everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import pytest
from aiohttp.test_utils import make_mocked_request

from tgbridge.app import ENDPOINTS, create_app

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.web.routes.conftest import AddFile, Get
    from tgbridge.settings import Settings

VALUES: Final = {"message_id": "1", "upload_id": "A" * 22, "hash": "1", "name": "a.mp4", "ticket": "x"}


async def test_the_whole_router(settings: Settings) -> None:
    """Each method of each path leads to the same handler, with the same values, and to the same 405."""
    router = create_app(settings).router
    methods = {method for endpoint in ENDPOINTS for method in endpoint.methods}
    for path in {endpoint.path.format_map(VALUES) for endpoint in ENDPOINTS}:
        for method in methods:
            without = await router.resolve(make_mocked_request(method, path))
            behind = await router.resolve(make_mocked_request(method, f"{path}/?a=/"))
            assert (behind.handler, dict(behind)) == (without.handler, dict(without)) or (
                dict(behind)["path"].strip("/") == dict(without)["path"].strip("/")
            )


@pytest.mark.parametrize("path", ["/me", "/sessions", "/get-saved-messages-media", "/session", "/healthz"])
async def test_answers(get: Get, path: str) -> None:
    """The answer is the same."""
    without, behind = await get(path), await get(f"{path}/")
    assert (behind.status, behind.body) == (without.status, without.body) == (200, without.body)


async def test_files(add_file: AddFile, get: Get) -> None:
    """Files are as well at paths that end in a slash, also behind a name."""
    file = add_file(1000)
    for path in (f"{file.path}/", f"{file.path}/film.mp4/"):
        answer = await get(path, headers={"Range": "bytes=10-19"})
        assert (answer.status, answer.body) == (206, file.content[10:20])


async def test_wrong_method(browser: ClientSession) -> None:
    """So is the 405, with what is allowed."""
    async with browser.put("/uploads/") as response:
        assert response.status == 405
        assert response.headers["Allow"] == "OPTIONS,POST"
        assert "Tus-Resumable" in response.headers


@pytest.mark.parametrize("path", ["/me%2F", "/me//"])
async def test_another_path(get: Get, path: str) -> None:
    """A slash that is part of a name is none, and two name something else: it would not be known what."""
    assert (await get(path)).status == 404


@pytest.mark.parametrize("path", ["/uploads", "/uploads/"])
async def test_location(signed_in: ClientSession, path: str) -> None:
    """Where an upload goes on is told right, whichever path it was begun at."""
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "4"}
    async with signed_in.post(path, headers=headers) as response:
        assert response.status == 201
        location = urljoin(f"/prefix{path}", response.headers["Location"])
    assert location.startswith("/prefix/uploads/")
    upload = location.removeprefix("/prefix")
    patch = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }
    async with signed_in.patch(f"{upload}/", headers=patch, data=b"four") as response:
        assert response.status == 204
        assert int(response.headers["X-Message-Id"])
