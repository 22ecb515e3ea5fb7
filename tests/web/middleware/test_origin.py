"""Who may call: pages by their origin, anything else freely; and by which name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web

from tgbridge.models import PasswordInput
from tgbridge.web.endpoint import Endpoint, Parameter, Success

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import Exchange, MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service

APP: Final = "https://app.example.com"
REFUSED: Final = {
    "error": "This origin may not call this service.",
    "code": "ORIGIN_NOT_ALLOWED",
    "details": "It is neither the service's own nor in cors.allowed_origins. Behind a proxy or a rewrite, "
    "the service knows its own only if server.trusted_proxies names the proxy's address.",
}


async def done(_request: web.Request) -> web.StreamResponse:
    return web.json_response("done")


async def done_too(_request: web.Request) -> web.StreamResponse:
    return web.json_response("done")


async def begin(_request: web.Request) -> web.StreamResponse:
    return web.json_response("begun")


async def limited(_request: web.Request) -> web.StreamResponse:
    return web.json_response("limited")


def endpoint(method: Any, path: str, handler: Any, **options: Any) -> Endpoint:
    return Endpoint(method, path, handler, summary="", answers=(Success("", None),), **options)


ENDPOINTS: Final = (
    endpoint("POST", "/do", done, body=PasswordInput),
    endpoint(
        "GET",
        "/do",
        done_too,
        parameters=(Parameter("Range", "header", str, ""), Parameter("q", "query", str, "")),
    ),
    endpoint("GET", "/begin", begin, acts=True),
    endpoint("GET", "/limited", limited, limit="qr_login_per_address"),
)


@pytest.fixture
async def service(serve: Serve, make_settings: MakeSettings) -> Service:
    settings = make_settings(
        cors={"allowed_origins": [APP, "http://localhost:3000"], "max_age_seconds": 60},
        server={"trusted_proxies": ["127.0.0.1"]},
    )
    return await serve(settings, ENDPOINTS)


async def ask(
    browser: ClientSession, headers: dict[str, str], method: str = "POST", path: str = "/do"
) -> tuple[int, Any]:
    async with browser.request(method, path, headers=headers) as response:
        return response.status, await response.json()


BEHIND: Final = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "tg.example.com"}
GOOD: dict[str, dict[str, str]] = {
    "no browser": {},
    "no browser, with a cookie": {"Cookie": "tgbridge=x"},
    "an allowed page": {"Origin": APP, "Sec-Fetch-Site": "cross-site"},
    "another allowed page": {"Origin": "http://localhost:3000"},
    "a page of ours": {"Origin": "https://tg.example.com", "Sec-Fetch-Site": "same-origin"} | BEHIND,
    "a page of ours, with the usual port": {"Origin": "https://tg.example.com"}
    | BEHIND
    | {"X-Forwarded-Host": "TG.example.com:443"},
    "a page of ours, without Origin": {"Sec-Fetch-Site": "same-origin"},
    "the address bar": {"Sec-Fetch-Site": "none"},
}
BAD: dict[str, dict[str, str]] = {
    "a page of another origin": {"Origin": "https://evil.example"},
    "a page in a sandbox": {"Origin": "null"},
    "no origin at all": {"Origin": ""},
    "an allowed page by http": {"Origin": "http://app.example.com"},
    "another port": {"Origin": f"{APP}:8443"},
    "a longer name": {"Origin": f"{APP}.evil.example"},
    "a name within": {"Origin": "https://evil.example/https://app.example.com"},
    "in capitals": {"Origin": APP.upper()},
    "with a slash": {"Origin": f"{APP}/"},
    "a list": {"Origin": f"{APP}, https://evil.example"},
    "our host by http": {"Origin": "http://tg.example.com"} | BEHIND,
    "our host at another port": {"Origin": "https://tg.example.com:8443"} | BEHIND,
    "another site, without Origin": {"Sec-Fetch-Site": "cross-site"},
    "a sister site, without Origin": {"Sec-Fetch-Site": "same-site"},
    "something new": {"Sec-Fetch-Site": "next-door"},
    "an own site in capitals": {"Sec-Fetch-Site": "Same-Origin"},
    "an origin that contradicts the site": {
        "Origin": "https://evil.example",
        "Sec-Fetch-Site": "same-origin",
    },
}


@pytest.mark.parametrize("headers", GOOD.values(), ids=GOOD.keys())
async def test_served(service: Service, new_browser: NewBrowser, headers: dict[str, str]) -> None:
    """Pages of ours and of allowed origins may act, and whatever is no browser."""
    for method, path in (("POST", "/do"), ("GET", "/begin")):
        assert (await ask(new_browser(service), headers, method, path))[0] == 200


@pytest.mark.parametrize("headers", BAD.values(), ids=BAD.keys())
async def test_refused(service: Service, new_browser: NewBrowser, headers: dict[str, str]) -> None:
    """Any other page may not: with a method that acts, or to begin a login; reading is CORS's affair."""
    for method, path in (("POST", "/do"), ("GET", "/begin")):
        assert await ask(new_browser(service), headers, method, path) == (403, REFUSED)
    for path in ("/do", "/limited"):
        assert (await ask(new_browser(service), headers, "GET", path))[0] == 200


