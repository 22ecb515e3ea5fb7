"""The cookie session: what is in it, how long it lasts, and what is not taken for one."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from cryptography.fernet import Fernet
from hypothesis import assume, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tgbridge.logins.session_state import BrowserSession, PendingLogin, SessionState
from tgbridge.settings import SessionSettings
from tgbridge.web.session_cookie import MAX_COOKIE_BYTES, RotatingFernet, SessionStorage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.cookies import Morsel

KEY, OLD_KEY, FOREIGN_KEY = (Fernet.generate_key().decode() for _ in range(3))
DAY = 86400
SETTINGS = SessionSettings(idle_seconds=30 * DAY, lifetime_seconds=180 * DAY)
# As long as Telethon makes them: the key's 256 bytes, and an IPv6 address.
TELEGRAM = "1" + base64.urlsafe_b64encode(os.urandom(275)).decode()
PENDING = PendingLogin(phone="+15551234567", phone_code_hash="0123456789abcdef01", telegram=TELEGRAM)


def storage(
    keys: Sequence[str] = (KEY,), *, secure: bool = True, domain: str | None = None
) -> SessionStorage:
    return SessionStorage(keys, SETTINGS.model_copy(update={"domain": domain}), secure=secure)


def request(cookie: str | None = None, name: str = "__Host-tgbridge") -> web.Request:
    return make_mocked_request("GET", "/", headers={} if cookie is None else {"Cookie": f"{name}={cookie}"})


async def written(
    state: SessionState, into: SessionStorage | None = None, cookie: str | None = None
) -> Morsel[str] | None:
    """The cookie that an answer would carry."""
    into = into or storage()
    response = web.Response()
    await into.write(request(cookie), response, state)
    return response.cookies.get(into.cookie_name)


async def value_of(state: SessionState, into: SessionStorage | None = None) -> str:
    cookie = await written(state, into)
    assert cookie is not None
    return cookie.value


def signed_in() -> SessionState:
    state = SessionState()
    state.signed_in(TELEGRAM, 42)
    return state


def token(content: object, *, key: str = KEY, age: int = 0) -> str:
    """A cookie as another program, or an earlier version, would have made it."""
    text = content if isinstance(content, str) else json.dumps(content)
    return Fernet(key).encrypt_at_time(text.encode(), int(time.time()) - age).decode()


def content(value: BrowserSession, *, age: int = 0) -> dict[str, Any]:
    return {"created": int(time.time()) - age, "session": {"browser": value.model_dump()}}


async def test_round_trip() -> None:
    """What was put into the session comes back with the next request, and leaves as it came."""
    state = signed_in()
    state.begin_login(PENDING)
    again = await storage().read(request(await value_of(state)))
    assert again.value == state.value
    assert (again.telegram, again.user_id, again.pending_login) == (TELEGRAM, 42, PENDING)
    assert await written(again) is None


async def test_attributes() -> None:
    """The cookie is for this host, for https, for requests of the site itself, and out of scripts' reach."""
    cookie = await written(signed_in())
    assert cookie is not None
    assert cookie.key == "__Host-tgbridge"
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        True,
        True,
        "Lax",
        "/",
    )
    assert (cookie["domain"], cookie["max-age"]) == ("", str(30 * DAY))


async def test_attributes_without_https() -> None:
    """Without https the cookie has neither Secure nor the name that demands it."""
    cookie = await written(signed_in(), storage(secure=False))
    assert cookie is not None
    assert (cookie.key, cookie["secure"], cookie["httponly"]) == ("tgbridge", False, True)


async def test_attributes_for_a_domain() -> None:
    """For all hosts of a domain the cookie has a name that browsers allow, with and without https."""
    for secure, name in ((True, "__Secure-tgbridge"), (False, "tgbridge")):
        into = storage(secure=secure, domain="example.com")
        cookie = await written(signed_in(), into)
        assert cookie is not None
        assert (cookie.key, cookie["domain"], cookie["secure"]) == (name, "example.com", secure)
        state = await into.read(request(cookie.value, name))
        assert state.telegram == TELEGRAM
        state.clear()
        answer = web.Response()
        await into.write(request(cookie.value, name), answer, state)
        deletion = answer.cookies[name]
        assert (deletion["max-age"], deletion["domain"], deletion["path"]) == ("0", "example.com", "/")


async def test_deletion() -> None:
    """Clearing deletes the cookie, in the way that browsers take from a __Host- cookie."""
    cookie_value = await value_of(signed_in())
    state = await storage().read(request(cookie_value))
    state.clear()
    cookie = await written(state, cookie=cookie_value)
    assert cookie is not None
    assert (cookie.value, cookie["max-age"], cookie["secure"], cookie["path"]) == ("", "0", True, "/")


async def test_nothing_to_delete() -> None:
    """Who has no cookie is not sent the deletion of one."""
    state = SessionState()
    state.clear()
    assert await written(state) is None


