"""Signing in by a QR code that a device which is signed in accepts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from telethon import errors, functions, types

if TYPE_CHECKING:
    from telethon import TelegramClient

    from tests.sandbox.conftest import SignIn, Telegram
    from tgbridge.sandbox import Sandbox

PHONE = "+9996620001"


async def accept(device: TelegramClient, token: bytes) -> types.Authorization:
    accepted: types.Authorization = await device(functions.auth.AcceptLoginTokenRequest(token))
    return accepted


async def test_another_device_lets_a_client_in(telegram: Telegram, sign_in: SignIn) -> None:
    """Telethon's own QR login waits for updateLoginToken and is signed in, under the name that it gave."""
    device, client = await sign_in(PHONE), await telegram(2, device_model="bridge")
    login = await client.qr_login()
    assert login.url.startswith("tg://login?token=")
    waiting = asyncio.ensure_future(login.wait(5))
    await asyncio.sleep(0)
    accepted = await accept(device, login.token)
    assert (accepted.device_model, accepted.password_pending) == ("bridge", False)
    assert (await waiting).phone == "9996620001"
    found = (await device(functions.account.GetAuthorizationsRequest())).authorizations
    assert [item.hash for item in found[1:]] == [accepted.hash]


async def test_a_client_at_another_data_centre_is_sent_home(telegram: Telegram, sign_in: SignIn) -> None:
    """auth.loginTokenMigrateTo, then the token is imported at the account's home."""
    device, client = await sign_in("+9996610001"), await telegram(2)
    login = await client.qr_login()
    waiting = asyncio.ensure_future(login.wait(5))
    await asyncio.sleep(0)
    await accept(device, login.token)
    assert (await waiting).phone == "9996610001"
    assert client.session.dc_id == 1


async def test_the_two_step_password_is_asked_for(telegram: Telegram, sign_in: SignIn) -> None:
    """An accepted token does not replace the password."""
    device = await telegram(2)
    await device.send_code_request("+9996622001")
    with pytest.raises(errors.SessionPasswordNeededError):
        await device.sign_in("+9996622001", "22222")
    await device.sign_in(password="tgbridge")
    client = await telegram(2)
    login = await client.qr_login()
    assert (await accept(device, login.token)).password_pending
    with pytest.raises(errors.SessionPasswordNeededError):
        await client(functions.auth.ExportLoginTokenRequest(1, "hash", []))
    assert (await client.sign_in(password="tgbridge")).phone == "9996622001"


async def test_tokens_are_good_once_and_for_a_while(
    telegram: Telegram, sign_in: SignIn, sandbox: Sandbox
) -> None:
    """What is unknown, expired, replaced or accepted already is refused by Telegram's names."""
    device, client = await sign_in(PHONE), await telegram(2)
    with pytest.raises(errors.AuthTokenInvalidError):
        await accept(device, bytes(32))
    login = await client.qr_login()
    sandbox.state.logins.expire_tokens()
    with pytest.raises(errors.AuthTokenExpiredError):
        await accept(device, login.token)
    first = login.token
    await login.recreate()
    with pytest.raises(errors.AuthTokenInvalidError):
        await accept(device, first)
    with pytest.raises(errors.AuthTokenInvalidError):
        await client(functions.auth.ImportLoginTokenRequest(login.token))
    await accept(device, login.token)
    with pytest.raises(errors.AuthTokenAlreadyAcceptedError):
        await accept(device, login.token)
    answer = await client(functions.auth.ImportLoginTokenRequest(login.token))
    assert answer.authorization.user.phone == "9996620001"


async def test_nobody_accepts_who_is_not_signed_in(telegram: Telegram) -> None:
    """A stranger can't let anybody in."""
    stranger, client = await telegram(2), await telegram(2)
    login = await client.qr_login()
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await accept(stranger, login.token)
