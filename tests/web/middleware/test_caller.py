"""Who calls: from the socket, from trusted proxies, and by which name of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from tests.conftest import Exchange, MakeSettings, NewBrowser, Serve
    from tgbridge.app import Service


async def who(request: web.Request) -> web.StreamResponse:
    caller = request[keys.EXCHANGE].caller
    return web.json_response([caller.address, caller.scheme, caller.host])


ENDPOINTS: Final = (Endpoint("GET", "/who", who, summary="", answers=(Success("", None),)),)
SAID: Final = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "tg.example.com",
}


@pytest.fixture
async def service(serve: Serve, make_settings: MakeSettings) -> Service:
    return await serve(make_settings(server={"trusted_proxies": ["127.0.0.0/8"]}), ENDPOINTS)


async def test_behind_a_proxy(service: Service, new_browser: NewBrowser) -> None:
    """A trusted proxy's word is taken, and the log has the caller's address."""
    with capture_logs() as logs:
        async with new_browser(service).get("/who", headers=SAID) as response:
            assert await response.json() == ["203.0.113.7", "https", "tg.example.com"]
        async with new_browser(service).get("/who") as response:
            assert (await response.json())[:2] == ["127.0.0.1", "http"]
    assert next(line for line in logs if line["event"] == "answered")["address"] == "203.0.113.7"


async def test_without_a_proxy(serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser) -> None:
    """Nobody else's word is."""
    service = await serve(make_settings(), ENDPOINTS)
    async with new_browser(service).get("/who", headers=SAID) as response:
        assert await response.json() == ["127.0.0.1", "http", service.url.removeprefix("http://")]


async def test_several_lines(service: Service, exchange: Exchange) -> None:
    """Several lines of a field are one list, of which the last entry is the proxy's."""
    head = b"GET /who HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n"
    assert (await exchange(service, head)).endswith(b'["203.0.113.7", "http", "x"]')


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"http://tg.example.com:81/who", b"tg.example.com:81"),
        (b"http://user@tg.example.com/who", b"tg.example.com"),
        (b"https://tg.example.com/who", b"tg.example.com"),
    ],
)
async def test_absolute_form(service: Service, exchange: Exchange, target: bytes, host: bytes) -> None:
    """A target that names its host overrides the Host field, but nobody chooses the scheme."""
    answer = await exchange(service, b"GET %b HTTP/1.1\r\nHost: evil.example\r\n\r\n" % target)
    assert answer.endswith(b'["127.0.0.1", "http", "%b"]' % host)
