"""account.*: where somebody is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Authorization

_TTL_DAYS = 180
_PLATFORMS = ("Android", "iOS", "macOS", "Windows", "Linux")


def _platform(authorization: Authorization) -> str:
    told = f"{authorization.system_version} {authorization.device_model}".casefold()
    return next((name for name in _PLATFORMS if name.casefold() in told), "Unknown")


def describe(authorization: Authorization, *, current: bool) -> types.Authorization:
    """Give an authorization as Telegram's object. The current one has no hash."""
    return types.Authorization(
        hash=0 if current else authorization.hash,
        device_model=authorization.device_model,
        platform=_platform(authorization),
        system_version=authorization.system_version,
        api_id=authorization.api_id,
        app_name=f"Application {authorization.api_id}",
        app_version=authorization.app_version,
        date_created=authorization.created,
        date_active=authorization.active,
        ip=authorization.ip,
        country="Sandbox",
        region="",
        current=current,
        password_pending=authorization.account.password is not None and not authorization.keys,
    )


@method(functions.account.GetAuthorizationsRequest)
async def get_authorizations(
    call: Call, _request: functions.account.GetAuthorizationsRequest
) -> types.account.Authorizations:
    """List the account's devices, the caller's own first."""
    own = call.authorization
    call.sandbox.state.touch(own)
    others = [other for other in call.account.authorizations.values() if other is not own]
    others.sort(key=lambda other: other.active, reverse=True)
    return types.account.Authorizations(
        _TTL_DAYS, [describe(own, current=True), *(describe(other, current=False) for other in others)]
    )


@method(functions.account.ResetAuthorizationRequest)
async def reset_authorization(call: Call, request: functions.account.ResetAuthorizationRequest) -> bool:
    """End another device's authorization."""
    other = call.account.authorizations.get(request.hash)
    if other is None or other is call.authorization:
        raise RpcError(400, "HASH_INVALID")
    call.sandbox.state.end(other, "SESSION_REVOKED")
    return True


@method(functions.account.UpdateStatusRequest)
async def update_status(call: Call, _request: functions.account.UpdateStatusRequest) -> bool:
    """Note that the device is in use."""
    call.sandbox.state.touch(call.authorization)
    return True
