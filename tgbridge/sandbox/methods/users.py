"""users.*: whom an account knows, which is itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions, types

from tgbridge.sandbox.dispatch import Call, RpcError, method
from tgbridge.sandbox.world.access import home_account

if TYPE_CHECKING:
    from tgbridge.sandbox.world.accounts import Account


@method(functions.users.GetUsersRequest)
async def get_users(call: Call, request: functions.users.GetUsersRequest) -> list[Any]:
    """Give the caller's own user; an empty one for anybody else."""
    account = home_account(call)
    return [
        account.user() if _is_self(account, user) else types.UserEmpty(getattr(user, "user_id", 0))
        for user in request.id
    ]


@method(functions.users.GetFullUserRequest)
async def get_full_user(call: Call, request: functions.users.GetFullUserRequest) -> types.users.UserFull:
    """Give the caller's own profile."""
    account = home_account(call)
    if not _is_self(account, request.id):
        raise RpcError(400, "USER_ID_INVALID")
    full = types.UserFull(
        id=account.id,
        settings=types.PeerSettings(),
        notify_settings=types.PeerNotifySettings(),
        common_chats_count=0,
        can_pin_message=True,
    )
    return types.users.UserFull(full, chats=[], users=[account.user()])


def _is_self(account: Account, user: Any) -> bool:
    return isinstance(user, types.InputUserSelf) or (
        isinstance(user, types.InputUser) and user.user_id == account.id
    )
