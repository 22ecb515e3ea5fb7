"""Being the same person at another data centre: auth.exportAuthorization, auth.importAuthorization.

Source: https://core.telegram.org/api/datacenter#authorization-transfer
"""

from __future__ import annotations

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method


@method(functions.auth.ExportAuthorizationRequest)
async def export_authorization(
    call: Call, request: functions.auth.ExportAuthorizationRequest
) -> types.auth.ExportedAuthorization:
    """Give the bytes that another data centre will take, once."""
    authorization = call.authorization
    if request.dc_id not in call.sandbox.data_centres or request.dc_id == call.dc.id:
        raise RpcError(400, "DC_ID_INVALID")
    exported = call.sandbox.state.logins.export(authorization, request.dc_id)
    return types.auth.ExportedAuthorization(authorization.account.id, exported)


@method(functions.auth.ImportAuthorizationRequest)
async def import_authorization(
    call: Call, request: functions.auth.ImportAuthorizationRequest
) -> types.auth.Authorization:
    """Take the bytes that another data centre gave."""
    state = call.sandbox.state
    authorization = state.logins.import_(request.bytes, request.id, call.dc.id)
    if authorization is None:
        raise RpcError(400, "AUTH_BYTES_INVALID")
    state.authorize(authorization, call.auth_key)
    return types.auth.Authorization(authorization.account.user())
