"""Tickets: whoever has one has that one file, for that time, and nothing else.

THREAT_MODEL.md has them as a table.
"""

from __future__ import annotations

import asyncio
import re
import string
import time
from base64 import urlsafe_b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from structlog.testing import capture_logs
from telethon.sessions import StringSession
from yarl import URL

from tests.attacks.test_cookies import cookie_of
from tests.web.routes.rows import post
from tgbridge.sandbox.seeds import IDS
from tgbridge.telegram.client import VOUCHED_SECONDS
from tgbridge.web import keys
from tgbridge.web.derived_keys import DerivedKeys
from tgbridge.web.sealed import Sealed
from tgbridge.web.tickets import Grant, Tickets

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from multidict import CIMultiDictProxy

    from tests.conftest import MakeSettings, NewBrowser, Serve, SignIn
    from tgbridge.app import Service
    from tgbridge.sandbox import Sandbox
    from tgbridge.settings import Settings

OTHER_PHONE = "+9996620001"
FILE, OTHER_FILE = IDS["photo"], IDS["voice"]
ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
"""In the order of their values (RFC 4648, section 5)."""
INVALID: Final = (403, {"error": "This ticket is not valid.", "code": "TICKET_INVALID"})
EXPIRED: Final = (410, {"error": "This ticket has expired.", "code": "TICKET_EXPIRED"})
MEDIA, THUMBNAIL = "/ticket_media/", "/ticket_thumbnail/"


class Pair(NamedTuple):
    """The tickets of one item, without what stands before them."""

    media: str
    thumbnail: str


async def tickets_of(browser: ClientSession, message_id: int = FILE, **wanted: Any) -> Pair:
    status, body = await post(browser, f"/media/{message_id}/ticket", wanted)
    assert status == 200, body
    urls = (body["url"], body["thumbnail_url"] or "/")
    return Pair(*(url.partition("/")[2] for url in urls))


async def fetch(browser: ClientSession, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
    """The status, and the body if there is an error; in just this spelling."""
    url = URL(str(browser._base_url).rstrip("/") + path, encoded=True)
    async with browser.request(method, url, **options) as response:
        body = await response.read()
        return response.status, await response.json() if response.status >= 400 and body else None


async def fields(browser: ClientSession, path: str, **options: Any) -> CIMultiDictProxy[str]:
    async with browser.get(path, **options) as response:
        return response.headers


@pytest.fixture
async def stranger(new_browser: NewBrowser) -> ClientSession:
    """Who has a ticket, and no cookie."""
    return new_browser()


@pytest.fixture
async def pair(signed_in: ClientSession) -> Pair:
    return await tickets_of(signed_in)


async def test_made_up(stranger: ClientSession, pair: Pair) -> None:
    """Nobody but the service makes tickets: not of nothing, not with a key of one's own."""
    for text in ("A", "A" * len(pair.media), "-" * 1900, "0", "null", "%00", "%C3%A4", "..;", "'"):
        assert await fetch(stranger, MEDIA + text) == INVALID, text
    grant = Grant("1" * 353, 1, FILE, int(time.time()) + 60)
    assert await fetch(stranger, MEDIA + Tickets([b"k" * 32]).issue(grant, "media")) == INVALID


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.floats(0, 1, exclude_max=True), letter=st.sampled_from(ALPHABET))
async def test_changed(stranger: ClientSession, pair: Pair, place: float, letter: str) -> None:
    """No character may be another, wherever it stands."""
    for path, ticket in ((MEDIA, pair.media), (THUMBNAIL, pair.thumbnail)):
        index = int(place * len(ticket))
        changed = ticket[:index] + letter + ticket[index + 1 :]
        if changed != ticket:
            assert await fetch(stranger, path + changed) == INVALID


async def test_each_bit(service: Service, pair: Pair) -> None:
    """Nor may one bit of it be another."""
    tickets = service.app[keys.TICKETS]
    assert tickets.read(pair.media, "media") is not None
    for place, letter in enumerate(pair.media):
        for bit in range(6):
            other = ALPHABET[ALPHABET.index(letter) ^ 1 << bit]
            assert tickets.read(pair.media[:place] + other + pair.media[place + 1 :], "media") is None


