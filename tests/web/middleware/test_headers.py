"""What every answer tells browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from aiohttp import web

from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve
    from tgbridge.app import Service

APP: Final = "https://app.example.com"
SANDBOX: Final = "sandbox; default-src 'none'"


async def read(_request: web.Request) -> web.StreamResponse:
    return web.json_response([])


async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Security-Policy": SANDBOX, "Vary": "Accept"})
    response.content_type = "video/mp4"
    await response.prepare(request)
    await response.write_eof(b"x")
    return response


async def fail(_request: web.Request) -> web.StreamResponse:
    raise RuntimeError


ENDPOINTS: Final = tuple(
    Endpoint("GET", f"/{handler.__name__}", handler, summary="", answers=(Success("", None),))
    for handler in (read, stream, fail)
)


@pytest.fixture
async def service(serve: Serve, make_settings: MakeSettings) -> Service:
    return await serve(make_settings(), ENDPOINTS)


@pytest.fixture
async def sharing(serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser) -> ClientSession:
    """A browser of a service that shares with another origin."""
    return new_browser(await serve(make_settings(cors={"allowed_origins": [APP]}), ENDPOINTS))


@pytest.mark.parametrize("path", ["/read", "/stream", "/fail", "/nothing"])
async def test_each_answer(browser: ClientSession, path: str) -> None:
    """Whatever is answered: no sniffing, no referrer for others, no embedding and no framing by others."""
    async with browser.get(path) as response:
        headers = response.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == ("SAMEORIGIN" if path == "/stream" else "DENY")
        assert "frame-ancestors" in headers.getall("Content-Security-Policy")[-1]
        assert not [name for name in headers if name.startswith(("Access-Control-", "Strict-"))]
        assert headers.getall("Vary", []) == (["Accept"] if path == "/stream" else [])


async def test_policies_add_up(browser: ClientSession, sharing: ClientSession) -> None:
    """What a file's answer forbids stays forbidden; frames have a policy of their own."""
    async with browser.get("/stream") as response:
        assert response.headers.getall("Content-Security-Policy") == [SANDBOX, "frame-ancestors 'self'"]
    async with sharing.get("/stream") as response:
        assert response.headers.getall("Content-Security-Policy") == [
            SANDBOX,
            f"frame-ancestors 'self' {APP}",
        ]
        assert "X-Frame-Options" not in response.headers
    async with sharing.get("/read") as response:
        assert response.headers.getall("Content-Security-Policy") == [
            "default-src 'none'; frame-ancestors 'none'"
        ]


@pytest.mark.parametrize("path", ["/read", "/stream", "/fail", "/nothing"])
async def test_shared(sharing: ClientSession, path: str) -> None:
    """An allowed page may read any answer, errors too, and the fields that a player and tus look at."""
    async with sharing.get(path, headers={"Origin": APP}) as response:
        headers = response.headers
        assert headers["Access-Control-Allow-Origin"] == APP
        assert headers["Access-Control-Allow-Credentials"] == "true"
        exposed = set(headers["Access-Control-Expose-Headers"].split(", "))
        assert exposed >= {"Content-Range", "Accept-Ranges", "ETag", "Content-Disposition", "Content-Length"}
        assert exposed >= {"X-Request-Id", "Retry-After", "Location", "Upload-Offset", "Upload-Length"}
        assert exposed >= {"Tus-Resumable", "Tus-Version", "X-Message-Id", "Link"}
        assert headers["Cross-Origin-Resource-Policy"] == "same-site"
        assert headers["Vary"] == ("Accept, Origin" if path == "/stream" else "Origin")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{APP}.evil.example", None])
async def test_not_shared(sharing: ClientSession, origin: str | None) -> None:
    """No other page may, and caches are told that it depends."""
    async with sharing.get("/read", headers={} if origin is None else {"Origin": origin}) as response:
        assert not [name for name in response.headers if name.startswith("Access-Control-")]
        assert response.headers["Vary"] == "Origin"


HSTS = {
    "https": ({}, {}, "tg.example.com", "https", "max-age=31536000"),
    "a setting": ({"hsts_seconds": 60}, {}, "tg.example.com:8443", "https", "max-age=60"),
    "turned off": ({"hsts_seconds": 0}, {}, "tg.example.com", "https", None),
    "http": ({}, {}, "tg.example.com", "http", None),
    "a cookie for http": ({}, {"secure": False}, "tg.example.com", "https", None),
    "this machine": ({}, {}, "localhost:8443", "https", None),
    "this machine by another name": ({}, {}, "tg.localhost", "https", None),
    "an address": ({}, {}, "127.0.0.1:8443", "https", None),
    "an IPv6 address": ({}, {}, "[::1]:8443", "https", None),
}


@pytest.mark.parametrize(("server", "session", "host", "scheme", "told"), HSTS.values(), ids=HSTS.keys())
async def test_hsts(
    serve: Serve,
    make_settings: MakeSettings,
    new_browser: NewBrowser,
    server: dict[str, int],
    session: dict[str, bool],
    host: str,
    scheme: str,
    told: str | None,
) -> None:
    """Browsers are kept to https where they came by it, to a name that serves nothing else."""
    settings = make_settings(
        server={"trusted_proxies": ["127.0.0.1"], **server}, session={"secure": True, **session}
    )
    browser = new_browser(await serve(settings, ENDPOINTS))
    said = {"X-Forwarded-Proto": scheme, "X-Forwarded-Host": host}
    async with browser.get("/read", headers=said) as response:
        assert response.headers.get("Strict-Transport-Security") == told
