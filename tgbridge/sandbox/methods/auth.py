"""auth.*: signing in by a code, and out.

Source: https://core.telegram.org/api/auth
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.world import codes
from tgbridge.sandbox.world.phone import PhoneNumber

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Account, Authorization
    from tgbridge.sandbox.world.logins import SentCode

_SEE_OTHER, _NOT_ACCEPTABLE = 303, 406


def check_api_id(api_id: int) -> None:
    """Take any application's number that could be one. Raises RpcError 400 API_ID_INVALID."""
    if api_id <= 0:
        raise RpcError(400, "API_ID_INVALID")


def complete(call: Call, authorization: Authorization) -> types.auth.Authorization:
    """Sign the caller's key in. Raises RpcError 401 SESSION_PASSWORD_NEEDED if that is to come first."""
    state = call.sandbox.state
    if authorization.account.password is not None:
        state.logins.passwords[call.auth_key.id] = authorization
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    state.authorize(authorization, call.auth_key)
    return types.auth.Authorization(authorization.account.user())


@method(functions.auth.SendCodeRequest)
async def send_code(call: Call, request: functions.auth.SendCodeRequest) -> Any:
    """Send a code, and give its hash."""
    check_api_id(request.api_id)
    phone = _phone(call, request.phone_number)
    match phone.suffix:
        case "9001":
            raise RpcError(400, "PHONE_NUMBER_BANNED")
        case "9002":
            raise RpcError(400, "PHONE_NUMBER_FLOOD")
        case "9004":
            raise RpcError(_NOT_ACCEPTABLE, "PHONE_PASSWORD_FLOOD")
    account = call.sandbox.state.account(phone.user_id)
    ways = codes.plan(phone, signed_in=account is not None and bool(account.authorizations))
    phone_code_hash = call.sandbox.state.logins.send_code(phone, call.auth_key.id, ways)
    if phone.suffix == "9017":
        return codes.payment_required(phone_code_hash)
    return codes.sent_code(phone, ways, 0, phone_code_hash)


@method(functions.auth.ResendCodeRequest)
async def resend_code(call: Call, request: functions.auth.ResendCodeRequest) -> types.auth.SentCode:
    """Send the same code by the next way."""
    phone = _phone(call, request.phone_number)
    sent = _sent(call, phone, request.phone_code_hash)
    if sent.step + 1 >= len(sent.ways):
        raise RpcError(_NOT_ACCEPTABLE, "SEND_CODE_UNAVAILABLE")
    call.sandbox.state.logins.resend_code(sent)
    return codes.sent_code(phone, sent.ways, sent.step, request.phone_code_hash)


@method(functions.auth.CancelCodeRequest)
async def cancel_code(call: Call, request: functions.auth.CancelCodeRequest) -> bool:
    """Make a code void."""
    _sent(call, _phone(call, request.phone_number), request.phone_code_hash)
    call.sandbox.state.logins.drop_code(request.phone_code_hash)
    return True


@method(functions.auth.SignInRequest)
async def sign_in(call: Call, request: functions.auth.SignInRequest) -> Any:
    """Sign in with the code."""
    phone = _phone(call, request.phone_number)
    code = request.phone_code
    verification = request.email_verification
    if not code and verification is None:
        raise RpcError(400, "PHONE_CODE_EMPTY")
    sent = _sent(call, phone, request.phone_code_hash)
    way = sent.ways[sent.step]
    if way == "email":
        code = verification.code if isinstance(verification, types.EmailVerificationCode) else None
    if code != codes.code_by(way, phone):
        sent.wrong += 1
        raise RpcError(400, "CODE_INVALID" if way == "email" else "PHONE_CODE_INVALID")
    if phone.suffix == "9008":
        raise RpcError(401, "USER_DEACTIVATED")
    if not call.sandbox.state.is_registered(phone):
        sent.verified = True
        return types.auth.AuthorizationSignUpRequired()
    return _finish(call, phone, request.phone_code_hash)


@method(functions.auth.SignUpRequest)
async def sign_up(call: Call, request: functions.auth.SignUpRequest) -> types.auth.Authorization:
    """Make an account for a number whose code was right."""
    phone = _phone(call, request.phone_number)
    sent = _sent(call, phone, request.phone_code_hash)
    if not sent.verified:
        raise RpcError(400, "PHONE_CODE_INVALID")
    if call.sandbox.state.is_registered(phone):
        raise RpcError(400, "PHONE_NUMBER_OCCUPIED")
    if not request.first_name.strip():
        raise RpcError(400, "FIRSTNAME_INVALID")
    account: Account = call.sandbox.state.account_of(phone)
    account.first_name, account.last_name = request.first_name.strip(), request.last_name.strip() or None
    return _finish(call, phone, request.phone_code_hash)


@method(functions.auth.LogOutRequest)
async def log_out(call: Call, _request: functions.auth.LogOutRequest) -> types.auth.LoggedOut:
    """End the caller's authorization, at all data centres."""
    call.sandbox.state.end(call.authorization)
    return types.auth.LoggedOut()


@method(functions.auth.ResetAuthorizationsRequest)
async def reset_authorizations(call: Call, _request: functions.auth.ResetAuthorizationsRequest) -> bool:
    """End all authorizations of the account but the caller's."""
    for other in list(call.account.authorizations.values()):
        if other is not call.authorization:
            call.sandbox.state.end(other, "SESSION_REVOKED")
    return True


def _phone(call: Call, text: str) -> PhoneNumber:
    phone = PhoneNumber.parse(text)
    if phone is None:
        raise RpcError(400, "PHONE_NUMBER_INVALID")
    if phone.home_dc != call.dc.id:
        raise RpcError(_SEE_OTHER, f"PHONE_MIGRATE_{phone.home_dc}")
    return phone


def _sent(call: Call, phone: PhoneNumber, phone_code_hash: str) -> SentCode:
    if not phone_code_hash:
        raise RpcError(400, "PHONE_CODE_HASH_EMPTY")
    logins = call.sandbox.state.logins
    sent: SentCode | None = logins.code(phone_code_hash, phone, call.auth_key.id)
    if sent is not None:
        return sent
    expired: SentCode | None = logins.sent(phone_code_hash, phone, call.auth_key.id)
    by_email = expired is not None and expired.ways[expired.step] == "email"
    raise RpcError(400, "EMAIL_VERIFY_EXPIRED" if by_email else "PHONE_CODE_EXPIRED")


def _finish(call: Call, phone: PhoneNumber, phone_code_hash: str) -> types.auth.Authorization:
    state = call.sandbox.state
    state.logins.drop_code(phone_code_hash)
    return complete(call, state.new_authorization(state.account_of(phone), call.client_info))
