"""The encrypted cookie that is a browser's session: there is no other store.

It holds Telethon's session string, which is the key to a person's Telegram account, and a login that has
begun. aiohttp-session encrypts, dates and sets it. Its own middleware is not used, since that saves nothing
on a streamed response or when an exception passes: ``middleware/session.py`` saves as the response is
prepared.
"""

from __future__ import annotations

import json
import operator
import re
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tgbridge.logins.session_state import NOBODY, BrowserSession, SessionState
from tgbridge.web.decrypted import DecryptedCookies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from tgbridge.settings import SessionSettings

# Browsers keep 4096 bytes of name, value and attributes together (RFC 6265, section 6.1). Fernet makes four
# thirds of the content, and about 110 bytes.
MAX_COOKIE_BYTES: Final = 4096
# aiohttp-session's mapping has one entry: a nested change would go unnoticed, so values are replaced whole.
_ENTRY: Final = "browser"


class RotatingFernet(Fernet):
    """The first key encrypts, all decrypt. aiohttp-session takes a Fernet, which MultiFernet is not."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    def decrypt(self, token: bytes | str, ttl: int | None = None) -> bytes:
        """Decrypt text that any key has encrypted in the last ``ttl`` seconds, or raise InvalidToken."""
        data = self._all.decrypt(token, ttl)
        try:
            data.decode()  # aiohttp-session does it again, and expects no other error
        except UnicodeDecodeError as error:
            raise InvalidToken from error
        return data


class SessionStorage(EncryptedCookieStorage):
    """Reads sessions from requests and writes them into responses.

    Whatever is wrong with a cookie, it is simply no session: damaged, foreign, expired, or of another
    version.
    """

    def __init__(self, keys: Sequence[str], settings: SessionSettings, *, secure: bool) -> None:
        super().__init__(
            RotatingFernet(keys),
            cookie_name=cookie_name(settings, secure=secure),
            domain=settings.domain,
            max_age=int(settings.idle_seconds),
            secure=secure,
            httponly=True,
            samesite="Lax",
            decoder=_decode,
        )
        # One pass, whatever else there is: fields of nothing but semicolons cost least.
        self._own_cookie = re.compile(rf"(?:\A|;)[ \t]*+{re.escape(self.cookie_name)}[ \t]*+=([^;]*+)")
        self._decrypted = DecryptedCookies(int(settings.idle_seconds))
        self._idle = int(settings.idle_seconds)
        self._lifetime = int(settings.lifetime_seconds)

    def change_keys(self, keys: Sequence[str]) -> None:
        """Encrypt with the first of other keys, and take only what one of them has encrypted."""
        self._fernet = RotatingFernet(keys)
        self._decrypted = DecryptedCookies(self._idle)  # some may be of a key that has gone

    def remembered(self, request: web.Request) -> SessionState | None:
        """Return what ``read`` would where nothing has to be decrypted for it; None where something has."""
        cookie = self.load_cookie(request)
        if cookie is None:
            return SessionState()
        value = self._decrypted.find(cookie)
        return None if value is None else SessionState(value)

    async def read(self, request: web.Request) -> SessionState:
        """Return the session that ``request`` brings; an empty one if it brings none.

        It may have outlived its time, which is the caller's to see to.
        """
        if (known := self.remembered(request)) is not None:
            return known
        cookie, stored = self.load_cookie(request) or "", await self.load_session(request)
        if _ENTRY not in stored:
            return SessionState(self._outlived_long_ago(cookie))
        value = BrowserSession.model_validate(stored[_ENTRY])
        self._decrypted.keep(cookie, stored.created, value)
        return SessionState(value)

    def has_outlived(self, value: BrowserSession) -> bool:
        """Tell whether a session is beyond ``session.lifetime_seconds``: nobody may use it any more."""
        return value.telegram is not None and time.time() >= self.ends(value)

    def ends(self, value: BrowserSession) -> int:
        """Return when a session ends however it is used, in whole seconds since the epoch."""
        return value.created + self._lifetime

    def expires(self, value: BrowserSession) -> int | None:
        """Return when the cookie ends that a browser has once it is answered, if it asks for nothing more.

        In whole seconds since the epoch. None if there is nothing to keep.
        """
        if value.telegram is None:
            return None if value.pending_login is None else value.renewed + self._idle
        renewed = int(time.time()) if self._grows_old(value) else value.renewed
        return min(renewed + self._idle, self.ends(value))

    def _outlived_long_ago(self, cookie: str) -> BrowserSession:
        """Read a cookie that is too old to be one, for a session that is over but has never been ended.

        Others of that age are nobody's, and may be old copies of one that is in use: no reason to end that.
        """
        try:
            data = _decode(self._fernet.decrypt(cookie.encode()).decode())
        except InvalidToken:
            return NOBODY
        value = BrowserSession.model_validate(data["session"][_ENTRY])
        return (
            BrowserSession(telegram=value.telegram, created=value.created)
            if self.has_outlived(value)
            else NOBODY
        )

    def has_news(self, state: SessionState) -> bool:
        """Tell whether the session has changed, or its cookie grown old: ``write`` does nothing otherwise."""
        return state.changed or self._grows_old(state.value)

    async def write(self, request: web.Request, response: web.StreamResponse, state: SessionState) -> None:
        """Put the cookie into ``response``, before it is prepared, where it has changed or grown old."""
        if not self.has_news(state):
            return
        state.renew()
        session = await self.new_session()
        if state.value.telegram is not None:
            session.max_age = min(self._idle, max(1, state.value.created + self._lifetime - int(time.time())))
        if state.value.telegram is not None or state.value.pending_login is not None or state.qr_proofs:
            session[_ENTRY] = state.value.model_dump()
        elif self.load_cookie(request) is None:
            return  # nothing to keep, nothing to delete
        await self.save_session(request, response, session)

    def _grows_old(self, value: BrowserSession) -> bool:
        # A tenth of the idle time is seldom enough: not each answer needs a cookie, and answers that overtake
        # each other do not bring back an older one.
        return value.telegram is not None and time.time() >= value.renewed + self._idle // 10

    def load_cookie(self, request: web.Request) -> str | None:
        """Return the cookie as it came, None if it cannot be one of ours.

        Of several that have its name the last one counts. Only what can be ours is read: RFC 6265, 5.4 and
        4.2.1, without what browsers never send.
        """
        cookie: str | None = None
        for field in request.headers.getall(hdrs.COOKIE, ()):
            for value in self._own_cookie.findall(field):
                cookie = value.strip(" \t").strip('"')
        if cookie is None or not cookie.isascii() or len(cookie) > MAX_COOKIE_BYTES:
            return None
        return cookie + "=" * (-len(cookie) % 4)

    def save_cookie(
        self, response: web.StreamResponse, cookie_data: str, *, max_age: int | None = None
    ) -> None:
        """Set the cookie, or delete it; the deletion of a __Host- cookie needs Secure as well."""
        if cookie_data:
            # Without its padding, for which Python puts the value into quotes.
            super().save_cookie(response, cookie_data.rstrip("="), max_age=max_age)
        else:
            params = self.cookie_params
            response.del_cookie(
                self.cookie_name,
                domain=params["domain"],
                path=params["path"],
                secure=params["secure"],
                httponly=params["httponly"],
                samesite=params["samesite"],
            )


def cookie_name(settings: SessionSettings, *, secure: bool) -> str:
    """Name the cookie so that browsers take it from https only, and if they can, from this very host only.

    RFC 6265bis, section 4.1.3.
    """
    if not secure:
        return settings.cookie_name
    return f"{'__Host-' if settings.domain is None else '__Secure-'}{settings.cookie_name}"


def _decode(text: str) -> Any:
    """Decode what a valid token holds. It may still be another program's: InvalidToken, no session."""
    try:
        data = json.loads(text)
        operator.index(data["created"])  # aiohttp-session reckons with it
        BrowserSession.model_validate(data["session"][_ENTRY])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InvalidToken from error
    return data