async def test_two_origins(service: Service, exchange: Exchange) -> None:
    """Two Origin fields are no origin."""
    answer = await exchange(
        service,
        b"POST /do HTTP/1.1\r\nHost: x\r\nOrigin: %b\r\nOrigin: http://x\r\nContent-Length: 0\r\n\r\n"
        % APP.encode(),
    )
    assert answer.startswith(b"HTTP/1.1 403 ")


async def test_own_origin_without_a_proxy(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser
) -> None:
    """Without a trusted proxy the own origin is that of the connection and of Host."""
    service = await serve(make_settings(), ENDPOINTS)
    browser = new_browser(service)
    assert (await ask(browser, {"Origin": service.url}))[0] == 200
    assert (await ask(browser, {"Origin": "https://tg.example.com"} | BEHIND))[0] == 403


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/begin", 405)])
async def test_path_and_method_first(
    service: Service, new_browser: NewBrowser, path: str, status: int
) -> None:
    """What is not there is not there for anybody."""
    assert (await ask(new_browser(service), {"Origin": "https://evil.example"}, "POST", path))[0] == status


# Preflights


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-type,x-anything",
    }


async def test_preflight_of_a_client_that_always_declares_json(
    service: Service, new_browser: NewBrowser
) -> None:
    """A page may send Content-Type everywhere, also where there is no body to be of that type."""
    async with new_browser(service).options("/begin", headers=preflight(APP)) as response:
        assert response.headers["Access-Control-Allow-Headers"] == "Content-Type, X-Request-Id"


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_preflight(service: Service, new_browser: NewBrowser, method: str) -> None:
    """An allowed page is told which methods and fields the path takes, whatever it asked for."""
    async with new_browser(service).options("/do", headers=preflight(APP, method)) as response:
        assert (response.status, await response.read()) == (204, b"")
        told = {name: value for name, value in response.headers.items() if name.startswith("Access-Control-")}
        vary = response.headers["Vary"]
    exposed = told.pop("Access-Control-Expose-Headers")
    assert "Content-Range" in exposed
    assert told == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET, HEAD, POST",
        "Access-Control-Allow-Headers": "Content-Type, Range, X-Request-Id",
        "Access-Control-Max-Age": "60",
    }
    assert vary == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


async def test_preflight_refused(service: Service, new_browser: NewBrowser) -> None:
    """Any other page is told nothing by which its browser would go on."""
    async with new_browser(service).options("/do", headers=preflight("https://evil.example")) as response:
        assert (response.status, await response.json()) == (403, REFUSED)
        assert not [name for name in response.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/nothing", preflight(APP), 404),
        ("/do", {"Origin": APP}, 405),
        ("/do", {"Access-Control-Request-Method": "POST"}, 405),
    ],
)
async def test_no_preflight(
    service: Service, new_browser: NewBrowser, path: str, headers: dict[str, str], status: int
) -> None:
    """OPTIONS is a preflight only as the Fetch standard has it, and only for what is there."""
    async with new_browser(service).options(path, headers=headers) as response:
        assert response.status == status


# By which name


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"tg.example.com", 200),
        (b"TG.Example.com:8080", 200),
        (b"tg.example.com.", 200),
        (b"[::1]:8080", 200),
        (b"evil.example", 421),
        (b"tg.example.com.evil.example", 421),
        (b"127.0.0.1", 421),
        (b"", 421),
        (b"tg.example.com, evil.example", 400),
        (b"tg.example.com/", 400),
        (b"user@tg.example.com", 400),
        (b"tg.example.com:http", 400),
    ],
)
async def test_allowed_hosts(
    serve: Serve, make_settings: MakeSettings, exchange: Exchange, host: bytes, status: int
) -> None:
    """A name that is none of ours is misdirected (421); what is no name is malformed (400)."""
    service = await serve(make_settings(server={"allowed_hosts": ["tg.example.com", "[::1]"]}), ENDPOINTS)
    answer = await exchange(service, b"GET /do HTTP/1.1\r\nHost: %b\r\n\r\n" % host)
    assert answer.startswith(b"HTTP/1.1 %d " % status)


async def test_any_host(service: Service, exchange: Exchange) -> None:
    """Without the setting every name will do, and none, as in HTTP/1.0."""
    for head in (b"GET /do HTTP/1.1\r\nHost: any.example\r\n\r\n", b"GET /do HTTP/1.0\r\n\r\n"):
        assert b" 200 OK\r\n" in await exchange(service, head)


# The whole service


async def test_login_from_an_allowed_page(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """A frontend of another origin signs in and reads, with the cookie."""
    service = await serve(make_settings(cors={"allowed_origins": [APP]}))
    browser = new_browser(service)
    browser.headers["Origin"] = APP
    await sign_in(browser)
    async with browser.get("/me") as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == APP
