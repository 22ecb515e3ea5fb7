"""The service's own endpoints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tgbridge.web import openapi

if TYPE_CHECKING:
    import pytest
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve
    from tgbridge.sandbox import Sandbox


async def test_healthz(browser: ClientSession, sandbox: Sandbox) -> None:
    """The process lives, whether or not Telegram does; nobody is asked who they are."""
    for centre in sandbox.data_centres.values():
        await centre.stop()
    async with browser.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with browser.head("/healthz") as response:
        assert (response.status, await response.read()) == (200, b"")


async def test_openapi_is_made_once(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The description is bytes that are made at the start; who has them is told so by their strong tag."""
    service = await serve(make_settings(session={"cookie_name": "of-this-test"}))
    browser = new_browser(service)

    def too_late(*_args: object, **_options: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(openapi, "describe", too_late)
    monkeypatch.setattr(json, "dumps", too_late)
    async with browser.get("/openapi.json") as response:
        body, headers = await response.read(), response.headers
    assert (response.status, response.content_type) == (200, "application/json")
    assert headers["Cache-Control"] == "no-cache, no-transform"
    etag = headers["ETag"]
    for asked, status, start, stop in (
        ({"Range": "bytes=5-14"}, 206, 5, 15),
        ({"Range": "bytes=-7", "If-Range": etag}, 206, len(body) - 7, len(body)),
        ({"Range": "bytes=5-14", "If-Range": '"other"'}, 200, 0, len(body)),
        ({"Range": f"bytes={len(body)}-"}, 416, 0, 0),
    ):
        async with browser.get("/openapi.json", headers=asked) as response:
            assert response.status == status
            assert status == 416 or await response.read() == body[start:stop]
            told = {206: f"bytes {start}-{stop - 1}/{len(body)}", 416: f"bytes */{len(body)}"}.get(status)
            assert response.headers.get("Content-Range") == told
    assert etag.startswith('"')
    async with browser.head("/openapi.json") as response:
        assert (response.status, response.headers["ETag"]) == (200, etag)
        assert response.headers["Content-Length"] == str(len(body))
    for condition, status in (
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'"other", W/{etag}'}, 304),
        ({"If-None-Match": '"other"'}, 200),
        ({"If-Match": etag}, 200),
        ({"If-Match": '"other"'}, 412),
    ):
        async with browser.get("/openapi.json", headers=condition) as response:
            assert (response.status, response.headers["ETag"]) == (status, etag)
            assert (await response.read() == body) is (status == 200)
            assert response.headers["Cache-Control"] == (
                "no-store" if status == 412 else headers["Cache-Control"]
            )
