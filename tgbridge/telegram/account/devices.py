"""Where an account is signed in: its authorizations (https://core.telegram.org/api/auth)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telethon.tl import functions

from tgbridge.models import Device
from tgbridge.timestamps import timestamp

if TYPE_CHECKING:
    from telethon.tl import types

    from tgbridge.telegram.client import BridgeClient


async def list_devices(client: BridgeClient) -> list[Device]:
    """Return the account's authorizations in Telegram's order. Raises TelegramFailure kinds."""
    found = await client.patiently(functions.account.GetAuthorizationsRequest())
    return [_device(authorization) for authorization in found.authorizations]


async def end_device(client: BridgeClient, number: int) -> None:
    """End the authorization whose ``hash`` is ``number``.

    Raises TelegramFailure kinds; of TelegramRefused HASH_INVALID for one that the account does not have, or
    the client's own, and FRESH_RESET_AUTHORISATION_FORBIDDEN in a login's first 24 hours.
    """
    await client.patiently(functions.account.ResetAuthorizationRequest(number))


async def end_other_devices(client: BridgeClient) -> None:
    """End all authorizations of the account but the client's own.

    Raises TelegramFailure kinds; of TelegramRefused FRESH_RESET_AUTHORISATION_FORBIDDEN in a login's first 24
    hours.
    """
    await client.patiently(functions.auth.ResetAuthorizationsRequest())


def _device(authorization: types.Authorization) -> Device:
    return Device(
        hash=str(authorization.hash),
        app=f"{authorization.app_name} {authorization.app_version}".strip(),
        device=authorization.device_model,
        platform=authorization.platform or authorization.system_version,
        country=authorization.country,
        created=timestamp(authorization.date_created),
        active=timestamp(authorization.date_active),
        current=bool(authorization.current),
    )
