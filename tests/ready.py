"""Keys and logins that are there already, as if client and sandbox had agreed on them.

Agreeing on a key takes a twentieth of a second of computing, and a login mostly takes two of them. They have
tests of their own (tests/telegram/mtproto/test_key_exchange.py, tests/sandbox/mtproto/test_handshake.py,
tests/web/routes/test_login.py and others); all that only needs to be signed in begins here.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from telethon.crypto import AuthKey
from telethon.sessions import StringSession

from tgbridge.sandbox.dispatch import ClientInfo

if TYPE_CHECKING:
    from tgbridge.sandbox import Sandbox
    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord


def ready_key(sandbox: Sandbox, dc: int) -> AuthKeyRecord:
    """A key of a data centre that nobody is signed in with, nor has ever used."""
    # A key that begins with a zero byte is one that many clients would not take.
    key = bytes([secrets.randbelow(255) + 1]) + secrets.token_bytes(255)
    return sandbox.auth_keys.add(dc, key, secrets.randbits(63), sandbox.now())


def ready_session(sandbox: Sandbox, phone: str, *, device: str = "tgbridge") -> str:
    """A session string of the account of a number, signed in at its home data centre by a device."""
    home = int(phone[6])
    record = ready_key(sandbox, home)
    info = ClientInfo(1, device_model=device, system_version="1", app_version="1", lang_code="en")
    sandbox.state.authorize(sandbox.state.new_authorization(sandbox.state.account_of(phone), info), record)
    session = StringSession()
    session.set_dc(home, *sandbox.data_centres[home].address)
    session.auth_key = AuthKey(record.key)
    return str(session.save())
