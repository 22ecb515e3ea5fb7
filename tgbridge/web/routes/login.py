"""Signing in with a code and out again, and who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tgbridge.errors import (
    MISSING_FIELD,
    PASSWORD_REQUIRED,
    HTTPFailure,
    PasswordNeeded,
    SessionEnded,
)
from tgbridge.models import Authentication, Message, PasswordInput, PasswordRequired, SignInInput, User
from tgbridge.telegram.account import login
from tgbridge.telegram.account.log_out import end_session
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.body import read_fields
from tgbridge.web.credentials import parse_code, parse_password, parse_phone
from tgbridge.web.endpoint import Endpoint, Refusal, Success, refusals, session_ended
from tgbridge.web.routes.codes import CODE_FIRST, NOT_REQUESTED, pending_login
from tgbridge.web.routes.qr import scanned_login
from tgbridge.web.routes.signing_in import (
    FAILED,
    SIGNED_IN,
    complete,
    forget_pending,
    signed_in,
)

if TYPE_CHECKING:
    from aiohttp import web

PHONE_OR_CODE_MISSING: Final = "Phone number and code are required."
PASSWORD_MISSING: Final = "Password is required."  # noqa: S105 - a text for people


async def sign_in(request: web.Request) -> web.Response:
    """Sign in with the code, and with the two-step verification password if it is given and asked for."""
    fields = await read_fields(request)
    phone, code = fields.require(PHONE_OR_CODE_MISSING, "phone", "code")
    phone, code = parse_phone(phone), parse_code(code)
    given = fields.optional("password")
    password = None if given is None else parse_password(given)
    state, attempts, limiter = request[keys.SESSION], request.app[keys.ATTEMPTS], request.app[keys.LIMITER]
    if state.pending_login is None:
        done = await attempts.repeated(state.telegram, phone=phone, code=code, password=password)
        if done is not None:
            return signed_in(request, done)
    pending = pending_login(state, phone)
    await limiter.spend("sign_in_per_number", phone)
    if password is None or not pending.awaits_password:
        try:
            return await complete(request, attempts.by_code(pending, code, earlier=state.telegram))
        except PasswordNeeded:
            # From here on the code is spent, and the password is enough.
            state.begin_login(pending.model_copy(update={"awaits_password": True}))
            # It is this login that the next password is for.
            while (scanned := request.app[keys.QR_LOGINS].lacking_password(state.qr_proofs)) is not None:
                request.app[keys.QR_LOGINS].give_up(scanned)
            if password is None:
                raise
    return await _enter_password(request, pending.telegram, password)


async def sign_in_password(request: web.Request) -> web.Response:
    """Complete a login that waits for the two-step verification password."""
    fields = await read_fields(request)
    (password,) = fields.require(PASSWORD_MISSING, "password")
    password = parse_password(password)
    state = request[keys.SESSION]
    done = await scanned_login(request, password)
    if done is not None:
        return done
    pending = state.pending_login
    if pending is not None and pending.awaits_password:
        return await _enter_password(request, pending.telegram, password)
    repeated = await request.app[keys.ATTEMPTS].repeated(state.telegram, password=password)
    if repeated is None:
        raise HTTPFailure(400, CODE_FIRST, code="CODE_NOT_REQUESTED")
    return signed_in(request, repeated)


async def _enter_password(request: web.Request, telegram: str, password: str) -> web.Response:
    await request.app[keys.LIMITER].spend("sign_in_password_per_login", telegram)
    earlier = request[keys.SESSION].telegram
    return await complete(
        request, request.app[keys.ATTEMPTS].by_password(telegram, password, earlier=earlier)
    )


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
    if state.telegram is not None:  # or the middleware would have refused
        await request.app[keys.COMPLETION].run(_log_out(request.app, state.telegram))
    await forget_pending(request)
    state.clear()
    answer = json_answer(Message(message="Logged out successfully."))
    # Whoever uses the browser next, with any account, is not shown what it has kept of this one's files.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


async def _log_out(app: web.Application, telegram: str) -> None:
    await end_session(app[keys.POOL], telegram)
    await app[keys.UPLOADS].leave(telegram)


async def me(request: web.Request) -> web.Response:
    """Answer with the signed-in user."""
    return json_answer(await login.get_me(request[keys.CLIENT]))


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
            Refusal(400, PHONE_OR_CODE_MISSING, MISSING_FIELD),
            *refusals(
                "PHONE_NUMBER_INVALID", "PHONE_CODE_INVALID", "PHONE_CODE_EXPIRED", "PHONE_NUMBER_UNOCCUPIED"
            ),
            *refusals("PHONE_NUMBER_BANNED", "PHONE_NUMBER_FLOOD"),
            NOT_REQUESTED,
            *_PASSWORD_REFUSALS,
            Refusal(401, PASSWORD_REQUIRED, "SESSION_PASSWORD_NEEDED", body=PasswordRequired),
            *session_ended(),
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
            Refusal(400, PASSWORD_MISSING, MISSING_FIELD),
            NOT_REQUESTED,
            *_PASSWORD_REFUSALS,
            *session_ended(),
        ),
    ),
    Endpoint(
        "GET",
        "/is-authenticated",
        is_authenticated,
        summary="Whether this browser is signed in",
        failed="Failed to check authentication status.",
        answers=(
            Success(
                "Whether it is.",
                Authentication,
                headers=(("Set-Cookie", "Clears the cookie of a session that has ended."),),
            ),
        ),
    ),
    Endpoint(
        "POST",
        "/logout",
        logout,
        summary="Sign out, here and at Telegram",
        failed="Failed to log out.",
        signed_in=True,
        borrows=False,  # two of one session at once would each keep the other's client from being closed
        answers=(
            Success(
                "Signed out; the cookie is cleared.",
                Message,
                headers=(
                    ("Set-Cookie", "Clears the cookie of the session."),
                    ("Clear-Site-Data", "Has the browser forget the files that it has kept."),
                ),
            ),
        ),
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
