"""Login codes: sent, sent again, not wanted any more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from aiohttp import hdrs

from tgbridge.errors import MISSING_FIELD, HTTPFailure, SessionEnded, TelegramRefused
from tgbridge.logins.session_state import PendingLogin
from tgbridge.models import CancelCodeInput, CodeSent, Message, ResendCodeInput, SendCodeInput
from tgbridge.telegram.account import login
from tgbridge.web import keys
from tgbridge.web.answers import json_answer
from tgbridge.web.body import read_fields
from tgbridge.web.credentials import parse_phone
from tgbridge.web.endpoint import Endpoint, Refusal, Success, refusals, session_ended
from tgbridge.web.routes.signing_in import forget_pending

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aiohttp import web

    from tgbridge.logins.session_state import SessionState
    from tgbridge.telegram.account.sent_codes import SentCode

PHONE_MISSING: Final = "Phone number is required."
CODE_FIRST: Final = "Please request a code first."
NO_OTHER_WAY: Final = "The code can't be sent in another way. Please try again later."
_FAILED: Final = "Failed to send code. Please try again."


async def send_code(request: web.Request) -> web.Response:
    """Let Telegram send a login code. Whoever is signed in stays so until the login succeeds."""
    fields = await read_fields(request)
    (phone,) = fields.require(PHONE_MISSING, "phone")
    phone = parse_phone(phone)
    begun = await _once(request, "send code", phone, lambda: _send(request.app, phone))
    await forget_pending(request)
    return _begun(request, begun)


async def _send(app: web.Application, phone: str) -> _Begun:
    pool = app[keys.POOL]
    await _spend(app, phone)
    async with pool.anonymous() as client:
        try:
            sent = await login.send_code(client, phone)
        except BaseException:
            await pool.drop(client.session_string())  # nobody will ask for it again
            raise
        return _Begun(phone, sent, client.session_string())


async def _spend(app: web.Application, phone: str) -> None:
    limiter = app[keys.LIMITER]
    await limiter.spend("send_code_per_number", phone)
    await limiter.spend("send_code_per_process")


async def resend_code(request: web.Request) -> web.Response:
    """Let Telegram send the code by the next way, which ``next_type`` has told."""
    fields = await read_fields(request)
    given = fields.optional("phone")
    pending = pending_login(request[keys.SESSION], None if given is None else parse_phone(given))
    try:
        begun = await _once(request, "resend code", pending.phone, lambda: _resend(request.app, pending))
    except SessionEnded:
        await forget_pending(request)
        raise
    except TelegramRefused as error:
        if error.name != "SEND_CODE_UNAVAILABLE":
            raise
        raise HTTPFailure(400, NO_OTHER_WAY, code=error.name) from error
    return _begun(request, begun)


async def _resend(app: web.Application, pending: PendingLogin) -> _Begun:
    await _spend(app, pending.phone)
    async with app[keys.ATTEMPTS].turn(pending.telegram) as client:
        sent = await login.resend_code(client, pending.phone, pending.phone_code_hash)
        return _Begun(pending.phone, sent, client.session_string())


async def cancel_code(request: web.Request) -> web.Response:
    """Make the code void, and forget the login that has begun. If that fails, it can be tried again."""
    fields = await read_fields(request)
    (phone,) = fields.require(PHONE_MISSING, "phone")
    phone = parse_phone(phone)
    state, repeats = request[keys.SESSION], request.app[keys.REPEATS]
    # Of a login that is forgotten no cookie tells, but the address does.
    key = ("cancel code", phone, request[keys.EXCHANGE].caller.address)
    if state.pending_login is None and repeats.recall(key):
        return json_answer(_CANCELLED)
    pending = pending_login(state, phone)
    try:
        async with request.app[keys.ATTEMPTS].turn(pending.telegram) as client:
            await login.cancel_code(client, pending.phone, pending.phone_code_hash)
    except TelegramRefused as error:
        # Void already, which is all that was asked for.
        if error.name != "PHONE_CODE_EXPIRED" and not isinstance(error, SessionEnded):
            raise
    await forget_pending(request)
    repeats.keep(key, result=True)
    return json_answer(_CANCELLED)


def pending_login(state: SessionState, phone: str | None) -> PendingLogin:
    """Return the login that has begun, for ``phone`` if that is given. Raises HTTPFailure 400."""
    pending = state.pending_login
    if pending is None or phone not in {None, pending.phone}:
        raise HTTPFailure(400, CODE_FIRST, code="CODE_NOT_REQUESTED")
    return pending


@dataclass(frozen=True, slots=True, repr=False)
class _Begun:
    """A code was sent to ``phone``, over the Telegram session ``telegram``."""

    phone: str
    sent: SentCode
    telegram: str


async def _once(
    request: web.Request, name: str, phone: str, work: Callable[[], Coroutine[Any, Any, _Begun]]
) -> _Begun:
    """Do ``work`` once for each cookie: whoever had an answer has another one.

    A browser without a cookie is like others of its address: it is taken for the same only at the same time.
    That shares the login, which without the code is worth nothing.
    """
    cookie, state = request.app[keys.STORAGE].load_cookie(request), request[keys.SESSION]
    repeats = request.app[keys.REPEATS]
    if cookie is None or not (state.telegram or state.pending_login or state.qr_proofs):
        browser = request[keys.EXCHANGE].caller.address, request.headers.get(hdrs.USER_AGENT, "")
        return await repeats.once((name, phone, *browser), work, keep=False)
    return await repeats.once((name, phone, cookie), work)


def _begun(request: web.Request, begun: _Begun) -> web.Response:
    sent = begun.sent
    request[keys.SESSION].begin_login(
        PendingLogin(
            phone=begun.phone,
            phone_code_hash=sent.phone_code_hash,
            telegram=begun.telegram,
            by_email=sent.type == "email",
        )
    )
    told = asdict(sent)
    del told["phone_code_hash"]
    return json_answer(CodeSent(message="Code sent successfully.", **told))


_CANCELLED: Final = Message(message="Code cancelled successfully.")
NOT_REQUESTED: Final = Refusal(400, CODE_FIRST, "CODE_NOT_REQUESTED")
_SENT: Final = Success(
    "The code is on its way.",
    CodeSent,
    headers=(("Set-Cookie", "The login that has begun, encrypted: the next step needs it."),),
)
_NO_CODE: Final = refusals(
    "PHONE_NUMBER_INVALID",
    "PHONE_NUMBER_BANNED",
    "PHONE_NUMBER_FLOOD",
    "PHONE_PASSWORD_FLOOD",
    "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN",
    "EMAIL_SETUP_REQUIRED",
    "CODE_PAYMENT_REQUIRED",
)

ENDPOINTS: Final = (
    Endpoint(
        "POST",
        "/send-code",
        send_code,
        summary="Send a login code",
        failed=_FAILED,
        body=SendCodeInput,
        limit="send_code_per_address",
        answers=(_SENT, Refusal(400, PHONE_MISSING, MISSING_FIELD), *_NO_CODE),
    ),
    Endpoint(
        "POST",
        "/resend-code",
        resend_code,
        summary="Send the login code by the next way",
        failed=_FAILED,
        body=ResendCodeInput,
        limit="send_code_per_address",
        answers=(
            _SENT,
            NOT_REQUESTED,
            Refusal(400, NO_OTHER_WAY, "SEND_CODE_UNAVAILABLE"),
            *refusals("PHONE_CODE_EXPIRED"),
            *_NO_CODE,
            *session_ended(),
        ),
    ),
    Endpoint(
        "POST",
        "/cancel-code",
        cancel_code,
        summary="Make a login code void",
        failed="Failed to cancel the code. Please try again.",
        body=CancelCodeInput,
        answers=(
            Success(
                "The code is void.", Message, headers=(("Set-Cookie", "Forgets the login that had begun."),)
            ),
            Refusal(400, PHONE_MISSING, MISSING_FIELD),
            *refusals("PHONE_NUMBER_INVALID"),
            NOT_REQUESTED,
        ),
    ),
)
