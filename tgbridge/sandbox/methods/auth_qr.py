"""Signing in by a QR code that another device reads.

Source: https://core.telegram.org/api/qr-login
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.methods.account import describe
from tgbridge.sandbox.methods.auth import check_api_id, complete
from tgbridge.sandbox.world.access import push_to_key

if TYPE_CHECKING:
    from tgbridge.sandbox.server import Sandbox
    from tgbridge.sandbox.world.accounts import Account, Authorization
    from tgbridge.sandbox.world.logins import LoginToken


@method(functions.auth.ExportLoginTokenRequest)
async def export_login_token(call: Call, request: functions.auth.ExportLoginTokenRequest) -> Any:
    """Give a token to show, or sign in if the last one was accepted."""
    check_api_id(request.api_id)
    logins = call.sandbox.state.logins
    value = logins.accepted_token(call.auth_key)
    if value is not None:
        return _redeem(call, value)
    value, token = logins.new_token(call.auth_key, call.client_info)
    return types.auth.LoginToken(datetime.fromtimestamp(token.expires, UTC), value)


@method(functions.auth.ImportLoginTokenRequest)
async def import_login_token(call: Call, request: functions.auth.ImportLoginTokenRequest) -> Any:
    """Sign in at the account's home data centre with a token that was accepted."""
    return _redeem(call, request.token)


@method(functions.auth.AcceptLoginTokenRequest)
async def accept_login_token(
    call: Call, request: functions.auth.AcceptLoginTokenRequest
) -> types.Authorization:
    """Let the device that shows the token in."""
    return describe(accept(call.sandbox, call.account, request.token), current=False)


def accept(sandbox: Sandbox, account: Account, value: bytes) -> Authorization:
    """Let the device that shows a token in as an account. Raises RpcError 400, such as AUTH_TOKEN_INVALID."""
    token = _token(sandbox, value)
    if token.accepted is not None:
        raise RpcError(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    token.accepted = sandbox.state.new_authorization(account, token.client)
    moment = datetime.fromtimestamp(int(sandbox.now()), UTC)
    push_to_key(token.key, types.UpdateShort(types.UpdateLoginToken(), moment))
    return token.accepted


def _redeem(call: Call, value: bytes) -> Any:
    authorization = _token(call.sandbox, value).accepted
    if authorization is None:
        raise RpcError(400, "AUTH_TOKEN_INVALID")
    home_dc = authorization.account.home_dc
    if home_dc != call.dc.id:
        return types.auth.LoginTokenMigrateTo(home_dc, value)
    call.sandbox.state.logins.drop_token(value)
    return types.auth.LoginTokenSuccess(complete(call, authorization))


def _token(sandbox: Sandbox, value: bytes) -> LoginToken:
    logins = sandbox.state.logins
    token: LoginToken | None = logins.token(value)
    if token is None:
        raise RpcError(400, "AUTH_TOKEN_INVALID")
    if logins.is_token_expired(token):
        raise RpcError(400, "AUTH_TOKEN_EXPIRED")
    return token
