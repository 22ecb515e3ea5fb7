"""A session that has ended stays so, for each of its cookies and at each endpoint, with the reason told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from tests.ready import ready_session
from tests.web.routes.rows import NOT_AUTHENTICATED, PHONE, is_authenticated, post
from tests.web.routes.tus_client import begin, head, patch
from tgbridge.app import ENDPOINTS
from tgbridge.logins import outlived
from tgbridge.logins.session_state import BrowserSession, SessionState
from tgbridge.web import keys
from tgbridge.web.endpoint import Endpoint, Success

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tests.web.routes.conftest import Until
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings

LOGGED_OUT: Final = "AUTH_KEY_UNREGISTERED"
OUTLIVED: Final = "SESSION_EXPIRED"
PROTECTED: Final = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS if endpoint.signed_in]
HALF_A_YEAR: Final = 180 * 86400


def cookie_of(browser: ClientSession) -> str:
    (cookie,) = browser.cookie_jar
    return cookie.value


async def replay(browser: ClientSession, cookie: str, method: str, path: str) -> tuple[int, Any, str | None]:
    """The status, the code, and what becomes of the cookie in a browser that still has it."""
    headers = {"Cookie": f"tgbridge={cookie}", "Tus-Resumable": "1.0.0"}
    if (method, path) == ("POST", "/uploads/{upload_id}"):
        headers["X-HTTP-Method-Override"] = "HEAD"  # without one it is a 405 for everybody
    path = path.format(upload_id="0123456789", message_id=1, hash="1", name="a.mp4")
    async with browser.request(method, path, headers=headers) as response:
        is_error = response.status >= 400 and method != "HEAD"
        body = await response.json() if is_error else {}
        morsel = response.cookies.get("tgbridge")
        return response.status, body.get("code"), None if morsel is None else morsel["max-age"]


def requests_to_telegram(sandbox: Sandbox) -> int:
    return sum(sandbox.counters.calls.values())


@pytest.mark.parametrize(("method", "path"), PROTECTED)
async def test_after_a_logout(
    signed_in: ClientSession, new_browser: NewBrowser, sandbox: Sandbox, method: str, path: str
) -> None:
    """A copy of the cookie of who has logged out is refused and cleared each time; Telegram is not asked."""
    cookie, browser = cookie_of(signed_in), new_browser()
    assert (await post(signed_in, "/logout"))[0] == 200
    asked = requests_to_telegram(sandbox)
    for _ in range(3):
        status, code, max_age = await replay(browser, cookie, method, path)
        assert (status, max_age) == (401, "0")
        assert method == "HEAD" or code == LOGGED_OUT
    assert requests_to_telegram(sandbox) == asked


@pytest.mark.parametrize("name", ["SESSION_REVOKED", "AUTH_KEY_DUPLICATED", "USER_DEACTIVATED", None])
async def test_ended_by_telegram(
    signed_in: ClientSession, new_browser: NewBrowser, sandbox: Sandbox, name: str | None
) -> None:
    """The reason that Telegram once gave is told to each request that comes with the cookie, wherever."""
    cookie, browser = cookie_of(signed_in), new_browser()
    sandbox.faults.revoke(error=name)
    assert (await replay(browser, cookie, "GET", "/me"))[0] == 401
    asked = requests_to_telegram(sandbox)
    for path in ("/me", "/get-saved-messages-media", "/stream_media/1", "/uploads/0123456789/events"):
        expected = (401, name or "AUTH_KEY_NOT_FOUND", "0")
        assert await replay(browser, cookie, "GET", path) == expected
    assert requests_to_telegram(sandbox) == asked


async def test_uploads_of_the_next_session(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Who has the cookie of a session that was logged out does not get at the uploads of the next one."""
    cookie, thief = cookie_of(signed_in), new_browser()
    assert (await post(signed_in, "/logout"))[0] == 200
    await sign_in(signed_in)
    path = await begin(signed_in, 100)
    await patch(signed_in, path, 0, b"x" * 10)
    for method, what in (("HEAD", path), ("DELETE", path), ("PATCH", path), ("GET", f"{path}/events")):
        assert (await replay(thief, cookie, method, what))[0] == 401
    assert (await head(signed_in, path)).offset == 10


