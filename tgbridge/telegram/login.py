"""Signing in and out, by raw requests (https://core.telegram.org/api/auth).

Telethon's own methods ask more than they need (users.getUsers before each step) and keep the phone number and
phone_code_hash in the client, where a later request, perhaps of another browser, would find them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from telethon.password import compute_check
from telethon.tl import functions, types

from tgbridge.errors import PasswordNeeded, SessionEnded, TelegramRefused
from tgbridge.models import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tgbridge.models import CodeType
    from tgbridge.telegram.client import BridgeClient

# AUTH_RESTART: the login is to begin again; SRP_ID_INVALID: somebody else asked for the parameters meanwhile.
_ATTEMPTS: Final = 3

# Firebase, words and phrases come by SMS as well, only in another wording.
_CODE_TYPES: Final[Mapping[type[Any], CodeType]] = MappingProxyType(
    {
        types.auth.SentCodeTypeApp: "app",
        types.auth.SentCodeTypeSms: "sms",
        types.auth.SentCodeTypeFirebaseSms: "sms",
        types.auth.SentCodeTypeSmsPhrase: "sms",
        types.auth.SentCodeTypeSmsWord: "sms",
        types.auth.SentCodeTypeCall: "call",
        types.auth.SentCodeTypeFlashCall: "flash_call",
        types.auth.SentCodeTypeMissedCall: "missed_call",
        types.auth.SentCodeTypeEmailCode: "email",
        types.auth.SentCodeTypeFragmentSms: "fragment",
        types.auth.CodeTypeSms: "sms",
        types.auth.CodeTypeCall: "call",
        types.auth.CodeTypeFlashCall: "flash_call",
        types.auth.CodeTypeMissedCall: "missed_call",
        types.auth.CodeTypeFragmentSms: "fragment",
    }
)


@dataclass(frozen=True, slots=True)
class SentCode:
    """A login code is under way. ``phone_code_hash`` goes with it into sign_in; ``timeout`` is in seconds."""

    phone_code_hash: str = field(repr=False)
    type: CodeType | None
    next_type: CodeType | None
    timeout: int | None


async def send_code(client: BridgeClient, phone: str) -> SentCode:
    """Have a login code sent to ``phone`` (https://core.telegram.org/method/auth.sendCode).

    Raises TelegramFailure kinds; of TelegramRefused e.g. PHONE_NUMBER_INVALID, PHONE_NUMBER_BANNED,
    PHONE_NUMBER_FLOOD.
    """
    request = functions.auth.SendCodeRequest(
        _digits(phone), client.api_id, client.api_hash, types.CodeSettings()
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _sent_code(await client(request))
        except TelegramRefused as error:
            if error.name != "AUTH_RESTART" or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


async def resend_code(client: BridgeClient, phone: str, phone_code_hash: str) -> SentCode:
    """Have the code sent by ``next_type`` (https://core.telegram.org/method/auth.resendCode).

    Raises TelegramFailure kinds; of TelegramRefused e.g. SEND_CODE_UNAVAILABLE, PHONE_CODE_EXPIRED.
    """
    return _sent_code(await client(functions.auth.ResendCodeRequest(_digits(phone), phone_code_hash)))


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
    """
    try:
        answer = await client(
            functions.auth.SignInRequest(
                phone_number=_digits(phone),
                phone_code_hash=phone_code_hash,
                phone_code=None if by_email else code,
                email_verification=types.EmailVerificationCode(code) if by_email else None,
            )
        )
    except PasswordNeeded as error:
        raise PasswordNeeded(await password_hint(client)) from error
    return authorized(answer)


async def password_hint(client: BridgeClient) -> str | None:
    """Return the user's own reminder of the two-step verification password that a login waits for."""
    password = await client(functions.account.GetPasswordRequest())
    return password.hint or None


async def check_password(client: BridgeClient, password: str) -> User:
    """Complete a login with the two-step verification password (https://core.telegram.org/api/srp).

    Raises TelegramRefused with PASSWORD_HASH_INVALID if it is wrong; other TelegramFailure kinds.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        parameters = await client(functions.account.GetPasswordRequest())
        if not parameters.has_password:
            raise TelegramRefused("PASSWORD_EMPTY")
        try:
            # 100,000 rounds of PBKDF2 and the powers of large numbers take tenths of a second.
            proof = await asyncio.to_thread(compute_check, parameters, password)
        except ValueError as error:
            raise TelegramRefused("PASSWORD_ALGORITHM_INVALID") from error
        try:
            return authorized(await client(functions.auth.CheckPasswordRequest(proof)))
        except TelegramRefused as error:
            if error.name != "SRP_ID_INVALID" or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


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


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))


def _sent_code(answer: Any) -> SentCode:
    if not isinstance(answer, types.auth.SentCode):
        # SentCodeSuccess answers future auth tokens, which we never send; and we cannot pay for a code.
        raise TelegramRefused("SEND_CODE_UNAVAILABLE")
    if isinstance(answer.type, types.auth.SentCodeTypeSetUpEmailRequired):
        # No code is under way; the address is to be set up by Telegram's own apps.
        raise TelegramRefused("EMAIL_SETUP_REQUIRED")
    return SentCode(
        phone_code_hash=answer.phone_code_hash,
        type=_CODE_TYPES.get(type(answer.type)),
        next_type=_CODE_TYPES.get(type(answer.next_type)),
        timeout=answer.timeout,
    )


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
