"""Signing in and out, by raw requests (https://core.telegram.org/api/auth).

Telethon's own methods ask more than they need (users.getUsers before each step) and keep the phone number and
phone_code_hash in the client, where a later request, perhaps of another browser, would find them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from telethon.password import compute_check
from telethon.tl import functions, types

from tgbridge.errors import (
    AnswerLost,
    FloodWait,
    InternalError,
    PasswordNeeded,
    SessionEnded,
    TelegramRefused,
    TelegramUnavailable,
)
from tgbridge.models import User
from tgbridge.telegram.account.sent_codes import read_sent_code
from tgbridge.telegram.rpc.call import Backoff
from tgbridge.telegram.rpc.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tgbridge.telegram.account.sent_codes import SentCode
    from tgbridge.telegram.client import BridgeClient

# At a step that Telegram has not done: a number gets about five codes a day, and a proof takes computing.
_ATTEMPTS: Final = 3
# Somebody else has asked for the parameters meanwhile, or the password is another one than they are for.
_STALE_PROOFS: Final = frozenset({"SRP_ID_INVALID", "SRP_PASSWORD_CHANGED"})
_STALE_RETRY_SECONDS: Final = 5  # Telegram names no time; whoever else is at it will have finished
T = TypeVar("T")


async def send_code(client: BridgeClient, phone: str) -> SentCode:
    """Have a login code sent to ``phone`` (https://core.telegram.org/method/auth.sendCode).

    Raises TelegramFailure kinds; of TelegramRefused e.g. PHONE_NUMBER_INVALID, PHONE_NUMBER_BANNED,
    PHONE_NUMBER_FLOOD. After AnswerLost a code may be under way, which nobody can use any more.
    """
    request = functions.auth.SendCodeRequest(
        _digits(phone), client.api_id, client.api_hash, types.CodeSettings()
    )
    patience = _patience(client)
    backoff = Backoff(patience)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return read_sent_code(await client.call(request, patience))
        except InternalError:
            if attempt == _ATTEMPTS or not await backoff.pause():
                raise
        except TelegramRefused as error:
            if error.name != "AUTH_RESTART":
                raise
    raise TelegramUnavailable("Telegram asks to begin again and again")


async def resend_code(client: BridgeClient, phone: str, phone_code_hash: str) -> SentCode:
    """Have the code sent by ``next_type`` (https://core.telegram.org/method/auth.resendCode).

    Raises TelegramFailure kinds; of TelegramRefused e.g. SEND_CODE_UNAVAILABLE, PHONE_CODE_EXPIRED.
    """
    return read_sent_code(await client(functions.auth.ResendCodeRequest(_digits(phone), phone_code_hash)))


async def cancel_code(client: BridgeClient, phone: str, phone_code_hash: str) -> None:
    """Make the code that was sent void (https://core.telegram.org/method/auth.cancelCode)."""
    await client(functions.auth.CancelCodeRequest(_digits(phone), phone_code_hash))


async def sign_in(
    client: BridgeClient, phone: str, phone_code_hash: str, code: str, *, by_email: bool = False
) -> User:
    """Complete a login with the code (https://core.telegram.org/method/auth.signIn).

    ``by_email``: the code's type was "email"; Telegram wants such a code in another field.
    Raises PasswordNeeded, with the hint, if the account has two-step verification; TelegramRefused with
    PHONE_CODE_INVALID, PHONE_CODE_EXPIRED, PHONE_NUMBER_UNOCCUPIED and so on; other TelegramFailure kinds.
    After TelegramUnavailable it is not known whether somebody has been signed in; ``standing`` may tell.
    """
    request = functions.auth.SignInRequest(
        phone_number=_digits(phone),
        phone_code_hash=phone_code_hash,
        phone_code=None if by_email else code,
        email_verification=types.EmailVerificationCode(code) if by_email else None,
    )

    async def ask(patience: Patience) -> User:
        try:
            return authorized(await client.call(request, patience))
        except PasswordNeeded as error:
            raise PasswordNeeded(await password_hint(client)) from error
        except TelegramRefused as error:
            if error.name != "AUTH_RESTART":
                raise
            # The login has to begin again, and so with another code.
            raise TelegramRefused("PHONE_CODE_EXPIRED") from error

    return await until_known(client, ask, standing)


async def until_known(
    client: BridgeClient,
    ask: Callable[[Patience], Awaitable[T]],
    find: Callable[[BridgeClient], Awaitable[User | None]],
) -> T | User:
    """Take a step of a login by ``ask``, and again only where it has certainly not been done.

    It may have been done although the answer was lost, or was that Telegram has failed; then ``find`` tells
    who has been signed in. Raises what either raises; TelegramUnavailable if it can't be found out.
    """
    patience = _patience(client)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return await ask(patience)
        except (AnswerLost, InternalError, _StaleProof) as error:
            try:
                user = await find(client)
            except TelegramUnavailable:
                raise error from None
            if user is not None:
                return user
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


async def standing(client: BridgeClient) -> User | None:
    """How far a login has come: who is signed in, None if nobody is.

    Raises PasswordNeeded, with the hint, if the password is next; TelegramUnavailable and FloodWait.
    """
    user = await signed_in(client)
    if user is None:
        try:
            hint = await password_hint(client)
        except SessionEnded:
            return None
        raise PasswordNeeded(hint)
    return user


async def signed_in(client: BridgeClient) -> User | None:
    """Return who is signed in, None if nobody is. Raises TelegramUnavailable and FloodWait."""
    try:
        return await get_me(client)
    except (PasswordNeeded, SessionEnded):  # whichever it is that Telegram says before the password
        return None


async def password_hint(client: BridgeClient) -> str | None:
    """Return the user's own reminder of the two-step verification password that a login waits for."""
    password = await client(functions.account.GetPasswordRequest())
    return password.hint or None


async def check_password(client: BridgeClient, password: str) -> User:
    """Complete a login with the two-step verification password (https://core.telegram.org/api/srp).

    Raises TelegramRefused with PASSWORD_HASH_INVALID if it is wrong; FloodWait also where each proof came
    too late, since others ask for parameters all the time; other TelegramFailure kinds.
    After TelegramUnavailable it is not known whether somebody has been signed in; ``standing`` may tell.
    """

    async def ask(patience: Patience) -> User:
        proof = await _proof(client, password, patience)
        try:
            return authorized(await client.call(functions.auth.CheckPasswordRequest(proof), patience))
        except TelegramRefused as error:
            if error.name not in _STALE_PROOFS:
                raise
            raise _StaleProof(error.name) from error

    try:
        return await until_known(client, ask, signed_in)
    except _StaleProof as error:
        raise FloodWait(_STALE_RETRY_SECONDS) from error  # a code that frontends know


class _StaleProof(TelegramUnavailable):
    """The proof was for parameters that Telegram has replaced; ``reason`` is its name for that."""


async def _proof(client: BridgeClient, password: str, patience: Patience) -> types.InputCheckPasswordSRP:
    """Make the proof that the password is known, which is good once."""
    parameters = await client.call(functions.account.GetPasswordRequest(), patience)
    if not parameters.has_password:
        raise TelegramRefused("PASSWORD_EMPTY")
    try:
        # 100,000 rounds of PBKDF2 and the powers of large numbers take tenths of a second.
        return await asyncio.to_thread(compute_check, parameters, password)
    except ValueError as error:
        raise TelegramRefused("PASSWORD_ALGORITHM_INVALID") from error


async def get_me(client: BridgeClient) -> User:
    """Who is signed in. Raises SessionEnded if nobody is; other TelegramFailure kinds."""
    found = await client.patiently(functions.users.GetUsersRequest([types.InputUserSelf()]))
    if not found or not isinstance(found[0], types.User):
        raise SessionEnded("AUTH_KEY_UNREGISTERED")
    user = _user(found[0])
    client.files.gates.premium = user.is_premium
    return user


async def log_out(client: BridgeClient) -> None:
    """End the session at Telegram (https://core.telegram.org/method/auth.logOut).

    One that has ended already is fine. The client is of no use afterwards. Raises TelegramFailure kinds.
    """
    try:
        await client(functions.auth.LogOutRequest())
    except SessionEnded:
        return


def _patience(client: BridgeClient) -> Patience:
    return Patience.of_login(client.files.telegram)


def _digits(phone: str) -> str:
    """Write an international number as Telegram does, which is without the +."""
    return phone.removeprefix("+")


def authorized(answer: Any) -> User:
    """Return who is signed in, by an auth.Authorization. Raises TelegramRefused PHONE_NUMBER_UNOCCUPIED."""
    if isinstance(answer, types.auth.AuthorizationSignUpRequired):
        # Only Telegram's own apps may create accounts.
        raise TelegramRefused("PHONE_NUMBER_UNOCCUPIED")
    return _user(answer.user)


def _user(user: types.User) -> User:
    return User(
        id=user.id,
        first_name=user.first_name,
        last_name=user.last_name,
        username=user.username or _first_active(user.usernames),
        phone=user.phone,
        is_premium=bool(user.premium),
    )


def _first_active(usernames: list[types.Username] | None) -> str | None:
    return next((name.username for name in usernames or () if name.active), None)
