"""The page of the API in a real Chromium, under its own policy: `make browser-test`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tgbridge.sandbox.seeds import IDS

if TYPE_CHECKING:
    from tests.browser.conftest import Page
    from tests.conftest import MakeSettings, Serve

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PHONE: Final = "+9996610001"
UNTIL: Final = """
new Promise((resolve, reject) => {
    const ends = Date.now() + 30000;
    (function look() {
        const found = %s;
        if (found) resolve(found);
        else if (Date.now() > ends) reject(new Error(document.body.innerText.slice(0, 2000)));
        else setTimeout(look, 20);
    })();
})
"""
SEND: Final = """
(({id, fields}) => {
    const operation = document.getElementById(id);
    operation.open = true;
    for (const [name, value] of Object.entries(fields)) {
        operation.querySelector(`[name="${name}"]`).value = value;
    }
    operation.querySelector('form button').click();
})(%s)
"""
WATCH: Final = """
window.refused = [];
addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective));
"""
CHOOSE: Final = """
(() => {
    const chosen = new DataTransfer();
    chosen.items.add(new File(['Tried'], 'tried.txt', {type: 'text/plain'}));
    document.getElementById('op-upload_file-body-file').files = chosen.files;
})()
"""


@pytest.fixture
async def frontend(serve: Serve, make_settings: MakeSettings) -> str:
    example = {"example_phone": PHONE, "example_code": "11111"}
    return f"{(await serve(make_settings(docs=example))).url}/docs"


async def until(page: Page, expression: str) -> Any:
    return await page.evaluate(UNTIL % expression)


async def send(page: Page, name: str, answer: str, **fields: object) -> Any:
    """Fill an operation's form in, send it, and wait for what is then true of its answer."""
    given = {key: str(value) for key, value in fields.items()}
    await page.evaluate(SEND % {"id": f"op-{name}", "fields": given})
    return await until(page, answer.replace("$", f"document.querySelector('#op-{name} .answer')"))


async def test_tried(page: Page) -> None:
    """By the page alone one signs in, sends a file, and sees pictures, films, texts and errors."""
    assert await until(page, "document.getElementById('session').innerText") == "This browser: signed out"
    await page.evaluate("document.querySelector('#example button').click()")
    await until(
        page, "document.getElementById('session').innerText.startsWith('This browser: signed in, user ')"
    )
    await page.evaluate(CHOOSE)
    text = "$.querySelector(':scope > pre')?.innerText"
    answer = await send(page, "upload_file", f"{text}?.includes('message_id') && {text}", caption="by hand")
    sent = int(answer.rpartition('"message_id": ')[2].partition("\n")[0].rstrip(","))
    answer = await send(page, "get_item", f"{text}?.includes('by hand') && {text}", message_id=sent)
    assert '"name": "tried.txt"' in answer
    assert await send(page, "stream_media", text, message_id=sent) == "Tried"
    assert (
        await send(page, "stream_media", "$.querySelector('video')?.videoWidth", message_id=IDS["video"]) > 0
    )
    assert await send(
        page, "stream_thumbnail", "$.querySelector('img')?.naturalWidth", message_id=IDS["photo"]
    )
    assert await send(
        page, "get_item", "$.classList.contains('failed') && $.innerText.startsWith('404')", message_id=0
    )
    answer = await send(page, "delete_items", f"{text}?.includes('deleted') && {text}", ids=f"[{sent}]")
    assert f'"deleted": [\n    {sent}\n  ]' in answer


async def test_events(page: Page) -> None:
    """A stream of events is shown as it comes, until somebody stops it."""
    text = "$.querySelector('pre[tabindex]')?.innerText"
    await send(page, "qr_login", f"{text}?.includes('event: qr')")
    await page.evaluate("document.querySelector('#op-qr_login form [type=button]').click()")
    await until(page, "!document.querySelector('#op-qr_login form button').disabled")


async def test_policy_holds(page: Page, frontend: str) -> None:
    """Nothing of the page is against its policy, by which the browser refuses a style sheet within."""
    await page.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    await page.call("Page.navigate", url=f"{frontend}/")
    await until(page, "document.getElementById('session')?.innerText")
    assert await page.evaluate("refused") == []
    await page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: 'p {}'}))"
    )
    assert await until(page, "refused.length && refused") == ["style-src-elem"]