async def test_size() -> None:
    """The fullest session (signed in, another login under way, with a long hash) fits into a cookie."""
    state = signed_in()
    pending = PENDING.model_copy(update={"phone_code_hash": "x" * 1000, "awaits_password": True})
    state.begin_login(pending.model_copy(update={"by_email": True}))
    for _ in range(10):
        state.open_qr_stream()
    cookie = await written(state)
    assert cookie is not None
    assert len(cookie.OutputString()) <= MAX_COOKIE_BYTES


async def test_too_large() -> None:
    """What would not fit into a cookie is refused where it is put in, and changes nothing."""
    state = signed_in()
    before = state.value
    with pytest.raises(ValueError, match="does not fit"):
        state.begin_login(PENDING.model_copy(update={"phone_code_hash": "x" * 3000}))
    assert state.value is before


async def test_rotation() -> None:
    """The first key encrypts, all decrypt: an old cookie is good, and is renewed with the new key."""
    old = await value_of(signed_in(), storage([OLD_KEY]))
    both = storage([KEY, OLD_KEY])
    state = await both.read(request(old))
    assert state.telegram == TELEGRAM
    state.renew()
    assert (await storage([KEY]).read(request(await value_of(state, both)))).telegram == TELEGRAM
    assert (await storage([KEY]).read(request(old))).telegram is None


async def test_signing_in_keeps_nothing() -> None:
    """After signing in, nothing of the session before it is left."""
    state = signed_in()
    state.begin_login(PENDING)
    state.open_qr_stream()
    state.signed_in("another session", 43)
    assert state.value.model_dump() == {
        "telegram": "another session",
        "user_id": 43,
        "created": state.value.created,
        "renewed": state.value.renewed,
        "pending_login": None,
        "qr_proofs": (),
    }


async def test_qr_streams() -> None:
    """Each stream of QR codes has a proof of its own; the last few are kept, also by who is not signed in."""
    state = SessionState()
    proofs = [state.open_qr_stream() for _ in range(5)]
    assert len(set(proofs)) == 5
    again = await storage().read(request(await value_of(state)))
    assert again.qr_proofs == tuple(proofs[1:])
    again.signed_out()
    assert again.qr_proofs == tuple(proofs[1:])
    again.clear()
    assert again.qr_proofs == ()


async def test_signed_out_and_forgotten() -> None:
    """Being signed out leaves a login under way alone, and the other way round."""
    state = signed_in()
    state.begin_login(PENDING)
    state.signed_out()
    assert (state.telegram, state.user_id, state.pending_login) == (None, None, PENDING)
    state.signed_in(TELEGRAM, 42)
    state.begin_login(PENDING)
    state.forget_login()
    assert (state.telegram, state.pending_login) == (TELEGRAM, None)


def session_of_age(days: float, renewed_days_ago: float) -> BrowserSession:
    now = time.time()
    return BrowserSession(
        telegram=TELEGRAM,
        user_id=42,
        created=int(now - days * DAY),
        renewed=int(now - renewed_days_ago * DAY),
    )


@pytest.mark.parametrize(
    ("age", "renewed", "good"),
    [(0, 0, True), (29, 29, True), (31, 31, False), (179, 1, True), (181, 1, False)],
    ids=["new", "nearly idle", "idle", "nearly at its end", "beyond its life"],
)
async def test_expiry(age: int, renewed: int, good: bool) -> None:
    """A session ends when unused for `idle_seconds`, and after `lifetime_seconds` in any case."""
    cookie = token(content(session_of_age(age, renewed), age=renewed * DAY), age=renewed * DAY)
    state = await storage().read(request(cookie))
    assert (state.telegram is not None and not storage().has_outlived(state.value)) is good


@pytest.mark.parametrize(("age", "renewed"), [(181, 1), (181, 29), (400, 221)])
async def test_outlived(age: int, renewed: int) -> None:
    """A session beyond its life is known as such, however old the cookie: it is yet to be ended."""
    cookie = token(content(session_of_age(age, renewed), age=renewed * DAY), age=renewed * DAY)
    state = await storage().read(request(cookie))
    assert (state.telegram, storage().has_outlived(state.value)) == (TELEGRAM, True)


@pytest.mark.parametrize(
    ("age", "renewed", "days"),
    [(10, 2, 28), (10, 4, 30), (170, 1, 10), (170, 4, 10)],
    ids=["as it is", "renewed", "up to the end of its life", "renewed, up to the end of its life"],
)
def test_expires(age: int, renewed: int, days: int) -> None:
    """When the cookie ends is told as it will be after the answer, which may renew it."""
    expires = storage().expires(session_of_age(age, renewed))
    assert expires is not None
    assert round((expires - time.time()) / DAY) == days
    assert storage().expires(BrowserSession()) is None
    assert storage().expires(BrowserSession(renewed=5, pending_login=PENDING)) == 5 + 30 * DAY


COOKIES = {
    "alone": "__Host-tgbridge={}",
    "among others": "a=b; __Host-tgbridge={}; c",
    "no blanks": "a=b;__Host-tgbridge={};c=d",
    "the last one": "__Host-tgbridge=other; __Host-tgbridge={}",
    "quoted": '__Host-tgbridge="{}"',
    "beside broken ones": '=; ;;__Host-tgbridge; a="; __Host-tgbridge={} ;b',
}


