"""A gallery in a real browser: what a second visit costs, what a logout leaves, and captions as HTML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from telethon.tl import types
from yarl import URL

from tgbridge.telegram.saved.caption_html import caption_html

if TYPE_CHECKING:
    from tests.browser.conftest import Page
    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

# How many bytes each has, and whether the service was asked for them.
_VISIT: Final = """
(async (addresses) => {
    performance.clearResourceTimings();
    const sizes = [];
    for (const address of addresses) {
        const answer = await fetch(address, {credentials: "include"});
        sizes.push(answer.ok ? (await answer.arrayBuffer()).byteLength : answer.status);
    }
    return sizes;
})(%s)
"""
_POST: Final = """fetch("%s", {method: "POST", credentials: "include"}).then((answer) => answer.status)"""
_SHOW: Final = """
((html) => {
    const box = document.createElement("div");
    box.innerHTML = html;
    document.body.append(box);
    const tags = [...box.querySelectorAll("*")].map((one) => one.localName);
    const schemes = [...box.querySelectorAll("a")].map((one) => one.protocol);
    return {text: box.textContent, tags, schemes, again: box.innerHTML, ran: globalThis.ran ?? null};
})(%s)
"""
_RUN: Final = "javascript:globalThis.ran=1"
_TEXTS: Final = (
    "plain",
    "<img src=x onerror=globalThis.ran=1>",
    "</code></pre></blockquote></a><script>globalThis.ran=1</script>",
    "a\r\nb\rc\n\nd\te",
    "😀👨‍👩‍👧 & &amp; &lt; &#13; \u202e",
    "\n first line empty",
    _RUN,
)


async def test_a_second_visit_costs_nothing(
    page: Page,
    frontend: str,
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    sign_in: SignIn,
) -> None:
    """Whatever an item names is asked for once; a logout has the browser forget it."""
    service = await serve(make_settings(cors={"allowed_origins": [frontend.rstrip("/")]}))
    signed_in = new_browser(service)
    await sign_in(signed_in)
    url = str(URL(service.url).with_host("localhost").origin())
    for cookie in signed_in.cookie_jar:
        await page.call("Network.setCookie", name=cookie.key, value=cookie.coded_value, url=url, path="/")
    async with signed_in.get("/get-saved-messages-media?limit=10") as response:
        items = await response.json()
    thumbnails = [f"{url}/{item['thumbnail_url']}" for item in items if item["thumbnail_url"]]
    files = [f"{url}/{item['url']}" for item in items if item["size"] < 200_000]
    visit = _VISIT % json.dumps(thumbnails + files)

    first: list[int] = await page.evaluate(visit)
    assert all(size > 600 or size == 227 for size in first)
    asked = len(page.responses)
    assert await page.evaluate(visit) == first
    again = page.responses[asked:]
    assert [answer for answer in again if not answer["fromDiskCache"]] == []

    assert await page.evaluate(_POST % f"{url}/logout") == 200
    assert set(await page.evaluate(visit)) == {401}


@pytest.mark.parametrize("text", _TEXTS)
async def test_captions_in_a_page(page: Page, text: str) -> None:
    """As innerHTML they show the caption's text, whatever its entities, and nothing runs."""
    length = len(text.encode("utf-16-le")) // 2
    entities: list[Any] = [
        types.MessageEntityTextUrl(0, length, _RUN),
        types.MessageEntityTextUrl(1, length, f'https://e.org/"onmouseover="{_RUN}'),
        types.MessageEntityUrl(0, length),
        types.MessageEntityEmail(0, length),
        types.MessageEntityPre(2, length, f'"><script>{_RUN}</script>'),
        types.MessageEntityBlockquote(0, 5),
        types.MessageEntityBold(0, 4),
        types.MessageEntityItalic(3, length),
        types.MessageEntitySpoiler(1, 3),
        types.MessageEntityCustomEmoji(0, 2, 7),
    ]
    shown = await page.evaluate(_SHOW % json.dumps(caption_html(text, entities)))
    assert shown["text"] == text
    assert set(shown["tags"]) <= {"a", "b", "i", "u", "s", "span", "pre", "code", "blockquote", "time"}
    assert set(shown["schemes"]) <= {"https:", "http:"}
    assert shown["ran"] is None
