"""Signing in with a code and out again, and who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge import keys
from tgbridge.answers import json_answer
from tgbridge.errors import (
    NOT_AUTHENTICATED,
    PASSWORD_REQUIRED,
    HTTPFailure,
    PasswordNeeded,
    SessionEnded,
    TelegramRefused,
)
from tgbridge.models import Authentication, Message, PasswordInput, PasswordRequired, SignInInput, User
from tgbridge.routes.body import read_fields
from tgbridge.routes.codes import CODE_FIRST, NOT_REQUESTED, pending_login
from tgbridge.routes.credentials import parse_code, parse_password, parse_phone
from tgbridge.routes.endpoint import Endpoint, Refusal, Success, refusals
from tgbridge.routes.signing_in import (
    FAILED,
    SIGNED_IN,
    check_password,
    complete,
    forget_pending,
    leave,
    signed_in,
)
from tgbridge.telegram import login
from tgbridge.telegram.leaving import end_session

if TYPE_CHECKING:
    from aiohttp import web

    from tgbridge.logins.qr_logins import WaitingLogin
    from tgbridge.logins.spent_codes import SpentCodes
    from tgbridge.session import PendingLogin
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

PHONE_OR_CODE_MISSING: Final = "Phone number and code are required."
PASSWORD_MISSING: Final = "Password is required."  # noqa: S105 - a text for people


async def sign_in(request: web.Request) -> web.Response:
    """Sign in with the code, and with the two-step verification password if it is given and asked for."""
    fields = await read_fields(request)
    phone, code = fields.require(PHONE_OR_CODE_MISSING, "phone", "code")
    phone, code = parse_phone(phone), parse_code(code)
    given = fields.optional("password")
    password = None if given is None else parse_password(given)
    state, pool, limiter = request[keys.SESSION], request.app[keys.POOL], request.app[keys.LIMITER]
    pending = pending_login(state, phone)
    await limiter.spend("sign_in_per_number", phone)
    if password is None or not pending.awaits_password:
        try:
            spent = request.app[keys.SPENT_CODES]
            return await complete(request, _sign_in(pool, spent, pending, code, leaving=state.telegram))
        except PasswordNeeded:
            # From here on the code is spent, and the password is enough.
            state.begin_login(pending.model_copy(update={"awaits_password": True}))
            # It is this login that the next password is for.
            while (scanned := request.app[keys.QR_LOGINS].lacking_password(state.qr_proofs)) is not None:
                request.app[keys.QR_LOGINS].give_up(scanned)
            if password is None:
                raise
    await limiter.spend("sign_in_password_per_login", pending.telegram)
    return await complete(request, check_password(pool, pending.telegram, password, leaving=state.telegram))


async def sign_in_password(request: web.Request) -> web.Response:
    """Complete a login that waits for the two-step verification password."""
    fields = await read_fields(request)
    (password,) = fields.require(PASSWORD_MISSING, "password")
    password = parse_password(password)
    state, pool, limiter = request[keys.SESSION], request.app[keys.POOL], request.app[keys.LIMITER]
    scanned = request.app[keys.QR_LOGINS].lacking_password(state.qr_proofs)
    if scanned is not None:
        await limiter.spend("sign_in_password_per_login", scanned.telegram)
        return await _complete_scanned(request, scanned, password)
    pending = state.pending_login
    if pending is None or not pending.awaits_password:
        raise HTTPFailure(400, CODE_FIRST, code="CODE_NOT_REQUESTED")
    await limiter.spend("sign_in_password_per_login", pending.telegram)
    return await complete(request, check_password(pool, pending.telegram, password, leaving=state.telegram))


async def is_authenticated(request: web.Request) -> web.Response:
    """Tell whether this browser is signed in, by asking Telegram."""
    state, pool = request[keys.SESSION], request.app[keys.POOL]
    telegram = state.telegram
    if telegram is not None:
        try:
            async with pool.borrow(telegram) as client:
                await login.get_me(client)
        except SessionEnded:
            state.signed_out()
            await pool.drop(telegram)
    return json_answer(Authentication(authenticated=state.telegram is not None))


async def logout(request: web.Request) -> web.Response:
    """Sign out, at Telegram first: if that fails, the cookie stays, so that it can be tried again."""
    state = request[keys.SESSION]
    telegram = request[keys.CLIENT].session_string()
    await request.app[keys.COMPLETION].run(_log_out(request.app, telegram, uploading=state.telegram))
    await forget_pending(request)
    state.clear()
    return json_answer(Message(message="Logged out successfully."))


async def _log_out(app: web.Application, telegram: str, uploading: str | None) -> None:
    await end_session(app[keys.POOL], telegram)
    if uploading is not None:
        await app[keys.UPLOADS].leave(uploading)


async def me(request: web.Request) -> web.Response:
    """Answer with the signed-in user."""
    return json_answer(await login.get_me(request[keys.CLIENT]))


async def _sign_in(
    pool: ClientPool, spent: SpentCodes, pending: PendingLogin, code: str, leaving: str | None
) -> tuple[User, str]:
    attempt = pending.phone_code_hash, code
    async with pool.borrow(pending.telegram, anonymous=True) as client:
        try:
            user = await login.sign_in(
                client, pending.phone, pending.phone_code_hash, code, by_email=pending.by_email
            )
        except TelegramRefused as error:
            if error.name != "PHONE_CODE_EXPIRED" or attempt not in spent:
                raise
            user = await _signed_in_before(client, error)
        else:
            spent.add(*attempt)
        telegram = client.session_string()
    await leave(pool, leaving)
    return user, telegram


async def _complete_scanned(request: web.Request, scanned: WaitingLogin, password: str) -> web.Response:
    """Complete a login by QR code that lacks its password."""
    logins, pool = request.app[keys.QR_LOGINS], request.app[keys.POOL]
    leaving = request[keys.SESSION].telegram
    attempt = check_password(pool, scanned.telegram, password, leaving=leaving)
    try:
        user, telegram = await request.app[keys.COMPLETION].run(attempt)
    except SessionEnded:
        logins.take(scanned)
        await pool.drop(scanned.telegram)
        raise
    logins.take(scanned)
    await forget_pending(request)
    return signed_in(request, user, telegram)


async def _signed_in_before(client: BridgeClient, error: TelegramRefused) -> User:
    """Return who signed in with this very code, which has expired: the answer never reached the browser.

    Raises ``error`` if nobody is signed in any more.
    """
    try:
        return await login.get_me(client)
    except SessionEnded:
        raise error from None


_PASSWORD_REFUSALS: Final = refusals("PASSWORD_HASH_INVALID", "PHONE_PASSWORD_FLOOD")

ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/sign-in",
        sign_in,
        summary="Sign in with the code",
        failed=FAILED,
        body=SignInInput,
        answers=(
            SIGNED_IN,
            Refusal(400, PHONE_OR_CODE_MISSING),
            *refusals(
                "PHONE_NUMBER_INVALID", "PHONE_CODE_INVALID", "PHONE_CODE_EXPIRED", "PHONE_NUMBER_UNOCCUPIED"
            ),
            *refusals("PHONE_NUMBER_BANNED", "PHONE_NUMBER_FLOOD"),
            NOT_REQUESTED,
            *_PASSWORD_REFUSALS,
            Refusal(401, PASSWORD_REQUIRED, "SESSION_PASSWORD_NEEDED", body=PasswordRequired),
            Refusal(401, NOT_AUTHENTICATED),
        ),
    ),
    Endpoint(
        "POST",
        "/sign-in-password",
        sign_in_password,
        summary="Complete a login by the two-step verification password",
        failed=FAILED,
        body=PasswordInput,
        answers=(
            SIGNED_IN,
            Refusal(400, PASSWORD_MISSING),
            NOT_REQUESTED,
            *_PASSWORD_REFUSALS,
            Refusal(401, NOT_AUTHENTICATED),
        ),
    ),
    Endpoint(
        "GET",
        "/is-authenticated",
        is_authenticated,
        summary="Whether this browser is signed in",
        failed="Failed to check authentication status.",
        answers=(Success("Whether it is.", Authentication),),
    ),
    Endpoint(
        "POST",
        "/logout",
        logout,
        summary="Sign out, here and at Telegram",
        failed="Failed to log out.",
        signed_in=True,
        answers=(Success("Signed out; the cookie is cleared.", Message),),
    ),
    Endpoint(
        "GET",
        "/me",
        me,
        summary="The signed-in user",
        failed="Failed to fetch the user.",
        signed_in=True,
        answers=(Success("The user.", User),),
    ),
)