@pytest.mark.parametrize("header", COOKIES.values(), ids=COOKIES.keys())
async def test_among_other_cookies(header: str) -> None:
    """The cookie is found among whatever else a browser, or a proxy, sends."""
    sent = make_mocked_request("GET", "/", headers={"Cookie": header.format(await value_of(signed_in()))})
    assert (await storage().read(sent)).telegram == TELEGRAM


async def test_in_a_second_field() -> None:
    """HTTP/2 splits the header field, and not every proxy puts it together again (RFC 9113, 8.2.3)."""
    headers = CIMultiDict([("Cookie", "a=b"), ("Cookie", f"__Host-tgbridge={await value_of(signed_in())}")])
    assert (await storage().read(make_mocked_request("GET", "/", headers=headers))).telegram == TELEGRAM


@pytest.mark.parametrize(
    ("age", "renewed", "max_age"),
    [(10, 2, None), (10, 4, 30), (170, 4, 10)],
    ids=["not yet", "for the idle time", "up to the end of its life"],
)
async def test_renewal(age: int, renewed: int, max_age: int | None) -> None:
    """A session in use is renewed, but not with each answer, and never beyond its life."""
    state = SessionState(session_of_age(age, renewed))
    cookie = await written(state)
    assert (None if cookie is None else round(int(cookie["max-age"]) / DAY)) == max_age


NO_SESSION: dict[str, str] = {
    "empty": "",
    "text": "hello",
    "no token": base64.urlsafe_b64encode(b"x" * 100).decode(),
    "not Latin": "ключ",
    "oversized": "A" * 5000,
    "oversized token": token("x" * 5000),
    "foreign key": token(content(session_of_age(0, 0)), key=FOREIGN_KEY),
    "idle for too long": token(content(session_of_age(31, 31)), age=31 * DAY),
    "from the future": token(content(session_of_age(0, 0)), age=-DAY),
    "no JSON": token("hello"),
    "JSON text": token('"hello"'),
    "JSON array": token([]),
    "empty object": token({}),
    "session is text": token({"created": 0, "session": "hello"}),
    "session is null": token({"created": 0, "session": None}),
    "another program's": token({"created": int(time.time()), "session": {"user": 1}}),
    "another program's, undated": token({"created": "today", "session": {"browser": {}}}),
    "another program's, no text": Fernet(KEY).encrypt(b"\xff").decode(),
    "another version's": token({"created": int(time.time()), "session": {"browser": {"telegram": 1}}}),
    "nested deeply": token("[" * 2000),
}


@pytest.mark.parametrize("cookie", NO_SESSION.values(), ids=NO_SESSION.keys())
async def test_no_session(cookie: str) -> None:
    """Whatever is wrong with a cookie, it is simply no session, and a login may begin."""
    state = await storage().read(request(cookie))
    assert state.value == BrowserSession()
    state.begin_login(PENDING)
    assert await written(state, cookie=cookie) is not None


GOOD = token(content(session_of_age(0, 0))).rstrip("=")


# The bits of the last character do not all count.
@given(place=st.integers(0, len(GOOD) - 2), other=st.sampled_from(["", *"ABCxyz019-_"]))
async def test_tampered(place: int, other: str) -> None:
    """A cookie of which any character was changed, or that was cut short, is no session."""
    assert (await storage().read(request(GOOD))).telegram == TELEGRAM
    assume(other != GOOD[place])
    bad = GOOD[:place] + (other + GOOD[place + 1 :] if other else "")
    assert (await storage().read(request(bad))).telegram is None


@pytest.mark.parametrize("shown", [repr, str, "{}".format], ids=["repr", "str", "format"])
def test_secrets_stay_unseen(shown: Any) -> None:
    """No way of printing a session shows what is in it."""
    state = signed_in()
    state.begin_login(PENDING)
    proof = state.open_qr_stream()
    for thing in (state, state.value, PENDING, [state.value]):
        text = shown(thing)
        assert proof not in text
        assert TELEGRAM not in text
        assert "5551234567" not in text
        assert PENDING.phone_code_hash not in text


def test_rotating_fernet_is_a_fernet() -> None:
    """aiohttp-session takes a Fernet only, by its type."""
    fernet = RotatingFernet([KEY, OLD_KEY])
    assert isinstance(fernet, Fernet)
    assert Fernet(KEY).decrypt(fernet.encrypt(b"x")) == b"x"
    assert fernet.decrypt(Fernet(OLD_KEY).encrypt(b"x"), ttl=60) == b"x"


@pytest.mark.parametrize("length", range(16))
async def test_no_quotes(length: int) -> None:
    """The value needs no quotes, which not every client sends back as they came."""
    state = SessionState()
    state.begin_login(PENDING.model_copy(update={"phone_code_hash": "x" * length}))
    cookie = await written(state)
    assert cookie is not None
    assert '"' not in cookie.OutputString()
    assert (await storage().read(request(cookie.value))).pending_login == state.pending_login
