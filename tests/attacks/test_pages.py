"""Pages that make a user's browser ask."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.devices import device, scan
from tests.web.routes.events import events
from tests.web.routes.rows import post
from tgbridge.app import ENDPOINTS
from tgbridge.web.middleware.origin import SAFE_METHODS

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, NewBrowser
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox

PHONE: Final = "+9996610001"
EVIL: Final[dict[str, dict[str, str]]] = {
    "another site's": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "a sister site's": {"Origin": "https://evil.example.com", "Sec-Fetch-Site": "same-site"},
    "a sandboxed": {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    "an old browser's": {"Origin": "https://evil.example"},
    "a silent": {"Sec-Fetch-Site": "cross-site"},
}
# All that does something: not a GET, unless it begins a login.
ACTIONS: Final = [
    (endpoint.method, re.sub(r"\{\w+\}", "1", endpoint.path))
    for endpoint in ENDPOINTS
    if endpoint.method not in SAFE_METHODS or endpoint.limit is not None
]


@pytest.mark.parametrize("page", EVIL.values(), ids=EVIL.keys())
async def test_cross_site_request(browser: ClientSession, sandbox: Sandbox, page: dict[str, str]) -> None:
    """Login CSRF and its like: no page of another origin does anything, whichever way it sends its form."""
    form = json.dumps({"phone": PHONE, "code": "11111", "password": "tgbridge", "claim": "x"})
    kinds = ("application/json", "text/plain", "application/x-www-form-urlencoded")
    for (method, path), kind in itertools.product(ACTIONS, kinds):
        headers = page | {"Content-Type": kind}
        async with browser.request(method, path, data=form, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (403, "ORIGIN_NOT_ALLOWED")
            assert "Set-Cookie" not in response.headers
    assert sandbox.counters.connections.total() == 0


async def test_reading_across_sites(signed_in: ClientSession) -> None:
    """What a page of another origin makes a browser fetch, its browser keeps from it."""
    for path in ("/me", "/get-saved-messages-media", "/is-authenticated"):
        async with signed_in.get(path, headers={"Origin": "https://evil.example"}) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
            assert response.headers["Cross-Origin-Resource-Policy"] == "same-site"
            assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_cookie_stays_home(browser: ClientSession) -> None:
    """The cookie is not sent with other sites' requests, and no script reads it."""
    async with browser.post("/send-code", json={"phone": PHONE}) as response:
        cookie = response.headers["Set-Cookie"]
    assert "SameSite=Lax" in cookie
    assert "HttpOnly" in cookie
    assert "Domain" not in cookie


async def test_qr_code_picked_up_elsewhere(new_browser: NewBrowser, sandbox: Sandbox) -> None:
    """A claim is good in the browser that opened the stream, and in no other, for one login."""
    own, other = new_browser(), new_browser()
    async with device(sandbox, "+9996620001") as telephone, events(own, "/qr-login") as stream:
        event = await stream.next()
        assert event is not None
        await scan(telephone, event[1]["url"])
        ((_, claim),) = await stream.rest()
    async with events(other, "/qr-login"):
        pass
    for thief in (other, new_browser()):
        status, body = await post(thief, "/qr-login/claim", claim)
        assert (status, body["code"]) == (403, "QR_CLAIM_FOREIGN")
    first = await post(own, "/qr-login/claim", claim)
    assert (first[0], await post(own, "/qr-login/claim", claim)) == (200, first)
    assert (await post(other, "/qr-login/claim", claim))[0] == 403
    assert (await post(own, "/logout"))[0] == 200
    assert (await post(own, "/qr-login/claim", claim))[0] == 403


HOSTS: Final = {
    "another name": b"Host: evil.example",
    "a name within": b"Host: tg.example.com.evil.example",
    "an address": b"Host: 169.254.169.254",
    "two": b"Host: tg.example.com\r\nHost: evil.example",
    "none": b"X-No-Host: 1",
    "empty": b"Host:",
    "a path": b"Host: evil.example/tg.example.com",
    "a user": b"Host: tg.example.com@evil.example",
    "forwarded": b"Host: evil.example\r\nX-Forwarded-Host: tg.example.com",
}


async def test_host(service: Service, exchange: Exchange) -> None:
    """A page whose own name points to us (DNS rebinding) does not reach the service by it."""
    told = {}
    for name, host in HOSTS.items():
        answer = await exchange(service, b"GET /is-authenticated HTTP/1.1\r\n%b\r\n\r\n" % host)
        told[name] = int(answer.split(b" ")[1])
    assert told == {
        "another name": 421,
        "a name within": 421,
        "an address": 421,
        "two": 400,
        "none": 400,
        "empty": 421,
        "a path": 400,
        "a user": 400,
        "forwarded": 421,
    }


async def test_host_in_the_target(service: Service, exchange: Exchange) -> None:
    """Nor by naming its own in the target, whatever the Host field says."""
    head = b"GET http://evil.example/is-authenticated HTTP/1.1\r\nHost: tg.example.com\r\n\r\n"
    assert (await exchange(service, head)).startswith(b"HTTP/1.1 421 ")
