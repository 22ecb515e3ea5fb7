"""What docs/ shows of event streams, in a real Chromium, as it stands there: `make browser-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.devices import device
from tests.docs.reading import ROOT, blocks

if TYPE_CHECKING:
    from tests.browser.conftest import Page
    from tests.conftest import MakeSettings, Serve
    from tgbridge.sandbox import Sandbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PHONE: Final = "+9996610001"
SIGN_IN: Final = """
(async () => {
    for (const [path, body] of [['send-code', {phone: %r}], ['sign-in', {phone: %r, code: '11111'}]]) {
        const headers = {'Content-Type': 'application/json'};
        const answer = await fetch(`/${path}`, {method: 'POST', headers, body: JSON.stringify(body)});
        if (!answer.ok) throw new Error(await answer.text());
    }
})()
"""
UPLOAD: Final = """
(async () => {
    const form = new FormData();
    form.append('file', new File(['seen'], 'seen.txt', {type: 'text/plain'}));
    const drawn = [];
    const draw = (progress) => drawn.push(progress);
    const say = () => {};
    const [item, failed] = await new Promise((resolve) => {
        const add = (item) => resolve([item, null]);
        const fail = (failure) => resolve([null, failure]);
        (async () => {
            %s
        })();
    });
    return [item?.name, failed, drawn.at(-1)?.received];
})()
"""
FOLLOW: Final = """
(async () => {
    window.seen = [];
    const put = (item) => seen.push(item.caption);
    const remove = (ids) => seen.push(ids);
    const list = () => seen.push('reload');
    const signIn = () => seen.push('ended');
    %s
    window.followed = stream;
})()
"""
SEEN: Final = """
new Promise((resolve, reject) => {
    const ends = Date.now() + 30000;
    (function look() {
        if (seen.length >= 2) resolve(seen);
        else if (Date.now() > ends) reject(new Error(JSON.stringify(seen)));
        else setTimeout(look, 20);
    })();
})
"""


@pytest.fixture
async def frontend(serve: Serve, make_settings: MakeSettings) -> str:
    """A page of the service's own, whose policy lets it call the service."""
    return f"{(await serve(make_settings())).url}/docs"


def snippet(page: str, mark: str) -> str:
    return next(block for block in blocks(ROOT / "docs" / page, "js") if mark in block)


async def test_progress(page: Page) -> None:
    """The snippet of uploads.md sends a form, draws how far it is, and has the item."""
    await page.evaluate(SIGN_IN % (PHONE, PHONE))
    name, failed, received = await page.evaluate(UPLOAD % snippet("uploads.md", "randomUUID"))
    assert (name, failed) == ("seen.txt", None)
    assert received >= len("seen")


async def test_changes(page: Page, sandbox: Sandbox) -> None:
    """The snippet of media.md hears of what another device sends and deletes."""
    await page.evaluate(SIGN_IN % (PHONE, PHONE))
    await page.evaluate(FOLLOW % snippet("media.md", "last_event_id=${last_event_id}"))
    async with device(sandbox, PHONE) as telephone:
        sent = await telephone.send_file("me", b"from a telephone", caption="hello")
        await telephone.delete_messages("me", [sent.id])
    assert await page.evaluate(SEEN) == ["hello", [sent.id]]
    await page.evaluate("followed.close()")
