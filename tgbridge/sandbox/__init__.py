"""A Telegram on loopback: three data centres that speak MTProto 2.0 to unmodified clients.

    async with Sandbox() as sandbox:
        telethon.crypto.rsa.add_key(sandbox.public_key_pem, old=False)
        session = StringSession()
        session.set_dc(2, *sandbox.data_centres[2].address)
        async with TelegramClient(session, 1, "x") as client: ...

The rooms, each of which knows only those below it::

    run, control   the command, and the HTTP port that sets faults
    telephone      what the user's own telephone does meanwhile
    server         Sandbox and its data centres: listeners, tasks, updates
    methods/       what Telegram's methods do, registered by dispatch
    seeds, media/  what a new account's Saved Messages hold
    world/         what Telegram knows: accounts, messages, files, logins
    mtproto/       one call, one session, one connection, down to framing
    faults, rules  what is to go wrong, and when

Telegram has the last word: what the sandbox does that Telegram would not is a bug, apart from the faults that
it is told to make (:mod:`tgbridge.sandbox.faults`).
"""

from __future__ import annotations

from tgbridge.sandbox.data_centre import Address, DataCentre
from tgbridge.sandbox.dispatch import Call, Registry, RpcError, method
from tgbridge.sandbox.faults import Faults
from tgbridge.sandbox.server import Sandbox

__all__ = ["Address", "Call", "DataCentre", "Faults", "Registry", "RpcError", "Sandbox", "method"]
