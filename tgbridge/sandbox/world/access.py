"""What most methods ask first: who is calling, is this their data centre, and is that chat theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from tgbridge.sandbox.dispatch import RpcError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgbridge.sandbox.dispatch import Call
    from tgbridge.sandbox.mtproto.auth_keys import AuthKeyRecord
    from tgbridge.sandbox.world.accounts import Account

_SEE_OTHER = 303


def home_account(call: Call) -> Account:
    """Give the caller's account. Raises RpcError 303 USER_MIGRATE_n at another data centre than its own."""
    account: Account = call.account
    if account.home_dc != call.dc.id:
        raise RpcError(_SEE_OTHER, f"USER_MIGRATE_{account.home_dc}")
    call.sandbox.state.touch(call.authorization)
    return account


def saved_messages(call: Call, peer: Any) -> Account:
    """Give the caller's account if the peer is its Saved Messages. Raises RpcError 400 PEER_ID_INVALID."""
    account = home_account(call)
    if isinstance(peer, types.InputPeerSelf):
        return account
    if isinstance(peer, types.InputPeerUser) and peer.user_id == account.id:
        return account
    raise RpcError(400, "PEER_ID_INVALID")


def now(call: Call) -> datetime:
    """Give the server's time, in whole seconds."""
    return datetime.fromtimestamp(int(call.sandbox.now()), UTC)


def moment(date: datetime | None) -> datetime | None:
    """Give a request's date, None where it is the zero that stands for none."""
    return date if date is not None and date.timestamp() > 0 else None


def publish(call: Call, account: Account, updates: Sequence[Any], own: Sequence[Any] = ()) -> types.Updates:
    """Tell the account's other sessions what changed; give the caller's answer, with ``own`` first."""
    users, date = [account.user()], now(call)
    others = types.Updates(list(updates), users=users, chats=[], date=date, seq=0)
    call.sandbox.push(account, others, exclude=call.session)
    return types.Updates([*own, *updates], users=users, chats=[], date=date, seq=0)


def push_to_key(key: AuthKeyRecord, updates: Any) -> None:
    """Send updates to the sessions of a key, whoever is signed in with it."""
    for session in key.sessions.values():
        if session.receives_updates and session.connections:
            session.send([bytes(updates)], answer=False, content_related=True)
