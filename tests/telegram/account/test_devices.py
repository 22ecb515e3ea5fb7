"""Where an account is signed in, as Telegram tells it, and signing out there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from telethon import errors, functions

from tests.devices import device
from tgbridge.errors import SessionEnded, TelegramRefused
from tgbridge.telegram.account import devices, login

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.telegram.conftest import SignIn
    from tgbridge.sandbox import Sandbox
    from tgbridge.telegram.client import BridgeClient
    from tgbridge.telegram.pool import ClientPool

PHONE = "+9996610001"


async def check_signed_out(client: TelegramClient) -> None:
    with pytest.raises(errors.SessionRevokedError):
        await client(functions.updates.GetStateRequest())


async def test_list(client: BridgeClient, sandbox: Sandbox) -> None:
    """Each app with its name, and which is the one that asks; hashes are text: they exceed JSON's numbers."""
    async with device(sandbox, PHONE):
        own, other = await devices.list_devices(client)
    telephone = next(
        item
        for item in sandbox.state.account_of(PHONE).authorizations.values()
        if item.device_model == "telephone"
    )
    assert (own.device, own.current, own.hash) == ("tgbridge", True, "0")
    assert (other.device, other.current, other.hash) == ("telephone", False, str(telephone.hash))
    assert other.app == f"Application 1 {telephone.app_version}"
    assert (other.country, other.platform) == ("Sandbox", "Unknown")
    assert other.created == f"{telephone.created:%Y-%m-%dT%H:%M:%SZ}"
    assert other.active <= own.active


async def test_end(client: BridgeClient, sandbox: Sandbox) -> None:
    """The other device is signed out; a hash is good for once."""
    async with device(sandbox, PHONE) as telephone:
        _, other = await devices.list_devices(client)
        await devices.end_device(client, int(other.hash))
        await check_signed_out(telephone)
    with pytest.raises(TelegramRefused, match="HASH_INVALID"):
        await devices.end_device(client, int(other.hash))
    assert len(await devices.list_devices(client)) == 1


async def test_end_all_others(
    pool: ClientPool, client: BridgeClient, sandbox: Sandbox, sign_in: SignIn
) -> None:
    """Whoever else is signed in is signed out, also at this service; others' accounts are left alone."""
    again, stranger = await sign_in(pool, PHONE), await sign_in(pool, "+9996610002")
    async with device(sandbox, PHONE) as telephone:
        await devices.end_other_devices(client)
        await check_signed_out(telephone)
    async with pool.borrow(again) as ended:
        with pytest.raises(SessionEnded):
            await login.get_me(ended)
    async with pool.borrow(stranger) as other:
        assert await login.get_me(other)
    assert [found.current for found in await devices.list_devices(client)] == [True]


async def test_too_fresh(client: BridgeClient, sandbox: Sandbox) -> None:
    """In its first 24 hours a session may end no other; Telegram's own name says so."""
    for method in ("account.resetAuthorization", "auth.resetAuthorizations"):
        sandbox.faults.error(method, 406, "FRESH_RESET_AUTHORISATION_FORBIDDEN")
    with pytest.raises(TelegramRefused, match="FRESH_RESET_AUTHORISATION_FORBIDDEN"):
        await devices.end_device(client, 1)
    with pytest.raises(TelegramRefused, match="FRESH_RESET_AUTHORISATION_FORBIDDEN"):
        await devices.end_other_devices(client)
