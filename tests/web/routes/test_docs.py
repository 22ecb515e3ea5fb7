"""/docs and what stands beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tgbridge.web.docs.pages import POLICY

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve

PATHS = ("/docs", "/docs/", "/docs.css", "/docs.js")


async def test_policy(browser: ClientSession) -> None:
    """The page may load this service's own files, and nothing else; nobody may frame it."""
    async with browser.get("/docs") as response:
        assert (response.status, response.content_type, response.charset) == (200, "text/html", "utf-8")
        assert response.headers.getall("Content-Security-Policy")[0] == POLICY
        assert response.headers["X-Frame-Options"] == "DENY"
    assert POLICY.startswith("default-src 'none'; ")
    assert "unsafe" not in POLICY
    assert "data:" not in POLICY


@pytest.mark.parametrize(
    ("path", "content_type"), [("/docs.css", "text/css"), ("/docs.js", "text/javascript")]
)
async def test_files(browser: ClientSession, path: str, content_type: str) -> None:
    """What the page needs stands beside it, by the types that nosniff asks for; a browser may keep it."""
    async with browser.get(path) as response:
        assert (response.status, response.content_type) == (200, content_type)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        tag = response.headers["ETag"]
    async with browser.get(path, headers={"If-None-Match": tag}) as response:
        assert response.status == 304


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
async def test_references(browser: ClientSession, path: str) -> None:
    """With a slash behind it, too, the page finds what it needs, below any prefix: by relative references."""
    async with browser.get(path) as response:
        page, url = await response.text(), response.url
    found = re.findall(r'(?:src|href)="([^#"]+)"', page)
    assert len(found) == 3
    for reference in found:
        assert not reference.startswith("/")
        async with browser.get(url.join(type(url)(reference))) as response:
            assert response.status == 200


async def test_turned_off(serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser) -> None:
    """Without `docs.enabled` there is nothing, and a person's example is none of a deployment's."""
    browser = new_browser(await serve(make_settings(docs={"enabled": False})))
    for path in PATHS:
        async with browser.get(path) as response:
            assert (response.status, (await response.json())["code"]) == (404, "NOT_FOUND")


async def test_example(serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser) -> None:
    """The button is there only where both of its settings are."""
    settings = {"example_phone": "+9996610001", "example_code": "11111"}
    for docs in ({}, {"example_phone": "+9996610001"}, settings):
        browser = new_browser(await serve(make_settings(docs=docs)))
        async with browser.get("/docs") as response:
            assert ("Sign in as" in await response.text()) is (docs == settings)
