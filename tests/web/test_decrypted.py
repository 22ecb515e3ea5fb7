"""Cookies that were decrypted a moment ago: remembered for that moment, and refused when they would be."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from cryptography.fernet import Fernet

from tgbridge.logins.session_state import BrowserSession, SessionState
from tgbridge.settings import SessionSettings
from tgbridge.web import decrypted
from tgbridge.web.decrypted import DecryptedCookies
from tgbridge.web.session_cookie import RotatingFernet, SessionStorage

IDLE = 3600
SETTINGS = SessionSettings(idle_seconds=IDLE, lifetime_seconds=10 * IDLE)
KEY = Fernet.generate_key().decode()
NOW = 1_800_000_000
VALUE = BrowserSession(telegram="1secret", user_id=1, created=NOW, renewed=NOW)


class Clock:
    """The wall's clock, where the cookies look."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("time.time", made)
    return made


@pytest.fixture
def decryptions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was decrypted."""
    seen: list[str] = []
    real = RotatingFernet.decrypt

    def decrypt(self: RotatingFernet, token: bytes | str, ttl: int | None = None) -> bytes:
        seen.append(str(token))
        return real(self, token, ttl)

    monkeypatch.setattr(RotatingFernet, "decrypt", decrypt)
    return seen


def request(cookie: str) -> web.Request:
    return make_mocked_request("GET", "/", headers={"Cookie": f"tgbridge={cookie}"})


async def cookie_of(storage: SessionStorage) -> str:
    state, answer = SessionState(), web.Response()
    state.signed_in("1secret", 1)
    await storage.write(make_mocked_request("GET", "/"), answer, state)
    return answer.cookies["tgbridge"].value


async def test_once(clock: Clock, decryptions: list[str]) -> None:
    """A cookie that comes again is not decrypted again, until the moment is over."""
    storage = SessionStorage([KEY], SETTINGS, secure=False)
    cookie = await cookie_of(storage)
    for _ in range(3):
        assert (await storage.read(request(cookie))).telegram == "1secret"
    assert len(decryptions) == 1
    clock.now += decrypted.SECONDS
    assert (await storage.read(request(cookie))).telegram == "1secret"
    assert len(decryptions) == 2


@pytest.mark.parametrize(("age", "good"), [(IDLE, True), (IDLE + 1, False)])
async def test_expires_while_it_is_remembered(clock: Clock, age: int, good: bool) -> None:
    """To the second, a remembered cookie lasts as long as one that is decrypted."""
    storage = SessionStorage([KEY], SETTINGS, secure=False)
    cookie = await cookie_of(storage)
    clock.now += IDLE - 1
    assert (await storage.read(request(cookie))).telegram == "1secret"
    clock.now = NOW + age
    fresh = SessionStorage([KEY], SETTINGS, secure=False)
    assert ((await fresh.read(request(cookie))).telegram is not None) is good
    assert ((await storage.read(request(cookie))).telegram is not None) is good


async def test_tampered_after_it_is_remembered(clock: Clock) -> None:
    """What says anything else than a remembered cookie is another one."""
    storage = SessionStorage([KEY], SETTINGS, secure=False)
    cookie = await cookie_of(storage)
    assert (await storage.read(request(cookie))).telegram == "1secret"
    for place in (0, 20, len(cookie) - 2):  # of the last character Base64 does not read all bits
        other = "A" if cookie[place] != "A" else "B"
        tampered = cookie[:place] + other + cookie[place + 1 :]
        assert (await storage.read(request(tampered))).telegram is None


async def test_rotated_out(clock: Clock) -> None:
    """What one key's holder remembers is nothing to a service that has other keys."""
    storage = SessionStorage([KEY], SETTINGS, secure=False)
    cookie = await cookie_of(storage)
    assert (await storage.read(request(cookie))).telegram == "1secret"
    rotated = SessionStorage([Fernet.generate_key().decode()], SETTINGS, secure=False)
    assert (await rotated.read(request(cookie))).telegram is None


async def test_a_change_stays_with_its_request(clock: Clock) -> None:
    """Signing out in one request leaves what is remembered for others as it was."""
    storage = SessionStorage([KEY], SETTINGS, secure=False)
    cookie = await cookie_of(storage)
    first = await storage.read(request(cookie))
    first.signed_out()
    assert (await storage.read(request(cookie))).telegram == "1secret"


def test_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many the oldest is forgotten, and of all of them nothing is kept for longer than a moment."""
    monkeypatch.setattr(decrypted, "MOST", 10)
    cookies, token = DecryptedCookies(IDLE), Fernet(KEY).encrypt(b"x").decode()
    for number in range(12):
        cookies.keep(f"{token}{number}", NOW, VALUE)
    assert len(cookies) == 10
    assert cookies.find(f"{token}1") is None
    assert cookies.find(f"{token}2") is VALUE
    clock.now += decrypted.SECONDS
    assert cookies.find(f"{token}2") is None
    assert len(cookies) == 0


def test_clock_set_back(clock: Clock) -> None:
    """A clock that is set back makes nobody's cookie last longer: all are decrypted again."""
    cookies, token = DecryptedCookies(IDLE), Fernet(KEY).encrypt(b"x").decode()
    cookies.keep(token, NOW, VALUE)
    clock.now -= 1
    assert cookies.find(token) is None


def test_nothing_to_see(clock: Clock) -> None:
    """No cookie stands in what is remembered, and no session in how it shows itself."""
    cookies, token = DecryptedCookies(IDLE), Fernet(KEY).encrypt(b"x").decode()
    cookies.keep(token, NOW, VALUE)
    shown = repr(vars(cookies))
    assert token not in shown
    assert "secret" not in shown.replace("_secret", "")