async def test_cut_and_grown(stranger: ClientSession, pair: Pair) -> None:
    """Nothing may be left out or added at either end."""
    ticket = pair.media
    cut = [ticket[:length] for length in (1, 16, 38, 40, len(ticket) // 2, len(ticket) - 4, len(ticket) - 1)]
    grown = [ticket + "A", ticket + "AAAA", "A" + ticket, ticket * 2, ticket + ".", ticket + ".jpg"]
    for text in [*cut, *(ticket[-len(text) :] for text in cut), *grown]:
        assert await fetch(stranger, MEDIA + text) == INVALID, text


async def test_second_spelling(stranger: ClientSession, pair: Pair) -> None:
    """A ticket has one spelling: no other case, Base64, padding, percent-encoding, nor space around it."""
    ticket = pair.media
    spellings = [
        *(ticket.swapcase(), ticket.lower(), ticket.upper()),
        *(ticket + padding for padding in ("=", "==", "%3D", "%3d%3d", "%20", "+", "%0A", "%00", "%2F")),
        *("%20" + ticket, "%2E%2F" + ticket),
        *(f"%{ord(ticket[0]):02X}{ticket[1:]}", f"{ticket[:-1]}%{ord(ticket[-1]):02x}"),
        "".join(f"%{ord(letter):02x}" for letter in ticket),
        re.sub("[-_]", lambda found: {"-": "%2B", "_": "%2F"}[found[0]], ticket),
        re.sub("[-_]", lambda found: {"-": "+", "_": "%2F"}[found[0]], ticket),
    ]
    for text in spellings:
        assert await fetch(stranger, MEDIA + text) == INVALID, text


async def test_other_paths(stranger: ClientSession, pair: Pair) -> None:
    """It is good at its own path, with a slash behind it as without; a query changes nothing."""
    whole = await fields(stranger, MEDIA + pair.media)
    for end in ("/", "?download=1", "/?download=1&size=large&part=2&v=x&rendition=1&w=10", "?utm_source=x"):
        assert await fetch(stranger, MEDIA + pair.media + end) == (200, None)
        answer = await fields(stranger, MEDIA + pair.media + end)
        for name in ("ETag", "Content-Length", "Content-Disposition", "Cache-Control"):
            assert answer[name] == whole[name]
    for path in ("/TICKET_MEDIA/", "/stream_media/", "/ticket/", "/media/", "/", f"{MEDIA}x/"):
        assert (await fetch(stranger, path + pair.media))[0] in {401, 404}
    for end in ("//", "/x", "/x.jpg"):
        assert (await fetch(stranger, MEDIA + pair.media + end))[0] == 404


async def test_other_methods(stranger: ClientSession, pair: Pair) -> None:
    """It reads, and does nothing else."""
    for path in (MEDIA + pair.media, THUMBNAIL + pair.thumbnail):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            headers = {"X-HTTP-Method-Override": "GET"}
            assert (await fetch(stranger, path, method, headers=headers))[0] == 405
        assert await fetch(stranger, path, "HEAD") == (200, None)


async def test_parts_swapped(signed_in: ClientSession, stranger: ClientSession, pair: Pair) -> None:
    """Of two tickets no third can be put together."""
    other = await tickets_of(signed_in, OTHER_FILE, expires_in=604_800)
    for cut in (8, 16, 48, 60, 100, len(pair.media) - 22):
        assert await fetch(stranger, MEDIA + pair.media[:cut] + other.media[cut:]) == INVALID
        assert await fetch(stranger, MEDIA + other.media[:cut] + pair.media[cut:]) == INVALID


async def test_for_another_item(signed_in: ClientSession, stranger: ClientSession, pair: Pair) -> None:
    """A ticket is for its item alone; one of the thumbnail is none of the file, nor the other way round."""
    assert await fetch(stranger, MEDIA + pair.thumbnail) == INVALID
    assert await fetch(stranger, THUMBNAIL + pair.media) == INVALID
    file, other = await tickets_of(signed_in, FILE), await tickets_of(signed_in, OTHER_FILE)
    tags = {(await fields(stranger, MEDIA + each.media))["ETag"] for each in (pair, file, other)}
    assert len(tags) == 2
    cookie = {"Cookie": f"tgbridge={pair.media}"}
    assert (await fetch(stranger, f"/stream_media/{FILE}", headers=cookie))[0] == 401
    # An item that has no thumbnail has no ticket for one; one that is not there has none at all.
    assert (await post(signed_in, f"/media/{OTHER_FILE}/ticket"))[1]["thumbnail_url"] is None
    for message_id in ("1", "999999", "0", "-1", "9" * 40, "x"):
        assert (await post(signed_in, f"/media/{message_id}/ticket"))[0] == 404


async def test_after_its_time(
    stranger: ClientSession, signed_in: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later it is 410, whatever is asked: also for who has the bytes, and asks whether they still hold."""
    pair = await tickets_of(signed_in, expires_in=60)
    tag = (await fields(stranger, MEDIA + pair.media))["ETag"]
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 61)
    conditions: list[dict[str, str]] = [{}, {"If-None-Match": tag}, {"Range": "bytes=0-1"}, {"If-Match": "*"}]
    for headers in conditions:
        assert await fetch(stranger, MEDIA + pair.media, headers=headers) == EXPIRED
        assert await fetch(stranger, THUMBNAIL + pair.thumbnail, headers=headers) == EXPIRED
    assert await fetch(stranger, MEDIA + pair.media, "HEAD") == (410, None)


async def test_after_a_logout(stranger: ClientSession, signed_in: ClientSession, sandbox: Sandbox) -> None:
    """It ends with the login that made it, at once; Telegram is not asked any more."""
    pair = await tickets_of(signed_in)
    assert await fetch(stranger, MEDIA + pair.media) == (200, None)
    assert (await post(signed_in, "/logout"))[0] == 200
    asked = sum(sandbox.counters.calls.values())
    for _ in range(3):
        assert await fetch(stranger, MEDIA + pair.media) == EXPIRED
        assert await fetch(stranger, THUMBNAIL + pair.thumbnail) == EXPIRED
    assert sum(sandbox.counters.calls.values()) == asked


async def test_after_an_end_elsewhere(stranger: ClientSession, pair: Pair, sandbox: Sandbox) -> None:
    """So it does where another device has ended the session, of which Telegram tells."""
    sandbox.faults.revoke(error="SESSION_REVOKED")
    for _ in range(2):
        assert await fetch(stranger, MEDIA + pair.media) == EXPIRED
        assert await fetch(stranger, THUMBNAIL + pair.thumbnail) == EXPIRED


@pytest.mark.swift_time
async def test_after_an_end_elsewhere_that_nobody_tells(
    stranger: ClientSession, signed_in: ClientSession, service: Service, sandbox: Sandbox
) -> None:
    """What is in memory is sent for a minute after Telegram's last answer at most, trusted or not."""
    service.app[keys.LIBRARY].account(sandbox.state.account_of("+9996610001").id).trust()
    pair = await tickets_of(signed_in)
    paths = (THUMBNAIL + pair.thumbnail, MEDIA + pair.media)
    for path in paths:
        assert (await fetch(stranger, path))[0] == 200
    sandbox.faults.revoke(error="SESSION_REVOKED")
    await asyncio.sleep(VOUCHED_SECONDS)
    for path in paths:
        assert await fetch(stranger, path) == EXPIRED


async def test_no_longer_than_the_session(service: Service, signed_in: ClientSession) -> None:
    """It is never good beyond the session's own end, and says so."""
    storage = service.app[keys.STORAGE]
    storage._lifetime = 1000
    before = int(time.time())
    body = (await post(signed_in, f"/media/{FILE}/ticket", {"expires_in": 604_800}))[1]
    grant = service.app[keys.TICKETS].read(body["url"].partition("/")[2], "media")
    assert grant is not None
    assert before + 900 < grant.expires <= int(time.time()) + 1000
    assert body["expires_at"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(grant.expires))


async def test_after_rotation(
    signed_in: ClientSession, settings: Settings, serve: Serve, new_browser: NewBrowser
) -> None:
    """It outlives a new secret key, as long as the old one is there, and ends with that."""
    (old,), new = settings.secret_keys, SecretStr("N" * 43 + "=")
    rotated = new_browser(await serve(settings.model_copy(update={"secret_keys": (new, old)})))
    dropped = new_browser(await serve(settings.model_copy(update={"secret_keys": (new,)})))
    grant = Grant("1" * 353, 1, FILE, int(time.time()) - 1)
    by_old, by_new = (
        MEDIA + Tickets(DerivedKeys([key.get_secret_value()]).of("tickets")).issue(grant, "media")
        for key in (old, new)
    )
    assert await fetch(signed_in, by_old) == await fetch(rotated, by_old) == EXPIRED
    assert await fetch(rotated, by_new) == await fetch(dropped, by_new) == EXPIRED
    assert await fetch(dropped, by_old) == await fetch(signed_in, by_new) == INVALID


async def test_cookie_as_ticket(stranger: ClientSession, signed_in: ClientSession) -> None:
    """The cookie is no ticket, nor is what the service gives out for anything else."""
    async with signed_in.post("/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5"}) as made:
        upload_id = made.headers["Location"].rpartition("/")[2]
    cookie = cookie_of(signed_in)
    for text in (cookie, cookie + "==", upload_id, "0" * 32):
        assert await fetch(stranger, MEDIA + text) == INVALID


@pytest.mark.parametrize("purpose", ["upload ids", "event ids", "events", "ticket", "Tickets", ""])
async def test_sealed_for_something_else(
    stranger: ClientSession, service: Service, pair: Pair, settings: Settings, purpose: str
) -> None:
    """What a ticket holds, sealed by the key of another purpose or by the secret key itself, is none."""
    content = service.app[keys.TICKETS]._sealed.open(pair.media, b"media")
    assert content is not None
    secret = settings.secret_keys[0].get_secret_value()
    for sealed in (Sealed(DerivedKeys([secret]).of(purpose)), Sealed([urlsafe_b64decode(secret)])):
        assert await fetch(stranger, MEDIA + sealed.seal(content, b"media")) == INVALID


async def test_ticket_as_cookie(stranger: ClientSession, pair: Pair) -> None:
    """A ticket is nothing but a ticket: neither a cookie, nor the claim of a login, nor an upload's name."""
    for ticket in pair:
        headers = {"Cookie": f"tgbridge={ticket}", "Tus-Resumable": "1.0.0"}
        assert (await fetch(stranger, "/me", headers=headers))[0] == 401
        assert (await post(stranger, "/qr-login/claim", {"claim": ticket}, headers=headers))[0] == 400
        assert (await fetch(stranger, f"/uploads/{ticket}", "HEAD", headers=headers))[0] in {401, 404}
        headers = {"Authorization": f"Bearer {ticket}"}
        assert (await fetch(stranger, "/me", headers=headers))[0] == 401


async def test_what_can_be_read_from_one(
    service: Service, signed_in: ClientSession, pair: Pair, sandbox: Sandbox
) -> None:
    """Neither the session, nor whose it is, nor which message, nor until when; no two tickets are alike."""
    raw = urlsafe_b64decode(pair.media + "=" * (-len(pair.media) % 4))
    grant = service.app[keys.TICKETS].read(pair.media, "media")
    assert grant is not None
    told = [grant.session.encode(), *(key.key for key in sandbox.auth_keys)]
    told += [number.to_bytes(size) for number in (grant.user_id, grant.expires) for size in (4, 5, 8)]
    assert not [secret for secret in told if secret in raw or secret in pair.media.encode()]
    assert grant.session not in repr(grant)
    ipv6 = StringSession(grant.session)
    ipv6.set_dc(1, "2001:67c:4e8:f002::a", 443)
    others = [
        replace(grant, session=ipv6.save()),
        replace(grant, user_id=2**62, message_id=2**31 - 1, expires=2**40, download=True),
        Grant("1", 0, 1, 0),
    ]
    issue = service.app[keys.TICKETS].issue
    lengths = {len(issue(each, kind)) for each in others for kind in ("media", "thumbnail")}
    assert lengths == {len(pair.media)} == {len(pair.thumbnail)}
    assert len(MEDIA + pair.media) < 2000
    assert pair != await tickets_of(signed_in)


async def test_where_it_is_told(signed_in: ClientSession, stranger: ClientSession, pair: Pair) -> None:
    """It is in no line of the log, wherever it was asked for, and in no answer; no Referer passes it on."""
    paths = [MEDIA + pair.media, THUMBNAIL + pair.thumbnail, f"/x{MEDIA}{pair.media}", f"/{pair.media}"]
    paths += [
        f"{MEDIA}{pair.media}/x",
        f"{MEDIA}{pair.media[:90]}%0A{pair.media[90:]}",
        f"/x/%2F{pair.media}/",
    ]
    with capture_logs() as lines:
        for path in paths:
            for method in ("GET", "HEAD", "POST", "OPTIONS"):
                url = URL(str(stranger._base_url).rstrip("/") + path, encoded=True)
                async with stranger.request(method, url, headers={"Referer": str(url)}) as response:
                    told = f"{response.headers}{await response.read()!r}"
                    assert pair.media not in told
                    assert response.headers["Referrer-Policy"] in {"no-referrer", "same-origin"}
                    if response.status < 400:
                        assert response.headers["Referrer-Policy"] == "no-referrer"
                        assert response.headers["X-Robots-Tag"] == "noindex"
        await stranger.get("/healthz")  # the line before is there now
    assert len([line for line in lines if line["event"] == "answered"]) >= 4 * len(paths)
    for start in range(0, len(pair.media) - 40, 40):
        assert pair.media[start : start + 40] not in str(lines)
        assert pair.thumbnail[start : start + 40] not in str(lines)


async def test_beside_a_cookie(
    new_browser: NewBrowser, sign_in: SignIn, signed_in: ClientSession, pair: Pair
) -> None:
    """Whatever cookie comes along, a ticket is answered the same, and none is set, renewed or ended."""
    other = new_browser()
    await sign_in(other, OTHER_PHONE)
    ended = {"Cookie": f"tgbridge={cookie_of(signed_in)}x"}
    answers = [
        await fields(other, MEDIA + pair.media),
        await fields(signed_in, MEDIA + pair.media),
        await fields(new_browser(), MEDIA + pair.media, headers=ended),
    ]
    assert len({answer["ETag"] for answer in answers}) == 1
    assert not [answer for answer in answers if "Set-Cookie" in answer or "Vary" in answer]
    async with other.get("/me") as response:
        assert (await response.json())["phone"] == OTHER_PHONE[1:]


async def test_run_as_a_script(stranger: ClientSession, pair: Pair) -> None:
    """What it is for runs nowhere, as without a ticket."""
    for destination in ("script", "style", "worker", "manifest"):
        status, body = await fetch(stranger, MEDIA + pair.media, headers={"Sec-Fetch-Dest": destination})
        assert (status, body["code"]) == (403, "NOT_FOR_EXECUTION")
    answer = await fields(stranger, MEDIA + pair.media)
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["X-Content-Type-Options"] == "nosniff"


async def test_after_the_message(stranger: ClientSession, signed_in: ClientSession) -> None:
    """Of a message that was deleted nothing is there any more."""
    pair = await tickets_of(signed_in)
    async with signed_in.delete(f"/media/{FILE}") as response:
        assert response.status == 204
    assert (await fetch(stranger, MEDIA + pair.media))[0] == 404
    assert (await fetch(stranger, THUMBNAIL + pair.thumbnail))[0] == 404


async def test_asked_for_too_often(
    serve: Serve, make_settings: MakeSettings, new_browser: NewBrowser, sign_in: SignIn
) -> None:
    """A ticket that is passed on to everybody uses up its own share, not the session's nor another's."""
    limits = {"enabled": True, "requests_per_ticket": 3, "tickets_per_session": 2, "requests_per_session": 12}
    service = await serve(make_settings(limits=limits))
    browser, stranger = new_browser(service), new_browser(service)
    await sign_in(browser)
    one, two = await tickets_of(browser), await tickets_of(browser)
    assert [(await fetch(stranger, MEDIA + one.media))[0] for _ in range(5)] == [200] * 3 + [429] * 2
    assert await fetch(stranger, MEDIA + two.media) == (200, None)
    assert [(await post(browser, f"/media/{FILE}/ticket"))[1]["code"] for _ in range(3)] == [
        "TOO_MANY_REQUESTS"
    ] * 3
    assert (await fetch(browser, "/me"))[0] == 200
