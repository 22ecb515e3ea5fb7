"""Other devices of a sandbox's users: stock Telethon clients, which let somebody in by a QR code."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telethon import TelegramClient, functions
from telethon.crypto import rsa
from telethon.sessions import StringSession

from tests.ready import ready_session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tgbridge.sandbox import Sandbox


@asynccontextmanager
async def device(sandbox: Sandbox, phone: str) -> AsyncIterator[TelegramClient]:
    """A stock client that is signed in as the account of a number, at its home data centre."""
    rsa.add_key(sandbox.public_key_pem, old=False)
    TelegramClient._config = None  # kept on the class, with the ports of the sandbox before
    session = StringSession(ready_session(sandbox, phone, device="telephone"))
    client = TelegramClient(session, 1, "hash", device_model="telephone", retry_delay=0)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


_LINK = "tg://login?token="


def link(token: bytes) -> str:
    """The link that a QR code holds for a token."""
    return _LINK + base64.urlsafe_b64encode(token).decode().rstrip("=")


async def scan(client: TelegramClient, url: str) -> None:
    """Accept the login that a QR code's link is for."""
    assert url.startswith(_LINK)
    text = url.removeprefix(_LINK)
    token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    await client(functions.auth.AcceptLoginTokenRequest(token))


def signed_in_as(sandbox: Sandbox, phone: str) -> list[str]:
    """Where an account is signed in, by the names of the devices."""
    return sorted(item.device_model for item in sandbox.state.account_of(phone).authorizations.values())
