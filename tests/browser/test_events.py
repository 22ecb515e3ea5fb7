"""A browser's own EventSource at /events: it gives up for good on any status but 200."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from yarl import URL

from tgbridge.sandbox import telephone
from tgbridge.telegram.mtproto import connector
from tgbridge.web.routes import events

if TYPE_CHECKING:
    from tests.browser.conftest import Page
    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PHONE: Final = "+9996610001"

_OPEN: Final = """
globalThis.failures = 0;
globalThis.ids = [];
globalThis.source = new EventSource("%s", {withCredentials: true});
source.onerror = () => { failures += 1; };
source.addEventListener("media_added", (event) => ids.push(JSON.parse(event.data).id));
null
"""
_CONNECTS_AGAIN: Final = """
new Promise((done) => {
    const again = () => source.readyState === EventSource.CONNECTING;
    const look = () => failures > 0 ? done(again()) : setTimeout(look, 20);
    look();
})
"""
_TOLD: Final = """
new Promise((done) => {
    const look = () => ids.length > 0 ? done(ids) : setTimeout(look, 20);
    look();
})
"""


async def test_a_page_whose_turn_to_connect_is_far_away(
    page: Page,
    frontend: str,
    make_settings: MakeSettings,
    serve: Serve,
    new_browser: NewBrowser,
    sign_in: SignIn,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It connects again by itself until it has had its turn, and is then told what is new."""
    monkeypatch.setattr(events, "_LATER", (0.05, 0.1))
    telegram = {"connect_timeout_seconds": 0.5, "request_timeout_seconds": 0.5}
    settings = make_settings(cors={"allowed_origins": [frontend.rstrip("/")]}, telegram=telegram)
    service = await serve(settings)
    signed_in = new_browser(service)
    await sign_in(signed_in)
    url = str(URL(service.url).with_host("localhost").origin())
    for cookie in signed_in.cookie_jar:
        await page.call("Network.setCookie", name=cookie.key, value=cookie.coded_value, url=url, path="/")
    async with signed_in.get("/media?limit=1") as response:
        since = (await response.json())["last_event_id"]
    monkeypatch.setattr(connector, "AT_ONCE", 1)
    monkeypatch.setattr(connector, "PER_SECOND", 1 / 2)
    sandbox.faults.drop_connections()
    async with signed_in.get("/media/counts") as response:
        assert response.status == 200
    sandbox.faults.drop_connections()
    new = telephone.send(sandbox, PHONE, "photo")
    await page.evaluate(_OPEN % f"{url}/events?last_event_id={since}")
    assert await page.evaluate(_CONNECTS_AGAIN)
    assert await page.evaluate(_TOLD) == [new]