@pytest.mark.parametrize(
    ("method", "what"),
    [("HEAD", ""), ("DELETE", ""), ("PATCH", ""), ("PUT", "/thumbnail"), ("GET", "/events")],
)
async def test_uploads_after_an_end_elsewhere(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn, method: str, what: str
) -> None:
    """Nor does who was ended from another device, also where this is the first that Telegram is asked."""
    cookie, thief = cookie_of(signed_in), new_browser()
    owner = new_browser()
    await sign_in(owner)
    async with owner.delete("/sessions") as response:
        assert response.status == 204
    path = await begin(owner, 100)
    await patch(owner, path, 0, b"x" * 10)
    assert await replay(thief, cookie, method, path + what) == (
        401,
        None if method == "HEAD" else "SESSION_REVOKED",
        "0",
    )
    assert (await head(owner, path)).offset == 10


async def test_events_of_a_name_after_an_end_elsewhere(
    signed_in: ClientSession, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """Names that uploads have given themselves can be guessed; waiting for them is for nobody else either."""
    cookie, owner = cookie_of(signed_in), new_browser()
    await sign_in(owner)
    async with owner.delete("/sessions") as response:
        assert response.status == 204
    assert await replay(new_browser(), cookie, "GET", "/uploads/holiday-1/events") == (
        401,
        "SESSION_REVOKED",
        "0",
    )


async def test_is_authenticated(signed_in: ClientSession, new_browser: NewBrowser) -> None:
    """/is-authenticated says no to such a cookie, and clears it."""
    cookie, browser = cookie_of(signed_in), new_browser()
    await post(signed_in, "/logout")
    async with browser.get("/is-authenticated", headers={"Cookie": f"tgbridge={cookie}"}) as response:
        assert (response.status, await response.json()) == (200, {"authenticated": False})
        assert response.cookies["tgbridge"]["max-age"] == "0"


async def test_after_another_login(
    signed_in: ClientSession, new_browser: NewBrowser, log_in: SignIn, sandbox: Sandbox
) -> None:
    """The session that another login has taken the place of is one that has ended."""
    cookie = cookie_of(signed_in)
    await log_in(signed_in, "+9996610002")
    asked = requests_to_telegram(sandbox)
    assert await replay(new_browser(), cookie, "GET", "/me") == (401, LOGGED_OUT, "0")
    assert requests_to_telegram(sandbox) == asked
    assert await is_authenticated(signed_in)


async def test_after_a_restart(
    make_settings: MakeSettings, serve: Serve, signed_in: ClientSession, new_browser: NewBrowser
) -> None:
    """A process that knows nothing of a logout asks Telegram, answers the same, and knows it from then on."""
    cookie = cookie_of(signed_in)
    await post(signed_in, "/logout")
    restarted = await serve(make_settings())
    for _ in range(2):
        assert await replay(new_browser(restarted), cookie, "GET", "/me") == (401, LOGGED_OUT, "0")
    assert len(restarted.app[keys.POOL].ended) == 1


async def late(request: web.Request) -> web.StreamResponse:
    telegram = request[keys.SESSION].telegram
    assert telegram is not None
    request.app[keys.POOL].ended.add(telegram, "SESSION_REVOKED")  # as another request might, meanwhile
    return web.Response()


async def test_answer_that_is_late(
    serve: Serve, settings: Settings, sandbox: Sandbox, new_browser: NewBrowser
) -> None:
    """An answer that begins after the session has ended does not bring back a cookie that is due."""
    ending = Endpoint("GET", "/late", late, summary="", answers=(Success("", None),))
    service = await serve(settings, (*ENDPOINTS, ending))
    due = await cookie_from(service, sandbox, age=20 * 86400, unused=10 * 86400)
    browser = new_browser(service)
    async with browser.get("/session", headers={"Cookie": f"tgbridge={due}"}) as response:
        assert int(response.cookies["tgbridge"]["max-age"]) > 0
    assert await replay(browser, due, "GET", "/late") == (200, None, "0")


async def test_signed_in_again_with_the_same_key(browser: ClientSession, service: Service) -> None:
    """A key that was signed out and is signed in anew is a session like any other."""
    await post(browser, "/send-code", {"phone": PHONE})
    state = await service.app[keys.STORAGE].read(
        make_mocked_request("GET", "/", headers={"Cookie": f"tgbridge={cookie_of(browser)}"})
    )
    assert state.pending_login is not None
    service.app[keys.POOL].ended.add(state.pending_login.telegram, LOGGED_OUT)
    assert (await post(browser, "/sign-in", {"phone": PHONE, "code": "11111"}))[0] == 200
    assert await is_authenticated(browser)


# Beyond their lifetime


async def cookie_from(service: Service, sandbox: Sandbox, *, age: int, unused: int = 0) -> str:
    """A cookie of a session that was signed in `age` seconds ago, sent `unused` seconds ago."""
    now = int(time.time())
    account = sandbox.state.account_of(PHONE)
    state = SessionState(
        BrowserSession(
            telegram=ready_session(sandbox, PHONE),
            user_id=account.id,
            created=now - age,
            renewed=now - unused,
        )
    )
    content = {"created": now - unused, "session": {"browser": state.value.model_dump()}}
    storage = service.app[keys.STORAGE]
    token = storage._fernet.encrypt_at_time(storage._encoder(content).encode(), now - unused)
    return token.decode().rstrip("=")


def signed_in_at_telegram(sandbox: Sandbox) -> int:
    return sum(key.authorization is not None for key in sandbox.auth_keys)


@pytest.mark.parametrize("unused", [60, HALF_A_YEAR // 2], ids=["used lately", "unused for months"])
async def test_outlived(
    service: Service, sandbox: Sandbox, browser: ClientSession, until: Until, unused: int
) -> None:
    """A session beyond its lifetime is refused, and signed out at Telegram, once, when its cookie is seen."""
    cookie = await cookie_from(service, sandbox, age=HALF_A_YEAR + unused + 60, unused=unused)
    assert signed_in_at_telegram(sandbox) == 1
    for _ in range(3):
        assert await replay(browser, cookie, "GET", "/me") == (401, OUTLIVED, "0")
    await until(lambda: signed_in_at_telegram(sandbox) == 0)
    await until(lambda: len(service.app[keys.COMPLETION]) == 0)
    assert await replay(browser, cookie, "GET", "/me") == (401, OUTLIVED, "0")
    assert sandbox.counters.of("auth.logOut") == 1
    assert sandbox.counters.of("users.getUsers") == 0


async def test_old_copy(service: Service, sandbox: Sandbox, browser: ClientSession) -> None:
    """An old copy of a cookie, of a session that is within its lifetime, is nobody's and ends nothing."""
    cookie = await cookie_from(service, sandbox, age=60 * 86400, unused=40 * 86400)
    assert (await replay(browser, cookie, "GET", "/me"))[:2] == (401, NOT_AUTHENTICATED["code"])
    assert len(service.app[keys.COMPLETION]) == 0
    assert signed_in_at_telegram(sandbox) == 1


async def test_outlived_while_telegram_is_away(
    service: Service, sandbox: Sandbox, browser: ClientSession, until: Until
) -> None:
    """Where it can't be signed out, it is refused all the same, and tried again with the next cookie."""
    cookie = await cookie_from(service, sandbox, age=HALF_A_YEAR + 60)
    sandbox.faults.flood_wait("auth.logOut", 33)
    assert await replay(browser, cookie, "GET", "/me") == (401, OUTLIVED, "0")
    await until(lambda: len(service.app[keys.COMPLETION]) == 0)
    assert signed_in_at_telegram(sandbox) == 1
    assert await replay(browser, cookie, "GET", "/me") == (401, OUTLIVED, "0")
    await until(lambda: signed_in_at_telegram(sandbox) == 0)


async def test_many_outlived(
    service: Service, sandbox: Sandbox, browser: ClientSession, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many are signed out at a time, however many cookies come; each waits for none of it."""
    monkeypatch.setattr(outlived, "MOST", 2)
    held = sandbox.faults.hold("auth.logOut")
    cookies = [await cookie_from(service, sandbox, age=HALF_A_YEAR + 60) for _ in range(5)]
    for cookie in cookies * 2:
        assert await replay(browser, cookie, "GET", "/me") == (401, OUTLIVED, "0")
    assert len(service.app[keys.COMPLETION]) == 2
    held.release()
    await until(lambda: signed_in_at_telegram(sandbox) == 3)
