"""Signing in and out, with what Telegram shows on the way."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from telethon.tl import functions, types

from tgbridge.doctor.live.beliefs import Seen, differs, expect, holds, unseen
from tgbridge.errors import PasswordNeeded, SessionEnded, TelegramFailure, TelegramRefused
from tgbridge.telegram.account import login
from tgbridge.telegram.account.qr import QrLogin
from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from tgbridge.doctor.live.account import Live
    from tgbridge.doctor.live.person import Person
    from tgbridge.models import User
    from tgbridge.settings import Settings
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

    Tell = Callable[[str, Seen], None]
    """Told of what was seen of a belief, by its name."""

_CODE_DIGITS: Final = 5
_LOGGED_OUT_SECONDS: Final = 10.0


def number_for_tests(settings: Settings) -> str:
    """Return a number of Telegram's test servers: 99966XYYYY, X the data centre, with the code XXXXX.

    https://core.telegram.org/api/auth#test-accounts
    """
    return f"+99966{settings.telegram.dc_id or 2}1{secrets.randbelow(1000):03}"


async def sign_in(
    pool: ClientPool, settings: Settings, person: Person, tell: Tell, *, phone: str | None, is_test: bool
) -> tuple[str, User]:
    """Sign in, by a code to ``phone`` or else by a QR code; the session string, a secret, and the user.

    ``is_test``: the number is of the test servers, whose code is known. Raises TelegramFailure kinds.
    """
    async with pool.anonymous() as client:
        try:
            if phone is None:
                user = await _by_qr_code(client, settings, person, tell)
            else:
                user = await _by_code(client, person, tell, phone, is_test=is_test)
        except BaseException:
            # Whoever was signed in by half has nobody to use it.
            with suppress(TelegramFailure):
                await asyncio.shield(login.log_out(client))
            raise
        return client.session_string(), user


async def _by_code(client: BridgeClient, person: Person, tell: Tell, phone: str, *, is_test: bool) -> User:
    sent = await login.send_code(client, phone)
    code = phone[6] * _CODE_DIGITS if is_test else await person.code()
    try:
        user = await login.sign_in(client, phone, sent.phone_code_hash, code)
    except PasswordNeeded as needed:
        user = await _by_password(client, person, tell, needed.hint)
    request = functions.auth.SignInRequest(phone.removeprefix("+"), sent.phone_code_hash, phone_code=code)
    try:
        await client(request)
        tell("login-code-used", differs("A code that has signed in is good again."))
    except TelegramRefused as error:
        still = await login.signed_in(client)
        right = error.name == "PHONE_CODE_EXPIRED" and still is not None
        tell("login-code-used", expect(right, f"{error.name}; the session lives.", f"{error.name}."))
    return user


async def _by_qr_code(client: BridgeClient, settings: Settings, person: Person, tell: Tell) -> User:
    qr_login = QrLogin(client, lifetime_seconds=settings.qr_login.lifetime_seconds)
    try:
        async for code in qr_login:
            person.shows(code.url)
    except PasswordNeeded as needed:
        return await _by_password(client, person, tell, needed.hint)
    except BaseException:
        with suppress(TelegramFailure):
            await asyncio.shield(qr_login.abandon())
        raise
    if qr_login.user is None:
        raise TelegramRefused("AUTH_TOKEN_EXPIRED")
    return qr_login.user


async def _by_password(client: BridgeClient, person: Person, tell: Tell, hint: str | None) -> User:
    me = functions.users.GetUsersRequest([types.InputUserSelf()])
    try:
        await client(me)
        tell("login-before-password", differs("users.getUsers answers before the password."))
    except (PasswordNeeded, SessionEnded) as error:
        tell("login-before-password", holds(f"{error.name} before the password."))
    password = await person.password(hint)
    return await login.check_password(client, password)


async def look_at_endings(live: Live, tell: Tell) -> None:
    """See that a new session ends no other one: asked is with a hash that no session has."""
    known = {
        one.hash for one in (await live.ask(functions.account.GetAuthorizationsRequest())).authorizations
    }
    number = next(one for one in iter(lambda: secrets.randbits(62) | 1, None) if one not in known)
    name = await live.refused(functions.account.ResetAuthorizationRequest(number))
    if name == "FRESH_RESET_AUTHORISATION_FORBIDDEN":
        tell("end-fresh", holds(name))
    else:
        tell("end-fresh", unseen(f"{name or 'taken'}: whether it is looked at first is not known."))


async def sign_out(live: Live, session: str, tell: Tell) -> None:
    """Sign out, and ask once more with the key. Raises TelegramFailure kinds where that was not to be had."""
    began = time.perf_counter()
    patience = Patience.of_login(live.settings.telegram)
    try:
        await live.client.call(functions.auth.LogOutRequest(), patience)
    except SessionEnded:
        tell("logout-answer", unseen("The session had ended before."))
    else:
        seconds = time.perf_counter() - began
        text = f"auth.logOut was answered, or acknowledged for long enough, after {seconds:.1f} s."
        tell("logout-answer", holds(text, seconds=round(seconds, 1)))
    await live.pool.drop(session, at_once=True)
    try:
        async with asyncio.timeout(_LOGGED_OUT_SECONDS), live.pool.borrow(session) as client:
            await login.get_me(client)
    except SessionEnded as error:
        right = error.name in {"AUTH_KEY_UNREGISTERED", "SESSION_REVOKED"}
        tell("end-signed-out", expect(right, f"{error.name}.", f"{error.name}, for AUTH_KEY_UNREGISTERED."))
    except (TelegramFailure, TimeoutError) as error:
        tell("end-signed-out", differs(f"{type(error).__name__}: the key is not refused as such."))
    else:
        tell("end-signed-out", differs("The session lives on."))
